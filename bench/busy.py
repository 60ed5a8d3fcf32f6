"""How well the quality is foretold of pictures that would not fit at the usual one, over many that are drawn here."""

import math
import random
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from PIL import Image, ImageDraw

from app.uploads import encode
from app.uploads.contract import DEFAULT_LIMITS as LIMITS
from bench.corpus import encoded, landscape
from bench.quality import ssim

SIZES = ((800, 600), (800, 800), (600, 800), (800, 533), (700, 700), (800, 450))
EACH = 16


@dataclass(frozen=True)
class Foretold:
    """Of `count` busy pictures: shares that took a further encode, that lie under the naive way in SSIM by more than
    0.0005; means of the share of the limit that is used, and of how much SSIM is above the naive way; its least."""

    count: int
    again: float
    used: float
    better: float
    least: float
    worse: float


def foretold() -> Foretold:
    encodes: list[int] = []
    used: list[float] = []
    better: list[float] = []
    for picture in busy():
        (main, size), count = counted(picture)
        encodes.append(count)
        used.append(len(main) / LIMITS.main_bytes)
        if size == picture.size:
            better.append(ssim(main, picture) - ssim(naive(picture), picture))
    again = statistics.mean(count > 1 for count in encodes)
    worse = statistics.mean(one < -0.0005 for one in better)
    return Foretold(len(encodes), again, statistics.mean(used), statistics.mean(better), min(better), worse)


def counted(picture: Image.Image) -> tuple[tuple[bytes, tuple[int, int]], int]:
    """What encode_main makes, and how many encodes of whole pictures it took."""
    original, heights = encode.webp, []

    def counting(whole: Image.Image, *options: object, **named: object) -> bytes:
        heights.append(whole.height)
        return original(whole, *options, **named)

    encode.webp = counting
    try:
        return encode.encode_main(picture, LIMITS), sum(height > 64 for height in heights)
    finally:
        encode.webp = original


def naive(picture: Image.Image) -> bytes:
    quality = 80
    while len(main := encoded(picture, "WEBP", quality=quality)) > LIMITS.main_bytes:
        quality -= 5
    return main


def busy() -> Iterator[Image.Image]:
    """Those of the drawn pictures that do not fit at the usual quality."""
    for name, drawn in KINDS.items():
        for turn in range(EACH):
            chance = random.Random(f"{name} {turn}")
            picture = drawn(chance.choice(SIZES), chance)
            if len(encode.webp(picture, LIMITS.quality, method=encode.AT_THE_LIMIT)) > LIMITS.main_bytes:
                yield picture


def clouds(size: tuple[int, int], chance: random.Random, roughness: float = 1.0) -> Image.Image:
    return landscape(*size, roughness=roughness, grain=chance.uniform(4, 30), seed=chance.randrange(10**6))


def grass(size: tuple[int, int], chance: random.Random) -> Image.Image:
    picture = Image.new("RGB", (size[0] * 2, size[1] * 2), (60, 70, 30))
    pen = ImageDraw.Draw(picture)
    for _ in range(size[0] * size[1] // chance.choice((10, 20))):
        x, y, long = chance.randrange(picture.width), chance.randrange(picture.height), chance.randrange(8, 40)
        turned, green = chance.gauss(-1.57, 0.4), chance.randrange(50, 240)
        end = (x + long * math.cos(turned), y + long * math.sin(turned))
        pen.line([(x, y), end], (green * chance.randrange(50, 100) // 100, green, green // 3), chance.choice((1, 2)))
    return picture.resize(size, Image.Resampling.LANCZOS)


def speckled(size: tuple[int, int], chance: random.Random) -> Image.Image:
    noise = Image.frombytes("RGB", size, chance.randbytes(size[0] * size[1] * 3))
    return Image.blend(clouds(size, chance, 0.75), noise, chance.uniform(0.2, 0.5))


def letters(size: tuple[int, int], chance: random.Random) -> Image.Image:
    picture = Image.new("RGB", size, (250, 250, 245))
    pen, high = ImageDraw.Draw(picture), chance.choice((8, 9, 10, 11))
    for y in range(0, size[1], high):
        line = "".join(chr(chance.randrange(33, 126)) for _ in range(size[0] * 5 // (2 * high)))
        pen.text((3, y), line, (chance.randrange(120), chance.randrange(120), chance.randrange(120)), font_size=high)
    return picture


def half_smooth(size: tuple[int, int], chance: random.Random) -> Image.Image:
    picture, sky = speckled(size, chance), Image.linear_gradient("L").resize(size).convert("RGB")
    share = chance.uniform(0.1, 0.4)
    picture.paste(sky.crop((0, 0, size[0], int(size[1] * share))))
    return picture


Drawn = Callable[[tuple[int, int], random.Random], Image.Image]
KINDS: dict[str, Drawn] = {
    "clouds": clouds,
    "grass": grass,
    "speckled": speckled,
    "letters": letters,
    "half smooth": half_smooth,
}
