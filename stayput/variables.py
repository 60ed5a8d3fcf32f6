"""From stack outputs and stack secrets to the variables of a release. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from stayput.domains import MERGED
from stayput.engine import Cloud, Outputs
from stayput.errors import WrongUse
from stayput.release import Variables
from stayput.secrets import Secret, StackSecrets

TABLE, ENVIRONMENT = "stayput.toml, [variables]", 'the environment, as database = "ours" says'
IN_BUCKET = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_STORAGE_BUCKET_NAME", "AWS_S3_REGION_NAME")
SET_ALWAYS = frozenset(("SECRET_KEY", "STAYPUT_KEY", "USE_S3", "STAYPUT_RELEASE"))  # besides those that are merged
SET_WITH_BUCKET = frozenset(IN_BUCKET)


@dataclass(frozen=True, kw_only=True)
class Access:
    """What a proof needs to enter: the right to upload, and the uploader's own key to look into the bucket."""

    stayput_key: Secret
    outputs: Outputs | None  # None: uploads stay on the release's disk
    endpoint_url: str = ""

    @property
    def stored_in(self) -> str:
        """Where uploads go: the bucket's name, or an empty text for the release's disk."""
        return self.outputs.bucket if self.outputs else ""


def database(owner: Literal["theirs", "ours"], environment: Mapping[str, str]) -> Variables:
    """DATABASE_URL where a deploy sets it: from the environment of the deploy. Raises WrongUse."""
    if owner == "theirs":
        return {}
    if not (url := environment.get("DATABASE_URL", "").strip()):  # CI's often end with a line end
        what = 'database = "ours", and there is no DATABASE_URL in the environment'
        raise WrongUse("stayput.toml", what, 'export it, or leave it to the target: database = "theirs"')
    return {"DATABASE_URL": Secret(url)}


def name_database(url: str) -> str:
    """What of a DATABASE_URL tells which database it is: all but who comes in, and by which scheme."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port or ""
    except ValueError:
        return url
    return f"{host}:{port}{parts.path}?{parts.query}#{parts.fragment}"


def refuse_overridden(
    given: Mapping[str, Variables], storage: Literal["s3", "local"], also: Collection[str] = ()
) -> None:
    """Raises WrongUse for a variable that a deploy sets itself, or that is said twice: one value would be lost.

    given: where it is said, and the variables said there. also: what this target or this stack sets besides.
    """
    ours = SET_ALWAYS.union(also, SET_WITH_BUCKET if storage == "s3" else ())
    places: dict[str, str] = {}
    for where, variables in given.items():
        for name in variables:
            if name in ours:
                raise WrongUse(where, f"{name} is set by a deploy, which would override this value", _instead(name))
            if name in places and name not in MERGED:
                raise WrongUse(where, f"{name} is in {places[name]} too", "keep one of the two")
            places[name] = where


def _instead(name: str) -> str:
    if name == "USE_S3":
        return 'take it out, and say storage = "s3" or storage = "local" in stayput.toml'
    if name == "PORT":
        return "take it out: this target chooses the port; a provider that needs one has it among its own variables"
    if name.startswith("AWS_"):
        return "take it out: the stack says it, in Pulumi.<stack>.yaml; docs/infra.md has its settings"
    return "take it out: each stack has a value of its own"


def wanted(cloud: Cloud | None, secrets: StackSecrets, hosts: Sequence[str], origins: Sequence[str]) -> Variables:
    """All variables that are ours. cloud None: uploads stay on the release's disk."""
    site = {
        "SECRET_KEY": secrets.secret_key,
        "STAYPUT_KEY": secrets.stayput_key,
        "ALLOWED_HOSTS": ",".join(hosts),
        "CSRF_TRUSTED_ORIGINS": ",".join(origins),
    }
    if cloud is None or cloud.outputs is None:
        return {**site, "USE_S3": "False"}
    bucket = {
        "USE_S3": "True",
        "AWS_ACCESS_KEY_ID": cloud.outputs.access_key_id,
        "AWS_SECRET_ACCESS_KEY": cloud.outputs.secret_access_key,
        "AWS_STORAGE_BUCKET_NAME": cloud.outputs.bucket,
        "AWS_S3_REGION_NAME": cloud.outputs.region,
    }
    return {**site, **bucket, **of_stack(cloud)}


def of_stack(cloud: Cloud) -> Mapping[str, str]:
    """What only some stacks set; elsewhere a project may."""
    optional = {
        "AWS_S3_ENDPOINT_URL": cloud.endpoint_url,
        "AWS_QUERYSTRING_AUTH": "True" if cloud.signed_addresses else "",
    }
    return {name: value for name, value in optional.items() if value}
