"""Text files as editors save them: UTF-8 with or without a byte-order mark, or UTF-16 with one."""

import codecs

ENCODINGS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def decode(content: bytes) -> str:
    """The text without its byte-order mark. Raises ValueError, which names the line and shows nothing of it."""
    encoding = next((name for mark, name in ENCODINGS.items() if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as problem:
        line = content.count(b"\n", 0, problem.start) + 1
        raise ValueError(f"line {line} is not {encoding.removesuffix('-sig').upper()}") from None
    if "\0" in text:
        raise ValueError(f"line {text[: text.index(chr(0))].count(chr(10)) + 1} holds a NUL byte")
    return text


def printable(text: str) -> str:
    r"""A name from anywhere in one line that can be shown: bytes that are not UTF-8 as \xe9, line ends as \n."""
    whole = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in whole)
