"""A record under construction: the values that the rules found, by when they are written."""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from sfmap.engine.language.model import Lookup, Write
from sfmap.engine.mapping.run.custom_plan import CustomField
from sfmap.engine.mapping.run.field_value import FieldResult
from sfmap.engine.mapping.values.record import (
    Addition,
    FieldContent,
    FieldContents,
    Note,
    Record,
    RecordPlan,
    RecordReference,
    Rejected,
    Value,
    nothing_to_write,
)
from sfmap.engine.yaml_files.diagnostics import listed


class RecordBuilder(NamedTuple):
    """Collects the fields of one record, or the reasons why there cannot be one.

    The generated code has these parts as variables, and makes a builder of them for what it passes to rules.
    """

    always: FieldContents
    """The contents of the fields that are always written; the next ones are named by when they are, too."""
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
            self._contents(found.write)[field] = found.content
        if found.origin and found.content is not None:
            self.origins[field] = found.origin
            self._give(field, found.content)

    def _contents(self, write: Write) -> FieldContents:
        match write:
            case "always":
                return self.always
            case "create":
                return self.create
            case "update":
                return self.update
            case "empty":
                return self.empty

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

    def finished(self, plan: RecordPlan, lookups: Sequence[Lookup], item_number: int) -> Record | Rejected:
        """The record, or why there is none."""
        match = tuple(self._matches(lookups))
        if self.rejections:
            return Rejected(plan.mapping, "; ".join(self.rejections), item_number)
        if lookups and not match:
            return Rejected(plan.mapping, _nothing_to_find_by(lookups, self.given, self.notes), item_number)
        if not lookups and not (self.always or self.create or self.update or self.empty):
            return Rejected(plan.mapping, nothing_to_write(self.notes), item_number)
        return Record(
            plan=plan,
            match=match,
            fields=self.always,
            create_only=self.create,
            update_only=self.update,
            if_empty=self.empty,
            origins=self.origins,
            notes=tuple(self.notes),
            item_number=item_number,
            unless_found=tuple(self.unless_found),
        )

    def _matches(self, lookups: Iterable[Lookup]) -> Iterator[Mapping[str, Value | RecordReference]]:
        """The lookups that have all their values."""
        for lookup in lookups:
            if all(slot in self.given for slot in lookup.slots):
                yield {field.name: self.given[field.slot] for field in lookup.fields}


def new_builder() -> RecordBuilder:
    return RecordBuilder(
        always={},
        create={},
        update={},
        empty={},
        given={},
        origins={},
        notes=[],
        rejections=[],
        unless_found=[],
    )


def _nothing_to_find_by(lookups: Iterable[Lookup], given: Container[str], notes: Iterable[Note]) -> str:
    """Why no lookup has all its values, with the notes on those that the event has."""
    fields = {name for lookup in lookups for name in lookup.names}
    said = [str(note) for note in notes if note.field.removeprefix("match by ") in fields]
    reason = f"nothing to find the record by: no value for {listed(_wanted(one, given) for one in lookups)}"
    return "; ".join(dict.fromkeys((reason, *said)))


def _wanted(lookup: Lookup, given: Container[str]) -> str:
    """The values that a lookup lacks, for messages."""
    return " and ".join(
        f"{field.name} ({listed(source.text for source in field.rule.sources)})"
        if field.rule and field.rule.sources
        else field.name
        for field in lookup.fields
        if field.slot not in given
    )
