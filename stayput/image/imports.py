"""What a site imports, held against what it declares, by deptry. Known before anything is built."""

import ast
import json
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Collection, Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from stayput.errors import StayputError, WrongUse
from stayput.image.inputs import PIN
from stayput.image.inside import normal
from stayput.release import read_lock

# Modules of distributions whose name is another; the tool's environment need not have them.
MODULES = {
    "beautifulsoup4": "bs4",
    "django-cors-headers": "corsheaders",
    "django-debug-toolbar": "debug_toolbar",
    "django-environ": "environ",
    "django-filter": "django_filters",
    "django-imagekit": "imagekit",
    "django-storages": "storages",
    "djangorestframework": "rest_framework",
    "djangorestframework-simplejwt": "rest_framework_simplejwt",
    "mysqlclient": "MySQLdb",
    "opencv-python-headless": "cv2",
    "pillow": "PIL",
    "pillow-heif": "pillow_heif",
    "protobuf": "google",
    "psycopg2-binary": "psycopg2",
    "pyjwt": "jwt",
    "python-dateutil": "dateutil",
    "python-decouple": "decouple",
    "python-dotenv": "dotenv",
    "python-json-logger": "pythonjsonlogger",
    "python-magic": "magic",
    "pyyaml": "yaml",
    "scikit-learn": "sklearn",
    "sentry-sdk": "sentry_sdk",
}
# The tool's own, and tests, which are for those who have more than the release: regular expressions of paths.
EXCLUDED = r"stayput/|(.*/)?(tests?/|conftest\.py|tests?\.py|test_[^/]*\.py|[^/]*_tests?\.py)"
SETTINGS = "pyproject.toml, [tool.deptry]"


def declared(lock: str) -> tuple[str, ...]:
    """The distributions of a compiled requirements file that its source asks for; all, where it does not say."""
    blocks = re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE)
    pinned = [(match[1], _asked_by(block)) for block in blocks if (match := PIN.match(block))]
    sourced, names = any(by for _, by in pinned), {normal(name) for name, _ in pinned}
    return tuple(name for name, by in pinned if not sourced or any(normal(one) not in names for one in by))


def _asked_by(block: str) -> list[str]:
    comments = [line.strip(" #") for line in block.splitlines() if line.startswith("    #")]
    return [line.removeprefix("via").strip() for line in comments if line.removeprefix("via").strip()]


def look_at_imports(sources: Path, requirements: str, root: Path) -> None:
    """Raises WrongUse when a file in `sources` imports what the compiled `requirements` of `root` do not declare.

    `[tool.deptry]` in pyproject.toml may name modules of distributions and imports to leave alone, as deptry does.
    """
    lock = read_lock(root, requirements)
    names = {normal(name) for name, _, _ in PIN.findall(lock)}
    found = list(_undeclared(sources, declared(lock), names, _settings(root)))
    if found:
        more = f"; and {len(found) - 1} more" if len(found) > 1 else ""
        where, what = found[0]
        next_step = f"declare the package that brings it, compile {requirements}; or name it in {SETTINGS}"
        raise WrongUse(where, what + more, next_step)


def _settings(root: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads((root / "pyproject.toml").read_text()).get("tool", {}).get("deptry", {})
    except FileNotFoundError:
        return {}
    except tomllib.TOMLDecodeError as problem:
        raise WrongUse("pyproject.toml", f"is not TOML: {problem}", "mend that line") from None


def _undeclared(
    sources: Path, names: tuple[str, ...], locked: Collection[str], settings: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    """("file:line", what is imported there) for each import that none of those distributions brings.

    One that may be of a declared distribution whose modules are not known here is left to the build, which has it.
    """
    modules: Mapping[str, Any] = MODULES | dict(settings.get("package_module_name_map", {}))
    ignored: Mapping[str, Any] = settings.get("per_rule_ignores", {})
    with tempfile.TemporaryDirectory(prefix="stayput-") as folder:
        wanted, report = Path(folder, "declared.txt"), Path(folder, "report.json")
        wanted.write_text("".join(f"{name}\n" for name in names))
        command = [sys.executable, "-m", "deptry", ".", "--no-ansi", "--config", str(Path(folder, "none.toml"))]
        command += [
            "--requirements-files",
            str(wanted),
            "--json-output",
            str(report),
            "--ignore",
            "DEP002,DEP004,DEP005",
        ]
        command += ["--extend-exclude", EXCLUDED, "--package-module-name-map", _mapping(modules)]
        for own in {path.stem for path in sources.rglob("*") if path.is_dir() or path.suffix == ".py"}:
            command += ["--known-first-party", own]
        if ignored:
            command += ["--per-rule-ignores", _mapping(ignored)]
        done = subprocess.run(command, cwd=sources, capture_output=True, text=True, check=False)
        if not report.exists():
            said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise StayputError("deptry", f"could not look at the imports: {said}", f"look at {SETTINGS}")
        findings: list[dict[str, Any]] = json.loads(report.read_text())
    unknown = bool(findings) and any(name.lower() not in modules and not _is_installed(name) for name in names)
    for finding in sorted(findings, key=lambda one: (one["location"]["file"], one["location"]["line"] or 0)):
        file, line, module = finding["location"]["file"], finding["location"]["line"], finding["module"]
        if line in _optional(sources / file):
            continue
        if finding["error"]["code"] == "DEP001" and unknown and normal(module) not in locked:
            continue
        yield f"{file}:{line}", f"imports {module}, which nothing declares"


def _is_installed(name: str) -> bool:
    try:
        return bool(metadata.distribution(name))
    except metadata.PackageNotFoundError:
        return False


def _optional(file: Path) -> set[int]:
    """The lines of imports that the file does without: whose failure it catches, or that are for type checkers."""
    lines: set[int] = set()
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Try | ast.If) and _is_dispensable(node):
            lines.update(line for one in node.body for line in range(one.lineno, (one.end_lineno or one.lineno) + 1))
    return lines


def _is_dispensable(node: ast.Try | ast.If) -> bool:
    if isinstance(node, ast.If):
        return "TYPE_CHECKING" in ast.unparse(node.test)
    return any(_catches_import(handler) for handler in node.handlers)


def _catches_import(handler: ast.ExceptHandler) -> bool:
    said = ast.unparse(handler.type) if handler.type else "Exception"
    return any(name in said for name in ("ImportError", "ModuleNotFoundError", "Exception"))


def _mapping(table: Mapping[str, Any]) -> str:
    """As deptry's command line takes it: a=b|c,d=e."""
    pairs = ((name, [value] if isinstance(value, str) else value) for name, value in table.items())
    return ",".join(f"{name}={'|'.join(values)}" for name, values in pairs)
