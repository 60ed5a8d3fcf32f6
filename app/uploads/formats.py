"""What a file is that is no picture we take, by its first bytes, said to the person who sent it."""

import codecs

from app.uploads.caps import FRAMES, jpeg_markers

TAKEN = "JPEG, PNG, WEBP, GIF, AVIF or HEIC"

SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"%PDF", "This is a PDF, not a photo."),
    (0, b"II*\0", f"This is a TIFF picture. Please send it as {TAKEN}."),
    (0, b"MM\0*", f"This is a TIFF picture. Please send it as {TAKEN}."),
    (0, b"II+\0", f"This is a TIFF picture. Please send it as {TAKEN}."),
    (0, b"BM", f"This is a BMP picture. Please send it as {TAKEN}."),
    (0, b"\0\0\1\0", f"This is an icon. Please send a photo as {TAKEN}."),
    (0, b"8BPS", f"This is a Photoshop file. Please send the photo as {TAKEN}."),
    (0, b"\xff\x0a", f"This is a JPEG XL picture. Please send it as {TAKEN}."),
    (4, b"JXL ", f"This is a JPEG XL picture. Please send it as {TAKEN}."),
    (4, b"jP  ", f"This is a JPEG 2000 picture. Please send it as {TAKEN}."),
    (0, b"\xff\x4f\xff\x51", f"This is a JPEG 2000 picture. Please send it as {TAKEN}."),
    (4, b"ftypcrx", f"This is a camera's raw file. Please send the photo as {TAKEN}."),
    (0, b"%!PS", "This is a PostScript file, not a photo."),
    (0, b"PK\3\4", "This is a ZIP archive or an office document, not a photo."),
    (0, b"PK\5\6", "This is a ZIP archive or an office document, not a photo."),
    (0, b"\xd0\xcf\x11\xe0", "This is an office document, not a photo."),
    (0, b"7z\xbc\xaf", "This is a 7z archive, not a photo."),
    (0, b"Rar!", "This is a RAR archive, not a photo."),
    (0, b"\x1f\x8b", "This is a compressed file, not a photo."),
    (0, b"\x7fELF", "This is a program, not a photo."),
    (0, b"MZ", "This is a program, not a photo."),
    (0, b"ID3", "This is a sound, not a photo."),
    (0, b"\xff\xfb", "This is a sound, not a photo."),
    (4, b"ftypM4A", "This is a sound, not a photo."),
    (4, b"moov", "This is a video, not a photo."),
    (4, b"mdat", "This is a video, not a photo."),
    (4, b"wide", "This is a video, not a photo."),
    (0, b"OggS", "This is a sound or a video, not a photo."),
    (0, b"\x1aE\xdf\xa3", "This is a video, not a photo."),
    (8, b"AVI ", "This is a video, not a photo."),
    (8, b"WAVE", "This is a sound, not a photo."),
)
BRANDS = {b"avif": "AVIF", b"avis": "AVIF", b"mif1": "HEIC", b"msf1": "HEIC"}
BRANDS |= dict.fromkeys((b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis"), "HEIC")
SHOWN_PROCESSES = (0xC0, 0xC1, 0xC2, 0xC9, 0xCA)  # of a JPEG's frame: sequential and progressive
BROKEN = ((0, b"\xff\xd8", "JPEG"), (0, b"\x89PNG", "PNG"), (0, b"GIF8", "GIF"), (8, b"WEBP", "WEBP"))


def describe(data: bytes) -> str:
    """A sentence on what this is instead of a picture."""
    for at, signature, sentence in SIGNATURES:
        if data.startswith(signature, at):
            return sentence
    if data[4:8] == b"ftyp":
        return damaged(BRANDS[data[8:12]]) if data[8:12] in BRANDS else "This is a video, not a photo."
    for at, signature, name in BROKEN:
        if data.startswith(signature, at):
            return damaged(name)
    beginning = data[:4096]
    if b"<svg" in beginning:
        return f"This is an SVG drawing, not a photo. Please send it as {TAKEN}."
    if b"<html" in beginning.lower() or b"<!doctype html" in beginning.lower():
        return "This is a web page, not a photo."
    if is_text(beginning):
        return "This is a text file, not a photo."
    return f"This is not a picture of a kind that is taken. Please send it as {TAKEN}."


def unusual_jpeg(data: bytes) -> str | None:
    """A sentence on a JPEG that may be whole, and is of a kind that browsers do not show either."""
    frame = next((at for kind, at in jpeg_markers(data) if kind in FRAMES), None) if data[:2] == b"\xff\xd8" else None
    if frame is None or len(data) < frame + 8:
        return None
    if data[frame - 1] not in SHOWN_PROCESSES or data[frame + 2] != 8 or data[frame + 7] not in (1, 3, 4):
        return "This JPEG is of a special kind, as for scans in medicine or print. Please save it anew as a usual JPEG."
    if data[frame + 3 : frame + 5] == b"\0\0":
        return "This JPEG does not say how high it is. Please save it anew."
    return None


def damaged(name: str) -> str:
    return f"This {name} picture is damaged, or was cut off on its way. Please send it again."


CUT_OFF = "The picture is damaged, or was cut off on its way. Please send it again."


def is_text(beginning: bytes) -> bool:
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(beginning)  # it may be cut inside the last character
    except UnicodeDecodeError:
        return False
    return bool(text) and all(character.isprintable() or character in "\r\n\t\f" for character in text)
