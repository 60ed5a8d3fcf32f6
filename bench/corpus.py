"""The pictures that are measured: drawn here, the same bytes at every run."""

import io
from collections.abc import Callable
from functools import cache

import numpy
from PIL import Image, ImageDraw


def landscape(width: int, height: int, *, roughness: float, grain: float, seed: int) -> Image.Image:
    """Clouds of noise in octaves, as photos have: `roughness` (0 to 1) is how little each finer octave fades.

    grain: deviation of the sensor's noise, of 255.
    """
    random = numpy.random.default_rng(seed)
    luma = clouds((width, height), roughness, random) + random.normal(0, grain, (height, width)).astype("f")
    warm, cold = (clouds((width // 2, height // 2), roughness * 0.8, random) * 0.4 for _ in range(2))
    channels = [luma + 128 + enlarged(tint, (width, height)) for tint in (warm, -(warm + cold) / 2, cold)]
    return Image.fromarray(numpy.stack(channels, axis=-1).clip(0, 255).astype("uint8"))


def clouds(size: tuple[int, int], roughness: float, random: numpy.random.Generator) -> numpy.ndarray:
    octaves = max(size).bit_length() - 2
    plane, weight = numpy.zeros((2, 2), "f"), 42.0
    for octave in reversed(range(octaves)):
        now = (max(2, size[0] >> octave), max(2, size[1] >> octave))
        plane = enlarged(plane, now) + random.standard_normal(now[::-1], "f") * weight
        weight *= roughness
    return plane


def enlarged(plane: numpy.ndarray, size: tuple[int, int]) -> numpy.ndarray:
    return numpy.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BILINEAR))


def screenshot() -> Image.Image:
    """A window with text and a round, soft shadow that is transparent outside."""
    picture = Image.new("RGBA", (2560, 1600), (0, 0, 0, 0))
    pen = ImageDraw.Draw(picture)
    for inset in range(40):
        pen.rounded_rectangle([inset, inset, 2559 - inset, 1599 - inset], 60, fill=(0, 0, 0, inset * 3))
    pen.rounded_rectangle([40, 40, 2519, 1559], 40, fill=(250, 250, 252, 255))
    pen.rectangle([40, 80, 600, 1559], fill=(36, 41, 56, 255))
    random = numpy.random.default_rng(5)
    for y in range(120, 1500, 28):
        pen.text((640, y), "".join(chr(c) for c in random.integers(97, 123, 90)), fill=(30, 30, 40, 255), font_size=22)
        pen.text(
            (70, y), "".join(chr(c) for c in random.integers(97, 123, 18)), fill=(220, 225, 235, 255), font_size=20
        )
    return picture


def small_gif() -> bytes:
    frames = []
    for step in range(12):
        frame = Image.new("P", (320, 240), 0)
        pen = ImageDraw.Draw(frame)
        frame.putpalette([c for i in range(256) for c in (i, (i * 3) % 256, 255 - i)])
        for ring in range(10):
            radius = 12 * ring + step * 4
            pen.ellipse([160 - radius, 120 - radius, 160 + radius, 120 + radius], outline=20 + ring * 20, width=4)
        frames.append(frame)
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=80, loop=0)
    return out.getvalue()


def encoded(picture: Image.Image, format: str, **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, format, **options)
    return out.getvalue()


def jpeg(width: int, height: int, roughness: float, grain: float, seed: int, **options: object) -> bytes:
    picture = landscape(width, height, roughness=roughness, grain=grain, seed=seed)
    return encoded(picture, "JPEG", **{"quality": 90} | options)


CORPUS: dict[str, Callable[[], bytes]] = {
    "usual 12 MP": cache(lambda: jpeg(4032, 3024, 0.85, 3, 1)),
    "busy 12 MP": cache(lambda: jpeg(3464, 3464, 1.0, 4, 2)),
    "18 MP progressive": cache(lambda: jpeg(5184, 3456, 0.8, 3, 3, progressive=True)),
    "5 MP": cache(lambda: jpeg(2592, 1944, 0.6, 1, 4)),
    "24 MP": cache(lambda: jpeg(6000, 4000, 0.8, 3, 6)),
    "screenshot PNG with alpha": cache(lambda: encoded(screenshot(), "PNG")),
    "small GIF": cache(small_gif),
}
JPEGS = tuple(name for name in CORPUS if name.endswith(("MP", "progressive")))
