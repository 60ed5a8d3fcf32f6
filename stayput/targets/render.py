"""Render, by its REST API v1. Variables are written one by one: the call for all of them drops what it is not given."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any, cast

from stayput.domains import Domain, public_address
from stayput.errors import StayputError, WrongUse
from stayput.project import Building
from stayput.release import Variables
from stayput.secrets import Secret, secret_of
from stayput.targets import Deviation
from stayput.targets.answers import understood
from stayput.targets.http import Api, Call, Refused, renamed
from stayput.targets.provider import HEALTH_PATH, READ_ITS_LOG, Deployment, Phase, repository
from stayput.targets.replaced import Replaced
from stayput.tokens import Kind, Token

API_URL = "https://api.render.com/v1"
TOKENS = (
    Kind(
        name="RENDER_API_KEY",
        speaks_for="all that its account may do: Render has no lesser kind",
        make="Account Settings, API Keys",
    ),
)
PAGE = 100  # the most that a list gives at once
PHASES = {
    "live": Phase.LIVE,
    "deactivated": Phase.REPLACED,
    "build_failed": Phase.FAILED,
    "pre_deploy_failed": Phase.FAILED,
    "update_failed": Phase.FAILED,
    "canceled": Phase.FAILED,
}
NEXT_STEPS = {
    "canceled": "it was canceled there: see in its Events by whom, then deploy again",
    "deactivated": "another deployment replaced it: see in its Events whose, before you deploy over it",
}
AUTO_DEPLOY, HEALTH_CHECK, PRE_DEPLOY = "automatic deploy", "health check path", "pre-deploy command"
BUILT_OF, DOCKERFILE = "the Dockerfile", {"dockerfilePath": "./docker/Dockerfile", "dockerContext": "."}
Json = dict[str, Any]


class Table(Building, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[targets.render]"""

    service: str  # name or id


def find_services(name: str, cursor: str) -> Call:
    """name: empty for all."""
    params = {"limit": str(PAGE)} | ({"name": name} if name else {}) | ({"cursor": cursor} if cursor else {})
    return Call(name="find the service", method="GET", path="/services", params=params)


def get_service(service: str) -> Call:
    return Call(name="read the service", method="GET", path=f"/services/{service}")


def patch_service(service: str, settings: Json) -> Call:
    return Call(name="set the service's settings", method="PATCH", path=f"/services/{service}", body=settings)


def list_domains(service: str, cursor: str) -> Call:
    params = {"limit": str(PAGE)} | ({"cursor": cursor} if cursor else {})
    return Call(name="list the domains", method="GET", path=f"/services/{service}/custom-domains", params=params)


def list_variables(service: str, cursor: str) -> Call:
    params = {"limit": str(PAGE)} | ({"cursor": cursor} if cursor else {})
    return Call(name="read the variables", method="GET", path=f"/services/{service}/env-vars", params=params)


def put_variable(service: str, name: str, value: str | Secret) -> Call:
    path = f"/services/{service}/env-vars/{name}"
    return Call(name="write a variable", method="PUT", path=path, body={"value": value})


def delete_variable(service: str, name: str) -> Call:
    return Call(name="take a variable away", method="DELETE", path=f"/services/{service}/env-vars/{name}")


def list_deploys(service: str) -> Call:
    path = f"/services/{service}/deploys"
    return Call(name="list the deployments", method="GET", path=path, params={"limit": "20"})


def get_deploy(service: str, deploy: str) -> Call:
    return Call(name="read a deployment", method="GET", path=f"/services/{service}/deploys/{deploy}")


def create_deploy(service: str, what: Json) -> Call:
    path, body = f"/services/{service}/deploys", what
    return Call(name="start a deployment", method="POST", path=path, body=body, repeatable=False)


def cancel_deploy(service: str, deploy: str) -> Call:
    path = f"/services/{service}/deploys/{deploy}/cancel"
    return Call(name="cancel a deployment", method="POST", path=path)


def roll_back(service: str, deploy: str) -> Call:
    path, body = f"/services/{service}/rollback", {"deployId": deploy}
    return Call(name="roll back", method="POST", path=path, body=body, repeatable=False)


