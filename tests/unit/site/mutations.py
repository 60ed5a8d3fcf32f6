"""Files that once were pictures: what real encoders wrote, then changed, cut, doubled and mixed."""

import random
from collections.abc import Iterator
from functools import cache

from PIL import Image

from tests.unit.site import pictures
from tests.unit.site.pictures import encoded

TELLING = (0x00, 0x01, 0x7F, 0x80, 0xDA, 0xFE, 0xFF)  # lengths and markers that decoders have stumbled over


@cache
def seeds() -> tuple[bytes, ...]:
    """Small pictures of every format that is taken, in the shapes that take different ways through a decoder."""
    photo = pictures.photo((96, 64))
    clear = photo.copy()
    clear.putalpha(Image.linear_gradient("L").resize(photo.size))
    frames = {"save_all": True, "append_images": [pictures.corners((96, 64))] * 2, "duration": 100}
    profile = pictures.profile_that_swaps_red_and_blue()
    return (
        encoded(photo),
        encoded(photo, progressive=True, icc_profile=profile),
        pictures.with_camera_data(photo, 6),
        encoded(photo.convert("CMYK")),
        encoded(photo.convert("L"), quality=30),
        encoded(photo, "MPO", save_all=True, append_images=[photo]),
        encoded(photo, "PNG", icc_profile=profile),
        encoded(clear, "PNG"),
        encoded(photo.convert("P"), "PNG", transparency=3),
        encoded(photo.convert("I;16"), "PNG"),
        encoded(photo.convert("1"), "PNG"),
        encoded(photo, "PNG", **frames),
        encoded(photo.convert("P"), "GIF", transparency=5),
        encoded(photo, "GIF", **frames),
        encoded(photo, "WEBP", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0"),
        encoded(clear, "WEBP", lossless=True),
        encoded(photo, "WEBP", **frames),
        encoded(photo, "AVIF"),
        encoded(photo, "AVIF", **frames),
        pictures.heic(photo),
        pictures.heic(clear),
    )


def mutated(count: int, seed: int = 0) -> Iterator[bytes]:
    """That many files; the same for the same seed."""
    chance = random.Random(seed)
    for _ in range(count):
        data = bytearray(chance.choice(seeds()))
        for _ in range(chance.choice((1, 1, 2, 4, 16))):
            chance.choice((change_a_byte, change_a_length, cut_out, repeat, mix))(data, chance)
        yield bytes(data)


def somewhere(data: bytearray, chance: random.Random) -> int:
    """A place in the data, in the headers more often than not."""
    return chance.randrange(max(1, min(len(data), chance.choice((64, 512, len(data) or 1)))))


def change_a_byte(data: bytearray, chance: random.Random) -> None:
    at = somewhere(data, chance)
    data[at : at + 1] = bytes([chance.choice((chance.randrange(256), chance.choice(TELLING)))])


def change_a_length(data: bytearray, chance: random.Random) -> None:
    at = somewhere(data, chance)
    data[at : at + 4] = chance.choice((0, 1, 0x7FFFFFFF, 0xFFFFFFFF, chance.randrange(2**32))).to_bytes(4, "big")


def cut_out(data: bytearray, chance: random.Random) -> None:
    at = somewhere(data, chance)
    del data[at : at + chance.choice((1, 4, 100, len(data)))]


def repeat(data: bytearray, chance: random.Random) -> None:
    at, length = somewhere(data, chance), chance.choice((4, 64, 1024))
    data[at:at] = data[at : at + length] * chance.choice((1, 3, 50))


def mix(data: bytearray, chance: random.Random) -> None:
    other = chance.choice(seeds())
    at = chance.randrange(len(other))
    data[somewhere(data, chance) :] = other[at : at + 4096]
