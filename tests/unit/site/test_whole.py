"""Pictures that browsers show and decoders trip over are taken as what they are; what is cut off is not."""

import os
import struct
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.uploads.images import InvalidImage, process
from app.uploads.whole import MOST_PROFILE
from tests.unit.site import pictures
from tests.unit.site.pictures import encoded

pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning:PIL"),
    pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning"),
]
FEW = settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
PHOTO = pictures.photo((240, 180))
CLEAR = PHOTO.copy()
CLEAR.putalpha(100)
JPEG, PNG, WEBP = encoded(PHOTO), encoded(PHOTO, "PNG"), encoded(PHOTO, "WEBP")
WEBP_WITH_EXIF = encoded(PHOTO, "WEBP", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0")
FRAMES = {"save_all": True, "append_images": [pictures.corners((240, 180))] * 2, "duration": 100}
CUT_OFF = "The picture is damaged, or was cut off on its way. Please send it again."


def chunk(kind: bytes, content: bytes = b"", *, wrong: bool = False) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content) ^ wrong)


def png(*chunks: bytes, after: bytes = b"") -> bytes:
    return PNG[:33] + b"".join(chunks) + PNG[33:-12] + after + PNG[-12:]


def segment(kind: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, kind, len(content) + 2) + content


def jpeg(*segments: bytes) -> bytes:
    return JPEG[:2] + b"".join(segments) + JPEG[2:]


def riff(size: int) -> bytes:
    return WEBP[:4] + struct.pack("<I", size) + WEBP[8:]


LONG = b"a" * 1_400_000
FRAME = struct.pack(">IIIIIHHBB", 5, 240, 180, 0, 0, 1, 10, 0, 0)
PNGS = {
    "compressed text": png(chunk(b"zTXt", b"p\0\0" + zlib.compress(LONG))),
    "compressed international text": png(chunk(b"iTXt", b"p\0\1\0\0\0" + zlib.compress(LONG))),
    "text compressed in another way": png(chunk(b"zTXt", b"p\0\7x")),
    "text after the picture": png(after=chunk(b"zTXt", b"p\0\0" + zlib.compress(LONG))),
    "80 MB of text": png(*[chunk(b"tEXt", b"p\0" + LONG[:80_000])] * 50, chunk(b"zTXt", zlib.compress(LONG * 50))),
    "a large profile": png(chunk(b"iCCP", b"p\0\0" + zlib.compress(os.urandom(1000) * 2200))),
    "a profile beyond all bounds": png(chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(MOST_PROFILE + 1)))),
    "a profile compressed in another way": png(chunk(b"iCCP", b"p\0\1" + zlib.compress(LONG))),
    "an empty profile": png(chunk(b"iCCP")),
    "a large EXIF": png(chunk(b"eXIf", b"MM\0*" + LONG)),
    "wrong checksums": png(*(chunk(kind, b"abcd", wrong=True) for kind in (b"gAMA", b"tEXt", b"iCCP", b"vpAg"))),
    "chunks that are too short": png(*(chunk(kind, b"a") for kind in (b"gAMA", b"cHRM", b"pHYs", b"tRNS", b"acTL"))),
    "an animation without its order": png(chunk(b"acTL", struct.pack(">II", 1, 0)), chunk(b"fcTL", FRAME)),
    "trailing bytes": PNG + b"PK\3\4" + LONG,
    "no end": PNG[:-12],
}
JPEGS = {
    "no end marker": JPEG[:-2],
    "half an end marker": JPEG[:-1],
    "no end marker, filled up": JPEG[:-2] + bytes(5000),
    "trailing bytes": JPEG + LONG,
    "many segments": jpeg(*[segment(0xE5, bytes(60_000))] * 60),
    "extended XMP": jpeg(*[segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + bytes(60_000))] * 20),
    "segments that are too short": jpeg(
        segment(0xE0, b"JFIF\0"), segment(0xEE, b"Adobe"), segment(0xE2, b"ICC_PROFILE\0"), b"\xff\xe5\0\0"
    ),
    "Photoshop's segment cut": jpeg(segment(0xED, b"Photoshop 3.0\x008BIM\3\xed")),
    "further pictures cut": jpeg(segment(0xE2, b"MPF\0MM\0*\0\0\0\x08\0\1")),
}
WEBPS = {
    "trailing bytes": WEBP + b"x" * 99,
    "too large a size": riff(len(WEBP) + 90),
    "too small a size": riff(len(WEBP) - 10),
    "no size": riff(0),
    "its EXIF cut off": WEBP_WITH_EXIF[:-3],
    "its last, empty byte cut off": WEBP_WITH_EXIF[:-1],
}


@pytest.mark.parametrize(
    ("whole", "odd"),
    [
        *(pytest.param(PNG, data, id=f"PNG: {name}") for name, data in PNGS.items()),
        *(pytest.param(JPEG, data, id=f"JPEG: {name}") for name, data in JPEGS.items()),
        *(pytest.param(WEBP, data, id=f"WEBP: {name}") for name, data in WEBPS.items()),
    ],
)
def test_what_browsers_show_is_taken_as_if_nothing_were_odd(whole: bytes, odd: bytes):
    assert process(odd) == process(whole)


@pytest.mark.parametrize("options", [{"progressive": True}, {"progressive": True, "quality": 95, "subsampling": 0}])
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_a_progressive_jpeg_that_lacks_its_end_marker_alone_is_taken(mode: str, options: dict[str, object]):
    data = encoded(PHOTO.convert(mode), **options)
    assert process(data[:-2]) == process(data)


