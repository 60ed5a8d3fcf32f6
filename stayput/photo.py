"""A photo, drawn: five megapixels, taken with the camera on its side, with the place it was taken in its metadata."""

import functools
import io
import math
import random
import secrets
from dataclasses import dataclass

from PIL import ExifTags, Image, ImageDraw

WIDTH, HEIGHT = 2600, 1950  # pixels as stored; upright it is 1950 x 2600
SEA, SAND = (38, 92, 128), (214, 190, 148)
TILES = (6, 8)  # of the pattern in a unique photo, across and down: each is six pixels wide in a thumbnail of fifty
PATTERN = 0.35  # how much of the photo the pattern takes over
ALIKE = 48  # of 255: how far a tile's colour may be off. Thumbnails differ by 15, another pattern by 80


@dataclass(frozen=True)
class Photo:
    """A JPEG, and the mean colour of each of its tiles as it is upright."""

    content: bytes
    tiles: bytes

    def is_shown_by(self, picture: Image.Image) -> bool:
        """Whether a picture was made of this very photo, however small it is."""
        return all(abs(one - other) <= ALIKE for one, other in zip(self.tiles, _tiles(picture), strict=True))


@functools.cache
def draw(seed: int = 0) -> bytes:
    """A JPEG of 5 megapixels with EXIF orientation 6 and GPS. The same seed gives the same bytes."""
    return _stored(_upright(seed))


def unique() -> Photo:
    """A photo that was never there before: the drawn one under a random pattern, which an encode leaves in it."""
    across, down = TILES
    light = bytes(255 * secrets.randbelow(2) for _ in range(across * down))
    pattern = Image.frombytes("L", TILES, light).resize((HEIGHT, WIDTH), Image.Resampling.NEAREST)
    upright = Image.blend(_upright(0), Image.merge("RGB", (pattern, pattern, pattern)), PATTERN)
    return Photo(content=_stored(upright), tiles=_tiles(upright))


@functools.cache
def _upright(seed: int) -> Image.Image:
    return _landscape(random.Random(seed), HEIGHT, WIDTH)


def _stored(upright: Image.Image) -> bytes:
    out = io.BytesIO()
    turned = upright.transpose(Image.Transpose.ROTATE_90)  # orientation 6 turns it back
    turned.save(out, "JPEG", quality=88, exif=_metadata().tobytes())
    return out.getvalue()


def _tiles(picture: Image.Image) -> bytes:
    return picture.convert("RGB").resize(TILES, Image.Resampling.BOX).tobytes()


@functools.cache
def small() -> bytes:
    """A PNG of a few hundred bytes, for those who only want to keep a site busy."""
    out = io.BytesIO()
    Image.radial_gradient("L").resize((64, 64)).save(out, "PNG")
    return out.getvalue()


def _landscape(chance: random.Random, width: int, height: int) -> Image.Image:
    """A coast in the evening: sky, sun, hills, sea and grain, so that the encoder has real work."""
    small = Image.new("RGB", (width // 2, height // 2))
    pen = ImageDraw.Draw(small)
    w, h = small.size
    for y in range(h):
        t = y / h
        pen.line([(0, y), (w, y)], fill=(int(250 - 130 * t), int(170 - 40 * t), int(110 + 70 * t)))
    x, y, r = chance.randint(w // 4, w // 2), int(h * 0.36), w // 9
    pen.ellipse([x - r, y - r, x + r, y + r], fill=(255, 236, 190))
    for layer in range(4):
        base, phase = h * (0.45 + 0.05 * layer), chance.random() * 6
        ridge = [
            (i, base + 40 * math.sin(i / (60 + 35 * layer) + phase) + chance.randint(-3, 3)) for i in range(0, w + 8, 8)
        ]
        shade = 96 - 18 * layer
        pen.polygon([(0, h), *ridge, (w, h)], fill=(shade, shade + 8, shade + 24))
    pen.rectangle([0, int(h * 0.68), w, h], fill=SEA)
    for _ in range(900):
        x, y = chance.randint(0, w), chance.randint(int(h * 0.68), h)
        pen.line([(x, y), (x + chance.randint(8, 60), y)], fill=(38 + chance.randint(0, 70), 110, 150))
    pen.polygon([(0, h), (0, int(h * 0.9)), (w, int(h * 0.97)), (w, h)], fill=SAND)
    scene = small.resize((width, height), Image.Resampling.BICUBIC)
    grain = Image.frombytes("L", (512, 512), chance.randbytes(512 * 512)).resize(
        (width, height), Image.Resampling.BILINEAR
    )
    return Image.blend(scene, Image.merge("RGB", (grain, grain, grain)), 0.06)


def _metadata() -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Make] = "Stayput"
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    gps[ExifTags.GPS.GPSLatitudeRef], gps[ExifTags.GPS.GPSLatitude] = "N", (54.0, 10.0, 48.0)
    gps[ExifTags.GPS.GPSLongitudeRef], gps[ExifTags.GPS.GPSLongitude] = "E", (12.0, 5.0, 24.0)
    return exif
