"""What one command works with: the project, its stack, the engine that provisions it and the target that runs it."""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from stayput import domains, redact, secrets, variables, variables_file
from stayput.engine import Cloud, Engine, stackfile
from stayput.environment import check_aws
from stayput.errors import WrongUse
from stayput.infra import settings
from stayput.ledger import Ledger, Live
from stayput.plan import OF_THE_TARGET, Desired, Sought, name_database, seek
from stayput.project import PROVIDERS, Project, load
from stayput.release import Build, Variables, name_release
from stayput.secrets import StackSecrets, fingerprint, plain
from stayput.stack import Stack, stack_named
from stayput.steps import Migrate
from stayput.targets import Observed, Target, refuse
from stayput.variables import Access

if TYPE_CHECKING:
    from stayput.image.builder import Images

TARGETS = ("process", "docker", *PROVIDERS)


@dataclass(frozen=True, kw_only=True)
class Workspace:
    project: Project
    stack: Stack
    secrets: StackSecrets
    engine: Engine
    target: Target
    ledger: Ledger

    @cached_property
    def images(self) -> "Images":
        """The images of this project, made by the Docker engine."""
        from stayput.image.builder import Images

        return Images(self.project, self.stack)

    def cloud(self) -> Cloud | None:
        """The stack as it is; None where uploads stay on the release's disk. Reads only.

        Raises WrongUse for variables of the project that a release of this stack would override.
        """
        if self.project.storage != "s3":
            return None
        cloud = self.engine.observe()
        variables.refuse_overridden(self.given, self.project.storage, variables.of_stack(cloud))
        return cloud

    def provisioned(self) -> Cloud | None:
        """The stack as it was provisioned last, for what needs its outputs alone: infra/ may be in any state."""
        return self.engine.recall() if self.project.storage == "s3" else None

    @cached_property
    def database(self) -> Variables:
        """DATABASE_URL, where a deploy sets it. Raises WrongUse where it is not said."""
        return variables.database(self.project.database, os.environ)

    @cached_property
    def theirs(self) -> Variables:
        """What the file says that stayput.toml names for the docker target. Raises WrongUse."""
        name = self.project.targets.docker.variables if self.target.name == "docker" else ""
        return variables_file.read(self.stack.root, name) if name else {}

    @cached_property
    def given(self) -> Mapping[str, Variables]:
        """The variables that a project adds to those of a deploy, by where they are said. Raises WrongUse."""
        said = {
            variables.TABLE: self.project.variables,
            self.project.targets.docker.variables: self.theirs,
            variables.ENVIRONMENT: self.database,
        }
        given = {where: values for where, values in said.items() if values}
        variables.refuse_overridden(given, self.project.storage, () if self.target.name in PROVIDERS else ("PORT",))
        return given

    def observe(self) -> Observed:
        """The target as it is. Raises WrongUse for what nothing can be deployed with. Reads only."""
        _ = self.given  # what is wrong with them is said before anything is begun
        observed = self.target.observe()
        refuse(f"target {self.target.name}", observed.deviations)
        return observed

    def names(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """ALLOWED_HOSTS and CSRF_TRUSTED_ORIGINS of a release: the target's own, and what the project adds."""
        return domains.merge(self.target.hosts(), self.target.origins(), self.given.items())

    def unvisited(self) -> Iterator[str]:
        """A line for the names of a service, or for it, that a proof does not visit."""
        if there := self.target.domains():
            yield from domains.unvisited(there, ",".join(self.names()[0]))

    def missing_origins(self) -> str:
        """A line for the addresses whose pages the bucket does not answer; empty where there are none."""
        if self.project.storage != "s3":
            return ""
        try:
            allowed = settings.parse(stackfile.config(self.stack, encrypted=True)).origins
        except (WrongUse, settings.SettingsError):  # the engine says it better
            return ""
        public = domains.answering(self.target.domains()) or self.target.origins()[:1]  # a front's own comes first
        return settings.missing_origins(self.stack.settings.name, allowed, public)

    def image(self, build: Build) -> str:
        """The reference with digest of that build's image; empty where the target runs none, or none is made yet."""
        made = self.images.find(build.id) if self.target.runs_images else None
        return made.reference if made else ""

    def access(self, cloud: Cloud | None) -> Access:
        """How a proof enters. Raises WrongUse when uploads belong into a bucket that is not there."""
        if cloud and cloud.outputs is None:
            raise WrongUse(
                f"the stack {self.stack.name}", f"has no bucket: {cloud.reason}", "provision it: invoke deploy"
            )
        outputs = cloud.outputs if cloud else None
        endpoint = cloud.endpoint_url if cloud else ""
        return Access(stayput_key=self.secrets.stayput_key, outputs=outputs, endpoint_url=endpoint)

    def desired(self, cloud: Cloud | None, build: Build, *, back: bool = False) -> Desired:
        """The release of that build under that cloud's outputs. back: to a build that was proven. Reads only."""
        if cloud:  # on the way back it is not observed
            variables.refuse_overridden(self.given, self.project.storage, variables.of_stack(cloud))
        ours = variables.wanted(cloud, self.secrets, *self.names())
        added = {name: value for said in self.given.values() for name, value in said.items()}
        values = {**added, **ours}
        release = name_release(build, values, self.secrets.fingerprint_key)
        proven = self.ledger.live(self.target.name)
        database = release.fingerprints.get("DATABASE_URL")
        served = [one.build for one in proven[0 if back else -1 :] if one.fingerprints.get("DATABASE_URL") == database]
        return Desired(
            release=release,
            access=self.access(cloud),
            last=proven[-1] if proven else None,
            there=self.target.has(build),
            in_image=self.target.runs_images,
            migrated=build.id in served and not self.ledger.cut_off(Migrate.name),
            database=self.named_database(release.variables),
            pages=self.project.proof.pages,
        )

    def named_database(self, of: Variables) -> str:
        """A fingerprint of which database a DATABASE_URL among those variables leads to; empty: there is none."""
        url = plain(of.get("DATABASE_URL", ""))
        return fingerprint(self.secrets.fingerprint_key, variables.name_database(url)) if url else ""

    def sought(self, last: Live, access: Access) -> Sought:
        """What the live release must have of its own keepsake. Asks the target where its database may be changed."""
        database = last.keepsake.database if last.keepsake else ""
        if database not in ("", OF_THE_TARGET) and "DATABASE_URL" not in last.fingerprints:
            database = name_database("", self.target.observe())
        return seek(last, access.stored_in, database)


def open_workspace(root: Path, target: str | None, stack: str | None, overrides: Sequence[str] = ()) -> Workspace:
    """Everything for one command, from stayput.toml and the names given. Raises WrongUse."""
    project, where = load(root, overrides), stack_named(root, stack)
    if project.storage == "s3":
        check_aws(os.environ)
    made = secrets.load_or_draw(where.secrets)
    for name, value in project.variables.items():
        redact.learn_named(name, value)
    workspace = Workspace(
        project=project,
        stack=where,
        secrets=made,
        engine=_engine(where),
        target=_target("process" if target is None else target, project, where, made),
        ledger=Ledger(where.home),
    )
    with contextlib.suppress(WrongUse):  # raised again by the command that needs them
        _ = workspace.theirs, workspace.database  # read now, so that the redactor knows their values
    return workspace


def _engine(stack: Stack) -> Engine:
    from stayput.engine.choice import engine_for

    return engine_for(stack)


def _target(name: str, project: Project, stack: Stack, made: StackSecrets) -> Target:
    match name:
        case "process":
            from stayput.targets.process import ProcessTarget

            return ProcessTarget(project, stack, made.fingerprint_key)
        case "docker":
            from stayput.image.builder import Images
            from stayput.targets.docker import DockerTarget

            return DockerTarget(project, stack, Images(project, stack))
        case _ if name in PROVIDERS:
            from stayput.targets.providers import open_provider

            return open_provider(name, project, stack, made.fingerprint_key)
        case _:
            raise WrongUse(f"--target {name}", "is no target", f"choose one: {', '.join(TARGETS)}")
