"""Bytes in; a main WEBP and a thumbnail PNG out. Imports no Django.

The picture is decoded once, at the scale that is needed; everything after works on at most 800 pixels a side.
"""

import contextlib
import io
import math
import re
from dataclasses import dataclass

from PIL import Image, ImageCms

from app.uploads.formats import describe

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "AVIF")


class InvalidImage(Exception):
    """A picture that is not taken; says why in a sentence for the person who uploaded it."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What is taken, and what comes out. Sides in pixels, sizes in bytes."""

    main_side: int = 800
    main_bytes: int = 204_800
    thumbnail_side: int = 50
    thumbnail_bytes: int = 10_240
    upload_bytes: int = 25 * 2**20
    pixels: int = 50_000_000
    decoded_bytes: int = 300_000_000  # memory that decoding may take
    jpeg_scans: int = 50  # a progressive picture from a camera or an editor has about ten
    quality: int = 82
    least_quality: int = 35  # below, a smaller picture looks better


@dataclass(frozen=True)
class ProcessedImage:
    """Two encoded pictures and their (width, height) in pixels."""

    main: bytes  # WEBP
    thumbnail: bytes  # PNG
    main_size: tuple[int, int]
    thumbnail_size: tuple[int, int]


DEFAULT_LIMITS = Limits()


def process(data: bytes, limits: Limits = DEFAULT_LIMITS) -> ProcessedImage:
    """The two pictures that are kept of an uploaded one: upright, in sRGB, without any metadata.

    The same bytes give the same bytes. Raises InvalidImage, and nothing else, for whatever is sent.
    """
    picture = read(data, limits)
    main, main_size = encode_main(picture, limits)
    thumbnail, thumbnail_size = encode_thumbnail(picture, limits)
    return ProcessedImage(main, thumbnail, main_size, thumbnail_size)


def read(data: bytes, limits: Limits) -> Image.Image:
    """The picture at its final size, upright, RGB or RGBA in sRGB, without metadata."""
    if not data:
        raise InvalidImage("The file is empty.")
    if len(data) > limits.upload_bytes:
        raise InvalidImage(f"The file has {megabytes(len(data))}; at most {megabytes(limits.upload_bytes)} are taken.")
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
            refuse_bombs(opened, data, limits)
            orientation, profile = read_metadata(opened)
            return to_srgb(upright(shrink(opened, limits.main_side), orientation), profile)
    except InvalidImage:
        raise
    except Image.UnidentifiedImageError:
        raise InvalidImage(describe(data)) from None
    except Image.DecompressionBombError:
        raise InvalidImage(f"The picture has too many pixels; at most {millions(limits.pixels)} are taken.") from None
    except Exception as problem:  # a decoder meets bytes from anywhere, and each fails in a way of its own
        raise InvalidImage("The picture is damaged, or was cut off on its way. Please send it again.") from problem


# Caps before work


def refuse_bombs(opened: Image.Image, data: bytes, limits: Limits) -> None:
    width, height = opened.size
    most = min(limits.pixels, limits.decoded_bytes // bytes_a_pixel(opened))
    if width * height > most:
        raise InvalidImage(f"The picture is {width:,} x {height:,} pixels; at most {millions(most)} are taken.")
    if opened.format in ("JPEG", "MPO") and scans(data, limits.jpeg_scans) > limits.jpeg_scans:
        raise InvalidImage(f"The picture is built up in more than {limits.jpeg_scans} passes. Please save it anew.")


def bytes_a_pixel(opened: Image.Image) -> int:
    """Memory that decoding takes, a pixel. Measured; with alpha, shrinking works on a second copy."""
    match opened.format:
        case "JPEG" | "MPO":
            return 6  # a progressive one keeps all coefficients; another is decoded at scale, in far less
        case "WEBP":
            return 16
        case "AVIF":
            return 12
        case _ if opened.has_transparency_data:
            return 9
        case _:
            return 5


MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])")


def scans(data: bytes, enough: int) -> int:
    """Scans in a JPEG, counted exactly only where there may be more than `enough`."""
    at_most = data.count(b"\xff\xda")  # every scan begins with it, and metadata may hold it by chance
    if at_most <= enough:
        return at_most
    found, at = 0, 2
    while (marker := MARKER.search(data, at)) is not None and marker[1] != b"\xd9":
        found += marker[1] == b"\xda"
        at = marker.end() + int.from_bytes(data[marker.end() : marker.end() + 2], "big")
    return found


# From the decoder to a picture of the final size


