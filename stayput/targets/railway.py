"""Railway, by its GraphQL API."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from stayput.domains import Domain, public_address
from stayput.errors import StayputError, WrongUse
from stayput.project import Building
from stayput.release import Variables
from stayput.secrets import Secret, secret_of
from stayput.targets import Deviation
from stayput.targets import railway_documents as documents
from stayput.targets.answers import understood
from stayput.targets.graphql import meaning
from stayput.targets.http import Api, Call, renamed
from stayput.targets.provider import Deployment, Phase
from stayput.targets.railway_documents import call
from stayput.targets.railway_settings import (
    AUTO_DEPLOY,
    GONE,
    Json,
    built_otherwise,
    built_there,
    deviations,
    mended,
    parse_deployment,
    parse_domain,
)
from stayput.targets.replaced import Replaced
from stayput.tokens import Kind, Token

API_URL = "https://backboard.railway.com/graphql/v2"
TOKENS = (
    Kind(
        name="RAILWAY_TOKEN",
        speaks_for="one environment of one project",
        make="Project, Settings, Tokens",
    ),
    Kind(name="RAILWAY_API_TOKEN", speaks_for="all of its account or workspace", make="Account Settings, Tokens"),
)
LISTS = ("projects", "environments", "services", "variables")  # that are read page by page
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
NO_CACHE = "NO_CACHE"  # Railway builds without its cache while this variable is set
BUILD_LINES = 1000  # of a build log, at most
REFERENCE = "${{"  # begins one, to a variable of another service or of the environment
UNREADABLE = Secret("")  # stands for a sealed value, by its identity


class Table(Building, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[targets.railway]: names or ids."""

    project: str
    environment: str
    service: str


