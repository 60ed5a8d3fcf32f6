"""One rule for physical names, the provider's own: the logical name, a hyphen and seven hex digits."""

import secrets
from collections.abc import Mapping
from typing import Any

# Where the provider's bridge lists the inputs that it made up, so that it keeps them from one `up` to the next.
MADE_UP = "__defaults"


def named(logical: str, property: str, inputs: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Any]:
    """The inputs with a physical name in `property`: the given one, else the one made up before, else a new one."""
    if not property or property in inputs:
        return dict(inputs)
    kept = old[property] if old and property in old.get(MADE_UP, ()) else None
    return {**inputs, property: kept or f"{logical}-{secrets.token_hex(4)[:7]}", MADE_UP: [property]}
