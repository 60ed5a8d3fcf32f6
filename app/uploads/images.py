"""Bytes in; a main WEBP and a thumbnail PNG out. Imports no Django.

The picture is decoded once, at the scale that is needed; everything after works on at most 800 pixels a side.
What may come in and go out is in contract.py, what is refused unseen in caps.py, how bytes are made in encode.py.
"""

import contextlib
import io

import pi_heif
from PIL import Image, ImageCms

from app.uploads.caps import frames, refuse_bombs, refuse_pieces
from app.uploads.contract import DEFAULT_LIMITS, InvalidImage, Limits, ProcessedImage, millions, too_large
from app.uploads.encode import encode_main, encode_thumbnail, fit, resample
from app.uploads.formats import CUT_OFF, describe, unusual_jpeg
from app.uploads.whole import plain, png_profile, with_end

__all__ = ["DEFAULT_LIMITS", "InvalidImage", "Limits", "ProcessedImage", "process", "too_large"]

JPEG = b"\xff\xd8\xff"
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "AVIF", "HEIF")
SPARE, SPARE_FOR_DETAIL = 1.3, 2.0  # the least that a JPEG is decoded larger than needed
DETAILED = 0.35  # bytes a pixel; from so much detail, the decoder's own scaling can be seen

pi_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)


def process(data: bytes, limits: Limits = DEFAULT_LIMITS) -> ProcessedImage:
    """The two pictures that are kept of an uploaded one: upright, in sRGB, without any metadata.

    The same bytes give the same bytes. Raises InvalidImage, and nothing else, for whatever is sent.
    """
    picture, notes = read(data, limits)
    main, main_size = encode_main(picture, limits)
    thumbnail, thumbnail_size = encode_thumbnail(picture, limits)
    return ProcessedImage(main, thumbnail, main_size, thumbnail_size, notes)


def read(data: bytes, limits: Limits) -> tuple[Image.Image, tuple[str, ...]]:
    """The picture at its final size, upright, RGB or RGBA in sRGB, without metadata; and notes for who sent it."""
    if not data:
        raise InvalidImage("The file is empty.")
    if len(data) > limits.upload_bytes:
        raise InvalidImage(too_large(len(data), limits.upload_bytes))
    refuse_pieces(data, limits)
    if data[:4] == b"\x89PNG" and data[12:16] == b"CgBI":
        raise InvalidImage("This PNG is in a form that only Apple's devices show. Please save it anew.")
    try:
        return decode(data, limits)
    except InvalidImage:
        raise
    except Image.UnidentifiedImageError:
        raise InvalidImage(unusual_jpeg(data) or describe(data)) from None
    except Image.DecompressionBombError:
        raise InvalidImage(f"The picture has too many pixels; at most {millions(limits.pixels)} are taken.") from None
    except Exception as problem:  # a decoder meets bytes from anywhere, and each fails in a way of its own
        raise InvalidImage(unusual_jpeg(data) or CUT_OFF) from problem


def decode(data: bytes, limits: Limits) -> tuple[Image.Image, tuple[str, ...]]:
    try:
        with Image.open(io.BytesIO(plain(data)), formats=FORMATS) as opened:
            refuse_bombs(opened, data, limits)
            notes = tell(frames(opened, data, limits.frames))
            orientation, profile = read_metadata(opened)
            profile = profile or png_profile(data) if opened.format == "PNG" else profile
            return to_srgb(upright(shrink(opened, limits.main_side, spare(opened, data)), orientation), profile), notes
    except Image.UnidentifiedImageError:
        raise
    except OSError:
        ended = with_end(data) if data.startswith(JPEG) else None
        if ended is None:
            raise
    return decode(ended, limits)


def tell(frames: int) -> tuple[str, ...]:
    return (f"This is an animation of {frames:,} pictures; the first was taken.",) if frames > 1 else ()


def read_metadata(opened: Image.Image) -> tuple[int, bytes]:
    """EXIF orientation (1 where there is none that can be read) and ICC profile (empty where there is none)."""
    orientation = 1
    with contextlib.suppress(Exception):  # broken EXIF is no reason to refuse a picture
        orientation = int(opened.getexif().get(0x0112, 1))
    profile = opened.info.get("icc_profile")
    return orientation, profile if isinstance(profile, bytes) else b""


def spare(opened: Image.Image, data: bytes) -> float:
    return SPARE_FOR_DETAIL if len(data) > DETAILED * opened.width * opened.height else SPARE


def shrink(opened: Image.Image, side: int, spare: float) -> Image.Image:
    """Decode at `spare` times the size or more, and bring the longer side down to `side`; none is enlarged."""
    size = fit(opened.size, side)
    drafted = opened.draft(None, (int(size[0] * spare), int(size[1] * spare)))
    box = drafted[1] if drafted else (0, 0, *opened.size)
    opened.load()
    return resample(plain_mode(opened), size, box)


def plain_mode(opened: Image.Image) -> Image.Image:
    """As L, LA, RGB, CMYK or RGBA with 8 bits a channel: modes that can be resampled."""
    if opened.mode == "LA":
        return opened
    if opened.mode.startswith("I"):
        return grey_of_16_bits(opened)
    if opened.has_transparency_data:
        return opened if opened.mode == "RGBA" else opened.convert("RGBA")
    if opened.mode in ("L", "RGB", "CMYK"):
        return opened
    return opened.convert("L" if opened.mode == "1" else "RGB")


def grey_of_16_bits(opened: Image.Image) -> Image.Image:
    """As L, or as LA if one of the greys stands for nothing; convert() would clip them."""
    grey = opened.point(lambda value: value * (1 / 256)).convert("L")
    clear = opened.info.get("transparency")
    if isinstance(clear, int):
        grey.putalpha(opened.convert("I").point([255 * (value != clear) for value in range(2**16)], "L"))
    return grey


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
SAME = ("sRGB", "sRGB IEC61966-2.1", "sRGB built-in")  # not every profile that has sRGB in its name has its curve


def to_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    """RGB or RGBA in sRGB, with an empty `info`, so that no encoder finds metadata to carry on."""
    alpha = picture.getchannel("A") if picture.mode in ("LA", "RGBA") else None
    colours = picture.convert("L" if picture.mode == "LA" else "RGB") if alpha else picture
    with contextlib.suppress(ImageCms.PyCMSError, OSError, ValueError):  # a broken profile: as if there were none
        if profile:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if colours.mode != "RGB" or ImageCms.getProfileDescription(source).strip() not in SAME:
                colours = ImageCms.profileToProfile(colours, source, SRGB, outputMode="RGB") or colours
    colours = colours.convert("RGB")
    if alpha and alpha.getextrema() != (255, 255):
        colours.putalpha(alpha)
    colours.info = {}
    return colours
