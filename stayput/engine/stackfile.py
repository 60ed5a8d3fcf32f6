"""Pulumi.yaml and Pulumi.<stack>.yaml, read as an engine hands them to the program."""

import json
from pathlib import Path
from typing import Any, cast

import yaml

from stayput.errors import WrongUse
from stayput.stack import Stack
from stayput.text import printable


def project_name(root: Path) -> str:
    """The project's name in Pulumi.yaml. Raises WrongUse."""
    name = mapping(root / "Pulumi.yaml").get("name")
    if not isinstance(name, str) or not name:
        raise WrongUse("Pulumi.yaml", "has no name", 'give the project one: "name: gallery"')
    return name


def config(stack: Stack, *, encrypted: bool = False) -> dict[str, str]:
    """The stack's config: full keys, values as text, lists and mappings as JSON. Raises WrongUse.

    encrypted: whether the engine reads encrypted values; they are then left as they are.

    Source: how `pulumi up` passes it (PULUMI_CONFIG); a key without a namespace belongs to the project.
    """
    file = stack.settings
    if not file.exists():
        raise WrongUse(
            f"stack {stack.name}",
            f"there is no {file.name}",
            "write one as Pulumi.local.yaml is, or name another stack",
        )
    found: object = mapping(file).get("config") or {}
    if not isinstance(found, dict):
        raise WrongUse(file.name, "config is not a mapping", 'write one setting a line: "stayput:mode: public"')
    project = project_name(stack.root)
    for key in cast(dict[object, object], found):
        if not isinstance(key, str):
            raise WrongUse(file.name, f"{key!r} is not a key", "write keys such as stayput:mode")
    return {
        key if ":" in key else f"{project}:{key}": _text(file.name, key, value, encrypted)
        for key, value in cast(dict[str, Any], found).items()
    }


def _text(file: str, key: str, value: Any, encrypted: bool) -> str:
    match value:
        case str():
            return value
        case None:
            raise WrongUse(f"{file}, {key}", "has no value", "give it one, or remove the line")
        case {"secure": str(cipher)} if encrypted:
            return cipher
        case {"secure": _}:
            raise WrongUse(f"{file}, {key}", "is encrypted, which only Pulumi's engine reads", "write it plainly")
        case _:
            try:
                return json.dumps(value, allow_nan=False)
            except (TypeError, ValueError, RecursionError):  # a date, a set, an alias to itself
                raise WrongUse(
                    f"{file}, {printable(key)}", "is neither text nor a list", "put quotes around it"
                ) from None


def mapping(path: Path) -> dict[str, Any]:
    """What a file of YAML says. Raises WrongUse for one that says no mapping, or a key twice."""
    try:
        found: object = yaml.load(path.read_bytes(), Loader=_Once)
    except FileNotFoundError:
        raise WrongUse(path.name, "is not there", "run this from a checkout of the project") from None
    except OSError as problem:
        raise WrongUse(
            path.name, f"cannot be read: {problem.strerror}", "have a file there that you may read"
        ) from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        what = f"is not YAML: {printable(str(error.problem))}"
        raise WrongUse(f"{path.name}, line {line}", what, "correct that line") from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise WrongUse(path.name, "is not a text file in YAML", "write it anew") from None
    if not isinstance(found, dict):
        raise WrongUse(path.name, "is not a mapping", "write one key a line") from None
    return cast(dict[str, Any], found)


class _Once(yaml.SafeLoader):
    """Of two keys that are the same, YAML's other readers take the last without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[object] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(None, None, f"{key.value} is there twice", key.start_mark)
                seen.add(key.value)
        return super().construct_mapping(node, deep)
