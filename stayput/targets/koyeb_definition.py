"""What Koyeb says of a deployment, and what a service's definition must be. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stayput.project import Building
from stayput.targets import Deviation
from stayput.targets.provider import HEALTH_PATH, READ_ITS_LOG, Deployment, Phase

PHASES = {
    "HEALTHY": Phase.LIVE,
    "SLEEPING": Phase.LIVE,
    "DEGRADED": Phase.FAILED,
    "UNHEALTHY": Phase.FAILED,
    "ERROR": Phase.FAILED,
    "CANCELED": Phase.FAILED,
    "STOPPING": Phase.FAILED,
    "STOPPED": Phase.FAILED,
}
PHASES_AFTER_SUCCESS = {
    "DEGRADED": Phase.LIVE,
    "UNHEALTHY": Phase.LIVE,
    "STOPPING": Phase.REPLACED,
    "STOPPED": Phase.REPLACED,
}
NEXT_STEPS = {
    "CANCELED": "it was canceled there, or another deployment replaced it: see its Activity, then deploy again",
    "STOPPING": "it was stopped there: see its Activity, then deploy again",
    "STOPPED": "it was stopped there: see its Activity, then deploy again",
}
SAVED_ONLY = "STASHED"  # settings that were saved and not deployed
NAME_LENGTH = 63  # of a secret's name: lower case letters, digits and dashes
FINGERPRINT = re.compile(r"stayput-.*-([0-9a-f]{16})")
HEALTH_SECONDS = 300  # that a release has for migrations and its start before it is restarted
# Koyeb's own defaults of a health check, in seconds and failures.
HEALTH_DEFAULTS = {"grace_period": 5, "interval": 60, "restart_limit": 3}
HEALTH_WANTED = {"grace_period": 60, "interval": 30, "restart_limit": 8}
DOCKERFILE = "docker/Dockerfile"
Json = dict[str, Any]


def parse_deployment(body: Mapping[str, Any]) -> Deployment:
    """Koyeb's deployment; a status we do not know is waited on. One that succeeded once is not failed by stopping."""
    said = str(body.get("status", "unknown"))
    phase = PHASES.get(said, Phase.UNDERWAY)
    if body.get("succeeded_at"):
        phase = PHASES_AFTER_SUCCESS.get(said, phase)
    messages: Sequence[str] = body.get("messages") or ()
    if phase is Phase.FAILED and messages:
        said = f"{said}: {messages[-1]}"
    definition = definition_of(body)
    image = str(definition.get("docker", {}).get("image") or definition.get("git", {}).get("sha") or "")
    return Deployment(
        id=str(body["id"]),
        phase=phase,
        said=said,
        image=image,
        created=str(body.get("created_at") or ""),
        next_step=NEXT_STEPS.get(str(body.get("status")), READ_ITS_LOG),
    )


def definition_of(deployment: Mapping[str, Any]) -> Json:
    return deployment.get("definition") or {}


def variables_of(definition: Json) -> dict[str, Json]:
    """Its entries for variables, each {key, value or secret, perhaps scopes}, by name."""
    return {one["key"]: one for one in definition.get("env") or ()}


def standing(listed: Sequence[Json]) -> Json:
    """The definition to go on from. listed: newest first.

    The newest one, but not that of another release than the live one before it is live itself. What was saved or
    deployed by hand counts, also where that failed: it is of the live release, and holds the variables they set.
    """
    live = next((one for one in listed if parse_deployment(one).phase is Phase.LIVE), None)
    for one in listed:
        by_hand = one.get("status") == SAVED_ONLY or release_of(one) == release_of(live or one)
        if one is live or by_hand:
            return definition_of(one)
    return {}


def release_of(deployment: Json) -> Json | None:
    return variables_of(definition_of(deployment)).get("STAYPUT_RELEASE")


def name_secret(service: str, variable: str, value_fingerprint: str) -> str:
    """Unique in the organisation; its end tells one value from another, and leads back to none."""
    readable = re.sub(r"[^a-z0-9]+", "-", f"stayput-{service[:8]}-{variable.lower()}")
    return f"{readable[: NAME_LENGTH - 1 - len(value_fingerprint)].rstrip('-')}-{value_fingerprint}"


def public_port(definition: Json) -> int | None:
    """Where the site is reached from outside, or None."""
    return next((one.get("port") for one in definition.get("routes") or () if one.get("path") == "/"), None)


def settle(definition: Json, image: str, migrate: str, built: Building | None = None) -> tuple[Json, list[Deviation]]:
    """The definition with that image, put right what would fail in silence, and what that was.

    image: or the commit, where Koyeb builds the repository itself, as `built` says.
    """
    made, found = {**definition}, list[Deviation]()
    if built:
        made["git"], found = _of_commit(definition.get("git") or {}, image, migrate)
        made["skip_cache"] = built.fresh
    else:
        found += _built_there(definition)
        docker, started = _started(definition.get("docker") or {}, migrate)
        made["docker"], found = {**docker, "image": image}, [*found, *started]
    port, checks = public_port(definition), list[Json](definition.get("health_checks") or ())
    of_port = [one for one in checks if port in (one.get("http", {}).get("port"), one.get("tcp", {}).get("port"))]
    check = health_check(of_port[0] if of_port else {}, port)
    if of_port != [check]:
        made["health_checks"] = [*(one for one in checks if one not in of_port), check]
        there = ", ".join(one.get("http", {}).get("path") or "a port that is open" for one in of_port)
        wanted = f"{HEALTH_PATH} on port {port} within {HEALTH_SECONDS} s"
        found.append(Deviation(setting="health check", there=there, wanted=wanted))
    return made, [*found, *_only_said(definition)]


