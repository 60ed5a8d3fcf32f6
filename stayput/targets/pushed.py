"""Images for a provider: attested, pushed, and taken from the registry by their digests."""

from stayput.errors import StayputError
from stayput.image.builder import Images
from stayput.release import Build


class PushedImages:
    """An ImageSource on the images of a project."""

    def __init__(self, images: Images) -> None:
        self._images, self._repository = images, images.project.registry.repository

    def measure(self) -> Build:
        return self._images.measure()

    def there(self) -> frozenset[str]:
        return frozenset(image.build for image in self._images.known() if image.name == self._repository)

    def publish(self, build: Build) -> None:
        self._images.push(build.id)

    def reference(self, build: Build) -> str:
        for image in self._images.known():
            if image.build == build.id and image.name == self._repository:
                return image.reference
        raise StayputError(f"build {build.id}", "was never pushed to the registry", "deploy it: invoke deploy")
