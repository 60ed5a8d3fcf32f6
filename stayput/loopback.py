"""What is on this machine alone: its names, and the one HTTP client for what this tool itself starts here."""

import functools

import httpx


def leads_here(host: str) -> bool:
    """Whether host or host:port is this machine, by its name."""
    name = host.removeprefix("[").partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    return name in ("localhost", "::1", "host.docker.internal") or name.startswith("127.")


@functools.cache
def client() -> httpx.Client:
    """Shared by all threads. Made once: to read the authorities' certificates takes longer than to ask.

    It keeps no connection, so that none holds up a release that is stopping.
    """
    return httpx.Client(trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))
