"""The image, opened and found right, before any target may have it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from stayput.release import Build

if TYPE_CHECKING:
    from stayput.image import Attestation
    from stayput.image.builder import Images


@dataclass(frozen=True, kw_only=True)
class Attest:
    name: ClassVar = "attest"
    build: Build
    reason: str

    def __str__(self) -> str:
        return f"attest the image of {self.build.id}: {self.reason}"

    def perform(self, images: "Images") -> "Attestation":
        return images.attest(images.image_of(self.build.id))
