"""What is refused by its structure, before anything is decoded: pixels, passes, chunks, frames."""

import re
from collections.abc import Iterator
from itertools import islice, takewhile

from PIL import Image

from app.uploads.contract import InvalidImage, Limits, millions


def refuse_pieces(data: bytes, limits: Limits) -> None:
    """Raises InvalidImage for a file in so many pieces that to read their names alone would take long."""
    count = PIECES.get(data[:3])
    if count and count(data, limits.pieces) > limits.pieces:
        raise InvalidImage(f"The picture is in more than {limits.pieces:,} pieces. Please save it anew.")


def refuse_bombs(opened: Image.Image, data: bytes, limits: Limits) -> None:
    """Raises InvalidImage for what would take too much memory or time."""
    width, height = opened.size
    most = min(limits.pixels, limits.decoded_bytes // bytes_a_pixel(opened))
    if width * height > most:
        raise InvalidImage(f"The picture is {width:,} x {height:,} pixels; at most {millions(most)} are taken.")
    match opened.format:
        case "JPEG" | "MPO" if scans(data, limits.jpeg_scans) > limits.jpeg_scans:
            raise InvalidImage(f"The picture is built up in more than {limits.jpeg_scans} passes. Please save it anew.")
        case _ if frames(opened, data, limits.frames) > limits.frames:
            raise InvalidImage(f"The animation has more than {limits.frames:,} pictures.")


def bytes_a_pixel(opened: Image.Image) -> int:
    """Memory that decoding takes, a pixel. Measured; with alpha, shrinking works on a second copy."""
    match opened.format:
        case "JPEG" | "MPO":  # a progressive one keeps all coefficients; another is decoded at scale, in far less
            return 8 if opened.mode == "CMYK" else 6
        case "WEBP":
            return 16
        case "AVIF" | "HEIF":
            return 12
        case _ if opened.has_transparency_data or opened.mode.startswith("I"):
            return 9
        case _:
            return 5


MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])")
SCAN, END = 0xDA, 0xD9
SEQUENTIAL = (0xC0, 0xC1)
FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def scans(data: bytes, enough: int) -> int:
    """Scans that are decoded of a JPEG, counted exactly only where there may be more than `enough`."""
    if one_has_all(data):
        return 1
    at_most = data.count(b"\xff\xda")  # every scan begins with it, and metadata may hold it by chance
    return at_most if at_most <= enough else sum(kind == SCAN for kind, _ in jpeg_markers(data))


def one_has_all(data: bytes) -> bool:
    """Whether the first scan has all there is, as in most JPEGs. Source: ITU-T T.81, B.2.2 and B.2.3."""
    sequential, components = False, 0
    for kind, at in jpeg_markers(data):
        if kind == SCAN:
            return sequential and data[at + 2 : at + 3] == bytes([components])
        if kind in FRAMES:
            sequential, components = kind in SEQUENTIAL, int.from_bytes(data[at + 7 : at + 8])
    return False


def jpeg_markers(data: bytes) -> Iterator[tuple[int, int]]:
    """Kinds of a JPEG's segments, and where the length of each stands."""
    at = 2
    while (marker := MARKER.search(data, at)) is not None and marker[1][0] != END:
        yield marker[1][0], marker.end()
        at = marker.end() + int.from_bytes(data[marker.end() : marker.end() + 2], "big")


def frames(opened: Image.Image, data: bytes, enough: int) -> int:
    """Pictures in an animation, 1 for what does not move; those of a GIF are counted until they are `enough`."""
    match opened.format:
        case "GIF":
            return gif_frames(data, enough)
        case "PNG":
            return png_frames(data)
        case "WEBP" | "AVIF":
            return int(getattr(opened, "n_frames", 1))
        case _:  # a phone's JPEG or HEIC may hold further pictures, but they are no animation
            return 1


def png_frames(data: bytes) -> int:
    """Pictures in an APNG, of which the one for programs that know no animation may be none."""
    found, listed = 0, False
    for kind, at, end in png_chunks(data):
        match kind:
            case b"acTL" if end - at == 20:
                found = int.from_bytes(data[at + 8 : at + 12], "big")
            case b"fcTL":
                listed = True
            case b"IDAT":
                break
    return found + (not listed) if found else 1


def gif_frames(data: bytes, enough: int) -> int:
    found = 0
    for kind, _ in gif_blocks(data):
        found += kind == 0x2C
        if found > enough:
            break
    return max(1, found)


def gif_blocks(data: bytes) -> Iterator[tuple[int, int]]:
    """What a GIF is made of, and where: 0x2C are frames, 0x21 extensions. Source: GIF89a, sections 15 to 27."""
    at = 13 + colour_table(data[10])
    while at < len(data) and data[at] != 0x3B:
        yield data[at], at
        match data[at]:
            case 0x2C if at + 9 < len(data):  # descriptor, colour table, size of a code, data
                at = after_blocks(data, at + 11 + colour_table(data[at + 9]))
            case 0x21:  # label, data
                at = after_blocks(data, at + 2)
            case _:
                at += 1


def colour_table(flags: int) -> int:
    """Bytes of the colour table that these flags announce."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def after_blocks(data: bytes, at: int) -> int:
    """Where the sub-blocks that begin at `at` end: each says its length, an empty one is the last."""
    while at < len(data) and data[at]:
        at += data[at] + 1
    return at + 1


# Pieces of which a library reads every head before the picture


def chunks(data: bytes, enough: int) -> int:
    """Chunks in a PNG, counted until there are more than `enough`."""
    return sum(1 for _ in islice(png_chunks(data), enough + 1))


def png_chunks(data: bytes | memoryview) -> Iterator[tuple[bytes, int, int]]:
    """The name of each chunk of a PNG, where it begins and where it ends. Of a file that was cut, the last is short."""
    at = 8
    while at + 8 <= len(data):
        kind = bytes(data[at + 4 : at + 8])
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        yield kind, at, end
        if kind == b"IEND":
            break
        at = end


def segments(data: bytes, enough: int) -> int:
    """Segments of a JPEG before its first scan, counted until there are more than `enough`."""
    before = takewhile(lambda marker: marker[0] != SCAN, jpeg_markers(data))
    return sum(1 for _ in islice(before, enough + 1))


def extension_blocks(data: bytes, enough: int) -> int:
    """Blocks of a GIF's extensions before its first frame, counted until there are more than `enough`."""
    found = 0
    at, kind = 13 + (colour_table(data[10]) if len(data) > 10 else 0), 0
    while at < len(data) and found <= enough and (kind := data[at]) != 0x2C:
        found += 1
        at += 2 if kind == 0x21 else 1
        while kind == 0x21 and at < len(data) and data[at] and found <= enough:
            found += 1
            at += data[at] + 1
    return found


PIECES = {b"\x89PN": chunks, b"\xff\xd8\xff": segments, b"GIF": extension_blocks}
