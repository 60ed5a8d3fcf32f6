"""Koyeb, by its REST API. A service is one definition, and each update of it is a deployment of the whole.

Values lie in Koyeb's secrets. A secret of ours is never changed: a new value is a new one, whose name ends with the
value's fingerprint. So values are compared without being read, writing them starts nothing, and an earlier
deployment's definition brings back exactly the values it ran with.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from stayput.domains import Domain, public_address
from stayput.errors import WrongUse
from stayput.project import Building
from stayput.release import Variables
from stayput.secrets import Secret, plain, secret_of
from stayput.targets import Deviation
from stayput.targets.answers import understood
from stayput.targets.http import Api, Call, Refused, renamed
from stayput.targets.koyeb_definition import (
    FINGERPRINT,
    SAVED_ONLY,
    Json,
    definition_of,
    misled,
    name_secret,
    parse_deployment,
    settle,
    standing,
    variables_of,
)
from stayput.targets.provider import Deployment, Phase
from stayput.tokens import Kind, Token

API_URL = "https://app.koyeb.com"
TOKENS = (
    Kind(
        name="KOYEB_TOKEN",
        speaks_for="all of its organisation or account: Koyeb has no lesser kind",
        make="Organization settings, API",
    ),
)
PAGE = 100  # the most that a list gives at once
BUILD_LINES = 1000  # of a build log: the most that is given at once
LISTED = 20  # deployments; what older ones ran with is not kept
GONE = ("DELETING", "DELETED")  # of a domain
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Table(Building, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[targets.koyeb]: names or ids."""

    app: str
    service: str


def find_apps(name: str, offset: int) -> Call:
    """name: empty for all."""
    params = {"limit": str(PAGE), "offset": str(offset)} | ({"name": name} if name else {})
    return Call(name="find the app", method="GET", path="/v1/apps", params=params)


def get_app(app: str) -> Call:
    return Call(name="read the app", method="GET", path=f"/v1/apps/{app}")


def find_services(app: str, offset: int) -> Call:
    params = {"app_id": app, "limit": str(PAGE), "offset": str(offset)}
    return Call(name="find the service", method="GET", path="/v1/services", params=params)


def get_service(service: str) -> Call:
    return Call(name="read the service", method="GET", path=f"/v1/services/{service}")


def update_service(service: str, definition: Json) -> Call:
    path, body = f"/v1/services/{service}", {"definition": definition}
    return Call(name="start a deployment", method="PUT", path=path, body=body, repeatable=False)


def list_secrets(offset: int) -> Call:
    params = {"limit": str(PAGE), "offset": str(offset)}
    return Call(name="list the secrets", method="GET", path="/v1/secrets", params=params)


def create_secret(name: str, value: str | Secret) -> Call:
    body = {"name": name, "type": "SIMPLE", "value": value}
    return Call(name="write a secret", method="POST", path="/v1/secrets", body=body)


def delete_secret(id: str) -> Call:
    return Call(name="take a secret away", method="DELETE", path=f"/v1/secrets/{id}")


def list_deployments(service: str) -> Call:
    params = {"service_id": service, "limit": str(LISTED)}
    return Call(name="list the deployments", method="GET", path="/v1/deployments", params=params)


def get_deployment(id: str) -> Call:
    return Call(name="read a deployment", method="GET", path=f"/v1/deployments/{id}")


def cancel_deployment(id: str) -> Call:
    return Call(name="cancel a deployment", method="POST", path=f"/v1/deployments/{id}/cancel")


def query_logs(deployment: str, lines: int, kind: str = "runtime", since: str = "") -> Call:
    """kind: or "build". since: a time; empty: fifteen minutes ago."""
    params = {"deployment_id": deployment, "type": kind, "order": "desc", "limit": str(lines)}
    params |= {"start": since} if since else {}
    return Call(name="read the log", method="GET", path="/v1/streams/logs/query", params=params)


