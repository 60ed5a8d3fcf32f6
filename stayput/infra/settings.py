"""What a stack may say in its Pulumi.<stack>.yaml, checked before any resource is made. Pure."""

import difflib
import ipaddress
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast
from urllib.parse import urlsplit

Mode = Literal["public", "private"]
CloudName = Literal["aws", "this-machine"]
KeyStatus = Literal["active", "inactive"]

ENDPOINT_VARIABLE = "STAYPUT_CLOUD_URL"
KEYS = ("mode", "origins", "bucket", "cloud", "allowPlainHttp", "import", "keyGeneration", "previousKey")


REGION = re.compile(
    r"\b[a-z]{2,4}(-[a-z]+)?-(north|south|east|west|central|northeast|northwest|southeast|southwest)-[0-9]\b"
)
OF_NOBODY = re.compile(r"(your?|my|the|some|an?|example|test|new)?-?(s3-)?bucket(-?name)?|change-?me|placeholder|todo")


class SettingsError(ValueError):
    """One setting that cannot stand: which, why, and what to write instead."""

    def __init__(self, key: str, what: str, next_step: str) -> None:
        super().__init__(f"{key}: {what}. Next: {next_step}")
        self.key, self.what, self.next_step = key, what, next_step


@dataclass(frozen=True, kw_only=True)
class Settings:
    """A stack's settings, all of them valid."""

    region: str
    mode: Mode = "public"  # public: anyone reads media/*; private: only signed addresses
    origins: tuple[str, ...] = ()  # of the sites whose pages may read from the bucket and post to it
    bucket: str | None = None  # None: the provider makes a name up
    taken_over: bool = False  # the bucket was there before the stack
    cloud: CloudName = "aws"
    allow_plain_http: bool = False
    key_generation: int = 1  # of the access key that is handed out
    previous_key: KeyStatus | None = None  # what the generation before may still do; None: it is gone

    @property
    def throw_away(self) -> bool:
        """Whether destroying the stack may take keys with it that it did not make, and what is in its own bucket."""
        return self.cloud == "this-machine"

    @property
    def empties_bucket(self) -> bool:
        """Whether destroying the bucket takes its objects along; never of one that others filled, or in an account."""
        return self.throw_away and not self.taken_over


def parse(config: Mapping[str, str]) -> Settings:
    """The settings in a stack's config: full keys ("stayput:mode"), values as text, lists as JSON.

    Keys of other namespaces belong to their providers and are left alone. Raises SettingsError.
    """
    ours = {key.removeprefix("stayput:"): value for key, value in config.items() if key.startswith("stayput:")}
    for key in ours:
        if key not in KEYS:
            raise SettingsError(f"stayput:{key}", "there is no such setting", _likely(key))
    region = config.get("aws:region", "")
    if not REGION.fullmatch(region):
        what = f"{region!r} is not a region" if region else "is not set"
        meant = REGION.search(region.lower().replace("_", "-"))
        next_step = f"write {meant[0]}" if meant else "name the bucket's region, such as eu-central-1"
        raise SettingsError("aws:region", what, next_step)
    cloud = cast(CloudName, _one_of("cloud", ours.get("cloud", "aws"), ("aws", "this-machine")))
    plain = _one_of("allowPlainHttp", ours.get("allowPlainHttp", "false"), ("true", "false")) == "true"
    if plain and cloud != "this-machine":
        raise SettingsError(
            "stayput:allowPlainHttp", "is for this machine's cloud alone", "remove it; AWS is reached over https"
        )
    return Settings(
        region=region,
        mode=cast(Mode, _one_of("mode", ours.get("mode", "public"), ("public", "private"))),
        origins=_origins(ours.get("origins", "[]")),
        bucket=_named_bucket(ours),
        taken_over="import" in ours,
        cloud=cloud,
        allow_plain_http=plain,
        key_generation=(generation := _generation(ours.get("keyGeneration", "1"))),
        previous_key=_previous_key(ours.get("previousKey"), generation),
    )


def missing_origins(file: str, origins: Sequence[str], public: Sequence[str]) -> str:
    """One line for a person: which of the site's addresses stayput:origins in that file does not name; empty: none.

    public: origins as a browser sends them; S3 compares the text.
    """
    missing = [one for one in public if one not in origins]
    if not missing:
        return ""
    lines = ", ".join(f'"- {one}"' for one in missing)
    what = f"does not name {', '.join(missing)}: pages there cannot send photos straight to the bucket"
    return f"{file}: stayput:origins {what}. Next: add under stayput:origins: {lines}"


def loopback_url(environment: Mapping[str, str]) -> str:
    """The address of this machine's cloud, "http://127.0.0.1:PORT". Raises SettingsError for any other place."""
    url = environment.get(ENDPOINT_VARIABLE, "")
    if not url:
        raise SettingsError(ENDPOINT_VARIABLE, "is not set", "let the tool run this stack, or set its environment")
    try:
        parts = urlsplit(url)
    except ValueError:  # half of an IPv6 address
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not _is_loopback(parts.hostname or ""):
        raise SettingsError(ENDPOINT_VARIABLE, f"{url!r} is not on this machine", "use cloud: aws for a real account")
    return url.rstrip("/")


