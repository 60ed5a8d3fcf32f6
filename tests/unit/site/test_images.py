"""What becomes of an uploaded picture."""

import io
import struct

import pytest
from PIL import Image, ImageChops, ImageStat

from app.uploads.caps import scans
from app.uploads.encode import AT_THE_LIMIT, encode_main, first_quality, resample, webp
from app.uploads.images import InvalidImage, Limits, ProcessedImage, process, read
from tests.unit.site import pictures
from tests.unit.site.pictures import BLUE, GREEN, RED, WHITE, encoded

pytestmark = [  # what Pillow says of the broken files that are sent here on purpose
    pytest.mark.filterwarnings("ignore::UserWarning:PIL"),
    pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning"),
]


def opened(data: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture


def assert_within(result: ProcessedImage, limits: Limits = Limits()) -> None:  # noqa: B008
    main, thumbnail = opened(result.main), opened(result.thumbnail)
    assert (main.format, thumbnail.format) == ("WEBP", "PNG")
    assert (main.size, thumbnail.size) == (result.main_size, result.thumbnail_size)
    assert max(main.size) <= limits.main_side
    assert max(thumbnail.size) <= limits.thumbnail_side
    assert len(result.main) <= limits.main_bytes
    assert len(result.thumbnail) <= limits.thumbnail_bytes


def assert_close(found: object, wanted: tuple[int, ...], tolerance: int = 14) -> None:
    assert isinstance(found, tuple)
    assert all(abs(a - b) <= tolerance for a, b in zip(found, wanted, strict=True)), (found, wanted)


def quarters(data: bytes) -> list[object]:
    """The colours in the middle of the four quarters: upper left, upper right, lower left, lower right."""
    picture = opened(data).convert("RGB")
    width, height = picture.size
    return [picture.getpixel((width * x // 4, height * y // 4)) for y in (1, 3) for x in (1, 3)]


def test_a_photo_becomes_a_main_webp_and_a_thumbnail_png():
    result = process(encoded(pictures.photo((2800, 2100)), quality=90))
    assert_within(result)
    assert result.main_size == (800, 600)
    assert result.thumbnail_size == (50, 38)


def test_the_same_bytes_in_give_the_same_bytes_out():
    data = encoded(pictures.photo())
    assert process(data) == process(data)


def test_a_small_picture_is_never_enlarged():
    result = process(encoded(pictures.photo((30, 20)), "PNG"))
    assert (result.main_size, result.thumbnail_size) == ((30, 20), (30, 20))


@pytest.mark.parametrize("size", [(1, 1), (1, 4000), (4000, 1), (801, 800), (799, 3)])
def test_odd_shapes_keep_at_least_one_pixel_a_side(size: tuple[int, int]):
    result = process(encoded(pictures.photo(size), "PNG"))
    assert_within(result)
    assert min(*result.main_size, *result.thumbnail_size) >= 1


TURNED = {
    1: lambda p: p,
    2: lambda p: p.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    3: lambda p: p.transpose(Image.Transpose.ROTATE_180),
    4: lambda p: p.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
    5: lambda p: p.transpose(Image.Transpose.TRANSPOSE),
    6: lambda p: p.transpose(Image.Transpose.ROTATE_90),
    7: lambda p: p.transpose(Image.Transpose.TRANSVERSE),
    8: lambda p: p.transpose(Image.Transpose.ROTATE_270),
}


@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize("size", [(400, 200), (2200, 1100)])
def test_every_orientation_comes_out_upright(orientation: int, size: tuple[int, int]):
    lying = TURNED[orientation](pictures.corners(size))
    result = process(pictures.with_camera_data(lying, orientation))
    assert result.main_size == (min(size[0], 800), min(size[1], 400))
    for data in (result.main, result.thumbnail):
        for found, wanted in zip(quarters(data), (RED, GREEN, BLUE, WHITE), strict=True):
            assert_close(found, wanted)


@pytest.mark.parametrize("format", ["PNG", "WEBP"])
def test_orientation_counts_in_other_formats_too(format: str):
    exif = Image.Exif()
    exif[0x0112] = 6
    result = process(encoded(TURNED[6](pictures.corners()), format, exif=exif))
    assert result.main_size == (400, 200)


def test_no_metadata_is_left():
    profile = pictures.profile_that_swaps_red_and_blue()
    data = encoded(opened(pictures.with_camera_data(pictures.photo(), 6)), exif=exif_of_a_camera(), icc_profile=profile)
    result = process(data)
    for part in (result.main, result.thumbnail):
        picture = opened(part)
        assert not picture.getexif()
        assert not {"icc_profile", "exif", "xmp", "comment"} & set(picture.info)
        assert b"Camera of a test" not in part
    assert b"EXIF" not in result.main[:64]


def exif_of_a_camera() -> Image.Exif:
    return opened(pictures.with_camera_data(pictures.photo((64, 64)))).getexif()


def test_broken_exif_is_no_reason_to_refuse():
    result = process(encoded(pictures.photo(), exif=b"Exif\0\0II*\0\xff\xff\xff\xff"))
    assert_within(result)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_a_colour_profile_is_applied(format: str):
    options = {"lossless": True} if format == "WEBP" else {"quality": 95} if format == "JPEG" else {}
    swapped = pictures.profile_that_swaps_red_and_blue()
    result = process(encoded(Image.new("RGB", (200, 100), (250, 0, 0)), format, icc_profile=swapped, **options))
    assert_close(opened(result.main).convert("RGB").getpixel((100, 50)), (0, 0, 250), 20)


def test_a_profile_that_has_srgb_only_in_its_name_is_applied():
    profile = pictures.profile_that_swaps_red_and_blue().replace(b"swapped", b"sRGB BR")
    result = process(encoded(Image.new("RGB", (200, 100), (250, 0, 0)), "PNG", icc_profile=profile))
    assert_close(opened(result.main).convert("RGB").getpixel((100, 50)), (0, 0, 250), 20)


def test_a_broken_profile_is_ignored():
    result = process(encoded(Image.new("RGB", (20, 10), RED), "PNG", icc_profile=b"this is no profile" * 20))
    assert_close(opened(result.main).convert("RGB").getpixel((5, 5)), RED)


def test_cmyk_keeps_its_colours():
    result = process(encoded(Image.new("CMYK", (200, 100), (0, 255, 255, 0)), quality=95))
    assert_close(opened(result.main).convert("RGB").getpixel((100, 50)), (255, 0, 0), 20)


def test_sixteen_bits_of_grey_are_not_clipped():
    grey = Image.frombytes("I;16", (64, 64), struct.pack("<H", 0x8000) * 64 * 64)
    result = process(encoded(grey, "PNG"))
    assert_close(opened(result.main).convert("RGB").getpixel((32, 32)), (128, 128, 128), 4)


def test_a_transparent_colour_among_sixteen_bits_of_grey_stays_transparent():
    grey = Image.frombytes("I;16", (64, 64), struct.pack("<H", 0x8000) * 64 * 32 + struct.pack("<H", 0x4000) * 64 * 32)
    main = opened(process(encoded(grey, "PNG", transparency=0x8000)).main)
    assert main.getpixel((32, 10))[3] == 0
    assert_close(main.getpixel((32, 54)), (64, 64, 64, 255), 4)


@pytest.mark.parametrize("size", [(64, 64), (1000, 900)])
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_every_mode_of_a_png_comes_out_right(mode: str, size: tuple[int, int]):
    result = process(encoded(pictures.corners(size).convert(mode), "PNG"))
    assert_within(result)
    found = quarters(result.main)
    wanted = (RED, GREEN, BLUE, WHITE) if mode in ("P", "RGB", "RGBA") else None
    if wanted:
        for a, b in zip(found, wanted, strict=True):
            assert_close(a, b, 40)  # a palette comes near
    else:
        assert all(isinstance(c, tuple) and max(c) - min(c) <= 3 for c in found)


@pytest.mark.parametrize("size", [(100, 100), (1000, 1000)])
def test_transparency_is_kept_and_no_dark_seam_appears(size: tuple[int, int]):
    picture = Image.new("RGBA", size, (0, 0, 0, 0))
    picture.paste((255, 255, 255, 255), (size[0] // 2, 0, *size))
    result = process(encoded(picture, "PNG"))
    main = opened(result.main)
    assert main.mode == "RGBA"
    width, height = main.size
    assert main.getpixel((5, height // 2))[3] == 0
    assert_close(main.getpixel((width - 5, height // 2)), (255, 255, 255, 255))
    seam = [main.getpixel((x, height // 2)) for x in range(width)]
    assert all(min(pixel[:3]) > 200 for pixel in seam if pixel[3] > 100)


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
@pytest.mark.parametrize("size", [(400, 300), (1601, 901), (2450, 1931), (3000, 10)])
def test_transparency_is_resampled_in_strips_as_if_it_were_whole(size: tuple[int, int], mode: str):
    picture = pictures.photo(size)
    picture.putalpha(Image.radial_gradient("L").resize(size))
    picture = picture.convert(mode)
    whole = picture.resize((320, 200), Image.Resampling.LANCZOS, reducing_gap=2.0)
    difference = ImageChops.difference(on_white(resample(picture, (320, 200))), on_white(whole))
    assert all(channel.getextrema()[1] <= 8 for channel in difference.split())


def test_what_is_nearly_transparent_keeps_its_colours_where_nothing_is_shrunk():
    picture = pictures.photo((200, 100))
    picture.putalpha(3)
    assert resample(picture, (200, 100)).tobytes() == picture.tobytes()


def on_white(picture: Image.Image) -> Image.Image:
    return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture.convert("RGBA")).convert("RGB")


def test_a_palette_with_a_transparent_colour_stays_transparent():
    picture = pictures.corners().convert("P")
    clear = picture.getpixel((10, 10))
    result = process(encoded(picture, "PNG", transparency=clear))
    assert opened(result.main).getpixel((50, 50))[3] == 0
    assert opened(result.main).getpixel((350, 150))[3] == 255


def test_a_transparent_colour_of_an_rgb_png_stays_transparent():
    result = process(encoded(pictures.corners(), "PNG", transparency=RED))
    assert opened(result.main).getpixel((50, 50))[3] == 0


def test_alpha_that_hides_nothing_is_dropped():
    assert opened(process(encoded(pictures.photo().convert("RGBA"), "PNG")).main).mode == "RGB"


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "AVIF"])
def test_every_format_is_taken_by_content(format: str):
    result = process(encoded(pictures.corners(), format))
    assert_within(result)
    for found, wanted in zip(quarters(result.main), (RED, GREEN, BLUE, WHITE), strict=True):
        assert_close(found, wanted, 30)


@pytest.mark.parametrize("format", ["GIF", "PNG", "WEBP", "AVIF"])
def test_of_an_animation_the_first_frame_is_taken(format: str):
    frames = [Image.new("RGB", (60, 40), colour) for colour in (RED, BLUE)]
    result = process(encoded(frames[0], format, save_all=True, append_images=frames[1:], duration=100))
    assert_close(opened(result.main).convert("RGB").getpixel((30, 20)), RED)


def test_the_first_picture_of_a_phones_double_jpeg_is_taken():
    data = encoded(pictures.corners((1800, 900)), "MPO", save_all=True, append_images=[pictures.photo((1800, 900))])
    result = process(data)
    assert result.main_size == (800, 400)
    assert_close(quarters(result.main)[0], RED)


@pytest.mark.parametrize(("mode", "side"), [("RGB", 620), ("RGBA", 400), ("L", 620)])
def test_the_busiest_picture_still_fits(mode: str, side: int):
    result = process(encoded(pictures.noise((side, side), mode), "PNG", compress_level=1))
    assert_within(result)
    assert len(result.main) > 120_000, "quality was thrown away"


@pytest.mark.parametrize(("detail", "busy"), [((400, 300), 0.8), ((800, 600), 0.5), ((800, 600), 0.6)])
def test_a_busy_picture_fills_the_bytes_there_are(detail: tuple[int, int], busy: float):
    noise = pictures.noise(detail).resize((800, 600), Image.Resampling.BICUBIC)
    picture = Image.blend(pictures.photo((800, 600)), noise, busy)
    limits = Limits()
    assert len(webp(picture, limits.quality)) > limits.main_bytes
    assert 0.96 * limits.main_bytes < len(encode_main(picture, limits)[0]) <= limits.main_bytes
    first = webp(picture, first_quality(picture, limits), method=AT_THE_LIMIT)
    assert 0.96 * limits.main_bytes < len(first) < 1.02 * limits.main_bytes, "the prediction is wrong"


def test_of_a_photo_full_of_detail_the_decoder_leaves_all_of_it():
    size = (2100, 700)
    data = encoded(Image.blend(pictures.photo(size), pictures.noise(size), 0.3), quality=92)
    whole = opened(data).resize((800, 267), Image.Resampling.LANCZOS)
    picture, _ = read(data, Limits())
    assert max(ImageStat.Stat(ImageChops.difference(picture, whole)).rms) < 1


@pytest.mark.parametrize(("main_bytes", "thumbnail_bytes"), [(10_000, 2_000), (900, 400), (400, 200)])
def test_other_limits_are_kept_as_well(main_bytes: int, thumbnail_bytes: int):
    limits = Limits(main_side=160, main_bytes=main_bytes, thumbnail_side=64, thumbnail_bytes=thumbnail_bytes)
    for mode in ("RGB", "RGBA"):
        assert_within(process(encoded(pictures.noise((175, 175), mode), "PNG"), limits), limits)


REFUSED = {
    "empty": (b"", "The file is empty."),
    "text": (b"Dear Sir or Madam,\n\nyou asked for a photo.\n", "This is a text file, not a photo."),
    "pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "This is a PDF, not a photo."),
    "zip": (b"PK\3\4\x14\0\6\0", "This is a ZIP archive or an office document, not a photo."),
    "svg": (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "This is an SVG drawing, not a photo."),
    "html": (b"<!DOCTYPE html><html></html>", "This is a web page, not a photo."),
    "heic": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "This HEIC picture is damaged, or was cut off on its way."),
    "video": (b"\0\0\0\x18ftypisom\0\0\2\0isomiso2", "This is a video, not a photo."),
    "tiff": (encoded(pictures.photo((20, 20)), "TIFF"), "This is a TIFF picture."),
    "bmp": (encoded(pictures.photo((20, 20)), "BMP"), "This is a BMP picture."),
    "eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n", "This is a PostScript file, not a photo."),
    "noise": (pictures.noise((9, 9)).tobytes(), "This is not a picture of a kind that is taken."),
    "svg after a long comment": (b"<?xml?><!--" + b" " * 2_000 + b"--><svg/>", "This is an SVG drawing, not a photo."),
    "jpeg xl": (b"\xff\x0a" + bytes(50), "This is a JPEG XL picture."),
    "raw": (b"\0\0\0\x18ftypcrx " + bytes(50), "This is a camera's raw file."),
    "animated cursor": (b"RIFF\0\0\0\0ACON" + bytes(50), "This is not a picture of a kind that is taken."),
    "two bytes of a jpeg": (b"\xff\xd8", "This JPEG picture is damaged, or was cut off on its way."),
    "text cut in a letter": (
        "grün und blau, schön".encode()[:-1] + "ö".encode()[:1],
        "This is a text file, not a photo.",
    ),
    "cut header": (encoded(pictures.photo())[:30], "The picture is damaged, or was cut off on its way."),
    "wrong header": (b"GIF89a", "This GIF picture is damaged, or was cut off on its way."),
    "cut jpeg": (encoded(pictures.photo())[:20_000], "The picture is damaged, or was cut off on its way."),
    "cut png": (encoded(pictures.photo(), "PNG")[:20_000], "The picture is damaged, or was cut off on its way."),
    "cut webp": (encoded(pictures.photo(), "WEBP")[:5_000], "The picture is damaged, or was cut off on its way."),
    "169 megapixels": (
        pictures.png_that_claims(13_000, 13_000),
        "The picture is 13,000 x 13,000 pixels; at most 50 million are taken.",
    ),
    "bomb": (
        pictures.png_that_claims(60_000, 60_000),
        "The picture has too many pixels; at most 50 million are taken.",
    ),
    "thousands of scans": (pictures.jpeg_with_scans(2_000), "The picture is built up in more than 50 passes."),
    "26 MB": (bytes(26 * 2**20), "The file has 26 MB; at most 25 MB are taken."),
    "a byte over 25 MB": (bytes(25 * 2**20 + 1), "The file has over 25 MB; at most 25 MB are taken."),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_picture_is_refused_in_a_sentence(name: str):
    data, sentence = REFUSED[name]
    with pytest.raises(InvalidImage) as refusal:
        process(data)
    assert str(refusal.value).startswith(sentence)


def test_a_webp_that_would_take_over_300_mb_to_decode_is_refused():
    data = bytearray(encoded(Image.new("RGB", (64, 64)), "WEBP"))
    data[26:30] = struct.pack("<HH", 5000, 4000)
    with pytest.raises(InvalidImage, match="5,000 x 4,000 pixels; at most 18 million"):
        process(bytes(data))


def test_an_ordinary_progressive_photo_is_taken():
    assert_within(process(encoded(pictures.photo(), progressive=True)))


def test_scans_are_not_miscounted_where_metadata_looks_like_one():
    data = encoded(pictures.photo((64, 64)), progressive=True, comment=b"\xff\xda" * 200)
    assert scans(data, enough=50) == scans(encoded(pictures.photo((64, 64)), progressive=True), enough=0) < 20


def test_scans_of_single_components_are_counted_in_a_sequential_jpeg_too():
    data = encoded(pictures.photo((64, 64)).convert("L"))
    frame, scan = data.index(b"\xff\xc0"), data.index(b"\xff\xda")
    components = data[frame + 10 : frame + 13] + b"\2\x11\0\3\x11\0"
    three = data[:frame] + b"\xff\xc0\0\x11" + data[frame + 4 : frame + 9] + b"\3" + components
    many = three + data[frame + 13 : scan] + data[scan:-2] * 60 + data[-2:]
    assert scans(data, enough=50) == 1
    with pytest.raises(InvalidImage, match="in more than 50 passes"):
        process(many)