@understood
class Railway:
    name = "railway"
    migrates = "by Railway, as the pre-deploy command of this release"

    def __init__(
        self,
        api: Api,
        project: str,
        environment: str,
        service: str,
        fingerprint: Callable[[str], str],
        built: Building | None = None,
    ) -> None:
        """project, environment, service: names or ids. built: how, where Railway builds the repository itself."""
        self.api, self._fingerprint, self._built = api, fingerprint, built
        self._named = (project, environment, service)
        self.named = " ".join(self._named)
        self._found: dict[str, str] | None = None
        self._instance: Json | None = None
        self._there: dict[str, Secret] | None = None  # as last read: references as such, a sealed one without its value
        self._rendered: dict[str, str] = {}  # the same, with what the references give
        self._replaced = Replaced(fingerprint)

    def find(self, known: str) -> str:
        self._found = dict(zip(("project", "environment", "service"), known.split(), strict=True)) if known else None
        return " ".join(self._ids.values())

    def url(self) -> str:
        return public_address(self.api.where, self.domains(), "generate one: Settings, Networking")

    def domains(self) -> Sequence[Domain]:
        """Custom ones first."""
        return [parse_domain(one) for one in self._domains]

    def fingerprints(self) -> Mapping[str, str]:
        """Of a sealed variable only its name can be read."""
        page, known = self._whole(
            "read the variables", documents.VARIABLES, self._ids, lambda data: data["environment"]
        )
        of_ours = (
            one for one in known["variables"] if one["serviceId"] == self._ids["service"]
        )  # not of all, nor shared
        sealed = [one["name"] for one in of_ours if one["isSealed"]]
        listed: dict[str, str] = page["variables"]
        self._rendered = page["rendered"]
        self._there = dict.fromkeys(sealed, UNREADABLE) | {
            name: secret_of(name, value) for name, value in listed.items()
        }
        return {name: "" if one is UNREADABLE else self._fingerprint(one.value) for name, one in self._there.items()}

    def inject(self, values: Variables) -> None:
        if self._there is None:
            self.fingerprints()
        if values:
            self._replaced.note(values, self._there or {})
            self._upsert(values)

    def restore(self) -> Sequence[str]:
        if self._replaced:
            self.fingerprints()
        own = self._replaced.own(self._there or {}, UNREADABLE)
        kept = {name: value for name, value in own.items() if value is not None}
        lost = [name for name, value in kept.items() if value is UNREADABLE]
        if readable := {name: value for name, value in kept.items() if value is not UNREADABLE}:
            self._upsert(readable)
        for name in own.keys() - kept.keys():
            self._delete(name)
        self._replaced.forget_all()
        return lost

    def deviations(self, migrate: str) -> Sequence[Deviation]:
        return [*self._misled(), *self._deviations(migrate)]

    def settle(self, image: str, migrate: str) -> Sequence[Deviation]:
        there: Json = self._settings["serviceInstance"]
        found = self._deviations(migrate)
        update = mended(found)
        if not self._built and (there.get("source") or {}).get("image") != image:
            update["source"] = {"image": image}
        if update:
            place = {"service": self._ids["service"], "environment": self._ids["environment"]}
            self._ask(call("set the service's image and settings", documents.UPDATE, {**place, "input": update}))
            self._instance = None
        if any(one.setting == AUTO_DEPLOY for one in found):
            given = {f"{key}Id": id for key, id in self._ids.items()} | {"enabled": False}
            self._ask(call("turn automatic deploys off", documents.AUTO_DEPLOY, {"input": given}))
            self._instance = None
        return found

    def deploy(self, image: str) -> str:
        """image: or the commit, where Railway builds it; its cache is only left out while a variable says so."""
        place = {"service": self._ids["service"], "environment": self._ids["environment"]}
        if self._built:
            place["commit"] = image
            if self._built.fresh and NO_CACHE not in (self._there or {}):
                self._replaced.note({NO_CACHE: "1"}, {})
                self._upsert({NO_CACHE: "1"})
        made = self._ask(call("start a deployment", documents.DEPLOY, place, repeatable=False))
        return str(made["serviceInstanceDeployV2"])

    def deployments(self) -> Sequence[Deployment]:
        given = {f"{key}Id": id for key, id in self._ids.items()}
        edges = self._ask(call("list the deployments", documents.DEPLOYMENTS, {"input": given}))["deployments"]["edges"]
        nodes: list[Json] = sorted((edge["node"] for edge in edges), key=lambda node: node["createdAt"], reverse=True)
        return [parse_deployment(node) for node in nodes]

    def deployment(self, id: str) -> Deployment:
        found = parse_deployment(self._ask(call("read a deployment", documents.DEPLOYMENT, {"id": id}))["deployment"])
        if found.phase is not Phase.UNDERWAY and NO_CACHE in self._replaced:  # it was of that deployment alone
            self._delete(NO_CACHE)
            self._replaced.forget([NO_CACHE])
        return found

    def whose(self, id: str) -> str:
        found = self._ask(call("read whose a deployment is", documents.CREATOR, {"id": id}))["deployment"]
        creator: Json = found.get("creator") or {}
        return str(creator.get("name") or "")

    def cancel(self, id: str) -> None:
        self._ask(call("cancel a deployment", documents.CANCEL, {"id": id}))

    def back_to(self, id: str) -> str:
        """Railway does not tell the new deployment's id: it is the newest."""
        self._ask(call("roll back", documents.ROLLBACK, {"id": id}, repeatable=False))
        return ""

    def log(self, deployment: str, lines: int) -> Sequence[str]:
        if not deployment:
            deployment = next((one.id for one in self.deployments() if one.phase is Phase.LIVE), "")
        if not deployment:
            return []
        found = self._ask(call("read the log", documents.LOGS, {"id": deployment, "limit": lines}))
        logged: list[Json] = [*found["buildLogs"], *found["deploymentLogs"]]
        return [str(one["message"]) for one in sorted(logged, key=lambda one: one["timestamp"])]

    def build_log(self, deployment: str) -> Sequence[str]:
        found = self._ask(call("read the build log", documents.BUILD_LOG, {"id": deployment, "limit": BUILD_LINES}))
        return [str(one["message"]) for one in found["buildLogs"]]

    @property
    def _ids(self) -> dict[str, str]:
        """The ids of project, environment and service, by those words."""
        if self._found is None:
            self._found = self._look_up()
        return self._found

    @property
    def _settings(self) -> Json:
        if self._instance is None:
            given = {**self._ids, "built": self._built is not None}
            found = self._ask(call("read the service", documents.INSTANCE, given))
            renamed(self.api.where, self._named[2], found["serviceInstance"]["serviceName"], self._ids["service"])
            self._instance = found
        return self._instance

    def _look_up(self) -> dict[str, str]:
        project, environment, service = self._named
        of_token: Json = {}
        if "Project-Access-Token" in self.api.headers:  # speaks for one environment and can list no projects
            place, inside = self._whole(
                "read the token's place", documents.PLACE, {}, lambda data: data["projectToken"]["project"]
            )
            of_token = place["projectToken"]
            there: Json = of_token["project"]
            self._one("project", project, [there])
        else:
            id = project
            if not UUID.fullmatch(project):
                _, listed = self._whole("list the projects", documents.PROJECTS, {}, lambda data: data)
                id = self._one("project", project, listed["projects"])
            read, inside = self._whole("read the project", documents.PROJECT, {"id": id}, lambda data: data["project"])
            there = read["project"]
        found = {
            "project": str(there["id"]),
            "environment": self._one("environment", environment, inside["environments"]),
            "service": self._one("service", service, inside["services"]),
        }
        if of_token and of_token["environmentId"] != found["environment"]:
            what = f"RAILWAY_TOKEN is of another environment than {environment}"
            raise WrongUse(self.api.where, what, f"make a project token of {environment}")
        return found

    def _whole(
        self, name: str, document: str, given: Mapping[str, object], inside: Callable[[Json], Json]
    ) -> tuple[Json, dict[str, list[Json]]]:
        """The answer, and the nodes of each list in the part of it that `inside` gives, to the last page.

        A list goes on by a variable of its own name, in which its cursor is sent.
        """
        nodes: dict[str, list[Json]] = {}
        cursors: dict[str, str] = {}
        while True:
            data = self._ask(call(name, document, {**given, **cursors}))
            further = dict(cursors)
            lists: dict[str, Json] = {key: one for key, one in inside(data).items() if key in LISTS}
            for key, one in lists.items():
                nodes.setdefault(key, []).extend(edge["node"] for edge in one["edges"])
                if end := one["pageInfo"]["endCursor"]:
                    further[key] = end
            if not any(one["pageInfo"]["hasNextPage"] for one in lists.values()):
                return data, nodes
            if further == cursors:
                raise StayputError(self.api.where, f"{name}: gives the same page again", "run this again")
            cursors = further

    def _one(self, kind: str, named: str, there: Sequence[Json]) -> str:
        """The id of the one that has that name or id. Raises WrongUse, listing what was found."""
        found = [one for one in there if named in (one["id"], one["name"])]
        if len(found) == 1:
            return str(found[0]["id"])
        said = ", ".join(f"{one['name']} ({one['id']})" for one in found or there) or "none"
        what = f"{len(found) or 'no'} {kind}s have the name {named}; found: {said}"
        raise WrongUse(self.api.where, what, f"name it by its id: [targets.railway] {kind} in stayput.toml")

    def _misled(self) -> Iterator[Deviation]:
        """Domains that send visitors to another port than the one that was set by hand; a database that is nowhere."""
        port = self._rendered.get("PORT", "")
        for one in self._domains:
            if port and str(one.get("targetPort") or port) != port:
                said = f"set its target port to {port} in Settings, Networking: there the site listens"
                there = f"led to port {one['targetPort']}"
                yield Deviation(setting=f"the domain {one['domain']}", there=there, remedy=said, refused=True)
        database = (self._there or {}).get("DATABASE_URL", UNREADABLE).value
        if REFERENCE in database and not self._rendered.get("DATABASE_URL"):
            said = "name a service that is there and has that variable, or take it away"
            there = f"{database}, which gives nothing"
            yield Deviation(setting="DATABASE_URL", there=there, remedy=said, refused=True)

    @property
    def _domains(self) -> list[Json]:
        domains: Json = self._settings["domains"]
        listed: list[Json] = [*(domains.get("customDomains") or ()), *(domains.get("serviceDomains") or ())]
        return [one for one in listed if one.get("syncStatus") not in GONE]

    def _deviations(self, migrate: str) -> list[Deviation]:
        found = deviations(self._settings["serviceInstance"], migrate)
        return [*found, *(built_otherwise(self._settings) if self._built else built_there(self._settings))]

    def _delete(self, name: str) -> None:
        given = {f"{key}Id": id for key, id in self._ids.items()} | {"name": name}
        self._ask(call("take a variable away", documents.DELETE, {"input": given}))

    def _upsert(self, values: Mapping[str, object]) -> None:
        """One call for all, that drops none and starts no deployment. Without the service they would be shared."""
        given: Json = {f"{key}Id": id for key, id in self._ids.items()}
        given |= {"variables": values, "replace": False, "skipDeploys": True}
        self._ask(call("write the variables", documents.UPSERT, {"input": given}))

    def _ask(self, request: Call) -> Json:
        """The data of the answer."""
        return self.api.ask(request).body["data"]


def connect(token: Token, base_url: str = "", wait: float = 0.5, timeout: float = 30) -> Api:
    """A project's token goes into a header of its own."""
    headers = {"Project-Access-Token": token.secret}
    if token.kind.name != TOKENS[0].name:
        headers = {"Authorization": Secret(f"Bearer {token.secret.value}")}
    return Api("Railway", base_url or API_URL, headers, wait, timeout, meaning)


def open_provider(
    table: Table, token: Token, variables: Mapping[str, str], fingerprint: Callable[[str], str]
) -> Railway:
    """variables: of the environment, perhaps with RAILWAY_API_URL."""
    return Railway(
        connect(token, variables.get("RAILWAY_API_URL", "")),
        table.project,
        table.environment,
        table.service,
        fingerprint,
        table if table.source == "repository" else None,
    )
