"""The results of mapping an event: records to deliver, or the reason why there is none."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

from sfmap.engine.language.model import (
    CONVENTIONS,
    NO_HEADERS,
    BulkMode,
    Constant,
    Conventions,
    OnDuplicate,
    OnMany,
    OnMissing,
    OnNone,
    Operation,
    WriteHeaders,
)

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
Event = dict[str, Json]
"""One event as its JSON object; mapping never changes it."""

Value = Constant
"""A value that a field can hold: a JSON scalar, never null."""


@dataclass(frozen=True)
class Note:
    """A note on a value cut, cleaned or left out; `what` is the same for every event that it applies to."""

    field: str
    what: str

    @cached_property
    def text(self) -> str:
        """The note in words, put together once: many records share a note."""
        return f"{self.field}: {self.what}"

    def __str__(self) -> str:
        return self.text


_MOST_SAID = 3


def nothing_to_write(notes: Sequence[Note]) -> str:
    """Why a record without any field is refused, with its first notes."""
    said = "; ".join(map(str, notes[:_MOST_SAID]))
    return f"nothing to write: no field has a value{f' ({said})' if said else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordReference:
    """A pointer to the record whose field `by` has the value; delivery finds it."""

    objects: tuple[str, ...]
    """In order; the first that has such a record wins."""
    by: str
    value: Value
    on_missing: OnMissing = "drop"
    where: str = ""
    """A condition in SOQL that the record must meet, or empty."""
    on_many: OnMany = "newest"
    is_constant: bool = field(default=False, compare=False)
    """Whether the value is a constant of the mapping, which may be shown."""


@dataclass(frozen=True, slots=True)
class Addition:
    """Values separated by `;` to add to those of a multi-select picklist."""

    values: str


FieldContent = Value | RecordReference | Addition | None
"""What is written to a field; None empties it."""


FieldContents = dict[str, FieldContent]
Line = dict[str, object]
"""A record or fate as `sfmap render` prints it."""


@dataclass(frozen=True, kw_only=True)
class RecordPlan:
    """What all records of a mapping have in common: their object, and how they are written."""

    mapping: str
    object: str
    operation: Operation
    on_many: OnMany
    external_id: str = ""
    """The field by which the org's upsert finds the record; empty if delivery looks it up."""
    where: str = ""
    """A condition in SOQL that found records must meet, or empty."""
    headers: WriteHeaders = NO_HEADERS
    on_none: OnNone = "skip"
    on_duplicate: OnDuplicate = "fail"
    skip_unchanged: bool = False
    """Whether a record that already has these values is not written."""
    timestamp_guard: bool = False
    """Whether an event older than the newest one written is skipped."""
    batch_size: int | None = None
    """The most records in one write; None for that of the org's entry."""
    bulk: BulkMode | None = None
    """Whether they travel by bulk jobs; None for what the org's entry says."""
    conventions: Conventions = CONVENTIONS
    """How delivery reads texts for fields of other types."""
    has_values_alone: bool = False
    """Whether all contents are plain values: no field is emptied, added to, or a reference."""
    currencies: tuple[tuple[str, str], ...] = ()
    """Of each amount that has one: its field, and the field that holds its currency."""
    finds_by_another_value: bool = False
    """Whether a lookup has a value that is not written."""

    @cached_property
    def beginning(self) -> Line:
        """The start of the JSON lines of its records; a record replaces `match` by its own values."""
        line: Line = {
            "mapping": self.mapping, "object": self.object, "operation": self.operation, "match": [],
        }  # fmt: skip
        if self.external_id:
            line["external_id"] = self.external_id
        if self.where:
            line["where"] = self.where
        if self.on_none != "skip":
            line["on_none"] = self.on_none
        if self.on_duplicate != "fail":
            line["on_duplicate"] = self.on_duplicate
        if self.skip_unchanged:
            line["skip_unchanged"] = True
        if self.timestamp_guard:
            line["timestamp_guard"] = True
        if self.batch_size:
            line["batch_size"] = self.batch_size
        if self.bulk:
            line["bulk"] = self.bulk
        if self.headers != NO_HEADERS:
            line["headers"] = _said(self.headers)
        return line


def _said(headers: WriteHeaders) -> Line:
    said = {name: value for name, value in asdict(headers).items() if value not in (None, ())}
    return {**said, "package_versions": dict(headers.package_versions)} if headers.package_versions else said


class Record(NamedTuple):
    """One record to write; a tuple for speed, since every event makes one."""

    plan: RecordPlan
    match: tuple[Mapping[str, Value | RecordReference], ...]
    """The lookups that have values, in order."""
    fields: Mapping[str, FieldContent]
    """Written on both create and update."""
    create_only: Mapping[str, FieldContent]
    update_only: Mapping[str, FieldContent]
    if_empty: Mapping[str, FieldContent]
    """Written on create, and on update if the field is empty in the org."""
    origins: Mapping[str, str]
    """The origin of each field's value: the text of the source."""
    notes: tuple[Note, ...] = ()
    item_number: int = 0
    """The item of the event's list, from 1; 0 if the mapping makes one record of the event."""
    unless_found: tuple[RecordReference, ...] = ()
    """If one of these records is found, this one is not written."""

    def with_headers(self, headers: WriteHeaders) -> "Record":
        return self._replace(plan=replace(self.plan, headers=headers))

    @property
    def mapping(self) -> str:
        return self.plan.mapping

    @property
    def object(self) -> str:
        return self.plan.object

    @property
    def operation(self) -> Operation:
        return self.plan.operation

    @property
    def on_many(self) -> OnMany:
        return self.plan.on_many

    @property
    def external_id(self) -> str:
        return self.plan.external_id

    @property
    def where(self) -> str:
        return self.plan.where

    @property
    def headers(self) -> WriteHeaders:
        return self.plan.headers

    @property
    def on_none(self) -> OnNone:
        return self.plan.on_none

    @property
    def on_duplicate(self) -> OnDuplicate:
        return self.plan.on_duplicate

    @property
    def skip_unchanged(self) -> bool:
        return self.plan.skip_unchanged

    @property
    def timestamp_guard(self) -> bool:
        return self.plan.timestamp_guard


@dataclass(frozen=True, slots=True)
class Skipped:
    """The event is not meant for the org: it takes no API call and is not a failure."""

    reason: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """The event is meant for the org but cannot be delivered as it is."""

    mapping: str
    """Empty if the event itself is invalid."""
    reason: str
    item_number: int = 0


Mapped = Record | Skipped | Rejected
