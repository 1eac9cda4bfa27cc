"""Maps events with all active mappings. Pure: no I/O, no clock, no environment."""

from collections.abc import Iterator, Sequence
from functools import cached_property

from sfmap.engine.language.model import ReferenceTo
from sfmap.engine.mapping.run.compiled_mapping import CompiledMapping
from sfmap.engine.mapping.values.event import name_pattern, remembered
from sfmap.engine.mapping.values.record import Event, Json, Mapped, Rejected, Skipped
from sfmap.engine.mapping.values.values import shown
from sfmap.engine.yaml_files.diagnostics import did_you_mean, listed

_MOST_NAMED = 10
"""The most names of track events in one reason."""


class Mapper:
    """Several compiled mappings, tried in order."""

    def __init__(self, mappings: Sequence[CompiledMapping]) -> None:
        self.mappings = tuple(mappings)
        self._by_type: dict[str, list[CompiledMapping]] = {}
        for compiled in self.mappings:
            for event_type in dict.fromkeys(pattern.type for pattern in compiled.mapping.events):
                self._by_type.setdefault(event_type, []).append(compiled)

        tracking = self._by_type.get("track", ())
        patterns = [pattern for compiled in tracking for pattern in compiled.mapping.events]
        self._track_names = tuple(dict.fromkeys(pattern.name.text for pattern in patterns if pattern.name))
        self._other_name = remembered(self._of_another_name)

        # Only track events have a name that patterns match.
        self._alone = {
            event_type: taking[0]
            for event_type, taking in self._by_type.items()
            if len(taking) == 1 and event_type != "track"
        }

    @cached_property
    def objects(self) -> tuple[str, ...]:
        """The objects that the mappings write or point to."""
        written = [compiled.mapping.object for compiled in self.mappings]
        return tuple(dict.fromkeys((*written, *(name for to in self._references() for name in to.objects))))

    @property
    def digest(self) -> str:
        """A digest of the mappings, which differs if they may make other records."""
        from hashlib import blake2b

        digest = blake2b(digest_size=16)
        for one in self.mappings:
            # Comments name the file, whose path depends on where the command is started.
            code = [line for line in one.code.splitlines() if not line.lstrip().startswith("#")]
            parts = (one.mapping.name, one.mapping.source.text, repr(one.plan.record_plan), *code)
            digest.update("\0".join(parts).encode("utf-8", "replace"))
        return digest.hexdigest()

    @cached_property
    def lookups(self) -> dict[str, list[tuple[str, ...]]]:
        """By object, every set of fields that records are looked up by, for writes and for references."""
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
        """By object, the additional conditions of lookups."""
        found: dict[str, list[str]] = {}
        for compiled in self.mappings:
            if compiled.mapping.where:
                found.setdefault(compiled.mapping.object, []).append(compiled.mapping.where.text)
        for to in self._references():
            if to.where:
                for name in to.objects:
                    found.setdefault(name, []).append(to.where.text)
        return found

    @cached_property
    def currencies(self) -> frozenset[tuple[str, str]]:
        """The fields that hold the currency of an amount, each with its object."""
        return frozenset(
            (compiled.mapping.object, name)
            for compiled in self.mappings
            for _, name in compiled.plan.record_plan.currencies
        )

    @property
    def creating(self) -> frozenset[str]:
        """The names of the mappings that create records without a lookup."""
        return frozenset(one.mapping.name for one in self.mappings if one.mapping.operation == "create")

    @property
    def created_blindly(self) -> frozenset[str]:
        """The objects whose records a mapping writes without looking up the written values."""
        return frozenset(
            compiled.mapping.object
            for compiled in self.mappings
            if compiled.mapping.operation == "create" or compiled.plan.record_plan.finds_by_another_value
        )

    @property
    def unless_found(self) -> list[ReferenceTo]:
        """The references of `unless_found`."""
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
        """The records and rejections, in the order of the mappings; a single skip if there are none."""
        event_type = event.get("type")
        if not isinstance(event_type, str) or not event_type:
            return (Rejected("", "the event has no type (identify, group, track, ...)"),)
        alone = self._alone.get(event_type)
        if alone:
            return alone.map(event)
        taking = self.taking(event)
        if not taking:
            return (Skipped(self._why_not_taken(event_type, event.get("event"))),)
        results = [(compiled.mapping.name, mapped) for compiled in taking for mapped in compiled.map(event)]
        made = tuple(mapped for _, mapped in results if not isinstance(mapped, Skipped))
        return made or (
            _skipped([(name, mapped.reason) for name, mapped in results if isinstance(mapped, Skipped)]),
        )

    def _why_not_taken(self, event_type: str, event_name: Json) -> str:
        if event_type not in self._by_type:
            near = did_you_mean(event_type, self._by_type)
            return f"no mapping takes {shown(event_type)} events{f'; {near}' if near else ''}"
        return self._other_name(event_name) if isinstance(event_name, str) else self._untaken("without a name")

    def _of_another_name(self, event_name: str) -> str:
        name = event_name.casefold()
        same = next((known for known in self._track_names if name_pattern(known.casefold())(name)), "")
        near = f'did you mean "{same}"?' if same else did_you_mean(event_name, self._track_names)
        return self._untaken("of this name", near)

    def _untaken(self, which: str, near: str = "") -> str:
        names = [f'"{name}"' for name in self._track_names]
        more = len(names) - _MOST_NAMED
        told = listed([*names[:_MOST_NAMED], *([f"{more} more"] if more > 0 else [])], "and")
        return f"no mapping takes track events {which}; known names: {told}{f'; {near}' if near else ''}"

    def taking(self, event: Event) -> list[CompiledMapping]:
        """The mappings that take the event."""
        event_type = event.get("type")
        candidates = self._by_type.get(event_type, []) if isinstance(event_type, str) else []
        if event_type != "track":
            return candidates
        return [compiled for compiled in candidates if compiled.plan.takes(event_type, event.get("event"))]


def _skipped(reasons: Sequence[tuple[str, str]]) -> Skipped:
    """One skip for all mappings that could have taken the event; names them if their reasons differ."""
    mappings: dict[str, list[str]] = {}
    for name, reason in reasons:
        mappings.setdefault(reason, []).append(name)
    if len(mappings) == 1:
        return Skipped(reasons[0][1])
    return Skipped("; ".join(f"{listed(names, 'and')}: {reason}" for reason, names in mappings.items()))
