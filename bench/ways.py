"""The ways from a photo to a main WEBP (800 pixels, 200 KB) and a thumbnail PNG (50 pixels) that are compared."""

import io
import math
import os

os.environ["VIPS_CONCURRENCY"] = "1"  # all are measured on one core

import django
import pyvips
from django.conf import settings
from django.core.files.base import ContentFile
from PIL import Image, ImageOps

from app.uploads import encode, images
from app.uploads.contract import DEFAULT_LIMITS as LIMITS

settings.configure(
    INSTALLED_APPS=["imagekit", "easy_thumbnails"],
    THUMBNAIL_EXTENSION="webp",
    THUMBNAIL_TRANSPARENCY_EXTENSION="webp",
    THUMBNAIL_QUALITY=80,
)
django.setup()

from easy_thumbnails.files import get_thumbnailer  # noqa: E402
from imagekit import ImageSpec  # noqa: E402
from imagekit.processors import ResizeToFit  # noqa: E402

pyvips.cache_set_max(0)  # a photo comes once

Pair = tuple[bytes, bytes]


def ours(data: bytes) -> Pair:
    result = images.process(data)
    return result.main, result.thumbnail


def naive(data: bytes) -> Pair:
    """As most sites do it: decode, shrink, lower the quality until it fits; then all again for the thumbnail."""
    quality = 80
    while True:
        main = saved(shrunk(data, LIMITS.main_side), "WEBP", quality=quality)
        if len(main) <= LIMITS.main_bytes:
            return main, saved(shrunk(data, LIMITS.thumbnail_side), "PNG")
        quality -= 5


def shrunk(data: bytes, side: int) -> Image.Image:
    picture = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    return picture


def saved(picture: Image.Image, format: str, **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, format, **options)
    return out.getvalue()


def vips(data: bytes, effort: int = 4) -> Pair:
    """libvips at its best: shrunk while it is decoded, once for both; a secant search where it does not fit."""
    side = LIMITS.main_side
    main = pyvips.Image.thumbnail_buffer(data, side, height=side, size="down", export_profile="srgb").copy_memory()
    quality, slope, fitting = 84, 0.016, b""
    while not fitting:
        encoded = main.webpsave_buffer(Q=quality, effort=effort, keep="none")
        if len(encoded) <= LIMITS.main_bytes:
            fitting = encoded
        quality -= max(1, math.ceil((math.log(len(encoded) / LIMITS.main_bytes) + 0.02) / slope))
    side = LIMITS.thumbnail_side
    return fitting, main.thumbnail_image(side, height=side, size="down").pngsave_buffer(keep="none")


def vips_fast(data: bytes) -> Pair:
    return vips(data, effort=2)


class Main(ImageSpec):
    processors = (ResizeToFit(800, 800, upscale=False),)
    format = "WEBP"
    options = {"quality": 80}  # noqa: RUF012


class Thumbnail(ImageSpec):
    processors = (ResizeToFit(50, 50, upscale=False),)
    format = "PNG"


def imagekit(data: bytes) -> Pair:
    main, thumbnail = Main(source=io.BytesIO(data)).generate(), Thumbnail(source=io.BytesIO(data)).generate()
    return main.read(), thumbnail.read()


def easy_thumbnails(data: bytes) -> Pair:
    def made(side: int, extension: str) -> bytes:
        thumbnailer = get_thumbnailer(ContentFile(data), relative_name="photo.jpg")
        thumbnailer.thumbnail_extension = thumbnailer.thumbnail_transparency_extension = extension
        return thumbnailer.generate_thumbnail({"size": (side, side)}).read()

    return made(800, "webp"), made(50, "png")


class Floor:
    """Scaled decode, one resize, one encode at the settings that `ours` ended with; no colours, no thumbnail."""

    def __init__(self, data: bytes):
        self.encoded: tuple[float, int] = (LIMITS.quality, encode.WITH_ROOM)
        original = encode.webp

        def noting(
            picture: Image.Image, quality: float, alpha_quality: int = 100, method: int = encode.WITH_ROOM
        ) -> bytes:
            self.encoded = (quality, method)
            return original(picture, quality, alpha_quality, method)

        encode.webp = noting
        try:
            images.process(data)
        finally:
            encode.webp = original

    def __call__(self, data: bytes) -> Pair:
        quality, method = self.encoded
        picture = Image.open(io.BytesIO(data))
        size = encode.fit(picture.size, LIMITS.main_side)
        spare = images.spare(picture, data)
        drafted = picture.draft(None, (int(size[0] * spare), int(size[1] * spare)))
        if picture.mode == "P":
            picture = picture.convert("RGB")
        small = encode.resample(picture, size, drafted[1] if drafted else None)
        return encode.webp(small, quality, method=method), b""


WAYS = {
    "Stayput": ours,
    "naive": naive,
    "pyvips": vips,
    "pyvips, effort 2": vips_fast,
    "django-imagekit": imagekit,
    "easy-thumbnails": easy_thumbnails,
}
