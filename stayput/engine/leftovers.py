"""What an engine that was killed began to make and did not write down: looked for in the cloud, and taken away."""

from collections.abc import Callable, Mapping
from typing import Any

from pulumi.automation import Deployment
from pulumi.automation import Stack as PulumiStack

from stayput.engine.account import MAY, connect, explaining
from stayput.engine.words import shown
from stayput.localcloud.iam import AccessKey
from stayput.localcloud.resource import Resource
from stayput.localcloud.table import table


def remove(stack: PulumiStack, url: str, config: Mapping[str, str], say: Callable[[str], None]) -> None:
    """Take away what interrupted creations left, and let the state forget that they were begun.

    In a real account only keys: an unknown key of the stack's own user can belong to nothing else. All else there
    is named by what the next `up` says of it.
    """
    state = stack.export_stack()
    deployment = state.deployment or {}
    begun = [one["resource"] for one in deployment.get("pending_operations") or () if one.get("type") == "creating"]
    if not begun:
        return
    resources = table(connect(url, config))
    for one in begun:
        resource = resources.get(one["type"])
        if resource and (url or isinstance(resource, AccessKey)):
            with explaining(shown(one["urn"]), MAY):
                _remove(resource, one, _known(deployment, one["type"]))
            say(f"took away what was left of {shown(one['urn'])}")
    stack.import_stack(Deployment(version=state.version, deployment={**deployment, "pending_operations": []}))


def _known(deployment: Mapping[str, Any], type: str) -> set[str]:
    return {one["id"] for one in deployment.get("resources") or () if one["type"] == type and one.get("id")}


def _remove(resource: Resource, begun: Mapping[str, Any], known: set[str]) -> None:
    for id in set(resource.leftovers(begun["inputs"])) - known:
        resource.delete(id, {**begun["inputs"], "forceDestroy": False})