@understood
class Koyeb:
    name = "koyeb"
    migrates = "by the release itself before it serves, under a lock in the database"

    def __init__(
        self, api: Api, app: str, service: str, fingerprint: Callable[[str], str], built: Building | None = None
    ) -> None:
        """app, service: names or ids. built: how, where Koyeb builds the repository itself."""
        self.api, self._fingerprint, self._built = api, fingerprint, built
        self._named = (app, service)
        self.named = f"{app} {service}"
        self._ids: tuple[str, str] | None = None  # of app and service
        self._app: Json | None = None
        self._service: Json | None = None
        self._listed: list[Json] = []  # deployments as last read, newest first
        self._secrets: dict[str, Json] | None = None  # of the organisation, by name
        self._wanted: dict[str, str] = {}  # variable → name of its secret, for the next deployment
        self._migrate = ""

    def find(self, known: str) -> str:
        if known:
            app, service = known.split()
            self._ids = (app, service)
            return known
        self._ids = self._app = self._service = None
        return f"{self._found_app['id']} {self._id}"

    def url(self) -> str:
        self._service = self._found_service
        return public_address(self.api.where, self.domains(), "add one: the app, Settings, Domains")

    def domains(self) -> Sequence[Domain]:
        """Of the app, custom ones first."""
        listed: list[Json] = [one for one in self._found_app.get("domains") or () if one.get("status") not in GONE]
        ordered = sorted(listed, key=lambda one: one.get("type") != "CUSTOM")
        return [
            Domain(name=one["name"], works=one.get("status") in (None, "ACTIVE"), said=one.get("status") or "")
            for one in ordered
        ]

    def fingerprints(self) -> Mapping[str, str]:
        """A secret that is not Stayput's own stands for itself: its value cannot be read."""
        self.deployments()
        return {name: self._known(one) for name, one in variables_of(standing(self._listed)).items()}

    def inject(self, values: Variables) -> None:
        """Make the secrets that are not there; the next deployment will refer to them."""
        if not values:
            return
        if not self._listed:
            self.deployments()
        named = {name: name_secret(self._id, name, self._fingerprint(plain(one))) for name, one in values.items()}
        if all(self._wanted.get(name) == secret for name, secret in named.items()):
            return
        self._secrets = {one["name"]: one for one in self._all("secrets", list_secrets)}
        for name, value in values.items():
            secret = named[name]
            if secret not in self._secrets:
                self._create(secret, value)
            self._wanted[name] = secret
        self._prune()

    def restore(self) -> Sequence[str]:
        """Nothing at the service has changed; a secret that nothing refers to waits for the next try."""
        self._wanted.clear()
        return []

    def deviations(self, migrate: str) -> Sequence[Deviation]:
        if not self._listed:
            self.deployments()
        paused = self._found_service.get("status") in ("PAUSING", "PAUSED")
        said = "resume it in Koyeb's control panel"
        asleep = [Deviation(setting="the service", there="paused", remedy=said, refused=True)] if paused else []
        definition = standing(self._listed)
        return [*asleep, *misled(definition), *settle(definition, "", migrate, self._built)[1]]

    def settle(self, image: str, migrate: str) -> Sequence[Deviation]:
        self._migrate = migrate
        if not self._listed:
            self.deployments()
        definition = standing(self._listed)
        registry = definition.get("docker", {}).get("image_registry_secret")
        if registry and self._secrets is not None and registry not in self._secrets:
            what = f"the registry's secret {registry} is not there"
            raise WrongUse(self.api.where, what, "make it in Koyeb's control panel: Secrets, of the type registry")
        return settle(definition, image, migrate, self._built)[1]

    def deploy(self, image: str) -> str:
        """One update with image or commit, settings, variables. What was saved last is read here, if a list lags."""
        latest = self.api.ask(get_service(self._id)).body["service"].get("latest_deployment_id")
        if latest and latest not in {one["id"] for one in self._listed}:
            self._listed.insert(0, self._read(latest))
        definition, _ = settle(standing(self._listed), image, self._migrate, self._built)
        return self._update(definition, self._wanted)

    def deployments(self) -> Sequence[Deployment]:
        found: list[Json] = self.api.ask(list_deployments(self._id)).body.get("deployments") or []
        self._listed = sorted(found, key=lambda one: one.get("created_at", ""), reverse=True)
        return [parse_deployment(one) for one in self._listed if one.get("status") != SAVED_ONLY]

    def deployment(self, id: str) -> Deployment:
        return parse_deployment(self._read(id))

    def whose(self, id: str) -> str:
        metadata: Json = self._read(id).get("metadata") or {}
        trigger: Json = metadata.get("trigger") or {}
        commit: Json = trigger.get("git") or {}
        actor = str(trigger.get("actor") or "").lower()
        return str(commit.get("sender_username") or ("" if actor.startswith("unknown") else actor))

    def cancel(self, id: str) -> None:
        self.api.ask(cancel_deployment(id))

    def back_to(self, id: str) -> str:
        """Koyeb has no rollback: the earlier definition, deployed again; of a commit, built again with its cache."""
        earlier = next((one for one in self._listed if one["id"] == id), None) or self._read(id)
        definition = definition_of(earlier)
        return self._update({**definition, "skip_cache": False} if definition.get("skip_cache") else definition, {})

    def log(self, deployment: str, lines: int) -> Sequence[str]:
        """Koyeb looks back fifteen minutes."""
        if not deployment:
            deployment = next((one.id for one in self.deployments() if one.phase is Phase.LIVE), "")
        if not deployment:
            return []
        found: list[Json] = self.api.ask(query_logs(deployment, lines)).body.get("data") or []
        return [str(one.get("msg", "")) for one in reversed(found)]

    def build_log(self, deployment: str) -> Sequence[str]:
        since = str(self._read(deployment)["created_at"])
        found: list[Json] = self.api.ask(query_logs(deployment, BUILD_LINES, "build", since)).body.get("data") or []
        return [str(one.get("msg", "")) for one in reversed(found)]

    @property
    def _found_app(self) -> Json:
        if self._app is None:
            self._app = self._known_app(self._ids[0]) if self._ids else self._look_up(self._named[0])
        return self._app

    @property
    def _found_service(self) -> Json:
        if self._service is None and self._ids:
            found: Json = self.api.ask(get_service(self._ids[1])).body["service"]
            renamed(self.api.where, self._named[1], found["name"], found["id"])
            self._service = found
        if self._service is None:
            there = self._all("services", partial(find_services, str(self._found_app["id"])))
            self._service = self._one("service", self._named[1], list(there))
        return self._service

    @property
    def _id(self) -> str:
        return self._ids[1] if self._ids else str(self._found_service["id"])

    def _known_app(self, id: str) -> Json:
        found: Json = self.api.ask(get_app(id)).body["app"]
        renamed(self.api.where, self._named[0], found["name"], found["id"])
        return found

    def _look_up(self, app: str) -> Json:
        if UUID.fullmatch(app):
            return self.api.ask(get_app(app)).body["app"]
        found = [one for one in self._apps(app) if one["name"] == app]
        return self._one("app", app, found or self._apps(""))

    def _apps(self, name: str) -> list[Json]:
        return list(self._all("apps", partial(find_apps, name)))

    def _one(self, kind: str, named: str, there: Sequence[Json]) -> Json:
        """The one that has that name or id. Raises WrongUse, listing what was found."""
        found = [one for one in there if named in (one["id"], one["name"])]
        if len(found) == 1:
            return found[0]
        said = ", ".join(f"{one['name']} ({one['id']})" for one in found or there) or "none"
        what = f"{len(found) or 'no'} {kind}s have the name {named}; found: {said}"
        raise WrongUse(self.api.where, what, f"name it by its id: [targets.koyeb] {kind} in stayput.toml")

    def _known(self, variable: Json) -> str:
        if secret := variable.get("secret"):
            ours = FINGERPRINT.fullmatch(secret)
            return ours[1] if ours else f"the secret {secret}"
        return self._fingerprint(secret_of(variable["key"], variable.get("value", "")).value)

    def _all(self, key: str, ask: Callable[[int], Call]) -> Iterator[Json]:
        """key: of the list in an answer. ask: the call for what follows so many."""
        seen = 0
        while True:
            body: Json = self.api.ask(ask(seen)).body
            page: list[Json] = body.get(key) or []
            yield from page
            seen += len(page)
            if not page or seen >= body.get("count", 0):
                return

    def _create(self, name: str, value: str | Secret) -> None:
        """One that was made by a call whose answer was lost holds the same value: its name says so."""
        try:
            self.api.ask(create_secret(name, value))
        except Refused:
            if name not in {one["name"] for one in self._all("secrets", list_secrets)}:
                raise

    def _prune(self) -> None:
        """Take away secrets of ours that are older than the deployments listed, and that none of these refers to."""
        if len(self._listed) < LISTED or self._secrets is None:
            return
        used = {one.get("secret") for each in self._listed for one in variables_of(definition_of(each)).values()}
        oldest, prefix = self._listed[-1].get("created_at", ""), f"stayput-{self._id[:8]}-"
        for name, secret in self._secrets.items():
            ours = name.startswith(prefix) and name not in used and name not in self._wanted.values()
            if ours and secret.get("created_at", oldest) < oldest:
                self.api.ask(delete_secret(secret["id"]))

    def _read(self, id: str) -> Json:
        return self.api.ask(get_deployment(id)).body["deployment"]

    def _update(self, definition: Json, secrets: Mapping[str, str]) -> str:
        kept = [one for one in definition.get("env") or () if one["key"] not in secrets]
        hidden = [{**one, "value": secret_of(one["key"], one["value"])} if one.get("value") else one for one in kept]
        made = {**definition, "env": [*hidden, *({"key": name, "secret": made} for name, made in secrets.items())]}
        body: Json = self.api.ask(update_service(self._id, made)).body or {}
        id = str(body.get("service", {}).get("latest_deployment_id", ""))
        return "" if id in {one["id"] for one in self._listed} else id


def connect(token: Secret, base_url: str = "", wait: float = 0.5, timeout: float = 30) -> Api:
    bearer = Secret(f"Bearer {token.value}")
    return Api("Koyeb", base_url or API_URL, {"Authorization": bearer}, wait, timeout)


def open_provider(table: Table, token: Token, variables: Mapping[str, str], fingerprint: Callable[[str], str]) -> Koyeb:
    """variables: of the environment, perhaps with KOYEB_API_URL."""
    api = connect(token.secret, variables.get("KOYEB_API_URL", ""))
    return Koyeb(api, table.app, table.service, fingerprint, table if table.source == "repository" else None)