@pytest.mark.parametrize("options", [{}, {"restart_marker_rows": 1}, {"subsampling": 0, "quality": 98}])
def test_a_jpeg_of_every_sampling_may_lack_its_end_marker(options: dict[str, object]):
    data = encoded(PHOTO, **options)
    assert process(data[:-2]) == process(data)


@FEW
@given(st.floats(0.1, 0.98), st.sampled_from(({}, {"progressive": True}, {"restart_marker_rows": 1})), st.booleans())
def test_a_jpeg_that_is_cut_within_its_picture_is_said_to_be_cut_off(share: float, options: dict, filled: bool):
    data = encoded(PHOTO, **options)
    scan = data.index(b"\xff\xda") + 20
    cut = data[: scan + int((len(data) - scan) * share)] + bytes(200_000 * filled)
    with pytest.raises(InvalidImage, match="cut off on its way"):
        process(cut)


@pytest.mark.parametrize("data", [PNG[:-2000], WEBP[:-200], PNG[: len(PNG) // 2], WEBP[: len(WEBP) // 2]])
def test_what_is_cut_within_its_picture_is_said_to_be_cut_off(data: bytes):
    with pytest.raises(InvalidImage, match="cut off on its way"):
        process(data)


@FEW
@given(
    st.lists(
        st.tuples(st.from_regex(rb"[a-z][A-Za-z][A-Z][A-Za-z]", fullmatch=True), st.binary(max_size=60), st.booleans())
    ),
    st.booleans(),
)
def test_no_chunk_that_may_be_left_out_costs_a_png_its_picture(chunks: list[tuple[bytes, bytes, bool]], after: bool):
    odd = b"".join(chunk(kind, content, wrong=wrong) for kind, content, wrong in chunks if kind not in LOOKS)
    assert process(png(after=odd) if after else png(odd)) == process(PNG)


LOOKS = (b"tRNS", b"eXIf", b"iCCP")


@FEW
@given(
    st.lists(
        st.tuples(
            st.sampled_from([*range(0xE0, 0xF0), 0xFE]),
            starts := st.sampled_from(
                (
                    b"",
                    b"JFIF\0",
                    b"Exif\0\0",
                    b"ICC_PROFILE\0",
                    b"MPF\0",
                    b"Photoshop 3.0\x008BIM",
                    b"http://ns.adobe.com/xap/1.0/\0",
                )
            ),
            st.binary(max_size=30),
        )
    )
)
def test_no_segment_costs_a_jpeg_its_picture(segments: list[tuple[int, bytes, bytes]]):
    assert process(jpeg(*(segment(kind, start + rest) for kind, start, rest in segments))).main_size == (240, 180)


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"iCCP"])
def test_text_and_profiles_that_would_fill_the_memory_are_not_unpacked(kind: bytes):
    import tracemalloc

    packed = zlib.compress(bytes(300 * 2**20), 1)
    data = png(chunk(kind, (b"p\0\1\0\0\0" if kind == b"iTXt" else b"p\0\0") + packed))
    del packed
    tracemalloc.start()
    try:
        assert process(data).main_size == (240, 180)
        assert tracemalloc.get_traced_memory()[1] < 40 * 2**20
    finally:
        tracemalloc.stop()


def test_an_animation_that_was_cut_after_its_first_picture_is_taken():
    data = encoded(PHOTO, "PNG", **FRAMES)
    result = process(data[:-20])
    assert result.main == process(PNG).main
    assert result.notes == ("This is an animation of 2 pictures; the first was taken.",)


def test_an_animation_beside_a_picture_for_others_counts_them_all():
    two = [pictures.corners((240, 180)), pictures.noise((240, 180))]
    data = encoded(PHOTO, "PNG", default_image=True, save_all=True, append_images=two)
    assert process(data).notes == ("This is an animation of 3 pictures; the first was taken.",)


@pytest.mark.parametrize("made", [b"Raw profile type exif", b"XML:com.adobe.xmp"])
def test_a_png_is_turned_by_what_its_text_says(made: bytes):
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"
    if made.startswith(b"Raw"):
        text = chunk(b"tEXt", made + b"\0\nexif\n%8d\n" % len(exif) + exif.hex().encode() + b"\n")
    else:
        text = chunk(b"iTXt", made + b"\0\0\0\0\0" + b'<x tiff:Orientation="6"/>')
    assert process(png(text)).main_size == (180, 240)


SPECIAL = "This JPEG is of a special kind, as for scans in medicine or print. Please save it anew as a usual JPEG."


@pytest.mark.parametrize(
    ("at", "value", "said"),
    [
        (1, b"\xc3", SPECIAL),
        (4, b"\x0c", SPECIAL),
        (5, b"\0\0", "This JPEG does not say how high it is. Please save it anew."),
    ],
    ids=["lossless", "12 bits", "no height"],
)
def test_a_whole_jpeg_that_cannot_be_shown_is_refused_with_its_reason(at: int, value: bytes, said: str):
    frame = JPEG.index(b"\xff\xc0")
    odd = JPEG[: frame + at] + value + JPEG[frame + at + len(value) :]
    with pytest.raises(InvalidImage) as refusal:
        process(odd)
    assert str(refusal.value) == said


def test_a_png_for_apples_devices_is_refused_with_its_reason():
    packer = zlib.compressobj(wbits=-15)
    body = packer.compress(os.urandom(180 * 721)) + packer.flush()
    data = PNG[:8] + chunk(b"CgBI", b"\x50\0\x20\2") + PNG[8:33] + chunk(b"IDAT", body) + chunk(b"IEND")
    with pytest.raises(InvalidImage, match="in a form that only Apple's devices show"):
        process(data)
