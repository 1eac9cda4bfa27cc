"""What mapping makes of an event: records to deliver, or the reason why there is none."""

from collections.abc import Mapping
from dataclasses import dataclass

from sfmap.engine.spec.model import NO_HEADERS, Constant, OnDuplicate, OnMany, OnMissing, Operation, WriteHeaders

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


@dataclass(frozen=True, slots=True)
class Reference:
    """A pointer to the record of `object` whose field `by` has the value; delivery finds that record."""

    object: str
    by: str
    value: Value
    on_missing: OnMissing = "drop"


Content = Value | Reference | None
"""What is written into a field; None empties it."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record to write. `match` lists the lookups that have values, in the order to try them."""

    mapping: str
    object: str
    operation: Operation
    match: tuple[Mapping[str, Value], ...]
    on_many: OnMany
    fields: Mapping[str, Content]
    """Written on create and update alike."""
    create_only: Mapping[str, Content]
    update_only: Mapping[str, Content]
    if_empty: Mapping[str, Content]
    """Written on create, and on update where the org's field is empty."""
    origins: Mapping[str, str]
    """Where each field's value came from: the source's text."""
    notes: tuple[Note, ...] = ()
    external_id: str = ""
    """The field by which the org itself finds the record; empty where delivery looks it up."""
    where: str = ""
    """A condition in SOQL that a record found must meet; empty where there is none."""
    headers: WriteHeaders = NO_HEADERS
    on_duplicate: OnDuplicate = "fail"
    skip_unchanged: bool = False
    """Whether a record that holds these values already is left alone."""
    timestamp_guard: bool = False
    """Whether an older event than the newest one written leaves the record alone."""
    item: int = 0
    """Which item of the event's list this is, from 1; 0 where the event is one record."""


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
