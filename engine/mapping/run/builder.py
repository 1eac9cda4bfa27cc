"""A record under construction: the values that the rules found, by when they are written."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from sfmap.engine.language.model import Lookup
from sfmap.engine.mapping.compile.custom_fields import CustomField
from sfmap.engine.mapping.compile.field_rule import FieldResult
from sfmap.engine.mapping.values.record import Addition, FieldContent, FieldContents, Note, RecordReference, Value


class Draft(NamedTuple):
    """Collects the fields of one record, or the reasons why there cannot be one."""

    always: FieldContents
    create: FieldContents
    update: FieldContents
    empty: FieldContents
    given: dict[str, Value | RecordReference]
    """Values from the event itself, by the slots of match; defaults do not identify a record."""
    origins: dict[str, str]
    notes: list[Note]
    rejections: list[str]
    unless_found: list[RecordReference]

    def add(self, field: str, found: FieldResult) -> None:
        self.notes.extend(Note(field, what) for what in found.notes)
        if found.rejected:
            self.rejections.append(found.rejected)
        if found.content is not None or found.is_null:
            written: FieldContents = getattr(self, found.write)
            written[field] = found.content
        if found.origin and found.content is not None:
            self.origins[field] = found.origin
            self._give(field, found.content)

    def add_match_value(self, slot: str, field: str, found: FieldResult) -> None:
        """Adds a value to find the record by that is not written."""
        self.notes.extend(Note(f"match by {field}", what) for what in found.notes)
        if found.rejected:
            self.rejections.append(f"match by {found.rejected}")
        if found.content is not None:
            self._give(slot, found.content)
            self.origins[f"match by {field}"] = found.origin

    def _give(self, slot: str, content: FieldContent) -> None:
        """Keeps the value for lookups, unless it is added to a field."""
        if content is not None and not isinstance(content, Addition):
            self.given[slot] = content

    def add_unless_found(self, found: FieldResult) -> None:
        """Adds a reference of `unless_found`."""
        self.notes.extend(Note("unless_found", what) for what in found.notes)
        if found.rejected:
            self.rejections.append(found.rejected)
        if isinstance(found.content, RecordReference):
            self.unless_found.append(found.content)

    def add_custom(self, found: Iterable[CustomField | Note]) -> None:
        for one in found:
            if isinstance(one, Note):
                self.notes.append(one)
                continue
            self.always[one.field] = one.value
            if one.value is not None:
                self.given[one.field] = one.value
                self.origins[one.field] = one.origin

    def matches(self, lookups: Iterable[Lookup]) -> Iterator[Mapping[str, Value | RecordReference]]:
        """The lookups that have all their values."""
        for lookup in lookups:
            if all(slot in self.given for slot in lookup.slots):
                yield {field.name: self.given[field.slot] for field in lookup.fields}


def new_draft() -> Draft:
    return Draft({}, {}, {}, {}, {}, {}, [], [], [])
