"""Render's REST API, as far as a deploy needs it."""

import re
from datetime import datetime, timedelta

from tests.standins.contracts import is_there, rest_contract
from tests.standins.hosting import Hosting
from tests.standins.server import Refusal, StandIn

SCHEMA = "render.openapi.json"
WORDS = {
    "queued": "queued",
    "building": "build_in_progress",
    "pre-deploy": "pre_deploy_in_progress",
    "starting": "update_in_progress",
    "live": "live",
    "replaced": "deactivated",
    "failed at pre-deploy": "pre_deploy_failed",
    "failed at start": "update_failed",
    "canceled": "canceled",
}
OWNER, NOW = "tea-1", "2026-11-01T00:00:00Z"


class Render(StandIn):
    """One web service named gallery, and two others that share a name."""

    START, FOLLOW, BACK = (
        "POST /services/{service}/deploys",
        "GET /services/{service}/deploys/{id}",
        "POST /services/{service}/rollback",
    )
    WRITES = ("PUT /services/{service}/env-vars/{key}", "DELETE /services/{service}/env-vars/{key}")
    STRANGE = "warming_up"

    def __init__(self, certificate, sites, variables):
        super().__init__()
        self.contract = rest_contract(SCHEMA) if is_there(SCHEMA) else None
        self.hosting, self.variables = Hosting(certificate, sites, "dep-"), dict(variables)
        self.settings = {"autoDeploy": "yes", "healthCheckPath": "", "preDeployCommand": "", "plan": "starter"}
        self.suspended = self.maintenance = False
        self.subdomain = "enabled"
        self.custom = []  # its custom domains, as they are shown
        self.image = "docker.io/library/nginx:latest"
        self.runtime = "image"  # or "docker": it builds the repository
        self.name = "gallery"
        self.others = 0  # services before this one in a list
        self.refusal = ""  # why it rolls nothing back
        self.conflicts = 0  # times that a new deployment is refused for another that is under way
        self.silent = False  # answers a new deployment with 202 and no body

    @property
    def url(self):
        return f"{self.root}/v1"

    def close(self):
        super().close()
        self.hosting.close()

    def set_by_hand(self, name, value):
        """A variable that somebody changes in the dashboard; None: takes away."""
        self.variables |= {name: value}
        self.variables = {each: one for each, one in self.variables.items() if one is not None}

    def settings_by_hand(self, suspended=False, maintenance=False):
        self.suspended, self.maintenance = suspended, maintenance

    def unsettle(self):
        self.settings |= {"healthCheckPath": ""}

    def by_hand(self, image):
        """A deployment that somebody made in the dashboard, and that went well."""
        made = self.hosting.deploy(image, self.variables, "manual")
        while made.state != "live":
            self.hosting.advance(made)
        return made

    def name_of(self, method, path, body):
        path = re.sub(r"/env-vars/.+", "/env-vars/{key}", path.removeprefix("/v1"))
        path = re.sub(r"/deploys/dep-\w+", "/deploys/{id}", path)
        return f"{method} {re.sub('/srv-[^/]+', '/{service}', path)}"

    def judge_request(self, method, path, query, body):
        return self.contract.faults_of_request(method, path.removeprefix("/v1"), query, body) if self.contract else []

    def judge_answer(self, method, path, body, status, answer):
        return self.contract.faults_of_answer(method, path.removeprefix("/v1"), status, answer) if self.contract else []

    def handle(self, method, path, query, body):
        parts = path.removeprefix("/v1/").split("/")
        if parts == ["logs"]:
            return 200, self._build_logs(query) if query.get("type") == "build" else self._logs()
        if parts == ["services"]:
            others = [self._service(f"srv-{n + 4}", f"other-{n}") for n in range(self.others)]
            listed = [*others, self._service("srv-2", "twin"), self._service("srv-3", "twin"), self._service()]
            found = [one for one in listed if query.get("name") in (None, one["name"])]
            begin = [one["id"] for one in found].index(query["cursor"]) + 1 if "cursor" in query else 0
            page = found[begin : begin + int(query.get("limit", 20))]
            return 200, [{"service": one, "cursor": one["id"]} for one in page]
        if parts[1] != "srv-1":
            raise Refusal(404, "not found")
        match method, parts[2:]:
            case "GET", []:
                return 200, self._service()
            case "GET", ["custom-domains"]:
                return 200, self._domains(query)
            case "PATCH", []:
                return 200, self._patch(body)
            case "GET", ["env-vars"]:
                return 200, self._page(query)
            case "PUT", ["env-vars", name]:
                self.variables[name] = body["value"]
                self.writes[name] += 1
                return 200, {"key": name, "value": body["value"]}
            case "DELETE", ["env-vars", name]:
                if self.variables.pop(name, None) is None:
                    raise Refusal(404, "not found")
                return 204, None
            case "GET", ["deploys"]:
                return 200, [{"deploy": self._deploy(one), "cursor": one.id} for one in self.hosting.list()[:20]]
            case "POST", ["deploys"]:
                return self._create(body)
            case "GET", ["deploys", id]:
                self.hosting.advance(self._find(id), self.settings["preDeployCommand"])
                return 200, self._deploy(self._find(id))
            case "POST", ["deploys", id, "cancel"]:
                return 200, self._cancel(self._find(id))
            case "POST", ["rollback"]:
                if self.refusal:
                    raise Refusal(400, self.refusal)
                earlier = self._find(body["deployId"])
                return 201, self._deploy(self.hosting.deploy(earlier.image, self.variables, "rollback"))
            case _:
                raise Refusal(404, "not found")

    def _create(self, body):
        if self.conflicts:
            self.conflicts -= 1
            raise Refusal(409, "a conflicting deploy is in progress")
        if commit := body.get("commitId"):
            made = self.hosting.deploy(commit, self.variables)
            made.build_log = self.hosting.sites.build(commit, body["clearCache"] == "clear")
            return 201, self._deploy(made)
        image = body.get("imageUrl", self.image)
        if image.partition("@")[0].partition(":")[0] != self.image.partition("@")[0].partition(":")[0]:
            raise Refusal(400, "image must match the configured image")
        made = self.hosting.deploy(image, self.variables)
        return (202, None) if self.silent else (201, self._deploy(made))

    def _cancel(self, deploy):
        if deploy.state in ("live", "replaced"):
            raise Refusal(400, "has ended")
        deploy.state = "canceled"
        return self._deploy(deploy)

    def _find(self, id):
        if deploy := self.hosting.find(id):
            return deploy
        raise Refusal(404, "not found")

    def _patch(self, body):
        self.settings |= {"autoDeploy": body.get("autoDeploy", self.settings["autoDeploy"])}
        self.settings |= body.get("serviceDetails", {})
        if self.runtime == "docker" and "image" in body:
            raise Refusal(400, "is not backed by an image")
        if "image" in body:
            self.image = body["image"]["imagePath"]
        return self._service()

    def add_domain(self, name, verified=True, redirects_to=""):
        self.custom.append(
            {
                "id": f"cdm-{len(self.custom)}",
                "name": name,
                "domainType": "apex" if name.count(".") == 1 else "subdomain",
                "publicSuffix": name.rpartition(".")[2],
                "redirectForName": redirects_to,
                "verificationStatus": "verified" if verified else "unverified",
                "createdAt": NOW,
            }
        )

    def _domains(self, query):
        names, limit = [one["id"] for one in self.custom], int(query.get("limit", 20))
        begin = names.index(query["cursor"]) + 1 if "cursor" in query else 0
        return [{"customDomain": one, "cursor": one["id"]} for one in self.custom[begin : begin + limit]]

    def _page(self, query):
        names, limit = sorted(self.variables), int(query.get("limit", 20))
        begin = names.index(query["cursor"]) + 1 if "cursor" in query else 0
        return [
            {"envVar": {"key": name, "value": self.variables[name]}, "cursor": name}
            for name in names[begin : begin + limit]
        ]

    def _logs(self):
        site, newest = self.hosting.site, self.hosting.deploys[-1] if self.hosting.deploys else None
        lines = [*(newest.log if newest else []), *(site.log() if site else [])][-100:]
        logs = [
            {"id": str(n), "message": line, "timestamp": f"2026-11-01T00:00:00.{n:06d}Z", "labels": []}
            for n, line in enumerate(lines)
        ]
        return {"hasMore": False, "nextStartTime": NOW, "nextEndTime": NOW, "logs": logs[::-1]}

    def _build_logs(self, query):
        """What was built since a time, oldest first, a page of it."""
        entries = [
            ((datetime.fromisoformat(deploy.created) + timedelta(microseconds=n)).isoformat(), line)
            for deploy in self.hosting.deploys
            for n, line in enumerate(deploy.build_log)
        ]
        entries = [
            one for one in entries if datetime.fromisoformat(one[0]) >= datetime.fromisoformat(query["startTime"])
        ]
        limit = int(query["limit"])
        logs = [
            {"id": time, "message": line, "timestamp": time, "labels": [{"name": "type", "value": "build"}]}
            for time, line in entries[:limit]
        ]
        after = entries[limit][0] if entries[limit:] else query["startTime"]
        return {"hasMore": len(entries) > limit, "nextStartTime": after, "nextEndTime": NOW, "logs": logs}

    def _deploy(self, deploy):
        word = WORDS.get(deploy.state) or self.hosting.strange
        of_image = {"image": {"ref": deploy.image, "sha": deploy.image.partition("@")[2]}}
        of_commit = {"commit": {"id": deploy.image, "message": "a commit", "createdAt": NOW}}
        return (of_image if "@" in deploy.image or "/" in deploy.image else of_commit) | {
            "id": deploy.id,
            "status": word,
            "trigger": deploy.trigger,
            "createdAt": deploy.created,
            "updatedAt": deploy.created,
        }

    def _service(self, id="srv-1", name=""):
        settings = self.settings
        specific = {"dockerCommand": "", "dockerContext": ".", "dockerfilePath": "./Dockerfile"}
        details = {
            "env": self.runtime,
            "runtime": self.runtime,
            "envSpecificDetails": specific
            | settings.get("envSpecificDetails", {})
            | {"preDeployCommand": settings["preDeployCommand"]},
            "plan": settings["plan"],
            "region": "frankfurt",
            "numInstances": 1,
            "buildPlan": "starter",
            "healthCheckPath": settings["healthCheckPath"],
            "maintenanceMode": {"enabled": self.maintenance, "uri": ""},
            "openPorts": [{"port": 10000, "protocol": "TCP"}],
            "url": f"https://{self.hosting.edge.domain}",
            "renderSubdomainPolicy": self.subdomain,
        }
        return {
            "id": id,
            "name": name or self.name,
            "ownerId": OWNER,
            "type": "web_service",
            "createdAt": NOW,
            "updatedAt": NOW,
            "dashboardUrl": f"https://dashboard.render.com/web/{id}",
            "suspended": "suspended" if self.suspended else "not_suspended",
            "suspenders": [],
            "autoDeploy": settings["autoDeploy"],
            "notifyOnFail": "default",
            "slug": name or self.name,
            "rootDir": "",
            "imagePath": self.image,
            "serviceDetails": details,
        }
