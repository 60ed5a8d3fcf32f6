"""What browsers show and a decoder trips over, put right before it is decoded.

Metadata that says nothing of how a picture looks is left out unread; what ends early, and has all of its picture, gets
its end.
"""

import io
import struct
import zlib
from collections.abc import Iterator

from PIL import Image

from app.uploads.caps import FRAMES, SCAN, jpeg_markers, one_has_all, png_chunks

MOST_PROFILE = 8 * 2**20  # bytes; browsers, too, show a picture with a larger one as if it had none
END = b"\xff\xd9"
ONES, ZEROS = b"\xff\0", b"\0"  # eight bits of a JPEG's scan


def plain(data: bytes) -> bytes:
    """The same picture with the metadata that is used, and with its end."""
    match data[:4]:
        case b"\x89PNG":
            return b"".join(png_parts(memoryview(data)))
        case b"RIFF" if data[8:12] == b"WEBP" and int.from_bytes(data[4:8], "little") + 8 != len(data):
            parts = b"".join(webp_parts(data))
            return b"RIFF" + struct.pack("<I", len(parts) + 4) + b"WEBP" + parts if parts else data
        case start if start.startswith(b"\xff\xd8\xff"):
            return b"".join(jpeg_parts(data))
        case _:
            return data


# PNG. Source: the specification's 5.3, 11.3 and 13.2: a decoder leaves out an ancillary chunk that is wrong.

PICTURE = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
TRANSPARENCY = {0: 2, 2: 6}  # bytes of a colour, by the kind of the picture


def png_parts(data: memoryview) -> Iterator[memoryview]:
    yield data[:8]
    for kind, at, end in png_chunks(data):
        if kind in PICTURE or (is_used(kind, data[at:end], data[25]) and is_right(data[at:end])):
            yield data[at:end]


def is_used(kind: bytes, chunk: memoryview, colours: int) -> bool:
    """Whether an ancillary chunk says how the picture looks. Pillow reads all texts; of two it gets the orientation."""
    match kind:
        case b"tRNS":
            return len(chunk) - 12 >= TRANSPARENCY.get(colours, 0)
        case b"eXIf":
            return True
        case b"iTXt":
            return chunk[8:].tobytes().startswith(b"XML:com.adobe.xmp\0\0")
        case b"tEXt":
            return chunk[8:30].tobytes().startswith(b"Raw profile type exif\0")
        case _:
            return False


def is_right(chunk: memoryview) -> bool:
    return zlib.crc32(chunk[4:-4]) == int.from_bytes(chunk[-4:], "big")


def png_profile(data: bytes) -> bytes:
    """The colour profile of a PNG; empty for none, for one that cannot be read, and for one of over MOST_PROFILE."""
    for kind, at, end in png_chunks(data):
        if kind == b"IDAT":
            break
        if kind == b"iCCP" and is_right(memoryview(data)[at:end]):
            _, _, packed = data[at + 8 : end - 4].partition(b"\0")
            try:
                profile = zlib.decompressobj().decompress(packed[1:], MOST_PROFILE + 1)
            except zlib.error:
                break
            return profile if packed[:1] == b"\0" and len(profile) <= MOST_PROFILE else b""
    return b""


# WEBP


def webp_parts(data: bytes) -> Iterator[bytes]:
    """The chunks that are there as a whole, each padded to an even length."""
    at = 12
    while at + 8 <= len(data):
        end = at + 8 + int.from_bytes(data[at + 4 : at + 8], "little")
        if end > len(data):
            break
        yield data[at:end] + bytes(end % 2)
        at = end + end % 2


# JPEG

USED = {  # of the application segments: how they begin, and the least bytes with which a decoder can read them
    0xE0: ((b"JFIF\0", 14),),
    0xE1: ((b"Exif\0\0", 6), (b"http://ns.adobe.com/xap/1.0/\0", 29)),
    0xE2: ((b"ICC_PROFILE\0", 15),),
    0xEE: ((b"Adobe", 12),),
}


def jpeg_parts(data: bytes) -> Iterator[bytes | memoryview]:
    view, kept = memoryview(data), 0
    for kind, at in jpeg_markers(data):
        if kind == SCAN:
            break
        end = at + max(2, int.from_bytes(data[at : at + 2], "big"))
        if 0xE0 <= kind <= 0xEF and not any(
            end - at - 2 >= least and data.startswith(start, at + 2) for start, least in USED.get(kind, ())
        ):
            yield view[kept : at - 2]
            kept = end
    yield view[kept:] if data.endswith(END) else ended(data[kept:])


def ended(data: bytes) -> bytes:
    """A scan that has all its rows, with what the decoder looks ahead of them.

    It reads up to eight bytes ahead. Ones are no code of any table, so that they stand for no more than the last block
    or two: of a scan that misses more, the last row is not decoded. Zeros do stand for something.
    """
    end = unfilled(data)
    return end if end.endswith(END) else end + ONES * 8


def unfilled(data: bytes) -> bytes:
    """Without the zeros that fill up a buffer, or a file of which the rest never came."""
    end = data.rstrip(b"\0")
    return end + ZEROS if end.endswith(b"\xff") else end


def with_end(data: bytes) -> bytes | None:
    """A JPEG in several scans that misses nothing but its end marker, with it; None if it misses more, or nothing.

    It is decoded twice, each time with something else after it. Source: ITU-T T.81, B.2.3 and G.1.1.1.
    """
    if one_has_all(data):
        return None  # and one of its rows is not there
    data = unfilled(data)
    missing: dict[int, set[int]] = {}
    last = 0
    for kind, at in jpeg_markers(data):
        components = range(data[at + 2]) if kind == SCAN else range(0)
        if kind in FRAMES:
            missing = {data[at + 8 + 3 * number]: set(range(64)) for number in range(data[at + 7])}
        for number in components:
            first, final, bits = data[at + 3 + 2 * len(components) :][:3]
            if not bits & 15:
                missing.get(data[at + 3 + 2 * number], set()).difference_update(range(first, final + 1))
        last = at if kind == SCAN else last
    if not last or any(missing.values()) or END in data[last:]:
        return None
    return data + END if checksum(data + ZEROS * 64 + END) == checksum(data + ONES * 64 + END) else None


def checksum(data: bytes) -> int:
    found = 0
    with Image.open(io.BytesIO(data), formats=("JPEG",)) as opened:
        opened.load()
        for top in range(0, opened.height, 64):
            found = zlib.crc32(opened.crop((0, top, opened.width, min(top + 64, opened.height))).tobytes(), found)
    return found
