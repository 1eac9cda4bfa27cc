"""Notes traits in several spellings: the rules read one of them, and the others would be lost."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from sfmap.engine.mapping.compile.source_paths import Path, path_walker
from sfmap.engine.mapping.values.event import normal_key
from sfmap.engine.mapping.values.record import Event, Json, Note
from sfmap.engine.mapping.values.values import holds_value, shown


@dataclass(frozen=True, slots=True)
class Spellings:
    """The keys that rules read of one object of the event."""

    path: Path
    names: dict[str, tuple[str, ...]]
    """The names of the keys in rules, by normal form."""
    walk: Callable[[Event], Json | object]

    def notes(self, event: Event) -> Iterator[Note]:
        for key, read in self._lost(event):
            yield Note(".".join(map(str, (*self.path, shown(key)))), f"left out: {shown(read)} is the same trait")

    def paths(self, event: Event) -> Iterator[Path]:
        """Notes on the traits that no rule sees because it reads another spelling."""
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


def compile_spellings(reads: Iterable[Path]) -> tuple[Spellings, ...]:
    """The objects whose members the rules read by name."""
    bases: dict[Path, Path] = {}
    names: dict[Path, dict[str, set[str]]] = {}
    for path in reads:
        for depth, name in enumerate(path[1:], 1):
            if not isinstance(name, str):
                continue
            normal = tuple(normal_key(step) if isinstance(step, str) else step for step in path[:depth])
            bases.setdefault(normal, path[:depth])
            names.setdefault(normal, {}).setdefault(normal_key(name), set()).add(name)
    return tuple(
        Spellings(base, {one: tuple(sorted(all_)) for one, all_ in names[normal].items()}, path_walker(base))
        for normal, base in bases.items()
    )
