"""From a picture of the final size to bytes within the limits: WEBP for the main picture, PNG for the thumbnail."""

import io
import math

from PIL import Image

from app.uploads.contract import InvalidImage, Limits

WITH_ROOM, AT_THE_LIMIT = 2, 3  # the encoder's method: twice as fast, or the most picture in the bytes there are
SLOPE = 0.016  # of the logarithm of the size over the quality, where a picture is near the limit
MARGIN = 0.02  # how much smaller than the limit a second try aims at, as a logarithm


def fit(size: tuple[int, int], side: int) -> tuple[int, int]:
    scale = min(1.0, side / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def resample(
    picture: Image.Image, size: tuple[int, int], box: tuple[float, float, float, float] | None = None
) -> Image.Image:
    return picture.resize(size, Image.Resampling.LANCZOS, box=box, reducing_gap=2.0)


# The main picture


def encode_main(picture: Image.Image, limits: Limits) -> tuple[bytes, tuple[int, int]]:
    """WEBP within the limit: at the usual quality, else with less of it, then with a coarser alpha, then smaller."""
    while True:
        first = first_quality(picture, limits)
        for alpha_quality in (100, 50, 0) if picture.mode == "RGBA" else (100,):
            encoded = encode_within(picture, first, alpha_quality, limits)
            if encoded is not None:
                return encoded, picture.size
        if max(picture.size) == 1:
            raise InvalidImage("The picture cannot be made small enough.")
        picture = resample(picture, fit(picture.size, max(picture.size) * 3 // 4))


def first_quality(picture: Image.Image, limits: Limits) -> int:
    """The highest quality that is likely to fit, told by a sample, so that one encode of the whole is enough."""
    few = sample(picture)
    much = jpeg_size(few)  # takes a tenth of the time, and never less than two thirds of the bytes
    room = limits.main_bytes * few.height / picture.height
    if much * 4 <= room:
        return limits.quality_with_much_room
    if much * 1.5 <= room:
        return limits.quality
    room = limits.main_bytes * much / jpeg_size(picture)  # the sample has the same share of the bytes in both formats
    quality = nearest_quality(limits.quality - math.log(much * 1.2 / room) / SLOPE, limits)
    for method in (1, AT_THE_LIMIT):
        over = math.log(len(webp(few, quality, method=method)) / room)
        quality = nearest_quality(quality - over / SLOPE, limits)
    return quality


def jpeg_size(picture: Image.Image) -> int:
    out = io.BytesIO()
    picture.convert("RGB").save(out, "JPEG", quality=75)
    return out.tell()


def nearest_quality(wished: float, limits: Limits) -> int:
    return max(limits.least_quality, min(limits.quality, math.floor(wished)))


def sample(picture: Image.Image, strips: int = 8, height: int = 16) -> Image.Image:
    """Strips from all over the picture, one under the other, without alpha."""
    if picture.height <= strips * height:
        return picture.convert("RGB")
    few = Image.new("RGB", (picture.width, strips * height))
    for strip in range(strips):
        top = (picture.height - height) * (2 * strip + 1) // (2 * strips)
        few.paste(picture.crop((0, top, picture.width, top + height)).convert("RGB"), (0, strip * height))
    return few


def encode_within(picture: Image.Image, first: int, alpha_quality: int, limits: Limits) -> bytes | None:
    """WEBP of at most `main_bytes`, tried first at the quality `first`; None if even the least does not fit.

    The logarithm of the size is close to a line over the quality, so a secant finds the limit in a try or two.
    """
    method = WITH_ROOM if first >= limits.quality else AT_THE_LIMIT
    encoded = webp(picture, first, alpha_quality, method)
    if len(encoded) <= limits.main_bytes:
        return encoded
    high, above = first, math.log(len(encoded) / limits.main_bytes) + MARGIN  # how far `high` is from what is aimed at
    slope = SLOPE
    best: bytes | None = None
    low = limits.least_quality - 1
    while best is None and high - low > 1:
        quality = max(low + 1, min(high - 1, math.floor(high - above / slope)))
        encoded = webp(picture, quality, alpha_quality, AT_THE_LIMIT)
        if len(encoded) <= limits.main_bytes:
            best = encoded
        else:
            over = math.log(len(encoded) / limits.main_bytes) + MARGIN
            slope = max((above - over) / (high - quality), 0.005)
            high, above = quality, over
    return best


def webp(picture: Image.Image, quality: int, alpha_quality: int = 100, method: int = WITH_ROOM) -> bytes:
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=quality, method=method, alpha_quality=alpha_quality)
    return out.getvalue()


# The thumbnail


def encode_thumbnail(picture: Image.Image, limits: Limits) -> tuple[bytes, tuple[int, int]]:
    """PNG within the limit, made from the main picture; fewer colours and then fewer pixels if it must be."""
    thumbnail = resample(picture, fit(picture.size, limits.thumbnail_side))
    while True:
        for candidate in (thumbnail, thumbnail.quantize(256, Image.Quantize.FASTOCTREE)):
            out = io.BytesIO()
            candidate.save(out, "PNG", optimize=True)
            if out.tell() <= limits.thumbnail_bytes:
                return out.getvalue(), thumbnail.size
        if max(thumbnail.size) == 1:
            raise InvalidImage("The picture cannot be made small enough.")
        thumbnail = resample(thumbnail, fit(thumbnail.size, max(thumbnail.size) * 3 // 4))