def _built_there(definition: Json) -> Iterator[Deviation]:
    """What keeps a service from running an image: Koyeb builds it."""
    remedy = "name a service that was made of an image"
    if git := definition.get("git"):
        there = f"built there of {git.get('repository') or 'its repository'}"
        said = f'say source = "repository" in [targets.koyeb], or {remedy}'
        yield Deviation(setting="the service", there=there, remedy=said, refused=True)
    if definition.get("archive"):
        yield Deviation(setting="the service", there="built there of an archive", remedy=remedy, refused=True)


def _of_commit(git: Json, commit: str, migrate: str) -> tuple[Json, list[Deviation]]:
    """The source that is that commit, built by the Dockerfile."""
    found = list[Deviation]()
    if not git.get("repository"):
        said = 'make the service of its repository, or say source = "image" in [targets.koyeb]: it runs an image'
        found.append(Deviation(setting="the service's repository", remedy=said, refused=True))
    if folder := str(git.get("workdir") or "").strip("/"):
        said = "clear it in Koyeb's control panel: the Dockerfile takes the whole repository"
        found.append(Deviation(setting="the work directory", there=folder, remedy=said, refused=True))
    docker, started = _started(git.get("docker") or {}, migrate)
    if (there := docker.get("dockerfile", "")) != DOCKERFILE:
        found.append(Deviation(setting="the Dockerfile", there=there, wanted=DOCKERFILE))
    if not git.get("no_deploy_on_push"):  # it would replace what was proven
        found.append(Deviation(setting="automatic deploy", there="on", wanted="off"))
    kept = {key: value for key, value in git.items() if key != "buildpack"}
    pinned = {"docker": {**docker, "dockerfile": DOCKERFILE}, "no_deploy_on_push": True, "sha": commit}
    return {**kept, **pinned}, [*found, *started]


def _started(docker: Json, migrate: str) -> tuple[Json, list[Deviation]]:
    """How the image is started: as it says itself, after migrating."""
    start = {"command": "sh", "args": ["-c", f"{migrate} && exec python -I /entrypoint"]}
    kept = {key: value for key, value in docker.items() if key not in ("image", "entrypoint", *start)}
    if all(docker.get(key) == value for key, value in start.items()) and not docker.get("entrypoint"):
        return {**kept, **start}, []
    words = [*(docker.get("entrypoint") or ()), docker.get("command") or "", *(docker.get("args") or ())]
    wanted = f"the image's own, after: {migrate}"
    return {**kept, **start}, [Deviation(setting="start command", there=" ".join(filter(None, words)), wanted=wanted)]


def misled(definition: Json) -> Iterator[Deviation]:
    """A way to the site that leads nowhere."""
    port = public_port(definition)
    if port is None:
        said = "add one: the service, Settings, Ports"
        yield Deviation(setting="the public route /", remedy=said, refused=True)
        return
    lowest = min((one["port"] for one in definition.get("ports") or ()), default=port)
    listens = variables_of(definition).get("PORT", {}).get("value") or lowest
    if int(listens) != port:
        said = f"set the variable PORT to {port} in Koyeb's control panel"
        there = f"{listens}, but visitors are sent to {port}"
        yield Deviation(setting="the port that the site listens on", there=there, remedy=said, refused=True)


def _only_said(definition: Json) -> Iterator[Deviation]:
    if any(one.get("type") == "free" for one in definition.get("instance_types") or ()):
        said = "the service sleeps without visitors, and the first visitor waits"
        yield Deviation(setting="instance type", there="free", remedy=said)
    if any(one.get("min") == 0 for one in definition.get("scalings") or ()):
        yield Deviation(setting="scaling", there="to zero", remedy="the first visitor waits")
    if not definition.get("regions"):
        yield Deviation(setting="region", remedy="choose the one of its database")


def health_check(there: Json, port: int | None) -> Json:
    """The health check that is there, put right where it asks elsewhere or is impatient."""
    http: Json = {**(there.get("http") or {}), "port": port, "path": HEALTH_PATH}
    timing = {**HEALTH_DEFAULTS, **{key: there[key] for key in HEALTH_DEFAULTS if there.get(key)}}
    patient = timing["grace_period"] + timing["interval"] * timing["restart_limit"] >= HEALTH_SECONDS
    kept = {key: value for key, value in there.items() if key not in ("tcp", "http")}
    return {**kept, **({} if patient else HEALTH_WANTED), "http": http}
