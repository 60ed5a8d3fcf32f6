"""What stayput.toml and the environment say of a provider, as a target."""

import os
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import Any, Protocol, cast
from urllib.parse import urlsplit

from stayput import loopback, secrets
from stayput.errors import WrongUse
from stayput.image.builder import Images
from stayput.project import Project, Section
from stayput.secrets import Secret
from stayput.stack import Stack
from stayput.targets import Target
from stayput.targets.paas import PaasTarget
from stayput.targets.provider import Provider
from stayput.targets.pushed import PushedImages


class ProviderFile(Protocol):
    """A module of this folder that is named in PROVIDERS."""

    Table: type[Section]  # what it reads of stayput.toml

    @staticmethod
    def open_provider(table: Any, variables: Mapping[str, str], fingerprint: Callable[[str], str]) -> Provider: ...


def open_provider(name: str, project: Project, stack: Stack, key: Secret) -> Target:
    """The target of that name. Raises WrongUse where stayput.toml or the token is missing."""
    file = cast("ProviderFile", import_module(f"stayput.targets.{name}"))
    if (table := project.targets.providers.get(name)) is None:
        where = f"stayput.toml, [targets.{name}]"
        raise WrongUse(where, "is missing", "add it; docs/stayput.toml.md says what belongs there")
    provider = file.open_provider(table, os.environ, partial(secrets.fingerprint, key))
    migrate = f"python {project.site.manage} migrate_once"
    images = PushedImages(Images(project, stack), pulled_here=loopback.leads_here(urlsplit(provider.api.url).netloc))
    brings_database = project.database == "ours" or "DATABASE_URL" in project.variables
    return PaasTarget(provider, images, home=stack.home, key=key, migrate=migrate, brings_database=brings_database)