def _likely(key: str) -> str:
    folded = {known.lower(): known for known in KEYS}
    near = difflib.get_close_matches(key.lower().replace("_", "").replace("-", ""), folded, n=1)
    return f"did you mean stayput:{folded[near[0]]}?" if near else "the settings are " + ", ".join(KEYS)


def _one_of(key: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise SettingsError(f"stayput:{key}", f"{value!r} is not possible", "write " + " or ".join(allowed))
    return value


def _named_bucket(ours: Mapping[str, str]) -> str | None:
    given, existing = ours.get("bucket"), ours.get("import")
    if given and existing and given != existing:
        raise SettingsError("stayput:bucket", f"is {given!r}, but stayput:import is {existing!r}", "remove one of them")
    if existing is not None:
        return _bucket_name(existing, "import", "name the bucket as S3 lists it, or remove the line")
    if given is None:
        return None
    _bucket_name(given, "bucket", FRESH)
    if OF_NOBODY.fullmatch(given) and ours.get("cloud", "aws") == "aws":
        raise SettingsError("stayput:bucket", f"{given!r} is a placeholder, and taken by another account", FRESH)
    return given


def _generation(text: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,5}", text):
        raise SettingsError("stayput:keyGeneration", f"{text!r} is not a generation", "write a whole number from 1 on")
    return int(text)


def _previous_key(text: str | None, generation: int) -> KeyStatus | None:
    if text is None:
        return None
    if generation == 1:
        raise SettingsError("stayput:previousKey", "is set, but the first generation has none before it", "remove it")
    return cast(KeyStatus, _one_of("previousKey", text, ("active", "inactive")))


def _origins(text: str) -> tuple[str, ...]:
    try:
        origins: object = json.loads(text)
    except (ValueError, RecursionError):
        origins = None
    if not isinstance(origins, list):
        raise SettingsError("stayput:origins", f"{text!r} is not a list", "write one origin a line, each after a dash")
    return tuple(dict.fromkeys(_origin(one) for one in cast(list[object], origins)))


def _origin(value: object) -> str:
    """An origin exactly as a browser sends it; S3 compares the text."""

    def refuse(why: str, next_step: str) -> SettingsError:
        return SettingsError("stayput:origins", f"{value!r} {why}", next_step)

    example = "write the scheme and the host of a site, such as https://photos.example.org"
    if not isinstance(value, str):
        raise refuse("is not text", example)
    if "*" in value:
        raise refuse("holds a wildcard", "name each site that may post to the bucket")
    try:
        parts = urlsplit(value)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise refuse("is not an address", example) from None
    if "@" in parts.netloc:
        bare = parts.netloc.rpartition("@")[2]
        raise SettingsError("stayput:origins", "an origin holds a name or a password", f"write {parts.scheme}://{bare}")
    if parts.scheme not in ("https", "http") or not _is_host(host):
        raise refuse("is not an origin", example)
    if parts.scheme == "http" and not _is_loopback(host):
        raise refuse("is plain http", f"write https://{parts.netloc}; http is for this machine alone")
    shown = f"[{host}]" if ":" in host else host
    default = port is None or port == {"https": 443, "http": 80}[parts.scheme]
    exact = f"{parts.scheme}://{shown}" + ("" if default else f":{port}")
    if value != exact:
        raise refuse("is not what a browser sends", f"write {exact}")
    return value


def _is_host(host: str) -> bool:
    if ":" in host:
        return _is_loopback(host)
    label = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
    return len(host) <= 253 and re.fullmatch(rf"{label}(\.{label})*", host) is not None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


FRESH = "choose another name, or leave it out for a fresh one"


def _bucket_name(name: str, key: str, next_step: str) -> str:
    """Source: Amazon S3 User Guide, "General purpose bucket naming rules"; dots are refused beyond that."""

    def refuse(why: str) -> SettingsError:
        bare = _bare(name)
        wrapped = bare != name and BUCKET.fullmatch(bare) is not None and 3 <= len(bare) <= 63
        return SettingsError(f"stayput:{key}", f"{name!r} {why}", f"write {bare}" if wrapped else next_step)

    if _bare(name) != name:
        raise refuse("is not a bucket's bare name")
    if not 3 <= len(name) <= 63:
        raise refuse(f"has {len(name)} characters; S3 takes 3 to 63")
    if "." in name:
        raise refuse("holds a dot, which breaks https to the bucket")
    if not BUCKET.fullmatch(name):
        raise refuse("may hold only a-z, 0-9 and hyphens, and must begin and end with a letter or digit")
    if name.startswith(("xn--", "sthree-", "amzn-s3-demo-")) or name.endswith(
        ("-s3alias", "--ol-s3", "--x-s3", "--table-s3")
    ):
        raise refuse("begins or ends with what S3 keeps for itself")
    return name


BUCKET = re.compile(r"[a-z0-9][a-z0-9-]*[a-z0-9]")
ADDRESS = re.compile(r"https?://([^./]+)\.s3[.-].*|https?://s3[.-][^/]+/([^/]+).*|(?:s3://|arn:[a-z-]+:s3:::)([^/]*).*")


def _bare(text: str) -> str:
    """The name alone: without quotes, brackets and blanks around it, or out of an address or ARN."""
    text = text.strip("'\"`<>{}$ \t\r\n")
    found = ADDRESS.fullmatch(text)
    return next(filter(None, found.groups()), "") if found else text.rstrip("/")
