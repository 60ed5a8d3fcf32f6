"""The file of variables that [targets.docker] names, read with python-dotenv. What it holds is shown nowhere."""

import io
import re
from collections.abc import Iterator
from pathlib import Path

from dotenv.parser import Binding, parse_stream

from stayput.errors import WrongUse
from stayput.release import Variables
from stayput.secrets import Secret, secret_of
from stayput.text import decode
from stayput.values import misnamed

SETTING = "targets.docker.variables"
ASSIGNMENT = re.compile(r"[ \t]*(?:export[ \t]+)?[A-Z][A-Z0-9_]{2,}=[^=\s]")  # base64 ends with = and nothing else


def read(root: Path, name: str) -> Variables:
    """What the file ROOT/name says. Raises WrongUse, which names the line and never shows a value."""
    try:
        text = decode((root / name).read_bytes())
    except FileNotFoundError:
        raise WrongUse(SETTING, f"{name} is not there", "write it, or unset that") from None
    except OSError as problem:
        raise WrongUse(
            SETTING, f"{name} cannot be read: {problem.strerror}", "name a file of NAME=VALUE lines"
        ) from None
    except ValueError as problem:
        raise WrongUse(name, str(problem), "save it as UTF-8") from None
    found = parse(name, text)
    if not found:
        raise WrongUse(name, "holds no variable", f"write NAME=VALUE lines, or take {SETTING} out of stayput.toml")
    return found


def parse(name: str, text: str) -> Variables:
    """The variables of a file of that name: a value that holds ${...} stays as it is. Raises WrongUse."""
    found: dict[str, Secret] = {}
    lines: dict[str, int] = {}
    for line, binding in _bindings(text):
        where = f"{name}, line {line}"
        if binding.error:
            what = "is not NAME=VALUE, or a quote in it is not closed"
            raise WrongUse(where, what, "write NAME=VALUE, with quotes around a value over several lines")
        if binding.key is None:  # a comment, or nothing
            continue
        if what := misnamed(binding.key):
            raise WrongUse(where, what, "write NAME=VALUE, the name of letters, digits and underscores")
        if binding.value is None:
            raise WrongUse(where, "has no =", "write NAME=VALUE, with quotes around a value over several lines")
        if binding.key == "DATABASE_URL" and not binding.value.strip():
            raise WrongUse(where, "DATABASE_URL is empty", "write the database's address, or take the line out")
        if binding.key in found:
            what = f"{binding.key} is on line {lines[binding.key]}, too"
            raise WrongUse(where, what, "keep one of the two")
        if swallowed := next((n for n, one in enumerate(binding.value.split("\n")) if n and ASSIGNMENT.match(one)), 0):
            what = f"the value of {binding.key} takes in line {line + swallowed}, which sets a variable"
            raise WrongUse(where, what, r"close its quote; write a line end that is meant there as \n in double quotes")
        found[binding.key], lines[binding.key] = secret_of(binding.key, binding.value), line
    return found


def _bindings(text: str) -> Iterator[tuple[int, Binding]]:
    """Each with its own line: python-dotenv counts from the blank lines before it."""
    for binding in parse_stream(io.StringIO(text, newline="")):
        said = binding.original.string
        blank = said[: len(said) - len(said.lstrip())]
        yield binding.original.line + len(re.findall(r"\r\n|\n|\r", blank)), binding
