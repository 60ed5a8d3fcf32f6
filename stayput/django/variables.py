"""The one table of variables that a site reads, and the pure reading of them."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from django.core.exceptions import ImproperlyConfigured

from stayput.django import parsers, s3_values
from stayput.django.parsers import TRUE, Unusable

Needed = Literal["always", "with S3", "with ImageKit", "no"]


@dataclass(frozen=True, kw_only=True)
class Variable:
    """One variable of the environment.

    owner: "ours" is set by a deploy, "theirs" by the platform or by the site's operator.
    default: what stands where nothing is set; "" when there is none. where: the place to get a value.
    """

    name: str
    owner: Literal["ours", "theirs"] = "ours"
    secret: bool = False
    needed: Needed = "no"
    default: str = ""
    example: str = ""
    help: str
    where: str = "any value you choose"


LOOPBACK = re.compile(r"http://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?")  # an origin of this machine
IAM_KEY = "the stack's outputs, or in AWS: IAM, Users, the uploader, Security credentials"
BUCKET = "the stack's outputs, or in AWS: S3, Buckets"
IMAGEKIT = "ImageKit's dashboard: Developer options, API keys"
RANDOM = 'made by a deploy, or: python -c "import secrets; print(secrets.token_urlsafe(48))"'

VARIABLES: tuple[Variable, ...] = (
    Variable(
        name="SECRET_KEY", secret=True, needed="always", where=RANDOM, help="Signs sessions and forms; long and random."
    ),
    Variable(name="STAYPUT_KEY", secret=True, needed="always", where=RANDOM, help="Signs upload tokens."),
    Variable(name="USE_S3", default="False", example="True", help="True keeps pictures in S3, False on local disk."),
    Variable(name="AWS_ACCESS_KEY_ID", needed="with S3", where=IAM_KEY, help="The uploader's key id."),
    Variable(
        name="AWS_SECRET_ACCESS_KEY", secret=True, needed="with S3", where=IAM_KEY, help="The uploader's secret key."
    ),
    Variable(
        name="AWS_STORAGE_BUCKET_NAME",
        needed="with S3",
        example="gallery-media",
        where=BUCKET,
        help="The bucket that holds the pictures.",
    ),
    Variable(
        name="AWS_S3_REGION_NAME",
        needed="with S3",
        example="eu-central-1",
        where=BUCKET,
        help="The bucket's region; it is part of every picture's address.",
    ),
    Variable(
        name="AWS_QUERYSTRING_AUTH",
        default="False",
        example="True",
        help="True for a private bucket: addresses are signed and live an hour.",
    ),
    Variable(
        name="AWS_S3_ENDPOINT_URL",
        example="http://127.0.0.1:5000",
        help="Another S3 than Amazon's.",
        where="the documentation of that service",
    ),
    Variable(
        name="AWS_S3_CUSTOM_DOMAIN",
        example="pictures.example.com",
        help="A CDN in front of the bucket.",
        where="in AWS: CloudFront, Distributions, Domain name",
    ),
    Variable(
        name="IMAGEKIT_PRIVATE_KEY",
        secret=True,
        needed="with ImageKit",
        where=IMAGEKIT,
        help="Keeps pictures in ImageKit instead of S3.",
    ),
    Variable(name="IMAGEKIT_PUBLIC_KEY", where=IMAGEKIT, help="Only for uploads sent from a browser to ImageKit."),
    Variable(
        name="IMAGEKIT_URL_ENDPOINT",
        needed="with ImageKit",
        example="https://ik.imagekit.io/your_id",
        where=IMAGEKIT,
        help="The address under which ImageKit shows the pictures.",
    ),
    Variable(
        name="ALLOWED_HOSTS",
        default="localhost,127.0.0.1,[::1]",
        example="gallery.example.com",
        where="the site's domain, without scheme",
        help="Hosts the site answers to, with commas between.",
    ),
    Variable(
        name="CSRF_TRUSTED_ORIGINS",
        example="https://gallery.example.com",
        where="the site's public address",
        help="Public addresses of the site, with commas between; one with https makes the site insist on https,"
        " unless this machine's own address is among them with http.",
    ),
    Variable(name="STAYPUT_RELEASE", default="unknown", where="set by a deploy", help="The release's id in /healthz."),
    Variable(
        name="DATABASE_URL",
        owner="theirs",
        secret=True,
        example="postgresql://user:password@host:5432/name",
        where="your platform's database page; without it the site uses a SQLite file beside manage.py",
        help="PostgreSQL or SQLite.",
    ),
    Variable(name="PORT", owner="theirs", default="8000", where="set by the platform", help="Where the site listens."),
    Variable(
        name="MEDIA_ROOT",
        owner="theirs",
        example="/data/media",
        where="a path of your own; without it, media beside manage.py",
        help="Where pictures lie when they are on local disk.",
    ),
    Variable(name="DEBUG", owner="theirs", default="False", example="True", help="True on a developer's machine only."),
)


@dataclass(frozen=True, kw_only=True)
class Values:
    """What VARIABLES say, read and checked. Text that is absent is "", a list that is absent is ()."""

    secret_key: str = field(repr=False)
    stayput_key: str = field(repr=False)
    use_s3: bool = False
    aws_access_key_id: str = ""
    aws_secret_access_key: str = field(default="", repr=False)
    aws_storage_bucket_name: str = ""
    aws_s3_region_name: str = ""
    aws_querystring_auth: bool = False
    aws_s3_endpoint_url: str = ""
    aws_s3_custom_domain: str = ""
    imagekit_private_key: str = field(default="", repr=False)
    imagekit_public_key: str = ""
    imagekit_url_endpoint: str = ""
    allowed_hosts: tuple[str, ...] = ()
    csrf_trusted_origins: tuple[str, ...] = ()
    stayput_release: str = "unknown"
    database_url: str = field(default="", repr=False)
    port: int = 8000
    media_root: str = ""
    debug: bool = False

    @property
    def behind_tls(self) -> bool:
        """Whether people reach the site over https, and not on this machine as well, where it must not redirect."""
        origins = self.csrf_trusted_origins
        here = any(LOOPBACK.fullmatch(origin) for origin in origins)
        return not here and any(origin.startswith("https://") for origin in origins)


class WrongVariables(ImproperlyConfigured):
    """Everything that is missing or wrong, at once; `problems` holds a sentence for each."""

    def __init__(self, problems: Iterable[str]):
        self.problems = tuple(problems)
        super().__init__("the site cannot start: " + "; ".join(self.problems))


def read(environ: Mapping[str, str]) -> Values:
    """The environment as Values. Raises WrongVariables, which never repeats the value of a secret."""
    text = {v.name: trimmed(v, environ.get(v.name, "")) or v.default for v in VARIABLES}
    problems = [*missing(text), *contradictions(text)]
    secrets = [text[v.name] for v in VARIABLES if v.secret and len(text[v.name]) > 3]
    values: dict[str, Any] = {}
    with_s3 = text["USE_S3"].lower() in TRUE

    def take(name: str, parse: Callable[[], object]) -> None:
        try:
            values[name] = parse()
        except Unusable as wrong:
            values.pop(name, None)
            shown = "" if name in HIDDEN or any(one in text[name] for one in secrets) else f" ({short(text[name])!r})"
            problems.append(f"{name}{shown} {wrong}")

    for variable in VARIABLES:
        take(variable.name, partial(parsed, variable, text[variable.name], with_s3))
    for name in s3_values.SETTLED if with_s3 else ():
        if values.get(name):
            take(name, partial(s3_values.SETTLED[name], values))
    if problems:
        raise WrongVariables(problems)
    return Values(**{name.lower(): value for name, value in values.items()})


def parsed(variable: Variable, text: str, with_s3: bool) -> object:
    """Raises Unusable. What only S3 needs is not judged where it is not chosen."""
    if variable.needed == "with S3" and not with_s3:
        return text
    parsers.characters(text, "\t\r\n" if variable.name in ("ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS") else "")
    return PARSERS.get(variable.name, str)(text)


def trimmed(variable: Variable, text: str) -> str:
    """Quotes are of no value but of a key of the site's own, where they may be meant."""
    return text.strip() if variable.name in ("SECRET_KEY", "STAYPUT_KEY") else parsers.cleaned(text)


