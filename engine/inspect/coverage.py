"""Coverage by sample events: rules that never found a value, and traits that reach no field."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sfmap.engine.inspect.traits.rule_readers import reads_of
from sfmap.engine.mapping.run.compiled_mapping import CompiledMapping
from sfmap.engine.mapping.run.compiled_source import Path, TemplateFailed, is_below
from sfmap.engine.mapping.run.field_plan import FieldPlan
from sfmap.engine.mapping.run.field_value import find_value
from sfmap.engine.mapping.values.event import ITEM
from sfmap.engine.mapping.values.record import Event, Json, Note, Skipped
from sfmap.engine.mapping.values.values import Unfit, holds_value
from sfmap.engine.messages.counts import counted

_HOLDERS = ("traits", "properties", ITEM)
"""The parts of an event that the sender fills in; everything else comes from the tracking library."""
_TRAITS_OF_CONTEXT: Path = ("context", "traits")
_ORIGINS: tuple[Path, ...] = (("context", "campaign"), ("context", "referrer"))
"""Where the context says what has led the person here."""


@dataclass
class Coverage:
    """The coverage of one mapping, updated event by event."""

    compiled: CompiledMapping
    events: int = 0
    """The number of events that it mapped."""
    fired: Counter[str] = field(default_factory=Counter)
    """By field, how often its rule found a value in an event."""
    unread: Counter[str] = field(default_factory=Counter)
    """By trait, such as `traits.plan`, how many events have it without it reaching a field."""

    def add(self, event: Event) -> None:
        try:
            views = self.compiled.plan.views(event)
        except (TemplateFailed, Unfit):
            return
        if isinstance(views, Skipped):
            return
        self.events += 1
        unread: set[str] = set()
        for view, _ in views:
            self.fired.update(plan.field for plan in self.compiled.plan.fields if find_value(plan, view).origin)
            unread.update(path for path, _ in self.unread_in(view))
        self.unread.update(unread)

    @property
    def never_fired(self) -> tuple[FieldPlan, ...]:
        """The fields without a value in any event; those with a constant or only a default need none."""
        reading = (plan for plan in self.compiled.plan.fields if plan.sources and plan.given_by != "constant")
        return tuple(plan for plan in reading if plan.field not in self.fired)

    def unread_in(self, view: Event) -> Iterator[tuple[str, Json]]:
        """The traits of a view that reach no field, each with its value."""
        for spellings in self.compiled.plan.spellings:
            yield from ((_text(path), _member(view, path)) for path in spellings.paths(view))
        reads = list(self._reads(view))
        for holder in _HOLDERS:
            members = view.get(holder)
            for key, value in members.items() if isinstance(members, dict) else ():
                if not self._is_custom(holder, key, value):
                    yield from _unread((holder, key), value, reads)

    def unread_origins(self, view: Event) -> Iterator[tuple[str, Json]]:
        """What the context says of the person's origin that reaches no field."""
        reads = list(self._reads(view))
        for path in _ORIGINS:
            members = _member(view, path)
            for key, value in members.items() if isinstance(members, dict) else ():
                yield from _unread((*path, key), value, reads)

    def _reads(self, view: Event) -> Iterator[tuple[Path, bool]]:
        """The paths that rules read, each with whether it is read as a whole; traits of the context are traits."""
        is_filled = view.get("traits") is not None and view.get("traits") is _member(view, _TRAITS_OF_CONTEXT)
        for read in reads_of(self.compiled.plan):
            yield _known(read.path, read.is_whole)
            if is_filled and read.path[:2] == _TRAITS_OF_CONTEXT:
                yield _known(read.path[1:], read.is_whole)

    def _is_custom(self, holder: str, key: str, value: Json) -> bool:
        """Whether the trait becomes a custom field."""
        found = self.compiled.plan.find_custom({holder: {key: value}}, {})
        return any(not isinstance(one, Note) for _, one in found)


def _known(path: Path, whole: bool) -> tuple[Path, bool]:
    """The path up to an index from the end of a list, which depends on the length of the list."""
    place = next((place for place, step in enumerate(path) if isinstance(step, int) and step < 0), None)
    return (path, whole) if place is None else (path[:place], True)


def unread_traits(mappings: Iterable[CompiledMapping], event: Event) -> dict[str, Json]:
    """The traits, and what says where the person comes from, that reach no field of the mappings of the event."""
    found: list[dict[str, Json]] = []
    for compiled in mappings:
        coverage = Coverage(compiled)
        try:
            views = compiled.plan.views(event)
        except (TemplateFailed, Unfit):
            continue
        if not isinstance(views, Skipped):
            found.append(
                {
                    path: value
                    for view, _ in views
                    for path, value in (*coverage.unread_in(view), *coverage.unread_origins(view))
                }
            )
    return {
        path: value for path, value in (found[0] if found else {}).items() if all(path in one for one in found)
    }


def _member(view: Json, path: Path) -> Json:
    for step in path:
        try:
            view = view[step]  # type: ignore[index]  # what has no such member raises
        except (KeyError, IndexError, TypeError):
            return None
    return view


def _unread(path: Path, value: Json, reads: list[tuple[Path, bool]]) -> Iterator[tuple[str, Json]]:
    """The value and its path, or those of its members that no rule reads."""
    if not holds_value(value) or any(
        is_below(path, read) and (whole or (len(path) == len(read) and not isinstance(value, (dict, list))))
        for read, whole in reads
    ):
        return
    below = [(read, whole) for read, whole in reads if is_below(read, path)]
    if not below or not isinstance(value, (dict, list)):
        yield _text(path), value
        return
    members = value.items() if isinstance(value, dict) else enumerate(value)
    for key, member in members:
        yield from _unread((*path, key), member, below)


def _text(path: Path) -> str:
    """The path in the form of a source: `traits.phones[1]`."""
    first, *rest = path
    return f"{first}{''.join(f'.{one}' if isinstance(one, str) else f'[{one}]' for one in rest)}"


def cover(mappings: Iterable[CompiledMapping], events: Iterable[Event]) -> tuple[Coverage, ...]:
    """The coverage of each mapping by the events it takes."""
    covered = tuple(Coverage(compiled) for compiled in mappings)
    for event in events:
        for coverage in covered:
            if coverage.compiled.plan.takes(event.get("type"), event.get("event")):
                coverage.add(event)
    return covered


def coverage_text(covered: Iterable[Coverage]) -> Iterator[str]:
    """The coverage as text, a paragraph for each mapping."""
    for coverage in covered:
        mapping = coverage.compiled.mapping
        yield f"{mapping.source.file}: {counted(coverage.events, 'event')}"
        for rule in coverage.never_fired:
            yield f"  never fired: {rule.field} (line {rule.span.line})"
        for trait, count in coverage.unread.most_common():
            yield f"  reaches no field: {trait} ({counted(count, 'event')})"


def coverage_json(covered: Iterable[Coverage]) -> list[dict[str, object]]:
    return [
        {
            "mapping": coverage.compiled.mapping.name,
            "events": coverage.events,
            "never_fired": [{"field": r.field, "line": r.span.line} for r in coverage.never_fired],
            "no_field": dict(coverage.unread.most_common()),
        }
        for coverage in covered
    ]
