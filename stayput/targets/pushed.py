"""Images for a provider: attested, pushed, and taken from the registry by their digests."""

from collections.abc import Sequence

from stayput import loopback
from stayput.errors import StayputError
from stayput.image.builder import Images
from stayput.release import Build
from stayput.targets import Deviation


class PushedImages:
    """A Source on the images of a project."""

    def __init__(self, images: Images, *, pulled_here: bool) -> None:
        """pulled_here: the provider stands on this machine, and can pull from a registry that does."""
        self._pulled_here = pulled_here
        self._images, self._repository = images, images.project.registry.repository

    def measure(self) -> Build:
        return self._images.measure()

    def has(self, build: Build) -> bool:
        return any(image.build == build.id and image.name == self._repository for image in self._images.known())

    def publish(self, build: Build) -> None:
        self._images.push(build.id)

    def deviations(self) -> Sequence[Deviation]:
        there = self._repository
        if there and (self._pulled_here or not loopback.leads_here(there.partition("/")[0])):
            return []
        said = "name a repository that the provider can pull from: [registry] repository in stayput.toml"
        there = there and f"{there}, on this machine, where no provider can pull it"
        return [Deviation(setting="the registry's repository", there=there, remedy=said, refused=True)]

    def reference(self, build: Build) -> str:
        for image in self._images.known():
            if image.build == build.id and image.name == self._repository:
                return image.reference
        raise StayputError(f"build {build.id}", "was never pushed to the registry", "deploy it: invoke deploy")
