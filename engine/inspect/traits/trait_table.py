"""The inventory of traits as text of 80 columns, and as JSON."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sfmap.engine.inspect.traits.rule_readers import Reader, read_by
from sfmap.engine.inspect.traits.trait_inventory import EventsSeen, Inventory, PathSeen
from sfmap.engine.mapping.run.compiled_mapping import CompiledMapping
from sfmap.engine.messages.counts import counted

_WIDTH = 80
_WIDEST_PATH = 34
_UNREAD = "no rule reads it"
_CONDITIONS = {"opt_in": "opt_in", "when": "a condition", "for_each": "for_each"}


@dataclass(frozen=True, kw_only=True)
class TraitTable:
    """An inventory with the rules that read it."""

    inventory: Inventory
    mappings: Sequence[CompiledMapping]

    def rows(self, kind: EventsSeen) -> list[tuple[PathSeen, list[Reader]]]:
        """The paths of one kind of events with their readers: traits and properties first, the context last."""
        paths = sorted(kind.paths, key=lambda seen: _rank(seen.path[0]))
        return [(seen, read_by(self.mappings, kind, seen.path)) for seen in paths]

    def lines(self) -> Iterator[str]:
        for kind in self.inventory.kinds():
            rows = self.rows(kind)
            yield f"{_title(kind)}: {counted(kind.events, 'event')}{_period(kind.first_seen, kind.last_seen)}"
            path = min(_WIDEST_PATH, max((len(seen.text) for seen, _ in rows), default=4))
            type_ = max((len(_types(seen)) for seen, _ in rows), default=4)
            yield f"  {'filled':>9}  {'path':<{path}}  {'type':<{type_}}  reaches"
            for seen, readers in rows:
                yield from _lines_of(seen, readers, kind, (path, type_))
            yield ""

    def summary(self) -> str:
        """How much there is, and how much of it no rule reads."""
        rows = [row for kind in self.inventory.kinds() for row in self.rows(kind)]
        unread = sum(not readers and _is_senders(seen) for seen, readers in rows)
        known = f"{counted(self.inventory.events, 'event')}, {counted(len(rows), 'path')}"
        unread_ones = counted(unread, "trait or property", "traits or properties")
        told = f"{known}; {unread_ones} that no rule reads." if unread else f"{known}; rules read every trait."
        if self.inventory.unlisted:
            told += f" {counted(self.inventory.unlisted, 'value')} at more paths than are listed."
        return told

    def as_json(self) -> dict[str, object]:
        return {
            "events": self.inventory.events,
            "kinds": [
                {
                    "type": kind.type,
                    "name": kind.name,
                    "events": kind.events,
                    "first_seen": kind.first_seen or None,
                    "last_seen": kind.last_seen or None,
                    "paths": [_as_json(seen, readers) for seen, readers in self.rows(kind)],
                }
                for kind in self.inventory.kinds()
            ],
            "unlisted": self.inventory.unlisted,
        }


def _is_senders(seen: PathSeen) -> bool:
    return seen.path[0] in ("traits", "properties")


def _rank(first: str | None) -> int:
    return 0 if first in ("traits", "properties") else 2 if first == "context" else 1


def _title(kind: EventsSeen) -> str:
    return f"{kind.type or 'without a type'}{f' {kind.name}' if kind.name else ''}"


def _period(first: str, last: str) -> str:
    if not first:
        return ""
    return f", {first[:10]}" if first[:10] == last[:10] else f", {first[:10]} to {last[:10]}"


def _lines_of(seen: PathSeen, readers: list[Reader], kind: EventsSeen, widths: tuple[int, int]) -> Iterator[str]:
    path, type_ = widths
    start = f"  {seen.filled:>9,}  {seen.text:<{path}}"
    if len(seen.text) > path:
        yield _cut(start)
        start = f"  {'':>9}  {'':<{path}}"
    yield _cut(f"{start}  {_types(seen):<{type_}}  {_reaches(seen, readers)}")
    more = [*_examples(seen), *_seen_between(seen, kind)]
    if more:
        yield _cut(f"  {'':>9}  {', '.join(more)}")


def _types(seen: PathSeen) -> str:
    """The two most frequent kinds, of which the first one fills a field if any does."""
    kinds = list(dict.fromkeys((seen.kind, *seen.types)))
    return "/".join([*kinds[:2], "..."] if len(kinds) > 2 else kinds)


def _reaches(seen: PathSeen, readers: list[Reader]) -> str:
    if not readers:
        return _UNREAD if _is_senders(seen) else ""
    told = [f"{one.field} ({one.mapping})" if one.field else _CONDITIONS[one.use] for one in readers]
    first, *others = dict.fromkeys(told)
    return f"{first} and {len(others)} more" if others else first


def _examples(seen: PathSeen) -> list[str]:
    shown = list(seen.examples)[:5]
    return [*shown, "..."] if seen.has_more or len(seen.examples) > len(shown) else shown


def _seen_between(seen: PathSeen, kind: EventsSeen) -> Iterator[str]:
    """The days that its first and last event are of, if those differ from its kind's."""
    if seen.first_seen[:10] != kind.first_seen[:10]:
        yield f"since {seen.first_seen[:10]}"
    if seen.last_seen[:10] != kind.last_seen[:10]:
        yield f"until {seen.last_seen[:10]}"


def _cut(line: str) -> str:
    return line.rstrip() if len(line) <= _WIDTH else f"{line[: _WIDTH - 3]}..."


def _as_json(seen: PathSeen, readers: list[Reader]) -> dict[str, object]:
    return {
        "path": seen.text,
        "filled": seen.filled,
        "types": seen.types,
        "examples": seen.examples,
        "has_more": seen.has_more,
        "first_seen": seen.first_seen or None,
        "last_seen": seen.last_seen or None,
        "read_by": [one.as_json() for one in readers],
    }