def short(text: str) -> str:
    """What may be shown of a value: not all of a long one, and no password in an address."""
    text = re.sub(r"//.*@", "//****@", text, flags=re.DOTALL)
    return text if len(text) < 100 else f"{text[:80]}..."


def missing(text: Mapping[str, str]) -> Iterator[str]:
    chosen: dict[Needed, bool] = {
        "always": True,
        "no": False,
        "with S3": text["USE_S3"].lower() in TRUE,
        "with ImageKit": uses_imagekit(text),
    }
    for variable in VARIABLES:
        if chosen[variable.needed] and not text[variable.name]:
            yield f"{variable.name} is missing (get it: {variable.where})"


def contradictions(text: Mapping[str, str]) -> Iterator[str]:
    if text["USE_S3"].lower() in TRUE and uses_imagekit(text):
        yield "USE_S3 and IMAGEKIT_PRIVATE_KEY are both set, and pictures have one home (unset one of them)"


def uses_imagekit(text: Mapping[str, str]) -> bool:
    return bool(text["IMAGEKIT_PRIVATE_KEY"] or text["IMAGEKIT_URL_ENDPOINT"])


HIDDEN = {v.name for v in VARIABLES if v.secret} | {"AWS_ACCESS_KEY_ID", "IMAGEKIT_PUBLIC_KEY"}
PARSERS: Mapping[str, Callable[[str], object]] = {
    "USE_S3": parsers.boolean,
    "AWS_ACCESS_KEY_ID": parsers.word,
    "AWS_SECRET_ACCESS_KEY": parsers.word,
    "AWS_STORAGE_BUCKET_NAME": s3_values.bucket,
    "AWS_S3_REGION_NAME": s3_values.region,
    "AWS_QUERYSTRING_AUTH": parsers.boolean,
    "AWS_S3_ENDPOINT_URL": parsers.address,
    "AWS_S3_CUSTOM_DOMAIN": parsers.domain,
    "IMAGEKIT_PRIVATE_KEY": partial(parsers.imagekit_key, kind="private"),
    "IMAGEKIT_PUBLIC_KEY": partial(parsers.imagekit_key, kind="public"),
    "IMAGEKIT_URL_ENDPOINT": parsers.imagekit_address,
    "ALLOWED_HOSTS": parsers.hosts,
    "CSRF_TRUSTED_ORIGINS": parsers.origins,
    "DATABASE_URL": parsers.database,
    "PORT": parsers.port,
    "MEDIA_ROOT": parsers.path,
    "DEBUG": parsers.boolean,
}


def env_example() -> str:
    """The text of .env.example: every variable, those with a default or without need commented out."""
    lines = ["# Every variable the site reads. Made by: python manage.py env_example > .env.example", ""]
    for variable in VARIABLES:
        need = {"always": "needed", "no": "optional"}.get(variable.needed, f"needed {variable.needed}")
        default = f", else {variable.default}" if variable.default else ""
        lines += [
            f"# {variable.help}",
            f"# {need}{default}{', secret' if variable.secret else ''}. Get it: {variable.where}",
            f"{'' if variable.needed == 'always' else '# '}{variable.name}={variable.example}",
            "",
        ]
    return "\n".join(lines)
