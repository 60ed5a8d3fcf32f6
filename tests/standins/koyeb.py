"""Koyeb's REST API, as far as a deploy needs it. An update is a deployment, and secrets start nothing."""

import re
from datetime import UTC, datetime

from tests.standins.contracts import is_there, rest_contract
from tests.standins.hosting import Hosting
from tests.standins.server import Refusal, StandIn

SCHEMA = "koyeb.swagger.json"
APP, SERVICE = "a9000000-0000-4000-8000-000000000001", "5e000000-0000-4000-8000-000000000001"
FIRST = "de91070000"
WORDS = {
    "queued": "PENDING",
    "building": "PROVISIONING",
    "pre-deploy": "ALLOCATING",
    "starting": "STARTING",
    "live": "HEALTHY",
    "replaced": "STOPPED",
    "failed at pre-deploy": "ERROR",
    "failed at start": "UNHEALTHY",
    "canceled": "CANCELED",
}
START = re.compile(r"(.+) && exec python -I /entrypoint")


class Koyeb(StandIn):
    """An app gallery with a web service named web, and others whose names begin alike."""

    START, FOLLOW = "PUT /v1/services/{id}", "GET /v1/deployments/{id}"
    BACK = "PUT /v1/services/{id} as it was"  # there is no other way back
    WRITES = ("POST /v1/secrets", "DELETE /v1/secrets/{id}", "GET /v1/secrets")
    STRANGE = "WARMING_UP"

    def __init__(self, certificate, sites, variables):
        super().__init__()
        self.contract = rest_contract(SCHEMA) if is_there(SCHEMA) else None
        self.hosting = Hosting(certificate, sites, "de9107")
        self.secrets = {}  # name → {id, name, value, created_at}
        self.status = "HEALTHY"
        self.domains = [{"name": self.hosting.edge.domain, "status": "ACTIVE", "type": "AUTOASSIGNED"}]
        self.saved = None  # a definition that was saved in the control panel, and not deployed
        self.hides_saved = False  # from the list of deployments
        self.name = "web"
        self.others = 0  # apps and services besides
        self.refusal = ""  # what an update is refused with
        self.definition = self.made_with = {
            "name": "web",
            "type": "WEB",
            "env": [{"key": name, "value": value} for name, value in variables.items()],
            "ports": [{"port": 8000, "protocol": "http"}],
            "routes": [{"port": 8000, "path": "/"}],
            "regions": ["fra"],
            "mesh": "DEPLOYMENT_MESH_AUTO",
            "instance_types": [{"type": "small"}],
            "scalings": [{"min": 1, "max": 1}],
            "docker": {"image": "docker.io/library/nginx:latest"},
        }

    @property
    def url(self):
        return self.root

    def close(self):
        super().close()
        self.hosting.close()

    @property
    def runtime(self):
        """What the service was made of: "image", or "docker": it builds the repository."""
        return "docker" if "git" in self.made_with else "image"

    @runtime.setter
    def runtime(self, kind):
        kept = {name: value for name, value in self.made_with.items() if name not in ("git", "docker")}
        git = {"repository": "github.com/team/gallery", "branch": "main"}
        source = {"git": git} if kind == "docker" else {"docker": {"image": "docker.io/library/nginx:latest"}}
        self.definition = self.made_with = kept | source

    def set_by_hand(self, name, value):
        """A variable that somebody changes in the control panel, which deploys it; None: takes away."""
        kept = [one for one in self.definition["env"] if one["key"] != name]
        made = self.deploy({**self.definition, "env": kept + ([{"key": name, "value": value}] if value else [])})
        while made.state != "live":
            self.hosting.advance(made)

    def add_domain(self, name, verified=True):
        self.domains.append({"name": name, "status": "ACTIVE" if verified else "PENDING", "type": "CUSTOM"})

    def settings_by_hand(self, status):
        self.status = status

    def unsettle(self):
        self.hosting.live.settings = {**self.hosting.live.settings, "health_checks": []}

    def by_hand(self, image):
        """A deployment that somebody made in the control panel, and that went well."""
        made = self.deploy({**self.definition, "docker": {"image": image}})
        while made.state != "live":
            self.hosting.advance(made)
        return made

    def deploy(self, definition):
        """What an update of the service starts. Raises Refusal where it names a secret that is not there."""
        variables = {}
        for one in definition.get("env", []):
            if "secret" in one and one["secret"] not in self.secrets:
                raise Refusal(400, f"secret {one['secret']} does not exist")
            variables[one["key"]] = self.secrets[one["secret"]]["value"] if "secret" in one else one["value"]
        before = {one["key"]: one for one in self.definition["env"]}
        for one in definition.get("env", []):
            self.writes[one["key"]] += one != before.get(one["key"])
        self.definition = definition
        if "git" not in definition:
            return self.hosting.deploy(definition["docker"]["image"], variables, settings=definition)
        commit = definition["git"]["sha"]
        made = self.hosting.deploy(commit, variables, settings=definition)
        made.build_log = self.hosting.sites.build(commit, definition.get("skip_cache", False))
        return made

    def name_of(self, method, path, body):
        was = method == "PUT" and any(body["definition"] == one.settings for one in self.hosting.deploys)
        path = re.sub(r"/(apps|services|secrets|deployments)/[^/]+", r"/\1/{id}", path)
        return f"{method} {path}" + (" as it was" if was else "")

    def judge_request(self, method, path, query, body):
        return self.contract.faults_of_request(method, path, query, body) if self.contract else []

    def judge_answer(self, method, path, body, status, answer):
        return self.contract.faults_of_answer(method, path, status, answer) if self.contract else []

    def handle(self, method, path, query, body):
        match method, path.removeprefix("/v1/").split("/"):
            case "GET", ["apps"]:
                named = [self._app(), self._app("a9000000-0000-4000-8000-000000000002", "gallery-staging")]
                named += [
                    self._app(f"a9000000-0000-4000-8000-{n:012d}", f"other-{n}") for n in range(3, self.others + 3)
                ]
                return 200, self._page("apps", [one for one in named if query.get("name", "") in one["name"]], query)
            case "GET", ["apps", id] if id == APP:
                return 200, {"app": self._app()}
            case "GET", ["services"]:
                others = [
                    self._service(f"5e000000-0000-4000-8000-{n + 3:012d}", f"other-{n}") for n in range(self.others)
                ]
                alike = [
                    self._service(f"5e000000-0000-4000-8000-{n:012d}", name)
                    for n, name in ((900, "web-worker"), (901, "twin"), (902, "twin"))
                ]
                there = [
                    one for one in (*others, self._service(), *alike) if query.get("app_id") in (None, one["app_id"])
                ]
                return 200, self._page("services", there, query)
            case "GET", ["services", id] if id == SERVICE:
                return 200, {"service": self._service()}
            case "PUT", ["services", id] if id == SERVICE:
                if self.refusal:
                    raise Refusal(400, self.refusal)
                made = self.deploy(body["definition"])
                return 200, {"service": self._service() | {"latest_deployment_id": made.id}}
            case "GET", ["secrets"]:
                shown = [{key: one[key] for key in one if key != "value"} for one in self.secrets.values()]
                return 200, self._page("secrets", shown, query)
            case "POST", ["secrets"]:
                return 200, {"secret": self._create(body)}
            case "DELETE", ["secrets", id]:
                self._delete(id)
                return 200, {}
            case "GET", ["deployments"]:
                stashed = [] if self.hides_saved else self._stashed()
                listed = [*stashed, *map(self._deployment, self.hosting.list()), self._first()]
                return 200, {"deployments": listed[: int(query.get("limit", 10))]}
            case "GET", ["deployments", id]:
                return 200, {"deployment": self._read(id)}
            case "POST", ["deployments", id, "cancel"]:
                self._cancel(self._find(id))
                return 200, {}
            case "GET", ["streams", "logs", "query"]:
                deploy, limit = self._find(query["deployment_id"]), int(query.get("limit", 100))
                return 200, {"data": self._logs(deploy, limit, query.get("type", "runtime"))}
            case _:
                raise Refusal(404, "not found")

    def refuse(self, status, message):
        return {"status": status, "code": "refused", "message": message}

    def _page(self, name, there, query):
        offset, limit = int(query.get("offset", 0)), int(query.get("limit", 10))
        return {name: there[offset : offset + limit], "count": len(there), "offset": offset}

    def _create(self, body):
        if body["name"] in self.secrets:
            raise Refusal(400, "name is taken")
        if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", body["name"]):
            raise Refusal(400, "name is not one by RFC 1123")
        made = {**body, "id": f"5ec2e7{len(self.secrets):04d}", "created_at": now()}
        self.secrets[body["name"]] = made
        return {key: made[key] for key in made if key != "value"}

    def _delete(self, id):
        name = next((one["name"] for one in self.secrets.values() if one["id"] == id), None)
        if name is None:
            raise Refusal(404, "not found")
        del self.secrets[name]

    def _read(self, id):
        for one in [*self._stashed(), self._first()]:
            if one["id"] == id:
                return one
        deploy = self._find(id)
        docker = deploy.settings.get("docker") or deploy.settings["git"]["docker"]
        start = START.fullmatch((docker.get("args") or ["", ""])[1])
        self.hosting.advance(deploy, start[1] if start else "")
        return self._deployment(deploy)

    def _cancel(self, deploy):
        if deploy.state in ("live", "replaced"):
            raise Refusal(400, "has ended")
        deploy.state = "canceled"

    def _find(self, id):
        if deploy := self.hosting.find(id):
            return deploy
        raise Refusal(404, "not found")

    def _logs(self, deploy, limit, kind):
        site = self.hosting.site if deploy.state == "live" else None
        lines = deploy.build_log if kind == "build" else [*deploy.log, *(site.log() if site else [])]
        logs = [
            {"msg": line, "created_at": f"2026-11-01T00:00:00.{n:06d}Z", "labels": {"stream": "stdout"}}
            for n, line in enumerate(lines)
        ]
        return logs[::-1][:limit]

    def _first(self):
        """The deployment that the service was made with, of an image that does not answer its health check."""
        return {"id": FIRST, "status": "ERROR", "created_at": "2026-01-01T00:00:00Z", "definition": self.made_with}

    def _stashed(self):
        stashed = {"id": "5a7ed", "status": "STASHED", "created_at": now(), "definition": self.saved}
        return [stashed] if self.saved else []

    def _deployment(self, deploy):
        ended_well = deploy.state in ("live", "replaced")
        return {
            "id": deploy.id,
            "app_id": APP,
            "service_id": SERVICE,
            "status": WORDS.get(deploy.state) or self.hosting.strange,
            "messages": ["the instance does not start"] if deploy.state.startswith("failed") else [],
            "definition": deploy.settings,
            "created_at": deploy.created,
            "updated_at": deploy.created,
            "version": "1",
        } | ({"succeeded_at": deploy.created} if ended_well else {})

    def _app(self, id=APP, name="gallery"):
        return {"id": id, "name": name, "status": "HEALTHY", "domains": self.domains, "created_at": now()}

    def _service(self, id=SERVICE, name=""):
        deploys, live = self.hosting.deploys, self.hosting.live
        latest = "5a7ed" if self.saved else deploys[-1].id if deploys else FIRST
        return {
            "id": id,
            "name": name or self.name,
            "app_id": APP,
            "type": "WEB",
            "status": self.status,
            "version": "1",
            "created_at": now(),
            "latest_deployment_id": latest,
            "active_deployment_id": live.id if live else "",
        }


def now():
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
