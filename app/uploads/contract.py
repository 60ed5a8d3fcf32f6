"""What is taken, what comes out, and the refusal that there is instead. Imports nothing of a picture library."""

from dataclasses import dataclass


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
    pieces: int = 20_000  # a PNG has the most: encoders write chunks of 8 kB and more, 25 MB are 3,200 of them
    frames: int = 2_000
    quality: int = 84
    quality_with_much_room: int = 90  # for a picture that then still takes a quarter of the bytes or so
    least_quality: int = 35  # below, a smaller picture looks better


@dataclass(frozen=True)
class ProcessedImage:
    """Two encoded pictures, their (width, height) in pixels, and what the person who uploaded should know of them."""

    main: bytes  # WEBP
    thumbnail: bytes  # PNG
    main_size: tuple[int, int]
    thumbnail_size: tuple[int, int]
    notes: tuple[str, ...] = ()  # sentences


DEFAULT_LIMITS = Limits()


def too_large(size: int, most: int) -> str:
    """A sentence on a file of `size` bytes where at most `most` are taken."""
    return (
        f"The file has {'over ' if size % 2**20 else ''}{size // 2**20:,} MB; at most {most // 2**20:,} MB are taken."
    )


def millions(pixels: int) -> str:
    return f"{pixels // 1_000_000} million"
