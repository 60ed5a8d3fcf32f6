"""What is at a provider, read side by side, by the ids that an earlier run found."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import msgspec

from stayput.kept import recall
from stayput.secrets import write_private
from stayput.targets.http import Refused
from stayput.targets.provider import Deployment, Provider


@dataclass(frozen=True, kw_only=True)
class Seen:
    url: str
    deployments: Sequence[Deployment]  # newest first
    fingerprints: Mapping[str, str]  # of all variables there


def look(provider: Provider, file: Path) -> Seen:
    """file: keeps the ids between runs. Where they are not right any more, the service is looked up anew."""
    if known := _kept(file).get(provider.named):
        try:
            return _read(provider, known)
        except Refused:  # gone, renamed, or of another token
            file.unlink()
    found = provider.find("")
    write_private(file, msgspec.json.encode({provider.named: found}))
    return _read(provider, found)


def _read(provider: Provider, ids: str) -> Seen:
    provider.find(ids)
    with ThreadPoolExecutor(2) as at_once:
        listed, known = at_once.submit(provider.deployments), at_once.submit(provider.fingerprints)
        url = provider.url()
        return Seen(url=url, deployments=listed.result(), fingerprints=known.result())


def _kept(file: Path) -> dict[str, str]:
    return recall(file, dict[str, str]) or {}
