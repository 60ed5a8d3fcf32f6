"""An upload that leaves nothing behind: through the serializer, the one way of every picture, and away again."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from django.core.files.uploadedfile import UploadedFile

from app.uploads import intake
from app.uploads.serializers import UploadSerializer


@contextmanager
def upload(photo: UploadedFile) -> Iterator[Mapping[str, object]]:
    """What became of it; the picture is not listed, and gone afterwards."""
    sent = UploadSerializer(data={"image": photo})
    sent.is_valid(raise_exception=True)
    image = intake.take(sent.validated_data["image"], listed=False)
    try:
        yield {
            "state": image.state,
            "main": f"{image.width} x {image.height}, {image.bytes:,} bytes, {bare(image.main.url)}",
            "thumbnail": f"{image.thumbnail_bytes:,} bytes, {bare(image.thumbnail.url)}",
        }
    finally:
        intake.remove(image)


def bare(url: str) -> str:
    return url.partition("?")[0]
