"""What the journal holds of a run: where it is, and the records that are held, unanswered, decided or failed."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from sfmap.engine.files.output import NO_RESULTS, Results
from sfmap.engine.sources.event_source import Position
from sfmap.engine.sources.reading import json_bytes, read_event

FOLDED = -1
"""Instead of an item: the record that several events were folded into before they were delivered."""


DEAD_LETTERS = "dead letters"
"""The name of the dead letters as a source."""


class RecordKey(NamedTuple):
    """The key of one record of an event: the event's number and digest, the mapping and the item."""

    event: int
    digest: str
    mapping: str
    item_number: int
    """The item of the event's list, from 1; 0 if the mapping makes one record of the event; or `FOLDED`."""

    @property
    def is_folded(self) -> bool:
        return self.item_number == FOLDED


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """Every event up to here has an outcome, or is held in the journal."""

    position: Position
    results: Results
    tally: bytes
    """The summary of the outcomes up to here."""
    finished: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A record of an event that waits until a write in doubt is settled."""

    key: RecordKey
    file: str
    line: int
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A record that travels by a bulk job, and is held until the job is over."""

    held: Held
    load: int
    place: int
    """The number of its row in the load, from 0; records with the same one are written as one."""
    row_key: bytes | None
    """What the results name the row by; None for further records of a row."""
    expected: bytes
    """Its outcome if the row is written, as JSON."""
    was_held: bool = False
    """Whether the journal holds it already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredRecord:
    """A record whose load is over."""

    held: Held
    place: int
    """The number of its row in the load, from 0."""
    expected: bytes
    answer: bytes | None
    """What the org did with its row, as JSON; None if no job has taken it."""
    number: int
    """Orders the records of one row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPart:
    """The records of a load up to one of them, by row and by their order in it."""

    load: int
    place: int
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLoad:
    """Records of one source that one bulk job writes."""

    id: int
    source: str
    state: Literal["filling", "opened", "closing", "answered"]
    """`filling` has no job; `opened` has one that the org does not process before it is closed; `closing` may have
    been closed; `answered` has the results of all its rows in the journal."""
    job: str
    """The job's id in the org; empty while filling."""
    target: bytes
    """What the job does with each row, as JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InFlight:
    """A write without an answer: for a while, the org may still execute it."""

    id: int
    seconds: float | None
    """How much longer it may, negative if no longer; None if its time cannot be compared with the time now."""
    traces: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """A write of a record that was not answered: what is needed to find out later whether the org executed it."""

    verb: str
    id: str = ""
    """The id of the record to change; empty for a create and an upsert."""
    known: tuple[str, ...] = ()
    """For a create, the ids of the records that had its key before."""
    write: int = 0
    """The write that it was part of."""
    position: int = 0
    """Its position in the write: records with the same one were written as one."""
    losses: int = 1
    """How often its answer was lost; each run counts from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A new dead letter: one record of an event, or an event as a whole."""

    key: RecordKey
    file: str
    line: int
    object_name: str
    reason: str
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What has become certain; written in one transaction."""

    writes: Sequence[int] = ()
    """The numbers of the writes that were answered."""
    outcomes: Sequence[tuple[RecordKey, bytes]] = ()
    """As JSON."""
    newest: Sequence[tuple[bytes, str]] = ()
    """By identity, the time of the newest event that was written."""
    kept: Sequence[tuple[RecordKey, Unanswered]] = ()
    """Earlier unanswered writes that stay unknown although these were answered."""
    ended: Sequence[RecordKey] = ()
    """Records that have an outcome, and for which other writes than these may have been sent."""
    messages: Sequence[str] = ()
    """The ids to remember for records that must not be created again, even if the run is restarted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """What changes with a window; written in one transaction."""

    position: Position
    results: Results = NO_RESULTS
    tally: bytes = b""
    held: Sequence[Held | Loaded] = ()
    """In their order."""
    no_longer_held: Sequence[RecordKey] = ()
    """Held records and dead letters that now have an outcome."""
    failed: Sequence[Letter] = ()
    delivered: Sequence[bytes] = ()
    """The digests of delivered records, which may have been dead letters before."""
    messages: Sequence[str] = ()
    """The ids of delivered events."""
    newest: Sequence[tuple[bytes, str]] = ()
    """By identity, the time of the newest event that a bulk job has written."""
    given_back: Sequence[RecordKey] = ()
    """Records that no bulk job writes any more: they are held until they are sent otherwise."""
    ended: LoadPart | None = None
    """Records of a load that have an outcome now, but for those that are given back."""


def digest(raw: bytes, mapping: str, item_number: int) -> bytes:
    """A digest that identifies a record of an event, independent of its file.

    Copies of an event with the same `messageId` have the same digest, even if sent and received at other times.
    """
    return hashlib.sha256(b"%d %s %s" % (item_number, mapping.encode(), _without_receipt(raw))).digest()[:16]


def _without_receipt(raw: bytes) -> bytes:
    """The event without the fields that a receiving service adds."""
    event, _ = read_event(raw)
    if event is None or not event.get("messageId"):
        return raw
    added = {"receivedAt", "sentAt"}
    if "originalTimestamp" in event or event.get("timestamp") == event.get("receivedAt"):
        added.add("timestamp")
    return json_bytes({key: event[key] for key in sorted(event) if key not in added})
