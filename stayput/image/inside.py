"""What is run inside an image, while it is built and again to attest it. The standard library, and nothing else.

In one file, since an attestation hands it whole to the interpreter of the image.

inside.py dependencies LOCK      exit 1 unless what is installed is what the lock says, and all of it can be imported;
                                 says how many there are, and the lock's digest, for readers of a build's log alone
inside.py site LOCK VARIABLES    exit 1 unless every module of the site can be imported; compiles it, and collects its
                                 static files; where it cannot, what is wrong with the dependencies is said first
inside.py report CHECK...        those checks as one JSON document; STAYPUT_LOCK holds the lock
"""

import ast
import contextlib
import gc
import hashlib
import importlib
import importlib.metadata
import json
import operator
import os
import platform
import py_compile
import re
import runpy
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

SITE = Path("/app")
PARTS_OF = {"psycopg_binary": "psycopg", "psycopg_c": "psycopg"}  # modules that only their owner can import
SERVED = {"uwsgidecorators"}  # modules that only a running server of theirs can import
UNREADY = ("ImproperlyConfigured", "AppRegistryNotReady")  # what a part of Django's says that waits for a site
LOCKED = "distributions as locked"  # what the log of a build is searched for
TESTS = r"(^|\.)(tests?|conftest|test_\w+|\w+_tests?)(\.|$)"  # names of modules that a running site does not import
COMPILERS = ("cc", "gcc", "g++", "clang", "make", "ld")


def pins(lock: str, environment: Mapping[str, str]) -> dict[str, str]:
    """The distributions that a compiled requirements file means for that environment: name → version."""
    found: dict[str, str] = {}
    for line in lock.splitlines():
        if match := re.match(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;\\]+)\s*(?:;\s*([^\\]+))?", line):
            name, version, marker = match.groups()
            if marker is None or _holds(ast.parse(marker.strip(), mode="eval").body, environment):
                found[normal(name)] = version
    return found


def environment() -> dict[str, str]:
    """This interpreter as environment markers see it (PEP 508)."""
    return {
        "python_version": ".".join(platform.python_version_tuple()[:2]),
        "python_full_version": platform.python_version(),
        "implementation_name": sys.implementation.name,
        "platform_python_implementation": platform.python_implementation(),
        "os_name": os.name,
        "sys_platform": sys.platform,
        "platform_system": platform.system(),
        "platform_machine": platform.machine(),
        "platform_release": platform.release(),
        "platform_version": platform.version(),
        "extra": "",
    }


def _holds(node: ast.expr, environment: Mapping[str, str]) -> bool:
    """A marker's truth; its grammar is a part of Python's."""
    if isinstance(node, ast.BoolOp):
        each = (_holds(value, environment) for value in node.values)
        return all(each) if isinstance(node.op, ast.And) else any(each)
    if not isinstance(node, ast.Compare):
        raise ValueError(f"a marker that is none: {ast.unparse(node)}")
    sides = [node.left, node.comparators[0]]
    left, right = (environment[s.id] if isinstance(s, ast.Name) else str(ast.literal_eval(s)) for s in sides)
    if isinstance(node.ops[0], ast.In | ast.NotIn):
        return (left in right) == isinstance(node.ops[0], ast.In)
    compare: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
        ast.Eq: operator.eq,
        ast.NotEq: operator.ne,
        ast.Lt: operator.lt,
        ast.LtE: operator.le,
    }
    compare |= {ast.Gt: operator.gt, ast.GtE: operator.ge}
    versions = any(isinstance(s, ast.Name) and s.id.endswith("version") for s in sides)
    key: Callable[[str], object] = _version if versions else str
    return compare[type(node.ops[0])](key(left), key(right))


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", text))


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def unlike_the_lock(lock: str) -> Iterator[str]:
    """A sentence for each distribution that is missing, of another version, or that the lock does not name."""
    wanted, there = pins(lock, environment()), dict(_installed())
    for name, version in wanted.items():
        if name not in there:
            yield f"{name} {version} is not installed, though the lock has it"
        elif there[name] != version:
            yield f"{name} is {there[name]}, but the lock says {version}"
    yield from (f"{name} {there[name]} is installed, but not in the lock" for name in there if name not in wanted)


def _installed() -> Iterator[tuple[str, str]]:
    for distribution in importlib.metadata.distributions(path=[sysconfig.get_path("purelib")]):
        yield normal(distribution.metadata["Name"]), distribution.version


def not_importable_dependencies() -> Iterator[str]:
    """A sentence for each top-level module of a distribution whose import fails."""
    for distribution in importlib.metadata.distributions(path=[sysconfig.get_path("purelib")]):
        tops = {file.parts[0] for file in distribution.files or () if _is_code(file.parts)}
        names = {top.partition(".")[0] for top in tops} - SERVED
        for name, problem in _import_each(sorted(names)):
            if not any(word in problem for word in UNREADY):
                yield f"{distribution.metadata['Name']}: import {name}: {problem}"