def read_logs(owner: str, service: str, lines: int) -> Call:
    params = {"ownerId": owner, "resource": service, "direction": "backward", "limit": str(min(lines, PAGE))}
    return Call(name="read the log", method="GET", path="/logs", params=params)


def read_build_log(owner: str, service: str, since: str, until: str) -> Call:
    """since, until: times; an empty one is now."""
    params = {"ownerId": owner, "resource": service, "type": "build", "direction": "forward", "limit": str(PAGE)}
    params |= {"startTime": since} | ({"endTime": until} if until else {})
    return Call(name="read the build log", method="GET", path="/logs", params=params)


def parse_deploy(body: Mapping[str, Any]) -> Deployment:
    """Render's deploy object; a status we do not know is waited on."""
    said = str(body.get("status", "unknown"))
    image: Mapping[str, str] = body.get("image") or {}
    ref, sha = image.get("ref", ""), image.get("sha", "")
    reference = ref if "@" in ref or not sha else f"{ref}@{sha}"
    commit: Mapping[str, str] = body.get("commit") or {}
    return Deployment(
        id=str(body["id"]),
        phase=PHASES.get(said, Phase.UNDERWAY),
        said=said,
        image=reference or commit.get("id", ""),
        created=str(body.get("createdAt", "")),
        next_step=NEXT_STEPS.get(said, READ_ITS_LOG),
    )


def parse_domain(body: Mapping[str, Any]) -> Domain:
    """Render's custom domain object."""
    said = body.get("verificationStatus")
    name, target = str(body["name"]), body.get("redirectForName")
    return Domain(
        name=name, works=said in (None, "verified"), said=said or "", redirects=bool(target) and target != name
    )


def deviations(service: Json, migrate: str) -> list[Deviation]:
    """The settings of a service, as Render tells them, that would fail in silence."""
    details: Json = service.get("serviceDetails") or {}
    specific: Json = details.get("envSpecificDetails") or {}
    free = details.get("plan") == "free"
    wanted = [
        (AUTO_DEPLOY, service.get("autoDeploy"), "no"),  # it would replace what was proven
        (HEALTH_CHECK, details.get("healthCheckPath"), HEALTH_PATH),
        *([] if free else [(PRE_DEPLOY, specific.get("preDeployCommand"), migrate)]),
    ]
    found = [Deviation(setting=name, there=is_ or "", wanted=to) for name, is_, to in wanted if is_ != to]
    if free:
        said = "the service sleeps without visitors, and runs no pre-deploy command: migrate by hand"
        found.append(Deviation(setting="plan", there="free", remedy=said))
    if command := specific.get("dockerCommand"):
        said = "it replaces the image's own; clear it in Settings, Docker Command"
        found.append(Deviation(setting="start command", there=str(command), remedy=said))
    if service.get("suspended") == "suspended":
        said = "resume it in Render's dashboard"
        found.append(Deviation(setting="the service", there="suspended", remedy=said, refused=True))
    if (details.get("maintenanceMode") or {}).get("enabled"):
        said = "turn it off in Settings: visitors and the proof get its page"
        found.append(Deviation(setting="maintenance mode", there="on", remedy=said, refused=True))
    return found


def built_otherwise(service: Json) -> Iterator[Deviation]:
    """What of a service keeps it from being built of the repository, as the Dockerfile says."""
    details: Json = service.get("serviceDetails") or {}
    specific: Json = details.get("envSpecificDetails") or {}
    if (runtime := details.get("runtime")) != "docker":
        said = "make a web service of the repository, Docker its language, and name it in stayput.toml"
        said += ', or say source = "image" in [targets.render]' if runtime == "image" else ""
        yield Deviation(setting="the runtime", there=str(runtime or ""), remedy=said, refused=True)
    there = tuple(str(specific.get(name, "")).removeprefix("./") or "." for name in DOCKERFILE)
    if there != tuple(each.removeprefix("./") for each in DOCKERFILE.values()):
        wanted = "{dockerfilePath} in {dockerContext}".format(**DOCKERFILE)
        yield Deviation(setting=BUILT_OF, there=" in ".join(there), wanted=wanted)


def built_there(service: Json) -> Iterator[Deviation]:
    """What keeps a service from running an image: Render builds it of a repository."""
    details: Json = service.get("serviceDetails") or {}
    if (runtime := details.get("runtime")) and runtime != "image":
        there = f"built there of {service.get('repo') or 'its repository'}"
        said = 'say source = "repository" in [targets.render], or name a service that was made of an image'
        yield Deviation(setting="the service", there=there, remedy=said, refused=True)


