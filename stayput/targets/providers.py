"""The providers that are known, a line each: what stayput.toml and the environment say, as a target."""

import os
from collections.abc import Callable, Mapping
from functools import partial

from stayput import secrets
from stayput.errors import WrongUse
from stayput.image.builder import Images
from stayput.project import Project
from stayput.secrets import Secret
from stayput.stack import Stack
from stayput.targets import Target, railway, render
from stayput.targets.paas import PaasTarget
from stayput.targets.provider import Provider
from stayput.targets.pushed import PushedImages

Open = Callable[[Project, Mapping[str, str], Callable[[str], str]], Provider | None]

# Each gives None where stayput.toml has no table for it.
PROVIDERS: Mapping[str, Open] = {"railway": railway.open_provider, "render": render.open_provider}


def open_provider(name: str, project: Project, stack: Stack, key: Secret) -> Target:
    """The target of that name. Raises WrongUse where stayput.toml, the token or the registry is missing."""
    provider = PROVIDERS[name](project, os.environ, partial(secrets.fingerprint, key))
    if provider is None:
        where = f"stayput.toml, [targets.{name}]"
        raise WrongUse(where, "is missing", "add it; docs/stayput.toml.md says what belongs there")
    if not project.registry.repository:
        raise WrongUse("stayput.toml, [registry]", "names no repository", f"name one that {name} can pull from")
    migrate = f"python {project.site.manage} migrate --noinput"
    images = PushedImages(Images(project, stack))
    return PaasTarget(provider, images, home=stack.home, key=key, migrate=migrate)