def _is_code(parts: tuple[str, ...]) -> bool:
    if parts[0].endswith((".py", ".so")):
        return len(parts) == 1 and parts[0].partition(".")[0].isidentifier()
    return parts[0].isidentifier() and parts[1:2] == ("__init__.py",)


def not_importable_modules() -> Iterator[str]:
    """A sentence for each of the site's modules whose import fails, each imported on its own."""
    return _try_site(made=False)


def _try_site(*, made: bool) -> Iterator[str]:
    """The same, and with `made` what stands against its compiled and its static files, which are made meanwhile."""
    manage = _enter_site()
    gc.disable()  # its rounds take time, and each child would copy what they look at
    files = [path for path in sorted(SITE.rglob("*.py")) if path.relative_to(SITE).parts[0] != "staticfiles"]
    files = [path for path in files if not _is_template(path)]
    beside = [_do_apart("compile", partial(_compile, files))] if made else []
    if manage:
        try:
            _set_django_up(manage)
        except BaseException as problem:
            yield f"{manage.relative_to(SITE)}: Django cannot be set up: {_said(problem)}"
            return
        beside += [_do_apart("collectstatic", _collect_static)] if made else []
    names = [name for path in files if (name := _module(path))]
    _load_from_elsewhere(files, {name.partition(".")[0] for name in names})
    for name, problem in _import_each(name for name in names if name != "__main__" and name not in sys.modules):
        if not _is_unused(name, problem):
            yield f"import {name}: {problem}"
    for child in beside:
        yield from (f"{name}: {problem}" for name, problem in _outcome(*child))


def _is_template(file: Path) -> bool:
    """Whether it is Python by its name alone, as a template is: what is in a package has to be Python."""
    if str(file.parent) in sys.path or (file.parent / "__init__.py").exists():
        return False
    try:
        ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):
        return True
    return False


def _module(file: Path) -> str:
    """The module that a file is, under the folder of sys.path where its packages were loaded, else under the nearest.

    Empty for what no import can name, such as gunicorn.conf.py.
    """
    under = sorted((path for path in map(Path, sys.path) if file.is_relative_to(path)), reverse=True)
    ways = [file.relative_to(path).with_suffix("").parts for path in under]
    ways = [way[:-1] if way[-1] == "__init__" else way for way in ways if "." not in way[-1]]
    ways = [way for way in ways if way and all(part.isidentifier() for part in way[:-1])]
    return ".".join(max(ways, key=_loaded, default=()))


def _loaded(way: tuple[str, ...]) -> int:
    return sum(".".join(way[: end + 1]) in sys.modules for end in range(len(way)))


