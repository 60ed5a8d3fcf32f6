"""The same data under two names: properties as Pulumi's provider spells them, and as the AWS API does. Pure."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, cast

# The provider's property → the member of the AWS structure, with the inner shape if it is a structure itself.
Shape = Mapping[str, "str | tuple[str, Shape]"]


def to_aws(shape: Shape, properties: Mapping[str, Any]) -> dict[str, Any]:
    """Properties of that shape as an AWS structure."""
    structure: dict[str, Any] = {}
    for name, value in properties.items():
        member, inner = _member(shape[name])
        structure[member] = _each(value, partial(to_aws, inner)) if inner else value
    return structure


def from_aws(shape: Shape, structure: Mapping[str, Any]) -> dict[str, Any]:
    """An AWS structure as properties; members that the shape does not know are left out."""
    properties: dict[str, Any] = {}
    for name, target in shape.items():
        member, inner = _member(target)
        if member in structure:
            value = structure[member]
            properties[name] = _each(value, partial(from_aws, inner)) if inner else value
    return properties


def unknown(shape: Shape, properties: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """The paths of properties that the shape does not know: "rules[0].transitions"."""
    for name, value in properties.items():
        if name not in shape:
            yield path + name
            continue
        inner = _member(shape[name])[1]
        if inner and isinstance(value, list):
            for index, one in enumerate(cast(list[Mapping[str, Any]], value)):
                yield from unknown(inner, one, f"{path}{name}[{index}].")
        elif inner:
            yield from unknown(inner, value, f"{path}{name}.")


def whole(value: Any) -> Any:
    """The value with every 3600.0 as 3600: on Pulumi's wire all numbers are floats, and AWS takes none of them."""
    match value:
        case float() if value.is_integer():
            return int(value)
        case list():
            return [whole(one) for one in cast(list[Any], value)]
        case dict():
            return {name: whole(one) for name, one in cast(dict[str, Any], value).items()}
        case _:
            return value


def _member(target: "str | tuple[str, Shape]") -> tuple[str, Shape]:
    return (target, {}) if isinstance(target, str) else target


def _each(value: Any, convert: Any) -> Any:
    return [convert(one) for one in cast(list[Any], value)] if isinstance(value, list) else convert(value)
