"""A provider's answers as its file reads them: what is not in the API's description is an error in one line."""

import functools
from collections.abc import Callable
from typing import Any, Protocol, TypeVar, cast

from stayput.targets.http import Api


class _Asks(Protocol):
    api: Api


P = TypeVar("P", bound=type)


def understood(provider: P) -> P:
    """The class of a provider, whose public methods raise StayputError for answers of another shape.

    They raise Unsure where a call that must not be repeated was answered so: it may have had its effect.
    """
    for name, member in list(vars(provider).items()):
        if callable(member) and not name.startswith("_"):
            setattr(provider, name, _guarded(cast("Callable[..., Any]", member)))
    return provider


def _guarded(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def ask(self: _Asks, *given: Any, **named: Any) -> Any:
        try:
            return method(self, *given, **named)
        except (LookupError, TypeError, ValueError, AttributeError) as problem:
            raise self.api.strange(problem) from problem

    return ask
