"""Railway's GraphQL API, as far as a deploy needs it. Every document is validated and executed against its schema."""

import functools
import re

from graphql import GraphQLError, build_schema, execute_sync, parse, validate

from tests.standins.contracts import load
from tests.standins.hosting import Hosting
from tests.standins.server import StandIn

SCHEMA = "railway.graphql"
WORDS = {
    "queued": "QUEUED",
    "building": "BUILDING",
    "pre-deploy": "DEPLOYING",
    "starting": "DEPLOYING",
    "live": "SUCCESS",
    "replaced": "REMOVED",
    "failed at pre-deploy": "FAILED",
    "failed at start": "CRASHED",
    "canceled": "REMOVED",
}


@functools.cache
def schema():
    return build_schema(load(SCHEMA), assume_valid=True)


@functools.cache
def read(query):
    """(document, its faults)"""
    document = parse(query)
    return document, [str(fault) for fault in validate(schema(), document)]


class Railway(StandIn):
    """One project named gallery with two environments and two services of which web is deployed."""

    START, FOLLOW, BACK = "deploy", "deployment", "rollback"
    WRITES = ("upsert", "delete")
    STRANGE = "WAITING"

    def __init__(self, certificate, sites, variables):
        super().__init__()
        self.hosting, self.variables = Hosting(certificate, sites, "d-"), dict(variables)
        self.elsewhere = {"shared": {}, "Postgres": {}}  # variables of the environment and of another service
        self.sealed = set()  # names whose values are given to deployments, and told to nobody
        self.page = 500  # the most that a list gives at once
        self.others = 0  # services before this one in the list
        self.settings = {"healthcheckPath": None, "healthcheckTimeout": None, "preDeployCommand": None}
        self.name = "web"
        self.target_port = None  # of the domain
        self.custom = []  # (domain, whether it is verified)
        self.image = None
        self.runtime = "image"  # or "docker": it builds the repository
        self.automatic = True  # deploys what is pushed

    @property
    def url(self):
        return f"{self.root}/graphql/v2"

    def close(self):
        super().close()
        self.hosting.close()

    def set_by_hand(self, name, value):
        """A variable that somebody changes in the dashboard; None: takes away."""
        self.variables |= {name: value}
        self.variables = {each: one for each, one in self.variables.items() if one is not None}

    @property
    def rendered(self):
        """The variables as a deployment gets them; a reference that leads nowhere gives nothing."""

        def of(place, name):
            return {**self.elsewhere, "": self.variables}.get(place or "", {}).get(name, "")

        return {
            name: re.sub(r"\$\{\{\s*(?:([\w-]+)\.)?(\w+)\s*\}\}", lambda found: of(*found.groups()), value)
            for name, value in self.variables.items()
        }

    def by_hand(self, image):
        """A deployment that somebody made in the dashboard, and that went well."""
        self.image, made = image, self.hosting.deploy(image, self.rendered, "manual")
        while made.state != "live":
            self.hosting.advance(made)
        return made

    def settings_by_hand(self, cron=None, target_port=None, port=None):
        self.settings |= {"cronSchedule": cron}
        self.target_port = target_port

    def unsettle(self):
        self.settings |= {"healthcheckPath": None}

    def name_of(self, method, path, body):
        found = re.match(r"\s*(?:query|mutation)\s+(\w+)", body["query"])
        return found[1] if found else "?"

    def authorized(self, headers):
        return self.token in (headers.get("Project-Access-Token"), headers.get("Authorization", "")[len("Bearer ") :])

    def judge_request(self, method, path, query, body):
        return read(body["query"])[1] + (
            [] if (method, path) == ("POST", "/graphql/v2") else [f"{method} {path} is not the endpoint"]
        )

    def handle(self, method, path, query, body):
        document, _ = read(body["query"])
        done = execute_sync(schema(), document, root_value=self._root(), variable_values=body["variables"])
        if done.errors:
            self.violations += [f"{self.name_of(method, path, body)}: {e}" for e in done.errors if not e.original_error]
            return 200, {"errors": [{"message": error.message} for error in done.errors], "data": None}
        return 200, {"data": done.data}

    def refuse(self, status, message):
        return {"errors": [{"message": "Not Authorized"}]}

    def _root(self):
        """A function for each field of query and mutation that is served."""
        return {
            "projectToken": lambda _: {"environmentId": "e1", "project": self._project(_, "p1")},
            "project": self._project,
            "projects": lambda _, first, after=None: self._page(self._projects(), first, after),
            "serviceInstance": self._instance,
            "domains": lambda _, **ids: {
                "customDomains": [custom_domain(*one) for one in self.custom],
                "serviceDomains": [
                    {"domain": self.hosting.edge.domain, "targetPort": self.target_port, "syncStatus": "ACTIVE"}
                ],
            },
            "variables": self._variables,
            "environment": lambda _, **ids: {"variables": self._named},
            "variableCollectionUpsert": self._upsert,
            "variableDelete": self._delete,
            "serviceInstanceUpdate": self._update,
            "serviceInstanceAutoDeployStatus": lambda _, **ids: {"enabled": self.automatic, "canEnable": True},
            "serviceInstanceAutoDeployUpdate": self._update_automatic,
            "serviceInstanceDeployV2": self._deploy,
            "deployments": lambda _, **given: {
                "edges": [{"node": self._deployment(one)} for one in self.hosting.list()]
            },
            "deployment": self._advance,
            "deploymentCancel": self._cancel,
            "deploymentRollback": self._rollback,
            "buildLogs": lambda _, deploymentId, limit: [
                {"message": line, "timestamp": "2026-11-01T00:00:00Z"}
                for line in self.hosting.find(deploymentId).build_log[-limit:]
            ],
            "deploymentLogs": self._logs,
        }

    def _variables(self, _, unrendered=False, **ids):
        told = self.variables if unrendered else self.rendered
        return {name: value for name, value in told.items() if name not in self.sealed}

    def add_domain(self, name, verified=True):
        self.custom.append((name, verified))

    def _instance(self, _, serviceId, environmentId):
        if serviceId != "s1":
            raise GraphQLError("ServiceInstance not found")
        source = {"repo": "team/gallery"} if self.runtime == "docker" else {"image": self.image}
        return self.settings | {"source": source, "serviceName": self.name}

    def _update_automatic(self, _, input):
        self.automatic = input["enabled"]
        return {"enabled": self.automatic}

    def _deploy(self, _, serviceId, environmentId, commitSha=None):
        made = self.hosting.deploy(commitSha or self.image, self.rendered)
        if commitSha:
            made.build_log = self.hosting.sites.build(commitSha, "NO_CACHE" in self.variables)
        return made.id

    def _project(self, _, id):
        def pages(*named):
            nodes = [{"id": one, "name": name} for one, name in named]
            return lambda _, first, after=None, **given: self._page(nodes, first, after)

        others = [(f"s{n + 4}", f"other-{n}") for n in range(self.others)]

        return {
            "id": id,
            "name": "gallery",
            "environments": pages(("e1", "production"), ("e2", "staging")),
            "services": pages(*others, ("s2", "twin"), ("s3", "twin"), ("s1", self.name)),
        }

    def _named(self, _, first, after=None):
        """What is set in the environment: of this service, of another, and shared by all."""
        ours = [{"name": name, "serviceId": "s1", "isSealed": name in self.sealed} for name in sorted(self.variables)]
        others = [{"name": "STAYPUT_KEY", "serviceId": one, "isSealed": True} for one in ("s2", None)]
        return self._page([*others, *ours], first, after)

    def _page(self, nodes, first, after):
        begin = int(after or 0)
        end = min(begin + min(first, self.page), len(nodes))
        info = {"hasNextPage": end < len(nodes), "hasPreviousPage": begin > 0, "endCursor": str(end)}
        return {"edges": [{"node": one} for one in nodes[begin:end]], "pageInfo": info}

    def _delete(self, _, input):
        self.sealed.discard(input["name"])
        return self.variables.pop(input["name"], None) is not None

    def _projects(self):
        return [{"id": f"p{n + 2}", "name": f"other-{n}"} for n in range(self.others)] + [
            {"id": "p1", "name": "gallery"}
        ]

    def _upsert(self, _, input):
        if not input.get("serviceId") or not input.get("skipDeploys"):
            self.violations.append("variables without a service are shared, and without skipDeploys they deploy")
        if input.get("replace"):
            self.variables.clear()
        self.variables |= input["variables"]
        self.writes.update(input["variables"].keys())
        return True

    def _update(self, _, serviceId, environmentId, input):
        given = dict(input)
        self.image = given.pop("source", {"image": self.image})["image"]
        self.settings |= given
        return True

    def _advance(self, _, id):
        deploy = self.hosting.find(id)
        self.hosting.advance(deploy, (self.settings["preDeployCommand"] or [""])[0])
        return self._deployment(deploy)

    def _cancel(self, _, id):
        self.hosting.find(id).state = "canceled"
        return True

    def _rollback(self, _, id):
        earlier = self.hosting.find(id)
        self.hosting.deploy(earlier.image, earlier.variables, "rollback")
        return True

    def _logs(self, _, deploymentId, limit, **given):
        deploy = self.hosting.find(deploymentId)
        site = self.hosting.site.log() if deploy.state == "live" and self.hosting.site else []
        return [
            {"message": line, "timestamp": f"2026-11-01T00:00:00.{n:06d}Z"} for n, line in enumerate(deploy.log + site)
        ][-limit:]

    def _deployment(self, deploy):
        return {
            "id": deploy.id,
            "status": WORDS.get(deploy.state) or self.STRANGE,
            "deploymentStopped": False,
            "meta": {"image" if "@" in deploy.image else "commitHash": deploy.image},
            "createdAt": deploy.created,
        }


def custom_domain(name, verified):
    certificate, record = ("VALID", "PROPAGATED") if verified else ("VALIDATING_OWNERSHIP", "REQUIRES_UPDATE")
    status = {
        "verified": verified,
        "certificateStatus": f"CERTIFICATE_STATUS_TYPE_{certificate}",
        "cdnProvider": None,
        "dnsRecords": [
            {"status": f"DNS_RECORD_STATUS_{record}"},
        ],
    }
    return {"domain": name, "targetPort": None, "status": status, "syncStatus": "ACTIVE" if verified else "CREATING"}
