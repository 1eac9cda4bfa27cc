"""Notes values of another kind than the rules read: a single value instead of an object or list, or vice versa.

The rules see nothing there, so the value would be lost without a note.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sfmap.engine.mapping.compile.source_paths import Path, is_below, path_walker
from sfmap.engine.mapping.values.event import MISSING, normal_key
from sfmap.engine.mapping.values.record import Event, Json, Note
from sfmap.engine.mapping.values.values import holds_value

_WANTED: dict[type, str] = {dict: "an object", list: "a list"}


@dataclass(frozen=True, slots=True)
class Holder:
    """A path whose members the rules read, and that no rule reads as a whole."""

    path: Path
    kinds: tuple[type, ...]
    """The kinds of value with such members: an object for names, a list for numbers."""
    walk: Callable[[Event], Json | object]

    def note(self, event: Event) -> Note | None:
        """A note if there is another kind of value."""
        value = self.walk(event)
        if value is MISSING or isinstance(value, self.kinds) or not holds_value(value):
            return None
        wanted = " or ".join(_WANTED[kind] for kind in self.kinds)
        return Note(".".join(map(str, self.path)), f"left out: {_kind(value)} where {wanted} is read")


def _kind(value: object) -> str:
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else "a list"
    return "true or false" if isinstance(value, bool) else "a text" if isinstance(value, str) else "a number"


def compile_holders(reads: Iterable[Path], as_a_whole: Iterable[Path]) -> tuple[Holder, ...]:
    """The paths above those that are read, without those read or excluded as a whole."""
    wholes = list(as_a_whole)
    kinds: dict[Path, set[type]] = {}
    paths: dict[Path, Path] = {}
    for path in reads:
        for depth in range(1, len(path)):
            normal = tuple(map(_normal, path[:depth]))
            paths.setdefault(normal, path[:depth])
            kinds.setdefault(normal, set()).add(dict if isinstance(path[depth], str) else list)
    return tuple(
        Holder(path, tuple(kind for kind in _WANTED if kind in kinds[normal]), path_walker(path))
        for normal, path in paths.items()
        if not any(is_below(path, whole) for whole in wholes)
    )


def _normal(segment: str | int) -> str | int:
    return normal_key(segment) if isinstance(segment, str) else segment
