"""One rule for physical names, the provider's own: the logical name, a hyphen and seven hex digits."""

import ipaddress
import re
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


def bucket_name_fault(name: str) -> str:
    """Why S3 would not take that name for a bucket, or an empty text."""
    if not 3 <= len(name) <= 63:
        return f"has {len(name)} characters; S3 takes 3 to 63"
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]*[a-z0-9]", name) or ".." in name:
        return "may hold only a-z, 0-9, hyphens and single dots, and must begin and end with a letter or digit"
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return ""
    return "is an IP address"
