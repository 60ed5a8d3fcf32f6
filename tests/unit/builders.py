"""Values for tests: what does not matter is filled in."""

from stayput.engine import Cloud, Outputs
from stayput.ledger import Keepsake, Live
from stayput.plan import Desired
from stayput.release import Build, Release, name_build, name_release
from stayput.secrets import Secret, StackSecrets
from stayput.targets import Observed
from stayput.variables import Access

KEY = Secret("fingerprint key")
SECRETS = StackSecrets(secret_key=Secret("django"), stayput_key=Secret("stayput"), fingerprint_key=KEY)
OUTPUTS = Outputs(
    bucket="media-1234567",
    region="eu-central-1",
    media_base_url="https://media-1234567.s3.eu-central-1.amazonaws.com/media/",
    uploader_name="uploader-1234567",
    access_key_id="AKIAEXAMPLE",
    secret_access_key=Secret("hunter2"),
)


def cloud(outputs: Outputs | None = OUTPUTS, reason: str = "", endpoint_url: str = "", private: bool = False) -> Cloud:
    return Cloud(engine="memory", outputs=outputs, endpoint_url=endpoint_url, signed_addresses=private, reason=reason)


def build(**parts: str) -> Build:
    return name_build({"source": "s1", "dependencies": "d1", "python": "3.13"} | parts)


def release(variables: dict[str, str | Secret] | None = None, of: Build | None = None) -> Release:
    return name_release(of or build(), variables or {"USE_S3": "True"}, KEY)


def live(of: Release, keepsake: Keepsake | None = None) -> Live:
    return Live(
        target="memory",
        release=of.id,
        build=of.build.id,
        parts=of.build.parts,
        fingerprints=of.fingerprints,
        url="http://127.0.0.1:8000",
        keepsake=keepsake,
    )


def desired(of: Release | None = None, last: Live | None = None, outputs: Outputs | None = OUTPUTS) -> Desired:
    access = Access(stayput_key=SECRETS.stayput_key, outputs=outputs)
    return Desired(release=of or release(), access=access, last=last)


def observed(of: Release | None = None, *, healthy: bool = True) -> Observed:
    """A target on which that release serves, or nothing."""
    if of is None:
        return Observed(url="http://127.0.0.1:8000")
    return Observed(
        url="http://127.0.0.1:8000",
        release=of.id,
        build=of.build.id,
        healthy=healthy,
        fingerprints=of.fingerprints,
    )
