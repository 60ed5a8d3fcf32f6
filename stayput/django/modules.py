"""Which modules the project's own code imports, and which of them are not there. Reads sources, imports none."""

import ast
import importlib.util
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from django.apps import AppConfig, apps

# What brings a module whose package has another name.
PACKAGES = {
    "magic": "python-magic, and the system library libmagic1",
    "PIL": "Pillow",
    "storages": "django-storages[s3]",
    "imagekitio": "imagekitio>=5,<6",
}


@dataclass(frozen=True)
class Import:
    """One import of the project's own code: the top-level module it needs, and where it stands."""

    module: str
    file: Path
    line: int


def needed_by(source: str) -> Iterator[tuple[str, int]]:
    """(top-level module, line) of every import that has to succeed: what a `try` or TYPE_CHECKING guards does not."""
    waiting: list[ast.AST] = [ast.parse(source)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            yield from ((name.name.partition(".")[0], node.lineno) for name in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module.partition(".")[0], node.lineno
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += node.orelse
        elif not isinstance(node, ast.Try):
            waiting += ast.iter_child_nodes(node)


def imports(setting: Any) -> Iterator[Import]:
    """The imports of the project's own apps, settings and addresses; tests and migrations left out."""
    for folder in sorted(own_folders(setting)):
        for file in sorted(folder.rglob("*.py")):
            if not {"tests", "migrations", "node_modules"} & set(file.relative_to(folder).parts):
                try:
                    yield from (Import(module, file, line) for module, line in needed_by(file.read_text("utf-8")))
                except (SyntaxError, ValueError, OSError):
                    continue  # Python will say so better when it gets there


def own_folders(setting: Any) -> set[Path]:
    configs = cast("Iterable[AppConfig]", apps.get_app_configs())
    folders = {Path(app.path) for app in configs if app.label != "stayput"}
    for name in (getattr(setting, "SETTINGS_MODULE", ""), getattr(setting, "ROOT_URLCONF", "")):
        if name and "." in name and (file := import_module(name.rpartition(".")[0]).__file__):
            folders.add(Path(file).parent)
    return {folder for folder in folders if is_own(folder)}


def is_own(path: Path) -> bool:
    return not {"site-packages", "dist-packages"} & set(path.parts)


def is_there(module: str) -> bool:
    """Whether a top-level module can be found; it is not imported."""
    try:
        return importlib.util.find_spec(module) is not None
    except ValueError:  # it is running, as __main__
        return True


def missing(imports: Iterable[Import]) -> list[Import]:
    """The first import of each module that is not there."""
    found: dict[str, Import] = {}
    for one in imports:
        if one.module not in found and not is_there(one.module):
            found[one.module] = one
    return list(found.values())


def said(one: Import) -> str:
    return f"{shown(one.file)}, line {one.line}, imports {one.module}, which is not installed"


def remedy(module: str) -> str:
    return f"add {PACKAGES.get(module, module)} to what the site is built from"


def explained(problem: ImportError) -> str:
    """An import that failed at the start, in one line that names the project's own file."""
    module = (problem.name or "").partition(".")[0]
    own = [frame for frame in traceback.extract_tb(problem.__traceback__) if is_own(Path(frame.filename))]
    own = [frame for frame in own if not frame.filename.startswith("<")]
    if not isinstance(problem, ModuleNotFoundError) or not own or is_there(module):
        return f"{type(problem).__name__}: {problem}"
    one = Import(module, Path(own[-1].filename), own[-1].lineno or 0)
    return f"{said(one)}. Next: {remedy(module)}"


def shown(file: Path) -> str:
    try:
        return str(file.relative_to(Path.cwd()))
    except ValueError:
        return str(file)
