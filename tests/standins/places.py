"""A target for each provider, with the stand-in that it talks to, at a pace for tests."""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from stayput.apply import apply
from stayput.ledger import Ledger
from stayput.plan import Desired, plan_release
from stayput.proof import Check, Proof
from stayput.release import name_build, name_release
from stayput.report import Report
from stayput.secrets import Secret, fingerprint
from stayput.steps import Record, Verify
from stayput.targets import koyeb as koyeb_api
from stayput.targets import railway as railway_api
from stayput.targets import render as render_api
from stayput.targets.paas import PaasTarget
from stayput.targets.provider import Pace
from stayput.tokens import Token
from stayput.variables import Access
from stayput.workspace import Workspace
from tests.standins.koyeb import Koyeb
from tests.standins.railway import Railway
from tests.standins.render import Render
from tests.standins.sites import LightImages, LightSites, reference

KEY = Secret("fingerprint key")
PACE = Pace(first=0.02, last=0.1, deployment=20, public=3, look=2, others=2, retry=0.02)
TIMEOUT = 0.5  # seconds, less than a slow stand-in takes
THEIRS = {"DATABASE_URL": "postgresql://user:s3cr3t-of-theirs@db/app", "SENTRY_DSN": "set by hand"}
TOKEN = "the-token"
MIGRATE = "python manage.py migrate_once"


def release(number, **more):
    """A release whose build and one secret have that number."""
    variables = {
        "SECRET_KEY": Secret("django-secret-value"),
        "STAYPUT_KEY": Secret(f"stayput-secret-value-{number}"),
        "USE_S3": "False",
    }
    return name_release(name_build({"source": str(number)}), {**variables, **more}, KEY)


@dataclass
class Place:
    """`said` is what the target told while it worked."""

    target: PaasTarget
    stand_in: object
    images: LightImages
    make: object  # () -> another target on the same state, as the next command has it
    home: Path
    said: list = field(default_factory=list)
    built: object = None

    @property
    def hosting(self):
        return self.stand_in.hosting

    def again(self):
        """The same place for the next command."""
        self.target = self.make()
        return self.target

    def deploy(self, wanted, proven=True):
        """The road's own plan for one release, done as the road does it; only the proof is told how to end."""
        target = self.again()
        observed, access = target.observe(), Access(stayput_key=KEY, outputs=None)
        steps = plan_release(Desired(release=wanted, access=access, last=None), observed)
        steps = [ToldProof(proven, wanted, access) if isinstance(one, Verify) else one for one in steps]
        workspace = Workspace(
            project=None, stack=None, secrets=None, engine=None, target=target, ledger=Ledger(self.home / "ledger")
        )
        apply(workspace, Quiet(True))(one for one in steps if not isinstance(one, Record))
        target.recorded(wanted)


class ToldProof(Verify):
    """A proof whose end is known: no light site takes a photo."""

    def __init__(self, proven, release, access):
        super().__init__(release=release, access=access, keepsake=None, reason="told")
        object.__setattr__(self, "proven", proven)

    def perform(self, target):
        return Proof(url="", checks=(Check(name="upload", ok=self.proven, detail="as told"),))


class Quiet(Report):
    def _line(self, *_, **__):
        pass


def koyeb(stand_in, key, timeout, built=None):
    api = koyeb_api.connect(Secret(TOKEN), stand_in.url, PACE.retry, timeout)
    return koyeb_api.Koyeb(api, "gallery", "web", partial(fingerprint, key), built)


def railway(stand_in, key, timeout, built=None):
    token = Token(kind=railway_api.TOKENS[0], secret=Secret(TOKEN), place="")
    api = railway_api.connect(token, stand_in.url, PACE.retry, timeout)
    return railway_api.Railway(api, "gallery", "production", "web", partial(fingerprint, key), built)


def render(stand_in, key, timeout, built=None):
    api = render_api.connect(Secret(TOKEN), stand_in.url, PACE.retry, timeout)
    return render_api.Render(api, "gallery", partial(fingerprint, key), built)


def make_place(
    known,
    certificate,
    home: Path,
    *,
    sites=None,
    images=None,
    variables=THEIRS,
    key=KEY,
    timeout=TIMEOUT,
    clock=None,
    built=None,
):
    """certificate: of the edge; None for one without a network. clock: a VirtualClock then, and the true pace.

    built: a Building of a provider that builds the repository itself; the place's own may change between commands.
    """
    stand_in_class, open_provider = known
    images = images or LightImages()
    stand_in = stand_in_class(certificate, sites or LightSites(images), variables)
    said: list[str] = []

    def make():
        given = {"home": home, "key": key, "migrate": MIGRATE, "say": said.append}
        provider = open_provider(stand_in, key, timeout, place.built)
        if place.built:
            given |= {"builder": provider, "fresh": place.built.fresh}
        if clock is None:
            return PaasTarget(provider, images, pace=PACE, **given)
        provider.api.clock, provider.api.http = clock.clock, clock.client(stand_in)
        return PaasTarget(provider, images, public=lambda _: stand_in.hosting.reported, **given)

    if clock is None:
        stand_in.listen()
    else:
        stand_in.today = clock.today
    place = Place(None, stand_in=stand_in, images=images, make=make, home=home, said=said, built=built)
    place.again()
    return place


PLACES = {
    "koyeb": partial(make_place, (Koyeb, koyeb)),
    "railway": partial(make_place, (Railway, railway)),
    "render": partial(make_place, (Render, render)),
}

__all__ = ["PLACES", "Place", "reference", "release"]
