"""The page of figures, docs/benchmarks.md: its sections, and the machine they were measured on."""

import os
import platform
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.config import machine


@dataclass(frozen=True)
class Figure:
    what: str
    goal: str
    value: str


def write_figures(root: Path, heading: str, told: str, figures: Sequence[Figure], *after: str) -> str:
    """Write a section of figures under what is told of the machine, and return its Markdown."""
    rows = [f"| {figure.what} | {figure.goal} | {figure.value} |" for figure in figures]
    body = "\n".join([f"{told}\n", "| figure | goal | measured |", "| --- | --- | --- |", *rows, *after])
    write_section(root / "docs" / "benchmarks.md", heading, body)
    return body


def write_section(page: Path, heading: str, body: str) -> None:
    """Replace the section `## heading` of a page, or add it."""
    text = page.read_text() if page.exists() else "# Benchmarks\n"
    section = f"## {heading}\n\n{body.strip()}\n"
    there = re.compile(rf"^## {re.escape(heading)}\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
    text = there.sub(lambda _: section + "\n", text) if there.search(text) else f"{text.rstrip()}\n\n{section}"
    page.write_text(text.rstrip() + "\n")


def described_machine() -> str:
    names = [line.partition(": ")[2] for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
    load = f"{os.getloadavg()[0]:.0f}"
    python = platform.python_version()
    return f"{machine.processors()} cores of {names[0] if names else platform.machine()}, Python {python}, load {load}."
