"""Properties on Pulumi's wire and as plain data. Pure."""

from collections.abc import Mapping
from typing import Any, cast

from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.rpc import (
    UNKNOWN,
    _special_secret_sig,  # pyright: ignore[reportPrivateUsage]
    _special_sig_key,  # pyright: ignore[reportPrivateUsage]
)

from stayput.localcloud.shapes import whole


def plain(properties: Struct) -> dict[str, Any]:
    """Properties as data: secrets in clear, whole numbers as int; what a preview cannot know yet is UNKNOWN."""
    return whole(_clear(MessageToDict(properties)))


def struct(properties: Mapping[str, Any]) -> Struct:
    """Data as properties."""
    message = Struct()
    message.update(properties)
    return message


def has_unknown(value: Any) -> bool:
    """Whether something in it is known only once it is made."""
    match value:
        case dict():
            return any(has_unknown(one) for one in cast(dict[str, Any], value).values())
        case list():
            return any(has_unknown(one) for one in cast(list[Any], value))
        case _:
            return value == UNKNOWN


def _clear(value: Any) -> Any:
    match value:
        case dict():
            members = cast(dict[str, Any], value)
            if members.get(_special_sig_key) == _special_secret_sig:
                return _clear(members["value"])
            return {name: _clear(one) for name, one in members.items()}
        case list():
            return [_clear(one) for one in cast(list[Any], value)]
        case _:
            return value
