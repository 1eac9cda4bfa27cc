"""The inventory of traits: every path of the events that arrive, with how often it has a value and of what kind.

Its memory is bounded, whatever the events are.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from sfmap.engine.inspect.traits.value_kinds import NO_VALUE, Kind, example_of, kind_of
from sfmap.engine.mapping.values.event import event_view
from sfmap.engine.mapping.values.parsing import Unfit, to_datetime
from sfmap.engine.mapping.values.record import Event, Json, Value
from sfmap.engine.mapping.values.values import clean_text

ANY = "*"
"""Any name of an object with too many."""
SeenPath = tuple[str | None, ...]
"""Names, and None for the items of lists."""

MOST_KINDS = 200
"""Kinds of events, by type and name; track events of other names are counted together."""
MOST_PATHS = 20_000
MOST_NAMES = 300
"""Names in one object; the values of others are counted together."""
MOST_EXAMPLES = 20
"""Distinct values that are kept of a path."""
_DEEPEST = 20
_MOST_ITEMS = 100
"""Items of a list that are looked at."""
_LONGEST_NAME = 100
_TIMES = ("timestamp", "originalTimestamp", "receivedAt", "sentAt")
_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_NAME = re.compile(r"[^\W\d][\w-]*")


@dataclass(frozen=True, kw_only=True)
class PathSeen:
    """What was seen of one path."""

    path: SeenPath
    filled: int
    """Events in which it has a value."""
    types: dict[Kind, int]
    """Values by kind, the most frequent first."""
    examples: dict[str, int]
    """Distinct values with how often each was seen, in the order of appearance."""
    has_more: bool
    """Whether there are more distinct values than the examples."""
    first_seen: str
    """The first time of an event that has it, in UTC; empty if no event says its time."""
    last_seen: str

    @property
    def text(self) -> str:
        """The path as a source of the mapping language: `traits.phones[*]`."""
        return path_text(self.path)

    @property
    def kind(self) -> Kind:
        """The most frequent kind of its values, of those that fill a field."""
        return next((kind for kind in self.types if kind not in NO_VALUE), "null")


@dataclass(frozen=True, kw_only=True)
class EventsSeen:
    """What was seen of the events of one type and, for track events, one name."""

    type: str
    name: str | None
    """None for events that have no name; `*` for all names beyond the first ones."""
    events: int
    first_seen: str
    last_seen: str
    paths: tuple[PathSeen, ...]


def path_text(path: SeenPath) -> str:
    """The path as a source of the mapping language."""
    first, *rest = path
    return f"{first}{''.join(map(_step, rest))}"


def _step(segment: str | None) -> str:
    if segment is None:
        return "[*]"
    if segment == ANY or _NAME.fullmatch(segment):
        return f".{segment}"
    quote = '"' if "'" in segment else "'"
    return f"[{quote}{segment}{quote}]"


@dataclass(slots=True)
class _Node:
    """A path, and the paths below it."""

    children: "dict[str | None, _Node]" = field(default_factory=dict)
    filled: int = 0
    filled_by: int = 0
    """The number of the last event in which it has a value."""
    types: Counter[Kind] = field(default_factory=Counter)
    examples: dict[str, int] = field(default_factory=dict)
    known: dict[tuple[type, Value], str] = field(default_factory=dict)
    """The examples by the types and values that they are of, which saves making them again."""
    has_more: bool = False
    first: str = ""
    last: str = ""

    def saw(self, moment: str) -> None:
        if moment:
            self.first = min(self.first or moment, moment)
            self.last = max(self.last, moment)


@dataclass(slots=True)
class _Kind(_Node):
    """The events of one type and name."""

    events: int = 0


class Inventory:
    """The paths of all events that it is given."""

    def __init__(self, *, keeps_values: bool = True, masks_values: bool = False) -> None:
        """Without values, it has no examples; masked, their letters and digits are replaced."""
        self.events = 0
        self.unlisted = 0
        """Values at paths beyond the most that are kept; an object or list counts as one."""
        self._keeps_values = keeps_values
        self._masks_values = masks_values
        self._kinds: dict[tuple[str, str | None], _Kind] = {}
        self._paths = 0

    def add(self, event: Event) -> None:
        """Takes up an event as the rules see it: with the traits of its context where it has none."""
        self.events += 1
        moment = _moment(event)
        kind = self._kind_of(event)
        kind.events += 1
        kind.saw(moment)
        for key, value in _parts(event):
            self._add(kind, key, value, moment)

    def add_all(self, events: Iterable[Event]) -> None:
        for event in events:
            self.add(event)

    def _kind_of(self, event: Event) -> _Kind:
        type_, name = event.get("type"), event.get("event")
        known_type = clean_text(type_[:_LONGEST_NAME]) if isinstance(type_, str) else ""
        key = (known_type, name[:_LONGEST_NAME] if isinstance(name, str) and known_type == "track" else None)
        if key not in self._kinds and len(self._kinds) >= MOST_KINDS:
            key = (known_type if known_type == "track" else ANY, ANY if known_type == "track" else None)
        return self._kinds.setdefault(key, _Kind())

    def _add(self, above: _Node, segment: str | None, value: Json, moment: str) -> None:
        waiting: list[tuple[_Node, str | None, Json, int]] = [(above, segment, value, 0)]
        while waiting:
            above, segment, value, depth = waiting.pop()
            node = self._node(above, segment)
            if node is None:
                self.unlisted += 1
            elif isinstance(value, dict) and value and depth < _DEEPEST:
                waiting.extend((node, name, member, depth + 1) for name, member in reversed(value.items()))
            elif isinstance(value, list) and value and depth < _DEEPEST:
                items = reversed(value[:_MOST_ITEMS])
                waiting.extend((node, None, member, depth + 1) for member in items)
            else:
                self._count(node, value, moment)

    def _node(self, above: _Node, segment: str | None) -> _Node | None:
        """The node below another; None if there are too many."""
        node = above.children.get(segment)
        if node is not None:
            return node
        if segment is not None and (len(segment) > _LONGEST_NAME or len(above.children) >= MOST_NAMES):
            segment = ANY
            if segment in above.children:
                return above.children[segment]
        if self._paths >= MOST_PATHS:
            return None
        self._paths += 1
        return above.children.setdefault(segment, _Node())

    def _count(self, node: _Node, value: Json, moment: str) -> None:
        kind = kind_of(value)
        node.types[kind] += 1
        if kind in NO_VALUE:
            return
        node.saw(moment)
        if node.filled_by != self.events:
            node.filled_by = self.events
            node.filled += 1
        if self._keeps_values and not isinstance(value, (dict, list)) and value is not None:
            self._keep(node, value)

    def _keep(self, node: _Node, value: Value) -> None:
        """Counts the value as an example, or notes that there are more."""
        key = (value.__class__, value)
        example = node.known.get(key)
        if example is None and node.has_more and len(node.known) >= MOST_EXAMPLES:
            return
        example = example or example_of(value, mask=self._masks_values)
        if example in node.examples:
            node.examples[example] += 1
        elif len(node.examples) < MOST_EXAMPLES:
            node.examples[example] = 1
        else:
            node.has_more = True
            return
        if len(node.known) < MOST_EXAMPLES and not (isinstance(value, str) and len(value) > _LONGEST_NAME):
            node.known[key] = example

    def kinds(self) -> list[EventsSeen]:
        """What was seen, for each type and name of events, in the order of appearance."""
        return [
            EventsSeen(
                type=type_,
                name=name,
                events=kind.events,
                first_seen=kind.first,
                last_seen=kind.last,
                paths=tuple(_paths(kind)),
            )
            for (type_, name), kind in self._kinds.items()
        ]

    def paths(self) -> list[PathSeen]:
        """What was seen of each path, in events of all kinds together."""
        merged: dict[SeenPath, PathSeen] = {}
        for kind in self._kinds.values():
            for seen in _paths(kind):
                known = merged.get(seen.path)
                merged[seen.path] = _merged(known, seen) if known else seen
        return list(merged.values())


def _paths(kind: _Node) -> Iterator[PathSeen]:
    waiting: list[tuple[SeenPath, _Node]] = [((), kind)]
    while waiting:
        path, node = waiting.pop()
        if node.types:
            yield PathSeen(
                path=path,
                filled=node.filled,
                types=dict(node.types.most_common()),
                examples=dict(node.examples),
                has_more=node.has_more,
                first_seen=node.first,
                last_seen=node.last,
            )
        waiting.extend(((*path, segment), below) for segment, below in reversed(node.children.items()))


def _merged(one: PathSeen, other: PathSeen) -> PathSeen:
    examples = Counter(one.examples) + Counter(other.examples)
    return replace(
        one,
        filled=one.filled + other.filled,
        types=dict((Counter(one.types) + Counter(other.types)).most_common()),
        examples=dict(list(examples.items())[:MOST_EXAMPLES]),
        has_more=one.has_more or other.has_more or len(examples) > MOST_EXAMPLES,
        first_seen=min(filter(None, (one.first_seen, other.first_seen)), default=""),
        last_seen=max(one.last_seen, other.last_seen),
    )


def _parts(event: Event) -> Iterator[tuple[str, Json]]:
    """The members of the event as the rules see them; traits that come from the context are not there twice."""
    view = event_view(event)
    for key, value in view.items():
        if key in ("type", "event") or (value is None and key not in event):
            continue
        if key == "context" and isinstance(value, dict):
            value = {name: one for name, one in value.items() if name in event or one is not view.get(name)}
            if not value and event[key]:
                continue
        yield key, value


def _moment(event: Event) -> str:
    """When it happened, in UTC to the second; empty if it does not say."""
    for key in _TIMES:
        text = event.get(key)
        if isinstance(text, str) and text:
            if _UTC.fullmatch(text):
                return f"{text[:19]}Z"
            try:
                return f"{to_datetime(text)[:19]}Z"
            except Unfit:
                continue
    return ""


def inventory_of(events: Iterable[Event], *, masks_values: bool = False) -> Inventory:
    """The inventory of some events."""
    inventory = Inventory(masks_values=masks_values)
    inventory.add_all(events)
    return inventory