def read_metadata(opened: Image.Image) -> tuple[int, bytes]:
    """EXIF orientation (1 where there is none that can be read) and ICC profile (empty where there is none)."""
    orientation = 1
    with contextlib.suppress(Exception):  # broken EXIF is no reason to refuse a picture
        orientation = int(opened.getexif().get(0x0112, 1))
    profile = opened.info.get("icc_profile")
    return orientation, profile if isinstance(profile, bytes) else b""


def shrink(opened: Image.Image, side: int) -> Image.Image:
    """Decode, and bring the longer side down to `side`; a smaller picture keeps its size."""
    size = fit(opened.size, side)
    drafted = opened.draft(None, size)
    box = drafted[1] if drafted else (0, 0, *opened.size)
    opened.load()
    return resample(plain_mode(opened), size, box)


def fit(size: tuple[int, int], side: int) -> tuple[int, int]:
    scale = min(1.0, side / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def resample(
    picture: Image.Image, size: tuple[int, int], box: tuple[float, float, float, float] | None = None
) -> Image.Image:
    return picture.resize(size, Image.Resampling.LANCZOS, box=box, reducing_gap=2.0)


def plain_mode(opened: Image.Image) -> Image.Image:
    """As L, RGB, CMYK or RGBA with 8 bits a channel: modes that can be resampled and whose colours have a profile."""
    if opened.has_transparency_data:
        return opened if opened.mode == "RGBA" else opened.convert("RGBA")
    if opened.mode.startswith("I"):  # 16 bits of grey; convert() would clip them
        return opened.point(lambda value: value * (1 / 256)).convert("L")
    if opened.mode in ("L", "RGB", "CMYK"):
        return opened
    return opened.convert("L" if opened.mode == "1" else "RGB")


UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def upright(picture: Image.Image, orientation: int) -> Image.Image:
    return picture.transpose(UPRIGHT[orientation]) if orientation in UPRIGHT else picture


SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def to_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    """RGB or RGBA in sRGB, with an empty `info`, so that no encoder finds metadata to carry on."""
    alpha = picture.getchannel("A") if picture.mode == "RGBA" else None
    colours = picture.convert("RGB") if alpha else picture
    with contextlib.suppress(ImageCms.PyCMSError, OSError, ValueError):  # a broken profile: as if there were none
        if profile:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if colours.mode != "RGB" or "sRGB" not in ImageCms.getProfileDescription(source):
                colours = ImageCms.profileToProfile(colours, source, SRGB, outputMode="RGB") or colours
    colours = colours.convert("RGB")
    if alpha and alpha.getextrema() != (255, 255):
        colours.putalpha(alpha)
    colours.info = {}
    return colours


# From the picture to bytes within the limits


def encode_main(picture: Image.Image, limits: Limits) -> tuple[bytes, tuple[int, int]]:
    """WEBP within the limit: at the usual quality, else with less of it, then with a coarser alpha, then smaller."""
    while True:
        for alpha_quality in (100, 50, 0) if picture.mode == "RGBA" else (100,):
            encoded = encode_within(picture, alpha_quality, limits)
            if encoded is not None:
                return encoded, picture.size
        if max(picture.size) == 1:
            raise InvalidImage("The picture cannot be made small enough.")
        picture = resample(picture, fit(picture.size, max(picture.size) * 3 // 4))


def encode_within(picture: Image.Image, alpha_quality: int, limits: Limits) -> bytes | None:
    """WEBP of at most `main_bytes` at a quality as high as a few tries find; None if even the least does not fit.

    The logarithm of the size is close to a line over the quality, so a secant finds the limit in a try or two.
    """
    high = limits.quality
    encoded = webp(picture, high, alpha_quality)
    if len(encoded) <= limits.main_bytes:
        return encoded
    above = math.log(len(encoded) / limits.main_bytes)  # how far over the limit `high` is
    slope = 0.03
    best: bytes | None = None
    low = limits.least_quality - 1
    while best is None and high - low > 1:
        quality = max(low + 1, min(high - 1, math.floor(high - above / slope)))
        encoded = webp(picture, quality, alpha_quality)
        if len(encoded) <= limits.main_bytes:
            best = encoded
        else:
            over = math.log(len(encoded) / limits.main_bytes)
            slope = max((above - over) / (high - quality), 0.005)
            high, above = quality, over * 1.1  # aim a little below the limit
    return best


def webp(picture: Image.Image, quality: int, alpha_quality: int) -> bytes:
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=quality, method=2, alpha_quality=alpha_quality)
    return out.getvalue()


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


def megabytes(size: int) -> str:
    return f"{size / 2**20:,.0f} MB"


def millions(pixels: int) -> str:
    return f"{pixels // 1_000_000} million"
