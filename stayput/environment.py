"""What this machine's environment says to the libraries that a command uses, refused in one line where it cannot work.

No value is shown: an address may hold a password.
"""

import contextlib
import ssl
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import httpx

from stayput.errors import WrongUse

PROXIES = ("http_proxy", "https_proxy", "all_proxy")
FILES = ("SSL_CERT_FILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE")
BUNDLES = ("SSL_CERT_FILE", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE")
CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
PORTS = range(1, 65536)


def check(environment: Mapping[str, str]) -> None:
    """Raises WrongUse for the first variable that no library could use."""
    for name in PROXIES:
        for each in (name, name.upper()):
            if given := environment.get(each, "").strip():
                proxy(each, given)
    for name in FILES:
        if given := environment.get(name, ""):
            _file(name, given)
    if (folder := environment.get("SSL_CERT_DIR", "")) and not any(map(_is_folder, folder.split(":"))):
        raise WrongUse("SSL_CERT_DIR", "names no folder that is there", "mend it, or unset it")


def proxy(name: str, given: str) -> None:
    """Raises WrongUse unless that is the address of a proxy; without a scheme it is an http one."""
    whole = given if "://" in given else f"http://{given}"
    schemes = ("http", "https", "socks5", "socks5h")
    if (why := _wrong(whole, schemes)) is not None:
        raise WrongUse(name, f"is no proxy's address: {why}", "write it like http://proxy.example.com:3128")
    if whole.startswith("socks") and not find_spec("socksio"):
        raise WrongUse(name, "names a SOCKS proxy", "name an HTTP proxy, or pip install socksio")


def address(name: str, given: str) -> str:
    """The address of an API that a variable names. Raises WrongUse."""
    text = given.strip()
    if (why := _wrong(text, ("http", "https"))) is None and httpx.URL(text).query:
        why = "it has a query"
    if why is None:
        return text
    raise WrongUse(name, f"is no address of an API: {why}", "write it like https://api.example.com, or unset it")


def check_aws(environment: Mapping[str, str]) -> None:
    """Raises WrongUse for a setting of AWS's that its library does not take, such as a profile that is not there."""
    if not any(name.startswith("AWS_") and name not in CREDENTIALS for name in environment):
        return
    from botocore.exceptions import BotoCoreError
    from botocore.session import Session

    try:
        Session().create_client("sts", region_name="us-east-1")  # pyright: ignore[reportUnknownMemberType]
    except (BotoCoreError, ValueError, LookupError) as problem:
        said = " ".join(str(problem).split())
        raise WrongUse("the AWS_ variables", said, "mend that setting, or unset it: env | grep AWS_") from None


def _wrong(text: str, schemes: tuple[str, ...]) -> str | None:
    """Why that is no address of one of these schemes; None: it is one."""
    if not text.isprintable() or " " in text:
        return "it has blanks or control characters"
    try:
        url = httpx.URL(text)
        host = url.host
    except (httpx.InvalidURL, ValueError):
        return "it cannot be read"
    if url.scheme not in schemes:
        return "it does not begin with http:// or https://"
    if not host:
        return "it names no host"
    if url.port is not None and url.port not in PORTS:
        return "its port is not between 1 and 65535"
    return None


def _file(name: str, given: str) -> None:
    path = Path(given).expanduser()
    try:
        if name in BUNDLES:
            ssl.create_default_context(cafile=given)
        elif path.exists():
            with path.open("rb") as file:
                file.read(1)
    except ssl.SSLError:
        raise WrongUse(name, "names a file that holds no certificate", "name a PEM file, or unset it") from None
    except (OSError, ValueError) as problem:
        said = getattr(problem, "strerror", None) or "it is no path"
        raise WrongUse(name, f"names a file that cannot be read: {said}", "mend it, or unset it") from None


def _is_folder(path: str) -> bool:
    with contextlib.suppress(OSError, ValueError):
        return Path(path).is_dir()
    return False
