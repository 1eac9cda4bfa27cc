"""What mapping makes of an event: records to deliver, or the reason why there is none."""

from collections.abc import Mapping
from dataclasses import dataclass

from sfmap.engine.spec.model import Constant, OnMany, Operation

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
class Record:
    """One record to write. `match` lists the lookups that have values, in the order to try them."""

    mapping: str
    object: str
    operation: Operation
    match: tuple[Mapping[str, Value], ...]
    on_many: OnMany
    fields: Mapping[str, Value]
    """Written on create and update alike."""
    create_only: Mapping[str, Value]
    update_only: Mapping[str, Value]
    origins: Mapping[str, str]
    """Where each field's value came from: the source's text."""
    notes: tuple[Note, ...] = ()


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


Mapped = Record | Skipped | Rejected