def mended(found: Sequence[Deviation]) -> Json:
    """The body of a PATCH that puts these right."""
    wanted = {one.setting: one.wanted for one in found if one.wanted}
    names = {HEALTH_CHECK: "healthCheckPath", PRE_DEPLOY: "preDeployCommand"}
    body: Json = {"autoDeploy": wanted[AUTO_DEPLOY]} if AUTO_DEPLOY in wanted else {}
    details: Json = {name: wanted[setting] for setting, name in names.items() if setting in wanted}
    if BUILT_OF in wanted:
        details["envSpecificDetails"] = DOCKERFILE
    return body | ({"serviceDetails": details} if details else {})


@understood
class Render:
    name = "render"
    migrates = "by Render, as the pre-deploy command of this release"

    def __init__(
        self, api: Api, service: str, fingerprint: Callable[[str], str], built: Building | None = None
    ) -> None:
        """service: a name or an id, "srv-...". built: how, where Render builds the repository itself."""
        self.api, self.named, self._fingerprint, self._built = api, service, fingerprint, built
        self._known = ""
        self._found: Json | None = None
        self._domains: Sequence[Domain] | None = None
        self._there: dict[str, Secret] | None = None  # the variables as last read
        self._replaced = Replaced(fingerprint)

    def find(self, known: str) -> str:
        self._known = known
        return self._id

    def url(self) -> str:
        return public_address(self.api.where, self.domains(), "make it a web service")

    def domains(self) -> Sequence[Domain]:
        """Its own name first, where that is not turned off."""
        if self._domains is None:
            url = str(self._details.get("url") or "").rstrip("/").removeprefix("https://")
            own = url if self._details.get("renderSubdomainPolicy") != "disabled" else ""
            self._domains = [
                *([Domain(name=own)] if own else []),
                *self._custom_domains(),
            ]
        return self._domains

    def fingerprints(self) -> Mapping[str, str]:
        listed = (one["envVar"] for one in self._pages(partial(list_variables, self._id)))
        self._there = {one["key"]: secret_of(one["key"], one["value"]) for one in listed}
        return {name: self._fingerprint(value.value) for name, value in self._there.items()}

    def inject(self, values: Variables) -> None:
        if self._there is None:
            self.fingerprints()
        there = self._there or {}
        for name, value in values.items():
            self._replaced.note({name: value}, there)
            self.api.ask(put_variable(self._id, name, value))

    def restore(self) -> Sequence[str]:
        if self._replaced:
            self.fingerprints()
        for name, value in self._replaced.own(self._there or {}).items():
            if value is None:
                self.api.ask(delete_variable(self._id, name))
            else:
                self.api.ask(put_variable(self._id, name, value))
        self._replaced.forget_all()
        return []

    def deviations(self, migrate: str) -> Sequence[Deviation]:
        kind = built_otherwise(self._service) if self._built else built_there(self._service)
        return [*deviations(self._service, migrate), *kind]

    def settle(self, image: str, migrate: str) -> Sequence[Deviation]:
        service, found = self._service, list(self.deviations(migrate))
        body = mended(found)
        if not self._built and repository(there := service.get("imagePath", "")) != repository(image):
            body["image"] = {"ownerId": service["ownerId"], "imagePath": image}
            if credential := cast("Json | None", service.get("registryCredential")):
                body["image"]["registryCredentialId"] = credential["id"]
            found.append(Deviation(setting="image", there=there, wanted=image))
        if body:
            self._found = self.api.ask(patch_service(self._id, body)).body
        return found

    def deploy(self, image: str) -> str:
        """image: or the commit, where Render builds it."""
        what = {"imageUrl": image}
        if self._built:
            what = {"commitId": image, "clearCache": "clear" if self._built.fresh else "do_not_clear"}
        return self._id_of(self.api.ask(create_deploy(self._id, what)).body)

    def deployments(self) -> Sequence[Deployment]:
        listed: list[Json] = self.api.ask(list_deploys(self._id)).body
        ordered = sorted(listed, key=lambda one: one["deploy"].get("createdAt", ""), reverse=True)
        return [parse_deploy(one["deploy"]) for one in ordered]

    def deployment(self, id: str) -> Deployment:
        return parse_deploy(self.api.ask(get_deploy(self._id, id)).body)

    def whose(self, id: str) -> str:
        trigger = str(self.api.ask(get_deploy(self._id, id)).body.get("trigger", ""))
        return trigger.replace("_", " ")

    def cancel(self, id: str) -> None:
        self.api.ask(cancel_deploy(self._id, id))

    def back_to(self, id: str) -> str:
        return self._id_of(self.api.ask(roll_back(self._id, id)).body)

    def log(self, deployment: str, lines: int) -> Sequence[str]:
        """Of the service as a whole: Render's log knows no deployments."""
        found: list[Json] = self.api.ask(read_logs(self._service["ownerId"], self._id, lines)).body["logs"]
        return [str(one.get("message", "")) for one in sorted(found, key=lambda one: one.get("timestamp", ""))]

    def build_log(self, deployment: str) -> Sequence[str]:
        """What was logged of builds from the time of that deployment on: Render's log knows no deployments."""
        since, until = str(self.api.ask(get_deploy(self._id, deployment)).body["createdAt"]), ""
        lines: list[str] = []
        while True:
            page: Json = self.api.ask(read_build_log(self._service["ownerId"], self._id, since, until)).body
            lines += [str(one.get("message", "")) for one in page["logs"]]
            following = (page.get("nextStartTime") or "", page.get("nextEndTime") or "")
            if not page.get("hasMore") or following == (since, until):
                return lines
            since, until = following

    @property
    def _service(self) -> Json:
        if self._found is None or self._known not in ("", self._found["id"]):
            self._found = self._look_up()
        return self._found

    @property
    def _id(self) -> str:
        return self._known or str(self._service["id"])

    @property
    def _details(self) -> Json:
        return cast("Json", self._service.get("serviceDetails") or {})

    def _look_up(self) -> Json:
        if self._known:
            found: Json = self.api.ask(get_service(self._known)).body
            renamed(self.api.where, self.named, found["name"], found["id"])
            return found
        if self.named.startswith("srv-"):
            return self.api.ask(get_service(self.named)).body
        there = [one for one in self._listed(self.named) if one["name"] == self.named]
        if len(there) == 1:
            return there[0]
        said = ", ".join(f"{one['name']} ({one['id']})" for one in there or self._listed("")) or "none"
        what = f"{len(there) or 'no'} services have the name {self.named}; found: {said}"
        raise WrongUse(self.api.where, what, "name it by its id: [targets.render] service in stayput.toml")

    def _custom_domains(self) -> list[Domain]:
        """A service of a kind that can have none answers 404."""
        try:
            return [parse_domain(one["customDomain"]) for one in self._pages(partial(list_domains, self._id))]
        except Refused as problem:
            if problem.status != HTTPStatus.NOT_FOUND:
                raise
            return []

    def _listed(self, name: str) -> list[Json]:
        return [one["service"] for one in self._pages(partial(find_services, name))]

    def _pages(self, ask: Callable[[str], Call]) -> Iterator[Json]:
        """ask: the call for the page after a cursor."""
        cursor = ""
        while True:
            call = ask(cursor)
            page: list[Json] = self.api.ask(call).body
            yield from page
            if len(page) < PAGE:
                return
            if page[-1]["cursor"] == cursor:
                raise StayputError(self.api.where, f"{call.name}: gives the same page again", "run this again")
            cursor = page[-1]["cursor"]

    def _id_of(self, body: Json | None) -> str:
        return str(body["id"]) if body else ""


def connect(token: Secret, base_url: str = "", wait: float = 0.5, timeout: float = 30) -> Api:
    bearer = Secret(f"Bearer {token.value}")
    return Api("Render", base_url or API_URL, {"Authorization": bearer}, wait, timeout)


def open_provider(
    table: Table, token: Token, variables: Mapping[str, str], fingerprint: Callable[[str], str]
) -> Render:
    """variables: of the environment, perhaps with RENDER_API_URL."""
    api = connect(token.secret, variables.get("RENDER_API_URL", ""))
    return Render(api, table.service, fingerprint, table if table.source == "repository" else None)
