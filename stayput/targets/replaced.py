"""What a run wrote over at a provider, to be put back where its own value is still there."""

from collections.abc import Callable, Iterable, Mapping

from stayput.release import Variables
from stayput.secrets import Secret, plain


class Replaced:
    def __init__(self, fingerprint: Callable[[str], str]) -> None:
        self._fingerprint = fingerprint
        self._before: dict[str, Secret | None] = {}  # None: was not there
        self._wrote: dict[str, str] = {}  # fingerprints

    def __bool__(self) -> bool:
        return bool(self._before)

    def __contains__(self, name: str) -> bool:
        return name in self._before

    def note(self, values: Variables, there: Mapping[str, Secret]) -> None:
        """These values are about to be written over what is there."""
        for name, value in values.items():
            self._before[name] = there.get(name)
            self._wrote[name] = self._fingerprint(plain(value))

    def forget(self, names: Iterable[str]) -> None:
        for name in tuple(names):
            self._before.pop(name, None)
            self._wrote.pop(name, None)

    def forget_all(self) -> None:
        self._before.clear()
        self._wrote.clear()

    def own(self, there: Mapping[str, Secret], unreadable: Secret | None = None) -> dict[str, Secret | None]:
        """What was there before, by name, of the values that are unchanged since.

        unreadable: stands for a value that the provider does not give; where it did not before, it counts as unchanged.
        """
        return {
            name: value
            for name, value in self._before.items()
            if name in there
            and (value is unreadable if there[name] is unreadable else self._wrote_this(name, there[name]))
        }

    def _wrote_this(self, name: str, value: Secret) -> bool:
        return self._fingerprint(value.value) == self._wrote[name]
