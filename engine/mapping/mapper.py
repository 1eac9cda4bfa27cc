"""Maps events with all active mappings; pure: no I/O, no clock, no environment."""

from collections.abc import Sequence

from sfmap.engine.mapping.compile import CompiledMapping
from sfmap.engine.mapping.record import Event, Mapped, Rejected, Skipped


class Mapper:
    """Several compiled mappings, tried in order."""

    def __init__(self, mappings: Sequence[CompiledMapping]) -> None:
        self.mappings = tuple(mappings)

    @property
    def objects(self) -> tuple[str, ...]:
        """The objects that the mappings write."""
        return tuple(dict.fromkeys(m.mapping.object for m in self.mappings))

    @property
    def lookups(self) -> dict[str, list[tuple[str, ...]]]:
        """By object, every set of fields that some mapping looks records up by."""
        fields: dict[str, list[tuple[str, ...]]] = {}
        for compiled in self.mappings:
            known = fields.setdefault(compiled.mapping.object, [])
            known += [lookup.names for lookup in compiled.mapping.lookups if lookup.names not in known]
        return fields

    def map(self, event: Event) -> tuple[Mapped, ...]:
        """One item for each record and each rejection, in the order of the mappings; or else a single skip."""
        event_type = event.get("type")
        if not isinstance(event_type, str) or not event_type:
            return (Rejected("", "the event has no type (identify, group, track, ...)"),)
        results = [m.map(event) for m in self.mappings if m.takes(event_type, event.get("event"))]
        if not results:
            return (Skipped(f"no mapping takes {event_type} events"),)
        return tuple(result for result in results if not isinstance(result, Skipped)) or (results[0],)
