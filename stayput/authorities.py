"""Whom the certificate of a site elsewhere is believed from."""

import functools
import os
import ssl

import httpx


def authorities() -> ssl.SSLContext:
    """Read once for each setting of the environment: to read them takes longer than to ask a site."""
    return _read(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@functools.cache
def _read(*_: str | None) -> ssl.SSLContext:
    return httpx.create_ssl_context()
