"""What holds for every file that is sent: two pictures within the limits, or a sentence."""

import io
import struct
import zlib
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from app.uploads.caps import gif_frames
from app.uploads.images import InvalidImage, Limits, ProcessedImage, process
from tests.unit.site import pictures
from tests.unit.site.mutations import mutated, seeds
from tests.unit.site.pictures import encoded

pytestmark = [  # what Pillow says of the broken files that are sent here on purpose
    pytest.mark.filterwarnings("ignore::UserWarning:PIL"),
    pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning"),
]
FEW = settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
MODES = {
    "JPEG": ("L", "RGB", "CMYK"),
    "PNG": ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "I;16"),
    "WEBP": ("L", "RGB", "RGBA"),
    "GIF": ("1", "L", "P", "RGB", "RGBA"),
    "AVIF": ("L", "RGB", "RGBA"),
    "HEIF": ("L", "RGB", "RGBA"),
}


def assert_kept(result: ProcessedImage, limits: Limits = Limits()) -> None:  # noqa: B008
    """The contract, read from the bytes that came out."""
    for data, size, format, side, most in (
        (result.main, result.main_size, "WEBP", limits.main_side, limits.main_bytes),
        (result.thumbnail, result.thumbnail_size, "PNG", limits.thumbnail_side, limits.thumbnail_bytes),
    ):
        picture = Image.open(io.BytesIO(data))
        picture.load()
        assert (picture.format, picture.size) == (format, size)
        assert max(size) <= side
        assert len(data) <= most
        assert not {"exif", "icc_profile", "xmp", "comment"} & set(picture.info)


@st.composite
def files(draw: st.DrawFn) -> tuple[bytes, tuple[int, int]]:
    """An encoded picture and the size that it has upright."""
    format = draw(st.sampled_from(sorted(MODES)))
    mode = draw(st.sampled_from(MODES[format]))
    least, most = (16, 120) if format in ("AVIF", "HEIF") else (1, 1000)  # their encoders are slow
    size = (draw(st.integers(least, most)), draw(st.integers(least, most)))
    kind = draw(st.sampled_from(("photo", "corners", "noise")))
    draws = {"photo": pictures.photo, "corners": pictures.corners, "noise": pictures.noise}
    picture = draws[kind](size).convert("RGBA" if mode == "PA" else mode)
    if mode in ("LA", "RGBA"):
        picture.putalpha(Image.linear_gradient("L").resize(size))
    if format == "HEIF":
        return pictures.heic(picture), size
    exif = Image.Exif()
    exif[0x0112] = orientation = draw(st.integers(1, 8))
    turned = orientation >= 5 and format != "GIF"
    return encoded(picture, format, exif=exif), size[::-1] if turned else size


@FEW
@given(files())
def test_any_picture_becomes_two_within_the_limits_or_is_refused(file: tuple[bytes, tuple[int, int]]):
    data, size = file
    result = process(data)
    assert_kept(result)
    scale = min(1, 800 / max(size))
    wanted = tuple(max(1, round(side * scale)) for side in size)
    assert result.main_size == wanted or len(result.main) > 100_000  # smaller only where it would not fit
    assert result.main_size[0] <= wanted[0]
    assert result.main_size[1] <= wanted[1]


@FEW
@given(st.binary(max_size=2_000), st.sampled_from(range(len(seeds()))))
def test_any_bytes_are_a_picture_or_refused_in_a_sentence(noise: bytes, seed: int):
    check(noise)
    check(seeds()[seed][:40] + noise)


def check(data: bytes) -> bool:
    """Whether it was taken; that nothing but a refusal with a sentence came instead."""
    try:
        result = process(data)
    except InvalidImage as refusal:
        assert str(refusal).endswith(".")
        return False
    assert_kept(result)
    return True


def test_mutated_files_are_pictures_or_refused():
    taken = [check(data) for data in mutated(300)]
    assert 20 < sum(taken) < 280


@pytest.mark.parametrize("seed", range(len(seeds())))
def test_what_is_mutated_was_a_picture(seed: int):
    assert check(seeds()[seed])


def test_a_heic_photo_is_taken():
    result = process(pictures.heic(pictures.photo((900, 675))))
    assert result.main_size == (800, 600)
    assert result.notes == ()


@pytest.mark.parametrize("format", ["GIF", "PNG", "WEBP", "AVIF"])
def test_an_animation_is_told_to_be_one(format: str):
    frames = [Image.new("RGB", (60, 40), (20 * n, 30, 200)) for n in range(5)]
    result = process(encoded(frames[0], format, save_all=True, append_images=frames[1:], duration=100))
    assert result.notes == ("This is an animation of 5 pictures; the first was taken.",)


@pytest.mark.parametrize("format", ["GIF", "PNG", "WEBP"])
def test_an_animation_of_too_many_pictures_is_refused(format: str):
    frames = [Image.new("L", (8, 8), n * 25) for n in range(9)]
    data = encoded(frames[0], format, save_all=True, append_images=frames[1:], duration=100)
    assert process(data, Limits(frames=9)).main_size == (8, 8)
    with pytest.raises(InvalidImage, match="The animation has more than 8 pictures"):
        process(data, Limits(frames=8))


def png_in_pieces(count: int) -> bytes:
    data = encoded(pictures.photo((64, 64)), "PNG")
    return data[:33] + (bytes(4) + b"teSt" + struct.pack(">I", zlib.crc32(b"teSt"))) * count + data[33:]


def jpeg_in_pieces(count: int) -> bytes:
    data = encoded(pictures.photo((64, 64)))
    return data[:2] + b"\xff\xee\0\2" * count + data[2:]


def gif_in_pieces(count: int) -> bytes:
    data = encoded(pictures.photo((64, 64)).convert("L"), "GIF")
    header = 13 + 3 * 256
    return data[:header] + b"\x21\xfe" + b"\1x" * count + b"\0" + data[header:]


@pytest.mark.parametrize("made", [png_in_pieces, jpeg_in_pieces, gif_in_pieces])
def test_a_file_in_thousands_of_pieces_is_refused(made: Callable[[int], bytes]):
    assert process(made(100)).main_size == (64, 64)
    with pytest.raises(InvalidImage, match="in more than 20,000 pieces"):
        process(made(20_001))


def test_the_frames_of_a_gif_that_was_cut_off_are_counted_to_its_end():
    data = seeds()[13]
    assert gif_frames(data, enough=10) == 2
    assert [gif_frames(data[:cut], enough=10) for cut in range(13, len(data))] == sorted(
        gif_frames(data[:cut], enough=10) for cut in range(13, len(data))
    )


@pytest.mark.parametrize(("mode", "most"), [("RGB", 50), ("CMYK", 37)])
def test_pixels_are_limited_by_the_memory_of_the_format(mode: str, most: int):
    data = bytearray(encoded(Image.new(mode, (640, 640)), quality=30))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", 8000, 8000)
    with pytest.raises(InvalidImage, match=f"8,000 x 8,000 pixels; at most {most} million are taken"):
        process(bytes(data))
