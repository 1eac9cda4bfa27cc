"""What sample events leave unused: rules that never found a value, and traits that reach no field."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sfmap.engine.mapping.blanks import BLANK
from sfmap.engine.mapping.compile import CompiledMapping
from sfmap.engine.mapping.event import ITEM, normal_key
from sfmap.engine.mapping.record import Event, Json, Note, Skipped
from sfmap.engine.mapping.sandbox import TemplateFailed
from sfmap.engine.mapping.values import Unfit
from sfmap.engine.spec.model import FieldRule

_HOLDERS = ("traits", "properties", ITEM)
"""Where an event keeps what its sender says; everything else is the tracking library's."""


@dataclass
class Coverage:
    """One mapping's coverage, grown event by event."""

    compiled: CompiledMapping
    events: int = 0
    """How many it mapped."""
    fired: Counter[str] = field(default_factory=Counter)
    """By field: how often its rule found a value in the event."""
    unread: Counter[str] = field(default_factory=Counter)
    """By trait, such as `traits.plan`: how many events have it though it reaches no field."""

    def add(self, event: Event) -> None:
        try:
            views = self.compiled.views(event)
        except (TemplateFailed, Unfit):
            return
        if isinstance(views, Skipped):
            return
        self.events += 1
        unread: set[str] = set()
        for view, _ in views:
            self.fired.update(rule.rule.field for rule in self.compiled.rules if rule.find(view).origin)
            unread.update(self._unread(view))
        self.unread.update(unread)

    @property
    def never_fired(self) -> tuple[FieldRule, ...]:
        """The rules that found no value in any event; a constant or a default needs none."""
        rules = (compiled.rule for compiled in self.compiled.rules)
        return tuple(rule for rule in rules if rule.field not in self.fired and (rule.sources or rule.template))

    def _unread(self, view: Event) -> Iterator[str]:
        for holder in _HOLDERS:
            members = view.get(holder)
            for key, value in members.items() if isinstance(members, dict) else ():
                if (
                    value not in (None, BLANK)
                    and not self._reads(holder, key)
                    and not self._is_custom(holder, key, value)
                ):
                    yield f"{holder}.{key}"

    def _is_custom(self, holder: str, key: str, value: Json) -> bool:
        """Whether the trait alone gives a custom field."""
        found = self.compiled.find_custom({holder: {key: value}}, {})
        return any(not isinstance(one, Note) for _, one in found)

    def _reads(self, holder: str, key: str) -> bool:
        wanted = normal_key(key)
        return any(
            path[0] == holder and (len(path) == 1 or normal_key(str(path[1])) == wanted) for path in self._paths()
        )

    def _paths(self) -> Iterator[tuple[str | int, ...]]:
        compiled = self.compiled
        for source in (compiled.for_each, compiled.when):
            yield from source.reads if source else ()
        for rule in (*compiled.rules, *compiled.match_values.values()):
            for source in (*rule.sources, rule.when):
                yield from source.reads if source else ()


def cover(mappings: Iterable[CompiledMapping], events: Iterable[Event]) -> tuple[Coverage, ...]:
    """The coverage of each mapping by the events it takes."""
    covered = tuple(Coverage(compiled) for compiled in mappings)
    for event in events:
        for coverage in covered:
            if coverage.compiled.takes(event.get("type"), event.get("event")):
                coverage.add(event)
    return covered
