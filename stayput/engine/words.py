"""Resources and what became of them, in words. Pure."""

import json
from collections.abc import Mapping
from typing import Any

from stayput.engine import Drift


def drifted(resource: str, old: Mapping[str, Any], new: Mapping[str, Any] | None) -> list[Drift]:
    """What became of a resource since it was made, a line a property; new None: it is gone."""
    if new is None:
        return [Drift(resource, "is gone")]
    names = [name for name in (*old, *(name for name in new if name not in old)) if old.get(name) != new.get(name)]
    return [Drift(resource, f"{name} is {_said(new.get(name))}, was {_said(old.get(name))}") for name in names]


def shown(urn: str) -> str:
    """ "Bucket media"; empty for no urn."""
    return f"{kind(urn)} {name(urn)}" if "::" in urn else ""


def kind(urn: str) -> str:
    """The short type of a resource: "Bucket"."""
    return urn.split("::")[2].rsplit("$", 1)[-1].rsplit(":", 1)[-1]


def name(urn: str) -> str:
    """The logical name."""
    return urn.rsplit("::", 1)[1]


def _said(value: Any) -> str:
    match value:
        case bool():
            return "on" if value else "off"
        case None:
            return "not set"
        case str():
            return value
        case _:
            return json.dumps(value, sort_keys=True)
