"""From a picture of the final size to bytes within the limits: WEBP for the main picture, PNG for the thumbnail."""

import io
import math

from PIL import Image

from app.uploads.contract import InvalidImage, Limits

WITH_ROOM, AT_THE_LIMIT = 2, 3  # the encoder's method: twice as fast, or the most picture in the bytes there are
JPEG_AT_75 = 76, 0.97  # the quality of the WEBP, and its share of the bytes, that is most like a JPEG at 75
BITS = 1.45  # a pixel that go when the quantizer grows e-fold, whatever is in the picture, as long as it is detailed
AIM, AIM_AGAIN = 0.99, 0.995  # at so much of the limit: a prediction, and one made of a whole that was too large
GAP = 2.0  # how many times the wanted size is left to Lanczos; what is larger is first averaged
PREMULTIPLIED = {"LA": "La", "RGBA": "RGBa"}
Box = tuple[float, float, float, float]


def fit(size: tuple[int, int], side: int) -> tuple[int, int]:
    scale = min(1.0, side / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def resample(picture: Image.Image, size: tuple[int, int], box: Box | None = None) -> Image.Image:
    """As resize() does it, but first down and then across, which is faster, and with transparency a strip at a time."""
    left, top, right, bottom = box or (0, 0, *picture.size)
    if size == picture.size == (right - left, bottom - top):
        return picture.copy()
    factor = int((right - left) / size[0] / GAP) or 1, int((bottom - top) / size[1] / GAP) or 1
    if picture.mode in PREMULTIPLIED:
        low = lowered(picture, size[1], (top, bottom), factor)
    elif factor == (1, 1):
        low = picture.resize((picture.width, size[1]), Image.Resampling.LANCZOS, (0, top, picture.width, bottom))
    else:
        return picture.resize(size, Image.Resampling.LANCZOS, box, reducing_gap=GAP)
    box = (left / factor[0], 0, right / factor[0], size[1])
    return low.resize(size, Image.Resampling.LANCZOS, box).convert(picture.mode)


def lowered(picture: Image.Image, height: int, rows: tuple[float, float], factor: tuple[int, int]) -> Image.Image:
    """Averaged by `factor` and of the wanted height, premultiplied: eight strips, as a copy would double the memory."""
    across, down = factor
    mode, step = PREMULTIPLIED[picture.mode], -(-picture.width // (8 * across)) * across
    low = Image.new(mode, (-(-picture.width // across), height))
    for left in range(0, picture.width, step):
        strip = picture.crop((left, 0, min(picture.width, left + step), picture.height)).convert(mode)
        strip = strip.reduce(factor) if factor != (1, 1) else strip
        box = (0, rows[0] / down, strip.width, rows[1] / down)
        low.paste(strip.resize((strip.width, height), Image.Resampling.LANCZOS, box), (left // across, 0))
    return low


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


def first_quality(picture: Image.Image, limits: Limits) -> float:
    """The highest quality that is likely to fit, estimated from a sample, so that one encode of the whole is enough."""
    few = sample(picture, strips=8)
    room = limits.main_bytes * few.height / picture.height
    much = jpeg_size(few)  # takes a tenth of the time, and never less than two thirds of the bytes
    if much * 4 <= room:
        return limits.quality_with_much_room
    if much * 1.5 <= room:
        return limits.quality
    whole, few = jpeg_size(picture), sample(picture, strips=4)
    like_jpeg, share = JPEG_AT_75
    likely = quality_for(limits.main_bytes, picture, like_jpeg, whole * share, limits)
    size = len(webp(few, likely, method=AT_THE_LIMIT)) * whole / jpeg_size(few)  # the same share in both formats
    return quality_for(limits.main_bytes * AIM, picture, likely, size, limits)


def quality_for(
    wanted: float, picture: Image.Image, quality: float, size: float, limits: Limits, bits: float = BITS
) -> float:
    """The quality, within the limits, at which a picture has `wanted` bytes that has `size` bytes at `quality`."""
    growth = math.exp(min(5.0, (size - wanted) * 8 / (bits * picture.width * picture.height)))
    whole = round(quantizer(quality) * growth)  # between two, the encoder takes the finer
    return max(limits.least_quality, min(limits.quality, quality_of(whole + 0.01)))


def quantizer(quality: float) -> float:
    """How coarse, 0 to 127. Source: libwebp, QualityToCompression and VP8SetSegmentParams in quant_enc.c."""
    return 127 * (1 - (quality / 150 if quality < 75 else quality / 50 - 1) ** (1 / 3))


def quality_of(quantizer: float) -> float:
    compression = max(0.0, 1 - quantizer / 127) ** 3
    return compression * 150 if compression < 0.5 else compression * 50 + 50


def jpeg_size(picture: Image.Image) -> int:
    out = io.BytesIO()
    picture.convert("RGB").save(out, "JPEG", quality=75)
    return out.tell()


def sample(picture: Image.Image, strips: int, height: int = 16) -> Image.Image:
    """Strips from all over the picture, of the encoder's own rows of blocks, one under the other, without alpha."""
    if picture.height <= strips * height:
        return picture.convert("RGB")
    few = Image.new("RGB", (picture.width, strips * height))
    for strip in range(strips):
        top = (picture.height - height) * (2 * strip + 1) // (2 * strips) // height * height
        few.paste(picture.crop((0, top, picture.width, top + height)).convert("RGB"), (0, strip * height))
    return few


def encode_within(picture: Image.Image, first: float, alpha_quality: int, limits: Limits) -> bytes | None:
    """WEBP of at most `main_bytes`, tried first at the quality `first`; None if even the least does not fit."""
    quality = first
    too_large: tuple[float, int] | None = None
    method = WITH_ROOM if first >= limits.quality else AT_THE_LIMIT
    while len(encoded := webp(picture, quality, alpha_quality, method)) > limits.main_bytes:
        if quality <= limits.least_quality:
            return None
        now = quality, len(encoded)
        bits = max(0.2, bits_between(too_large, now, picture)) if too_large else BITS
        lower = quality_for(limits.main_bytes * AIM_AGAIN, picture, *now, limits, bits)
        quality, method, too_large = max(limits.least_quality, min(quality - 1, lower)), AT_THE_LIMIT, now
    return encoded


def bits_between(finer: tuple[float, int], coarser: tuple[float, int], picture: Image.Image) -> float:
    """What BITS is in this picture between two (quality, size)."""
    growth = math.log(quantizer(coarser[0]) / quantizer(finer[0]))
    return (finer[1] - coarser[1]) * 8 / (growth * picture.width * picture.height)


def webp(picture: Image.Image, quality: float, alpha_quality: int = 100, method: int = WITH_ROOM) -> bytes:
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
