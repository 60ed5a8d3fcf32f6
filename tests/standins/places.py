"""A target for each provider, with the stand-in that it talks to, at a pace for tests."""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from stayput.release import name_build, name_release
from stayput.secrets import Secret, fingerprint
from stayput.targets import railway as railway_api
from stayput.targets import render as render_api
from stayput.targets.paas import PaasTarget
from stayput.targets.provider import Pace
from tests.standins.railway import Railway
from tests.standins.render import Render
from tests.standins.sites import LightImages, LightSites, reference

KEY = Secret("fingerprint key")
PACE = Pace(first=0.02, last=0.1, deployment=20, public=3, look=2, retry=0.02)
TIMEOUT = 0.5  # seconds, less than a slow stand-in takes
THEIRS = {"DATABASE_URL": "postgresql://user:s3cr3t-of-theirs@db/app", "SENTRY_DSN": "set by hand"}
TOKEN = "the-token"
MIGRATE = "python manage.py migrate --noinput"


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
    said: list = field(default_factory=list)

    @property
    def hosting(self):
        return self.stand_in.hosting

    def again(self):
        """The same place for the next command."""
        self.target = self.make()
        return self.target

    def deploy(self, wanted):
        """The road's steps for one release, and the way back where one fails."""
        target = self.again()
        target.publish(wanted.build)
        try:
            target.inject(wanted)
            target.migrate(wanted)
            target.start(wanted)
            target.promote(wanted)
        except BaseException:
            target.withdraw(wanted)
            raise


def render(certificate, home: Path, *, sites=None, images=None, variables=THEIRS, key=KEY, timeout=TIMEOUT):
    images = images or LightImages()
    stand_in = Render(certificate, sites or LightSites(images), variables)
    said: list[str] = []

    def make():
        api = render_api.connect(Secret(TOKEN), stand_in.url, PACE.retry, timeout)
        provider = render_api.Render(api, "gallery", partial(fingerprint, key))
        return PaasTarget(provider, images, home=home, key=key, migrate=MIGRATE, pace=PACE, say=said.append)

    return Place(target=make(), stand_in=stand_in, images=images, make=make, said=said)


def railway(certificate, home: Path, *, sites=None, images=None, variables=THEIRS, key=KEY, timeout=TIMEOUT):
    images = images or LightImages()
    stand_in = Railway(certificate, sites or LightSites(images), variables)
    said: list[str] = []

    def make():
        api = railway_api.connect(
            project_token=Secret(TOKEN), account_token=None, base_url=stand_in.url, wait=PACE.retry, timeout=timeout
        )
        provider = railway_api.Railway(api, "gallery", "production", "web", partial(fingerprint, key))
        return PaasTarget(provider, images, home=home, key=key, migrate=MIGRATE, pace=PACE, say=said.append)

    return Place(target=make(), stand_in=stand_in, images=images, make=make, said=said)


PLACES = {"railway": railway, "render": render}

__all__ = ["PLACES", "Place", "reference", "release"]
