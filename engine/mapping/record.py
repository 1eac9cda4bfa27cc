"""What mapping makes of an event: records to deliver, or the reason why there is none."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

from sfmap.engine.spec.model import (
    CONVENTIONS,
    NO_HEADERS,
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
"""What a field can hold: a JSON scalar, never null."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something that was cut, cleaned or left out of a field; `what` is the same for every event it happens to."""

    field: str
    what: str

    def __str__(self) -> str:
        return f"{self.field}: {self.what}"


_MOST_SAID = 3


def nothing_to_write(notes: Sequence[Note]) -> str:
    """Why a record without any field is refused, with the first of the notes on it."""
    said = "; ".join(map(str, notes[:_MOST_SAID]))
    return f"nothing to write: no field has a value{f' ({said})' if said else ''}"


@dataclass(frozen=True, slots=True)
class Reference:
    """A pointer to the record whose field `by` has the value; delivery finds it."""

    objects: tuple[str, ...]
    """The first that has such a record wins."""
    by: str
    value: Value
    on_missing: OnMissing = "drop"
    where: str = ""
    """A condition in SOQL that it must meet; empty where there is none."""
    on_many: OnMany = "newest"
    is_constant: bool = field(default=False, compare=False)
    """Whether the value is the mapping's own, and no secret."""


@dataclass(frozen=True, slots=True)
class Addition:
    """Values of a multi-select picklist, with `;` between them, that it gets besides those that it holds."""

    values: str


Content = Value | Reference | Addition | None
"""What is written into a field; None empties it."""


Contents = dict[str, Content]
Line = dict[str, object]
"""What `sfmap render` prints of a record or fate."""


@dataclass(frozen=True)
class Plan:
    """What all records of a mapping have in common: where they go, and how they are written."""

    mapping: str
    object: str
    operation: Operation
    on_many: OnMany
    external_id: str = ""
    """The field by which the org itself finds the record; empty where delivery looks it up."""
    where: str = ""
    """A condition in SOQL that a record found must meet; empty where there is none."""
    headers: WriteHeaders = NO_HEADERS
    on_none: OnNone = "skip"
    on_duplicate: OnDuplicate = "fail"
    skip_unchanged: bool = False
    """Whether a record that holds these values already is left alone."""
    timestamp_guard: bool = False
    """Whether an older event than the newest one written leaves the record alone."""
    batch_size: int | None = None
    """The most records that one write carries; None where the org's entry says."""
    conventions: Conventions = CONVENTIONS
    """How texts are read that the org's fields make something else of."""
    has_values_alone: bool = False
    """Whether no field is ever emptied or added to, and none points to another record."""
    currencies: tuple[tuple[str, str], ...] = ()
    """Of each amount that has one: its field, and the field that holds its currency."""
    finds_by_another_value: bool = False
    """Whether some lookup has a value that is not the one written."""

    @cached_property
    def beginning(self) -> Line:
        """How the JSON lines of its records begin; a record puts its own values in place of `match`."""
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
        if self.headers != NO_HEADERS:
            line["headers"] = _said(self.headers)
        return line


def _said(headers: WriteHeaders) -> Line:
    said = {name: value for name, value in asdict(headers).items() if value not in (None, ())}
    return {**said, "package_versions": dict(headers.package_versions)} if headers.package_versions else said


class Record(NamedTuple):
    """One record to write; a tuple, since there is one for each event."""

    plan: Plan
    match: tuple[Mapping[str, Value | Reference], ...]
    """The lookups that have values, in the order to try them."""
    fields: Mapping[str, Content]
    """Written on create and update alike."""
    create_only: Mapping[str, Content]
    update_only: Mapping[str, Content]
    if_empty: Mapping[str, Content]
    """Written on create, and on update where the org's field is empty."""
    origins: Mapping[str, str]
    """Where each field's value came from: the source's text."""
    notes: tuple[Note, ...] = ()
    item: int = 0
    """Which item of the event's list this is, from 1; 0 where the event is one record."""
    unless_found: tuple[Reference, ...] = ()
    """Where one of these records is found, this one is not written."""

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
    """The event is not meant for the org; that costs no API call and is no failure."""

    reason: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """The event is meant for the org and cannot go there as it is."""

    mapping: str
    """Empty where the event is no event at all."""
    reason: str
    item: int = 0


Mapped = Record | Skipped | Rejected
