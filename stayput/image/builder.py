"""Images made with BuildKit and found again: one record a build, and the engine is asked whether it is still there."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import cast

import msgspec
from docker.errors import DockerException, ImageNotFound

import docker
from stayput.errors import StayputError, WrongUse
from stayput.image import UNTOLD, Attestation, Image, inputs
from stayput.image.before import look_before
from stayput.image.imports import look_at_imports
from stayput.image.parts import MACHINES
from stayput.image.turns import turn
from stayput.kept import recall
from stayput.project import Project
from stayput.release import Build, deployed, read_lock
from stayput.secrets import write_private
from stayput.stack import Stack

BUILDX = (0, 13)
# From docker/again, after its last try. An index that gives no version at all was not reached: none is missing from it.
SILENT = (
    "the package index gave nothing for {0}, in four tries",
    "see that it can be reached from here, then build again",
)
NAMED = "name one that has 3.11 or newer: [image] base in stayput.toml"
# The lines of a failed build that say why, the most telling first; `stayput:` is what the verify stage found.
TELLING = (
    (
        r"^#\d+ [\d.]+ stayput: (.+ Django cannot be set up: (?:KeyError|.*nvironment var|Undefined).*)$",
        "{0}",
        "give the settings a default, as no secret is there in a build; what is none: [variables] in stayput.toml",
    ),
    (r"^#\d+ [\d.]+ stayput: (.+)$", "{0}", "mend that, then build again"),
    (r"python3: not found", "the base has no python3", NAMED),
    (r"No module named 'tomllib'", "the base's Python is older than 3.11", NAMED),
    (r"no space left on device", "the engine's disk is full", "free some: docker builder prune"),
    (
        r"^ERROR: failed to solve: (\S+): failed to (?:resolve source metadata|do request|pull)",
        "the base {0} cannot be pulled",
        "pull it by hand: docker pull, or name another: [image] base",
    ),
    (r"(?:dockerfile parse error|unknown instruction).*", "docker/Dockerfile: {line}", "mend that line"),
    (
        r"^#\d+ [\d.]+ ERROR: Could not find a version that satisfies the requirement (\S+) \(from versions: none",
        *SILENT,
    ),
    (r"^#\d+ [\d.]+ +cause: Because (\S+) was not found in the package registry", *SILENT),
    (r"^#\d+ [\d.]+ +cause: Failed to fetch:\s+(?:#\d+ [\d.]+\s+)?\S+?/([^/\s]+)/?$", *SILENT),
    (r"^#\d+ [\d.]+ E: (?:Failed to fetch|Unable to fetch) \S+?([^/\s]+)(?:\s|$)", *SILENT),
    (
        r"^#\d+ [\d.]+ +cause: Hash mismatch for `([^`]+)`",
        "the package index gives {0} with another hash than the lock",
        "compile the lock anew, then build again",
    ),
    (
        r"^#\d+ [\d.]+ error: Failed to (?:download and )?build `([^`]+)`",
        "{0} has no wheel for this Python and platform, and cannot be built of its source: there is no compiler",
        "take a version, or another distribution, that has one",
    ),
    (r"^#\d+ [\d.]+ (?:error: |E: |ERROR: )(.+)$", "{0}", "mend that, then build again"),
    (r"^#\d+ [\d.]+ (\w+Error: .+)$", "{0}", "mend that, then build again"),
    (r"^ERROR: (?:failed to solve: )?(.+)$", "{0}", "mend that, then build again"),
)


def connect() -> docker.DockerClient:
    """The engine that the environment names. Raises WrongUse where it is not, or cannot do what is needed."""
    try:
        client = docker.from_env(timeout=120)
        info = client.info()
    except (DockerException, OSError, ValueError, ImportError):
        what, next_step = "no engine answers", "start Docker; docker info says more"
        if os.environ.get("DOCKER_HOST"):
            what, next_step = "no engine answers where DOCKER_HOST says", "mend or unset it, or start Docker there"
        raise WrongUse("docker", what, next_step) from None
    status: list[object] = info.get("DriverStatus") or []
    if "io.containerd.snapshotter" not in str(status):
        what = "the engine keeps images without the digests of their manifests"
        raise WrongUse("docker", what, 'turn on the containerd image store: "containerd-snapshotter" in daemon.json')
    return client


class Images:
    """Builds images of a project, remembers them, and knows which were attested."""

    def __init__(self, project: Project, stack: Stack) -> None:
        self.project, self.root, self.home = project, stack.root, stack.home / "images"
        self.name = project.name

    @cached_property
    def _engine(self) -> docker.DockerClient:
        return connect()

    def measure(self) -> Build:
        """The build that this tree would give. Asks the engine for its base, and pulls it where it is not there."""
        return inputs.measure(self.root, self.project, self._base_digest(pull=False))

    def find(self, build: str) -> Image | None:
        """The image of a build, if it is still in the engine."""
        image = recall(self.home / f"{build}.json", Image)
        try:
            return image if image and self._engine.images.get(image.digest) else None
        except ImageNotFound:
            return None

    def known(self) -> tuple[Image, ...]:
        """All images on record, oldest first."""
        files = sorted(self.home.glob("*.json"), key=lambda file: file.stat().st_mtime)
        return tuple(image for file in files if (image := recall(file, Image)))

    def named(self, reference: str) -> Image:
        """The image of a reference or digest. One that was made elsewhere is held against this tree, as it is here."""
        digest = reference.rpartition("@")[2]
        for image in self.known():
            if digest in (image.digest, image.build):
                return image
        try:
            found = self._engine.images.get(reference)
        except (ImageNotFound, DockerException):
            raise WrongUse(f"--image {reference}", "is not in the engine", "pull it: docker pull") from None
        labels = cast("dict[str, str]", found.attrs["Config"].get("Labels") or {})
        label = labels.get("stayput.build", UNTOLD)
        return Image(
            build=inputs.measure_repository(self.root, self.project).id if label == UNTOLD else label,
            parts={},
            name=reference.partition("@")[0],
            digest=str(found.id),
            config="",
            platform=self.project.image.platform,
            lock=inputs.without_hashes(self._lock()),
        )

    def statement(self, digest: str) -> bytes:
        """The in-toto statement about the image of that digest, as it is kept."""
        return self._document(digest, ".intoto.json").read_bytes()

    def attestation(self, digest: str) -> Attestation | None:
        """What was found in the image of that digest, if it was ever opened."""
        found = recall(self._document(digest, ".json"), Attestation)
        return found if found and found.digest == digest else None

    def attested(self, build: str) -> Image:
        """The image of a build that may be released. Raises StayputError with the failing line first."""
        image = self.image_of(build)
        found = self.attestation(image.digest)
        if found is None:
            raise StayputError(f"image {image.reference}", "was never attested", "open it: invoke attest")
        if not found.ok or found.build != build:
            what = found.failing or f"its attestation speaks of build {found.build}"
            raise StayputError(f"image {image.reference}", what, "mend that, then build and attest again")
        return image

    def rebuilt(self, build: Build) -> tuple[dict[str, str], ...]:
        """What a build of this tree differs in from the last image, {part, reason}."""
        known = self.known()
        return inputs.rebuilt(build, self._lock(), known[-1] if known else None)

    def make(self, build: Build, *, fresh: bool = False) -> Image:
        """The image of that build, made unless it is there. fresh: without any cache, and the base pulled anew.

        Where another process is making it, that one is waited for.
        """
        with turn(f"{self.name}-{build.id}") as now:
            there = None if fresh else self.find(build.id) or self._made_elsewhere(now.made)
            if there:
                os.utime(self.home / f"{build.id}.json")
            image = there or self._make(build, fresh=fresh)
            now.leave(msgspec.json.encode(image))
        return image

    def _made_elsewhere(self, said: bytes) -> Image | None:
        """What another process has just made, taken on record here, too. said: as it left that."""
        try:
            image = msgspec.json.decode(said, type=Image)
        except msgspec.DecodeError:
            return None
        self.keep(image)
        return self.find(image.build)

    def _make(self, build: Build, *, fresh: bool) -> Image:
        look_before(self.project, self.root)
        with tempfile.TemporaryDirectory(prefix="stayput-") as folder, ThreadPoolExecutor(2) as beside:
            able = beside.submit(_needs_buildx, self.project.image.platform)
            for name, content in inputs.context(self.root, self.project, build):
                (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
                (Path(folder) / name).write_bytes(content)
            for file in deployed(self.root, self.project.site):
                (Path(folder) / file.name).chmod(0o755 if file.executable else 0o644)
            if self.measure().id != build.id:
                raise StayputError(f"build {build.id}", "the source changed while it was copied", "build again")
            looked = beside.submit(look_at_imports, Path(folder), self.project.site.requirements, self.root)
            try:
                metadata = self._buildx(Path(folder), build, fresh)
            finally:  # these say best what a build stumbles over
                able.result()
                looked.result()
        image = Image(
            build=build.id,
            parts=build.parts,
            name=self.name,
            digest=metadata["containerimage.digest"],
            config=metadata["containerimage.config.digest"],
            platform=self.project.image.platform,
            lock=inputs.without_hashes(self._lock()),
        )
        self.keep(image)
        return image

    def image_of(self, build: str) -> Image:
        """The image of a build. Raises StayputError when there is none."""
        image = self.find(build)
        if image is None:
            raise StayputError(f"build {build}", "has no image", "make it: invoke build")
        return image

    def attest(self, image: Image) -> Attestation:
        """Open that image, and keep what was found: the attestation, its statement and the bill of materials."""
        from stayput.image.attest import attest
        from stayput.image.documents import bill_of_materials, statement

        found = attest(self._engine, image, self.project.site, self.home / "layers", self.project.variables)
        said = json.dumps(statement(found), indent=1).encode()
        write_private(self._document(image.digest, ".intoto.json"), said)
        write_private(self._document(image.digest, ".cdx.json"), bill_of_materials(image).encode())
        write_private(self._document(image.digest, ".json"), msgspec.json.encode(found))
        return found

    def push(self, build: str) -> Image:
        """The image of that build, in the project's registry under the same digest, its documents beside it.

        Raises StayputError.
        """
        from stayput.image.attached import CYCLONEDX, IN_TOTO, attach
        from stayput.image.registry import push

        repository = self.project.registry.repository
        if not repository:
            raise WrongUse("stayput.toml, [registry]", "names no repository", 'repository = "host/name"')
        image = self.attested(build)
        push(self._engine, image, repository)
        bill = self._document(image.digest, ".cdx.json").read_bytes()
        attach(repository, image.digest, {IN_TOTO: self.statement(image.digest), CYCLONEDX: bill})
        pushed = msgspec.structs.replace(image, name=repository)
        self.keep(pushed)
        return pushed

    def keep(self, image: Image) -> None:
        write_private(self.home / f"{image.build}.json", msgspec.json.encode(image))

    def _buildx(self, folder: Path, build: Build, fresh: bool) -> dict[str, str]:
        metadata = folder.with_name(f"{folder.name}.metadata")
        command = ["docker", "buildx", "build", "--progress=plain", "--provenance=false", "--sbom=false"]
        # The lightest gzip, which any platform can unpack: twice as fast to the end, for an eighth more bytes.
        command += ["--output", "type=docker,compression=gzip,compression-level=1"]
        command += ["--file", str(folder / "docker/Dockerfile"), "--platform", self.project.image.platform]
        command += ["--tag", f"{self.name}:{build.id}", "--metadata-file", str(metadata)]
        arguments = {"BASE": self.project.image.base, "SOURCE_DATE_EPOCH": "0", "STAYPUT_BUILD": build.id}
        if fresh:
            command += ["--no-cache"]
            arguments["UV_NO_CACHE"] = "1"
        for name, value in arguments.items():
            command += ["--build-arg", f"{name}={value}"]
        if (bundle := os.environ.get("SSL_CERT_FILE")) and Path(bundle).is_file():
            command += ["--secret", f"id=ca,src={bundle}"]
        done = subprocess.run([*command, str(folder)], text=True, capture_output=True, check=False)
        try:
            if done.returncode:
                raise StayputError(f"build {build.id}", *explain(done.stderr))
            return json.loads(metadata.read_text())
        finally:
            metadata.unlink(missing_ok=True)

    def pull_base(self) -> str:
        """Have the newest base that the registry gives under its name; returns its digest."""
        return self._base_digest(pull=True)

    def _base_digest(self, *, pull: bool) -> str:
        base = self.project.image.base
        try:
            if not pull:
                return str(self._engine.images.get(base).id)
        except ImageNotFound:
            pass
        try:
            return str(self._engine.images.pull(base, platform=self.project.image.platform).id)
        except DockerException as problem:
            said = str(getattr(problem, "explanation", "") or problem).strip().splitlines()[-1]
            raise StayputError(
                f"base {base}", f"cannot be pulled: {said}", "name one that can: [image] base in stayput.toml"
            ) from None

    def _document(self, digest: str, kind: str) -> Path:
        return self.home / "attestations" / f"{digest.removeprefix('sha256:')}{kind}"

    def _lock(self) -> str:
        return read_lock(self.root, self.project.site.requirements)


def explain(said: str) -> tuple[str, str]:
    """What a failed build was about, and the next step, from what BuildKit wrote."""
    for pattern, what, next_step in TELLING:
        if found := re.search(pattern, said, re.MULTILINE):
            return what.format(*found.groups(), line=found[0]), next_step
    last = [line for line in said.splitlines() if line.strip()]
    return (last[-1] if last else "BuildKit said nothing"), "run docker buildx build by hand"


def _needs_buildx(platform: str) -> None:
    if shutil.which("docker") is None:
        raise WrongUse("docker", "the docker program is not on PATH", "install Docker with its buildx plugin")
    done = subprocess.run(["docker", "buildx", "version"], capture_output=True, text=True, check=False)
    check_buildx(done.stdout if done.returncode == 0 else "")
    own = str(connect().info()["Architecture"])
    if platform != f"linux/{MACHINES.get(own, own)}":
        shown = subprocess.run(["docker", "buildx", "inspect"], capture_output=True, text=True, check=False)
        check_platform(shown.stdout, platform)


def check_buildx(said: str) -> None:
    """Raises WrongUse unless what `docker buildx version` said is a version that can do what is needed."""
    version = re.search(r"\bv?(\d+)\.(\d+)\.\d+", said)
    if version is None:
        raise WrongUse("docker", "has no buildx, the front of BuildKit", "install the buildx plugin, 0.13 or newer")
    if tuple(map(int, version.groups())) < BUILDX:
        raise WrongUse("docker", f"its buildx is {version[0]}, too old", "install buildx 0.13 or newer")


def check_platform(said: str, platform: str) -> None:
    """Raises WrongUse unless the platform is among those that `docker buildx inspect` said.

    BuildKit would take a base of another platform that is there already, and call the image what it is not.
    """
    lines = re.findall(r"^Platforms: +(.+)$", said, re.MULTILINE)
    there = [name.strip(" *") for line in lines for name in line.split(",")]
    if there and platform not in there:
        what = f"the engine cannot run {platform}; it runs {', '.join(there)}"
        raise WrongUse(
            "docker", what, "install its emulation (QEMU), or name another: [image] platform in stayput.toml"
        )