def _compile(files: Iterable[Path]) -> str:
    for file in files:
        py_compile.compile(str(file), doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    return ""


def _is_unused(name: str, problem: str) -> bool:
    """Whether a module is of no use here for want of another: a test, or of the tool for a storage that is not used."""
    missing = re.match(r"ModuleNotFoundError: No module named '(?!stayput)", problem)
    return bool(missing) and bool(re.search(TESTS, name) or name.startswith("stayput."))


def _load_from_elsewhere(files: Iterable[Path], own: Collection[str]) -> None:
    """Have what the site imports of others loaded once, before it is tried: what fails is named by who imports it."""
    for path in files:
        with contextlib.suppress(SyntaxError, ValueError):
            for name in _imported(ast.parse(path.read_bytes())):
                if name.partition(".")[0] not in own:
                    with contextlib.suppress(BaseException):
                        importlib.import_module(name)


def _imported(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def _collect_static() -> str:
    apps: Any = importlib.import_module("django.apps").apps
    setting: Any = importlib.import_module("django.conf").settings
    if apps.is_installed("django.contrib.staticfiles") and setting.STATIC_ROOT:
        management: Any = importlib.import_module("django.core.management")
        management.call_command("collectstatic", interactive=False, verbosity=0)
    return ""


def _enter_site() -> Path | None:
    """Have modules found as the site's own commands find them. Its manage.py, if it has one."""
    settings = json.loads((SITE / "stayput-start.json").read_text())
    os.chdir(SITE)
    words = [word.rpartition("=")[2] for word in shlex.split(settings["start"])]
    scripts = [*(words[1:2] if words[:1] in (["python"], ["python3"]) else []), settings["manage"]]
    folders = [SITE, *(SITE / word for word in words if not word.startswith("/"))]  # gunicorn --chdir src
    folders += [(SITE / script).parent for script in scripts if script]
    for folder in folders:
        if folder.is_dir() and str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
    return SITE / settings["manage"] if settings["manage"] else None


def _set_django_up(manage: Path) -> None:
    """By manage.py itself, which may set more than its settings: it is run, up to the command."""
    django: Any = importlib.import_module("django")
    management: Any = importlib.import_module("django.core.management")
    execute = management.execute_from_command_line
    management.execute_from_command_line = lambda argv=None: django.setup()  # pyright: ignore
    arguments, sys.argv = sys.argv, [str(manage), "check"]
    try:
        runpy.run_path(str(manage), run_name="__main__")
        django.setup()
    finally:
        management.execute_from_command_line, sys.argv = execute, arguments


def _import_each(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(name, what was raised) of those that cannot be imported; each in a process of its own, as many as cores."""
    under_way: deque[tuple[str, int, int]] = deque()
    for name in names:
        if len(under_way) == os.cpu_count():
            yield from _outcome(*under_way.popleft())
        under_way.append(_do_apart(name, partial(_import, name)))
    for child in under_way:
        yield from _outcome(*child)


def _import(name: str) -> str:
    importlib.import_module(PARTS_OF.get(name, name))
    importlib.import_module(name)
    return ""


def _do_apart(name: str, work: Callable[[], str]) -> tuple[str, int, int]:
    """(name, process, where it writes what is wrong) of a child that does that work, which says it or raises."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        try:
            said = work()
        except BaseException as problem:
            said = _said(problem)
        os.write(write, said.encode()[:4000])
        os._exit(0)
    os.close(write)
    return name, child, read


def _outcome(name: str, child: int, read: int) -> Iterator[tuple[str, str]]:
    with os.fdopen(read, "rb") as pipe:
        said = pipe.read().decode(errors="replace")
    _, status = os.waitpid(child, 0)
    if said or status:
        yield name, said or f"the interpreter died with {status}"


def _said(problem: BaseException) -> str:
    text = " ".join(str(problem).split())
    return f"{type(problem).__name__}: {text}" if text else type(problem).__name__


def missing_libraries() -> Iterator[str]:
    """A sentence for each shared library that an installed extension needs and the image does not have."""
    home = Path(sysconfig.get_path("purelib"))
    extensions = [str(path) for path in sorted(home.rglob("*.so*"))]
    if not extensions:
        return
    # Wheels bring libraries that only the extension beside them finds: a library known by any of them is there.
    brought = {Path(path).name for path in extensions}
    done = subprocess.run(["ldd", *extensions], capture_output=True, text=True, check=False)
    current = ""
    for line in done.stdout.splitlines():
        if not line.startswith("\t"):
            current = line.rstrip(":")
        elif "=> not found" in line and (name := line.split()[0]) not in brought:
            yield f"{name} is missing, which {Path(current).relative_to(home)} loads"


def tools_left() -> Iterator[str]:
    yield from (f"the compiler {path} is in the image" for name in COMPILERS if (path := shutil.which(name)))
    yield from (f"{path} is a cache in the image" for path in (Path("/root/.cache"), Path("/uv")) if path.exists())


def unfit_to_deploy() -> Iterator[str]:
    """What Django's own `check --deploy` calls an error."""
    yield from (problem for _, problem in _outcome(*_do_apart("check", _check_to_deploy)))


def _check_to_deploy() -> str:
    manage = _enter_site()
    if manage is None:
        return ""
    _set_django_up(manage)
    run_checks: Any = importlib.import_module("django.core.checks").run_checks
    found = [one for one in run_checks(include_deployment_checks=True) if one.is_serious() and not one.is_silenced()]
    return "; ".join(" ".join(f"({one.id}) {one.msg}".split()) for one in found)


CHECKS: Mapping[str, Callable[[], Iterator[str]]] = {
    "distributions": lambda: unlike_the_lock(os.environ["STAYPUT_LOCK"]),
    "dependencies": not_importable_dependencies,
    "native libraries": missing_libraries,
    "modules": not_importable_modules,
    "tools": tools_left,
    "check --deploy": unfit_to_deploy,
}


def main(command: str, *arguments: str) -> int:
    if command == "report":
        found = {name: list(CHECKS[name]()) for name in arguments}
        sys.stdout.write(json.dumps({"problems": found, "installed": dict(_installed())}))
        return 0
    problems = (_verify_dependencies if command == "dependencies" else _verify_site)(*arguments)
    for problem in problems:
        sys.stderr.write(f"stayput: {problem}\n")
    return 1 if problems else 0


def _verify_site(locked: str, variables: str) -> list[str]:
    os.environ.update(json.loads(Path(variables).read_text()))
    problems = [*_try_site(made=True)]
    if problems:  # tried beside the dependencies, it stumbles over what they lack
        again = [sys.executable, "-B", __file__, "dependencies", locked]
        subprocess.run(again, stdout=subprocess.DEVNULL, check=False)
    return problems


def _verify_dependencies(locked: str) -> list[str]:
    lock = Path(locked).read_text()
    problems = [*unlike_the_lock(lock), *not_importable_dependencies(), *missing_libraries()]
    if not problems:
        digest = hashlib.sha256(lock.encode()).hexdigest()
        sys.stdout.write(f"{len(dict(_installed()))} {LOCKED}, sha256 {digest}\n")
    return problems


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
