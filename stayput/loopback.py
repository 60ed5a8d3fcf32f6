"""The one HTTP client for what this tool itself starts on this machine."""

import functools

import httpx


@functools.cache
def client() -> httpx.Client:
    """Shared by all threads. Made once: to read the authorities' certificates takes longer than to ask.

    It keeps no connection, so that none holds up a release that is stopping.
    """
    return httpx.Client(trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))
