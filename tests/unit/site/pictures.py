"""Pictures for the tests, drawn here: the same bytes at every call."""

import io
import random
import struct
import zlib

import pillow_heif
from PIL import Image

RED, GREEN, BLUE, WHITE = (220, 30, 30), (30, 200, 40), (40, 50, 220), (250, 250, 250)


def photo(size: tuple[int, int] = (1000, 750)) -> Image.Image:
    """A smooth picture with some detail, as a photo has."""
    sky = Image.linear_gradient("L").resize(size)
    sun = Image.radial_gradient("L").resize(size)
    detail = Image.effect_mandelbrot((400, 300), (-2, -1.2, 1, 1.2), 60).resize(size)
    return Image.merge("RGB", (sky, sun, detail))


def noise(size: tuple[int, int], mode: str = "RGB") -> Image.Image:
    """The busiest picture there is."""
    channels = {"L": 1, "RGB": 3, "RGBA": 4}[mode]
    return Image.frombytes(mode, size, random.Random(7).randbytes(size[0] * size[1] * channels))


def corners(size: tuple[int, int] = (400, 200)) -> Image.Image:
    """Four plain quarters: red, green (right), blue (below), white."""
    picture = Image.new("RGB", size, RED)
    half = (size[0] // 2, size[1] // 2)
    picture.paste(GREEN, (half[0], 0, size[0], half[1]))
    picture.paste(BLUE, (0, half[1], half[0], size[1]))
    picture.paste(WHITE, (half[0], half[1], *size))
    return picture


def encoded(picture: Image.Image, format: str = "JPEG", **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, format, **options)
    return out.getvalue()


def heic(picture: Image.Image) -> bytes:
    """As a phone encodes it. pillow_heif is not registered: what decodes here is what decodes in the site."""
    out = io.BytesIO()
    pillow_heif.from_pillow(picture).save(out, quality=50)
    return out.getvalue()


def with_camera_data(picture: Image.Image, orientation: int = 1) -> bytes:
    """A JPEG as a phone writes it: orientation, camera and place in its EXIF."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Camera of a test"
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)})
    return encoded(picture, "JPEG", quality=90, exif=exif)


def profile_that_swaps_red_and_blue() -> bytes:
    """An ICC profile (version 2, matrix) whose red primary is sRGB's blue, and the other way round."""

    def number(value: float) -> bytes:
        return struct.pack(">i", round(value * 65536))

    def xyz(x: float, y: float, z: float) -> bytes:
        return b"XYZ \0\0\0\0" + number(x) + number(y) + number(z)

    gamma = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(2.2 * 256)) + b"\0\0"
    name = b"swapped\0"
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", len(name)) + name + bytes(78),
        b"cprt": b"text\0\0\0\0none\0\0\0\0",
        b"wtpt": xyz(0.9642, 1.0, 0.8249),
        b"rXYZ": xyz(0.1431, 0.0606, 0.7139),
        b"gXYZ": xyz(0.3851, 0.7169, 0.0971),
        b"bXYZ": xyz(0.4361, 0.2225, 0.0139),
        b"rTRC": gamma,
        b"gTRC": gamma,
        b"bTRC": gamma,
    }
    table, body, at = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for signature, content in tags.items():
        content += bytes(-len(content) % 4)
        table += signature + struct.pack(">II", at + len(body), len(content))
        body += content
    header = struct.pack(">I4sI4s4s4s", at + len(body), b"none", 0x02100000, b"mntr", b"RGB ", b"XYZ ")
    header += bytes(12) + b"acsp" + bytes(28) + number(0.9642) + number(1.0) + number(0.8249)
    return header + bytes(128 - len(header)) + table + body


def png_that_claims(width: int, height: int) -> bytes:
    """A PNG of a few hundred bytes that says it is that large, in grey."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


def jpeg_with_scans(count: int) -> bytes:
    """A progressive JPEG whose last scan is there again and again."""
    data = encoded(photo((640, 480)), "JPEG", progressive=True, quality=80)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * (count - data.count(b"\xff\xda") + 1) + data[-2:]
