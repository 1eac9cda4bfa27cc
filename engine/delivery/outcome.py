"""Outcomes: delivery gives each record of each event exactly one."""

from dataclasses import dataclass
from typing import Literal, get_args

Fate = Literal["created", "updated", "deleted", "unchanged", "skipped", "failed"]
FATES: tuple[Fate, ...] = get_args(Fate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How the org refused the write of a record."""

    code: str
    """The org's status code."""
    verb: str
    place: int
    """The record's place in the write, from 1."""
    together: int
    """The number of records in the write."""
    tries: int


@dataclass(frozen=True, slots=True)
class Ending:
    """The result for one item."""

    fate: Fate
    id: str | None = None
    reason: str = ""
    notes: tuple[str, ...] = ()
    may_be_created: bool = False
    """Whether the org may have created the record although the item failed."""
    answer: Answer | None = None
    """None if the org did not refuse it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    event: int
    """The event's number in the run."""
    file: str
    line: int
    message_id: str | None
    fate: Fate
    mapping: str = ""
    item_number: int = 0
    """The item of the event's list, from 1; 0 if the mapping makes one record of the event."""
    object_name: str = ""
    id: str | None = None
    """The record's id, if the org has it."""
    reason: str = ""
    """Why it was skipped or failed."""
    notes: tuple[str, ...] = ()
    """What was cut or left out."""
    events: int = 1
    """The number of events that were folded into the record."""
    answer: Answer | None = None
    """None if the org did not refuse it."""

    def as_json(self) -> dict[str, object]:
        """The outcome as a line of the results file."""
        line: dict[str, object] = {
            "event": self.event,
            "file": self.file,
            "line": self.line,
            "messageId": self.message_id,
            "outcome": self.fate,
            "mapping": self.mapping or None,
            **({"item": self.item_number} if self.item_number else {}),
            "object": self.object_name or None,
            "id": self.id,
            "reason": self.reason or None,
        }
        if self.events > 1:
            line["events"] = self.events
        if self.notes:
            line["notes"] = list(self.notes)
        return line
