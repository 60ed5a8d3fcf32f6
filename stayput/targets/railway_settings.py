"""What Railway says of a deployment and of a service's instance, and what the instance must be. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from stayput.domains import Domain
from stayput.targets import Deviation
from stayput.targets.provider import HEALTH_PATH, READ_ITS_LOG, Deployment, Phase

HEALTH_SECONDS = 300
HEALTH_CHECK, HEALTH_TIMEOUT, PRE_DEPLOY = "health check path", "health check timeout", "pre-deploy command"
DOCKERFILE = "docker/Dockerfile"
BUILT_OF = "the Dockerfile"
AUTO_DEPLOY = "automatic deploy"
PHASES = {
    "SUCCESS": Phase.LIVE,
    "SLEEPING": Phase.LIVE,
    "FAILED": Phase.FAILED,
    "CRASHED": Phase.FAILED,
    "SKIPPED": Phase.FAILED,
    "NEEDS_APPROVAL": Phase.FAILED,
    "REMOVED": Phase.REPLACED,
    "REMOVING": Phase.REPLACED,
}
REPLACED = "see in its Deployments what replaced or removed it, before you deploy over it"
NEXT_STEPS = {
    "SKIPPED": "Railway saw nothing to deploy: look at Watch Paths and at Wait for CI in Settings, then deploy again",
    "NEEDS_APPROVAL": "approve it in Railway's dashboard, in the service's Deployments, then deploy again",
    "REMOVED": REPLACED,
    "REMOVING": REPLACED,
}
NO_CERTIFICATE = tuple(
    f"CERTIFICATE_STATUS_TYPE_{word}" for word in ("ISSUE_FAILED", "ISSUING", "VALIDATING_OWNERSHIP")
)
FRONTED = ("DETECTED_CDN_PROVIDER_CLOUDFLARE",)  # its DNS leads to a CDN, as it should
GONE = ("DELETING", "DELETED")  # of a domain
Json = dict[str, Any]


def parse_deployment(node: Mapping[str, Any]) -> Deployment:
    """A success whose process has ended is none; a status we do not know is waited on."""
    said = str(node["status"])
    phase = PHASES.get(said, Phase.UNDERWAY)
    if phase is Phase.LIVE and node.get("deploymentStopped"):
        phase, said = Phase.FAILED, f"{said}, but its process has ended"
    meta: Json = node.get("meta") or {}
    image = str(meta.get("image") or meta.get("commitHash") or "")
    return Deployment(
        id=str(node["id"]),
        phase=phase,
        said=said,
        image=image,
        created=str(node.get("createdAt") or ""),
        next_step=NEXT_STEPS.get(said, READ_ITS_LOG),
    )


def parse_domain(node: Mapping[str, Any]) -> Domain:
    """A custom or a service domain. What is not said counts as fine.

    A domain behind a CDN has the CDN's DNS records, and works.
    """
    status: Json = node.get("status") or {}
    certificate = str(status.get("certificateStatus") or "")
    records: list[Json] = [] if status.get("cdnProvider") in FRONTED else status.get("dnsRecords") or []
    outdated = any(one.get("status") == "DNS_RECORD_STATUS_REQUIRES_UPDATE" for one in records)
    said = ""
    if status.get("verified") is False:
        said = "not verified"
    elif certificate in NO_CERTIFICATE:
        said = certificate.removeprefix("CERTIFICATE_STATUS_TYPE_").lower().replace("_", " ")
    elif outdated:
        said = "its DNS record has to be updated"
    elif node.get("syncStatus") == "CREATING":
        said = "being created"
    return Domain(name=str(node["domain"]), works=not said, said=said)


def deviations(instance: Json, migrate: str) -> list[Deviation]:
    """The settings of a service's instance, as Railway tells them, that would fail in silence."""
    before: object = instance.get("preDeployCommand") or ""
    command = " && ".join(cast("list[str]", before)) if isinstance(before, list) else str(before)
    wanted = [
        (HEALTH_CHECK, instance.get("healthcheckPath"), HEALTH_PATH),
        (HEALTH_TIMEOUT, instance.get("healthcheckTimeout"), HEALTH_SECONDS),
        (PRE_DEPLOY, command, migrate),
    ]
    found = [Deviation(setting=name, there=str(is_ or ""), wanted=str(to)) for name, is_, to in wanted if is_ != to]
    if instance.get("startCommand"):
        said = "it replaces the image's own; clear it in Settings, Deploy"
        found.append(Deviation(setting="start command", there=instance["startCommand"], remedy=said))
    if instance.get("cronSchedule"):
        said = "it runs at these times only, and is down between them; clear it in Settings, Deploy"
        found.append(Deviation(setting="cron schedule", there=instance["cronSchedule"], remedy=said, refused=True))
    if instance.get("sleepApplication"):
        said = "it sleeps without visitors, and the first visitor waits; turn it off in Settings, Deploy"
        found.append(Deviation(setting="serverless", there="on", remedy=said))
    return found


def built_otherwise(settings: Json) -> Iterator[Deviation]:
    """What keeps a service from being built of the repository, as the Dockerfile says, when a deploy asks for it."""
    instance: Json = settings["serviceInstance"]
    source: Json = instance.get("source") or {}
    if not source.get("repo"):
        said = 'connect it: Settings, Source; or say source = "image" in [targets.railway]: the service runs an image'
        yield Deviation(setting="the service's repository", remedy=said, refused=True)
    if folder := str(instance.get("rootDirectory") or "").strip("/"):
        said = "clear it in Settings, Source: the Dockerfile takes the whole repository"
        yield Deviation(setting="the root directory", there=folder, remedy=said, refused=True)
    there = str(instance.get("dockerfilePath") or "")
    if there.removeprefix("./").removeprefix("/") != DOCKERFILE:
        yield Deviation(setting=BUILT_OF, there=there, wanted=DOCKERFILE)
    if settings["serviceInstanceAutoDeployStatus"]["enabled"]:  # it would replace what was proven
        yield Deviation(setting=AUTO_DEPLOY, there="on", wanted="off")


def built_there(settings: Json) -> Iterator[Deviation]:
    """What keeps a service from running an image: Railway builds it of a repository."""
    source: Json = settings["serviceInstance"].get("source") or {}
    if source.get("repo") and not source.get("image"):
        said = 'say source = "repository" in [targets.railway], or disconnect it: Settings, Source'
        there = f"built there of {source['repo']}"
        yield Deviation(setting="the service", there=there, remedy=said, refused=True)


def mended(found: Sequence[Deviation]) -> Json:
    """The input of an update that puts these right."""
    wanted = {one.setting: one.wanted for one in found if one.wanted}
    values = {
        HEALTH_CHECK: {"healthcheckPath": HEALTH_PATH},
        HEALTH_TIMEOUT: {"healthcheckTimeout": HEALTH_SECONDS},
        PRE_DEPLOY: {"preDeployCommand": [wanted.get(PRE_DEPLOY)]},
        BUILT_OF: {"dockerfilePath": DOCKERFILE},
        AUTO_DEPLOY: {},  # by a call of its own
    }
    return {name: value for setting in wanted for name, value in values[setting].items()}
