"""/healthz as a target asks it: what a release says of itself."""

from collections.abc import Mapping
from typing import cast

import httpx

from stayput import loopback


def ask(url: str) -> tuple[int, Mapping[str, object]]:
    """The status and body of /healthz; 0 where nothing answers."""
    try:
        answer = loopback.client().get(f"{url}/healthz", timeout=5)
        return answer.status_code, answer.json()
    except (httpx.HTTPError, ValueError):
        return 0, {}


def failing(health: Mapping[str, object]) -> str:
    """What /healthz says is wrong, or that it is another release's."""
    checks = health.get("checks")
    if not isinstance(checks, dict):
        return ""
    named = cast("dict[str, dict[str, object]]", checks)
    said = [f"{name}: {check.get('detail')}" for name, check in named.items() if not check.get("ok")]
    return "; ".join(said) or f"it says it is release {health.get('release')}, build {health.get('build')}"
