"""One service at a provider, in nobody's words: deployments that progress when they are looked at, and a site."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.standins.edge import Edge
from tests.standins.sites import DoesNotStart

STEPS = ("queued", "building", "pre-deploy", "starting", "live")
ENDED = ("live", "replaced", "failed at pre-deploy", "failed at start", "canceled")


@dataclass
class Deploy:
    id: str
    image: str
    variables: dict
    trigger: str
    state: str = "queued"
    created: str = ""
    log: list = field(default_factory=list)
    settings: dict = field(default_factory=dict)
    build_log: list = field(default_factory=list)  # where the repository was built for it


class NoEdge:
    """For a site that is not really there."""

    domain, upstream = "gallery.example.com", 0

    def close(self):
        pass


class Hosting:
    """The site's edge and what is deployed behind it. Without a certificate there is no edge."""

    def __init__(self, certificate, sites, prefix):
        self.edge, self.sites, self._prefix = Edge(certificate) if certificate else NoEdge(), sites, prefix
        self.deploys, self.site = [], None
        self.most_underway = 0
        self.strange = ""  # a word that a client cannot know, told once in the middle of each deployment
        self._unseen = 0
        self.lag = 0  # reads of the list that do not show the newest deployment yet
        self.stride = 1  # steps that a deployment goes on each time it is looked at

    def close(self):
        if self.site:
            self.site.stop()
        self.edge.close()

    def deploy(self, image, variables, trigger="api", settings=None):
        number = len(self.deploys) + 1
        made = Deploy(
            id=f"{self._prefix}{number:04d}",
            image=image,
            variables=dict(variables),
            trigger=trigger,
            settings=settings or {},
            created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        )
        self.deploys.append(made)
        self._unseen = self.lag
        self.most_underway = max(self.most_underway, sum(one.state not in ENDED for one in self.deploys))
        return made

    def show(self):
        """The list shows everything from now on."""
        self.lag = self._unseen = 0

    def list(self):
        """Newest first."""
        shown = self.deploys
        if self._unseen > 0:
            self._unseen -= 1
            shown = self.deploys[:-1]
        return shown[::-1]

    def find(self, id):
        return next((one for one in self.deploys if one.id == id), None)

    def advance(self, deploy, before=""):
        """A stride on; the last step but one starts the site. before: the pre-deploy command."""
        for _ in range(self.stride):
            self._step(deploy, before)

    def _step(self, deploy, before):
        if deploy.state in ENDED:
            return
        if self.strange and deploy.state == "queued":
            deploy.state = "strange"
            return
        deploy.state = "building" if deploy.state == "strange" else STEPS[STEPS.index(deploy.state) + 1]
        if deploy.state == "live":
            self._go_live(deploy, before)

    def _go_live(self, deploy, before):
        try:
            site = self.sites.start(deploy.image, deploy.variables, before)
        except DoesNotStart as problem:
            deploy.state, deploy.log = f"failed at {problem.stage}", problem.lines
            return
        old, self.site, self.edge.upstream = self.site, site, site.port
        for one in self.deploys:
            if one is not deploy and one.state == "live":
                one.state = "replaced"
        if old:
            old.stop()

    @property
    def reported(self):
        """What /healthz of a light site says, as stayput.targets.paas.reported gives it."""
        return (200, self.site.health["release"], self.site.health["build"]) if self.site else (502, "", "")

    @property
    def live(self):
        return next((one for one in self.deploys if one.state == "live"), None)
