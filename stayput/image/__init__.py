"""Images: what goes into one, what is built, and what was found inside. The digest of the manifest is its name."""

from collections.abc import Mapping

import msgspec

from stayput.proof import Check
from stayput.release import Build

UNTOLD = "unknown"  # label of an image that the tool did not build: its build is named inside it


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """A built image, as it is kept in home/images/BUILD.json."""

    build: str
    parts: Mapping[str, str]
    name: str  # of the repository, local or in a registry
    digest: str  # of its manifest: "sha256:..."
    config: str  # digest of its configuration
    platform: str
    lock: str  # the site's lock without hashes: what must be found inside

    @property
    def reference(self) -> str:
        return f"{self.name}@{self.digest}"

    def of(self) -> Build:
        return Build(id=self.build, parts=self.parts)


class Attestation(msgspec.Struct, frozen=True, kw_only=True):
    """What was found inside one image; it speaks of this digest and of no other."""

    image: str  # reference with digest
    digest: str
    config: str
    platform: str
    build: str
    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        return bool(self.checks) and all(check.ok for check in self.checks)

    @property
    def failing(self) -> str:
        return next((f"{check.name}: {check.detail}" for check in self.checks if not check.ok), "")
