"""What stayput.toml and the environment say of a provider, as a target."""

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib import import_module
from typing import Any, Protocol, cast
from urllib.parse import urlsplit

from stayput import loopback, secrets, tokens
from stayput.environment import address
from stayput.errors import WrongUse
from stayput.image.builder import Images
from stayput.project import Building, Project, Section
from stayput.secrets import Secret
from stayput.stack import Stack
from stayput.targets import Target
from stayput.targets.paas import PaasTarget
from stayput.targets.provider import Builder, Provider
from stayput.targets.pushed import PushedImages
from stayput.targets.repository import Repository
from stayput.tokens import Kind, Token


class ProviderFile(Protocol):
    """A module of this folder that is named in PROVIDERS."""

    Table: type[Section]  # what it reads of stayput.toml
    API_URL: str
    TOKENS: Sequence[Kind]  # that its API takes, the least powerful first

    @staticmethod
    def open_provider(
        table: Any, token: Token, variables: Mapping[str, str], fingerprint: Callable[[str], str]
    ) -> Provider: ...


def file_of(name: str) -> ProviderFile:
    return cast("ProviderFile", import_module(f"stayput.targets.{name}"))


def api_url(name: str) -> str:
    """The address of the provider's API: its own, or what the environment says. Raises WrongUse."""
    variable = f"{name.upper()}_API_URL"
    given = os.environ.get(variable, "")
    return address(variable, given) if given.strip() else file_of(name).API_URL


def token_of(file: ProviderFile, project: Project) -> Token:
    """Raises WrongUse where there is none."""
    return tokens.find(file.TOKENS, os.environ, tokens.ask_keyring if project.keyring else None)


def open_provider(name: str, project: Project, stack: Stack, key: Secret) -> Target:
    """The target of that name. Raises WrongUse where stayput.toml or the token is missing."""
    file = file_of(name)
    if (table := project.targets.providers.get(name)) is None:
        where = f"stayput.toml, [targets.{name}]"
        raise WrongUse(where, "is missing", "add it; docs/stayput.toml.md says what belongs there")
    environment = {**os.environ, f"{name.upper()}_API_URL": api_url(name)}
    provider = file.open_provider(table, token_of(file, project), environment, partial(secrets.fingerprint, key))
    migrate = f"python {project.site.manage} migrate_once"
    brings_database = project.database == "ours" or "DATABASE_URL" in project.variables
    target = partial(PaasTarget, provider, home=stack.home, key=key, migrate=migrate, brings_database=brings_database)
    if isinstance(table, Building) and table.source == "repository":
        source = Repository(stack.root, project, stack.home)
        return target(source, builder=cast("Builder", provider), fresh=table.fresh)
    if isinstance(table, Building) and table.fresh:
        what = 'is for source = "repository": the image is built here'
        raise WrongUse(f"targets.{name}, fresh", what, "build it anew: invoke build --fresh")
    return target(
        PushedImages(Images(project, stack), pulled_here=loopback.leads_here(urlsplit(provider.api.url).netloc))
    )
