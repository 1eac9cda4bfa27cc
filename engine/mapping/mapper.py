"""Maps events with all active mappings; pure: no I/O, no clock, no environment."""

from collections.abc import Iterator, Sequence

from sfmap.engine.mapping.compile import CompiledMapping
from sfmap.engine.mapping.record import Event, Mapped, Rejected, Skipped
from sfmap.engine.mapping.values import shown
from sfmap.engine.spec.model import ReferenceTo


class Mapper:
    """Several compiled mappings, tried in order."""

    def __init__(self, mappings: Sequence[CompiledMapping]) -> None:
        self.mappings = tuple(mappings)
        self._by_type: dict[str, list[CompiledMapping]] = {}
        for compiled in self.mappings:
            for event_type in dict.fromkeys(pattern.type for pattern in compiled.mapping.events):
                self._by_type.setdefault(event_type, []).append(compiled)

        # Only track events have a name that patterns look at.
        self._alone = {
            event_type: taking[0]
            for event_type, taking in self._by_type.items()
            if len(taking) == 1 and event_type != "track"
        }

    @property
    def objects(self) -> tuple[str, ...]:
        """The objects that the mappings write or point to."""
        written = [compiled.mapping.object for compiled in self.mappings]
        return tuple(dict.fromkeys((*written, *(name for to in self._references() for name in to.objects))))

    @property
    def lookups(self) -> dict[str, list[tuple[str, ...]]]:
        """By object, every set of fields that records are looked up by, to be written or to be pointed to."""
        fields: dict[str, list[tuple[str, ...]]] = {}
        for compiled in self.mappings:
            fields.setdefault(compiled.mapping.object, []).extend(
                lookup.names for lookup in compiled.mapping.lookups
            )
        for to in self._references():
            for name in to.objects:
                fields.setdefault(name, []).append((to.by.text,))
        return {name: list(dict.fromkeys(sets)) for name, sets in fields.items()}

    @property
    def conditions(self) -> dict[str, list[str]]:
        """By object, the conditions that lookups have besides."""
        found: dict[str, list[str]] = {}
        for compiled in self.mappings:
            if compiled.mapping.where:
                found.setdefault(compiled.mapping.object, []).append(compiled.mapping.where.text)
        for to in self._references():
            if to.where:
                for name in to.objects:
                    found.setdefault(name, []).append(to.where.text)
        return found

    @property
    def creating(self) -> frozenset[str]:
        """The names of the mappings that create a record whatever is there."""
        return frozenset(one.mapping.name for one in self.mappings if one.mapping.operation == "create")

    @property
    def created_blindly(self) -> frozenset[str]:
        """The objects whose records some mapping writes without looking for the values that it writes."""
        return frozenset(
            compiled.mapping.object
            for compiled in self.mappings
            if compiled.mapping.operation == "create" or compiled.plan.finds_by_another_value
        )

    @property
    def unless_found(self) -> list[ReferenceTo]:
        """Where records are looked for that others are not written for."""
        return [
            rule.reference
            for compiled in self.mappings
            for rule in compiled.mapping.unless_found
            if rule.reference
        ]

    def _references(self) -> Iterator[ReferenceTo]:
        for compiled in self.mappings:
            for rule in compiled.mapping.all_rules:
                if rule.reference:
                    yield rule.reference

    def map(self, event: Event) -> tuple[Mapped, ...]:
        """One item for each record and each rejection, in the order of the mappings; or else a single skip."""
        event_type = event.get("type")
        if not isinstance(event_type, str) or not event_type:
            return (Rejected("", "the event has no type (identify, group, track, ...)"),)
        alone = self._alone.get(event_type)
        if alone:
            return alone.map(event)
        results = [mapped for compiled in self.taking(event) for mapped in compiled.map(event)]
        if not results:
            return (Skipped(f"no mapping takes {shown(event_type)} events"),)
        return tuple(result for result in results if not isinstance(result, Skipped)) or (results[0],)

    def taking(self, event: Event) -> list[CompiledMapping]:
        """The mappings that the event is for."""
        event_type = event.get("type")
        candidates = self._by_type.get(event_type, []) if isinstance(event_type, str) else []
        if event_type != "track":
            return candidates
        return [compiled for compiled in candidates if compiled.takes(event_type, event.get("event"))]
