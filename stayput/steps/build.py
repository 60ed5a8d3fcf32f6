"""The image of a build, made by BuildKit; one that is there already is not made again."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from stayput.release import Build

if TYPE_CHECKING:
    from stayput.image import Image
    from stayput.image.builder import Images


@dataclass(frozen=True, kw_only=True)
class BuildImage:
    name: ClassVar = "build"
    build: Build
    reason: str

    def __str__(self) -> str:
        return f"build the image of {self.build.id}: {self.reason}"

    def perform(self, images: "Images") -> "Image":
        return images.make(self.build)
