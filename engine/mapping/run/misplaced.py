"""Notes values that the rules do not see, and that would be lost without a note."""

from collections.abc import Iterator
from dataclasses import dataclass

from sfmap.engine.mapping.run.compiled_source import Path, Walk
from sfmap.engine.mapping.values.event import MISSING, normal_key
from sfmap.engine.mapping.values.record import Event, Json, Note
from sfmap.engine.mapping.values.values import holds_value, shown

WANTED: dict[type, str] = {dict: "an object", list: "a list"}
"""The kinds of value that have members."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A path whose members the rules read, and that no rule reads as a whole.

    Of a value of another kind, such as a text instead of an object, they see nothing.
    """

    path: Path
    kinds: tuple[type, ...]
    """The kinds of value with such members: an object for names, a list for numbers."""
    walk: Walk

    def note(self, event: Event) -> Note | None:
        """A note if there is another kind of value."""
        value = self.walk(event)
        if value is MISSING or isinstance(value, self.kinds) or not holds_value(value):
            return None
        wanted = " or ".join(WANTED[kind] for kind in self.kinds)
        return Note(".".join(map(str, self.path)), f"left out: {_kind(value)} where {wanted} is read")


def _kind(value: object) -> str:
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else "a list"
    return "true or false" if isinstance(value, bool) else "a text" if isinstance(value, str) else "a number"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spellings:
    """The keys that rules read of one object of the event.

    Of a trait in several spellings they read one; the others are lost.
    """

    path: Path
    names: dict[str, tuple[str, ...]]
    """The names of the keys in rules, by normal form."""
    walk: Walk

    def notes(self, event: Event) -> Iterator[Note]:
        """Notes on the traits that no rule sees because it reads another spelling."""
        for key, read in self._lost(event):
            yield Note(".".join(map(str, (*self.path, shown(key)))), f"left out: {shown(read)} is the same trait")

    def paths(self, event: Event) -> Iterator[Path]:
        """The paths of these traits."""
        return ((*self.path, key) for key, _ in self._lost(event))

    def _lost(self, event: Event) -> Iterator[tuple[str, str]]:
        """The keys whose values no rule sees, each with the spelling that is read."""
        table = self.walk(event)
        if not isinstance(table, dict):
            return
        for normal, keys in self._spelt(table):
            read = {next((key for key in keys if key == name), keys[0]) for name in self.names[normal]}
            first = next(key for key in keys if key in read)
            known = [repr(table[key]) for key in read]
            for key in keys:
                if key not in read and repr(table[key]) not in known and holds_value(table[key]):
                    yield key, first

    def _spelt(self, table: dict[str, Json]) -> Iterator[tuple[str, list[str]]]:
        """The groups of several keys that are the same to the rules."""
        spelt: dict[str, list[str]] = {}
        for key in table:
            normal = normal_key(key)
            if normal in self.names:
                spelt.setdefault(normal, []).append(key)
        return ((normal, keys) for normal, keys in spelt.items() if len(keys) > 1)
