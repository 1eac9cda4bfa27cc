"""What the outcome of a record is once a bulk job has written its row, and how the row's answer changes that."""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import orjson

from sfmap.engine.delivery.item import Cause, Item
from sfmap.engine.delivery.outcome import Answer, Ending, Fate
from sfmap.engine.delivery.outcome_table import Row, held_event
from sfmap.engine.delivery.refusals import cause_of
from sfmap.engine.delivery.writes import PendingWrite, upserted
from sfmap.engine.journal.entries import AnsweredRecord, LoadPart
from sfmap.engine.org.bulk_port import RowOutcome, Unprocessed
from sfmap.engine.org.port import Refused, Written

_CHUNK = 200
"""The rows that the org writes together."""
_LOST, _UNPROCESSED = "lost", "unprocessed"
LOST = orjson.dumps(_LOST)
"""The answer of a job that is gone: whether its rows were written is not known."""
_MOST_REMEMBERED = 1_000
"""The expectations that are packed or unpacked once only, of those that many rows share."""
_LOST_CREATE = (
    "the bulk job that was to create it is gone from the org. It is not known whether the record was created,"
    " and no lookup can find it"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedRecord:
    """A record whose job is over, and what to remember about it."""

    row: Row
    """Without an outcome, it must be sent otherwise."""
    is_refused: bool = False
    """Whether the org has refused it so that it may take it otherwise."""
    newest: tuple[bytes, str] | None = None
    """Its identity and time, if `timestamp_guard` asks for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedPart:
    """Some records of a load that is over."""

    records: Sequence[EndedRecord]
    up_to: LoadPart


class _Expected(NamedTuple):
    """What the journal keeps of a record until the job is over; most rows of a load expect the same."""

    fate: Fate
    object_name: str
    notes: tuple[str, ...]
    verb: str
    tells_created: bool
    """Whether the answer says if the record was created."""
    is_alone: bool
    """Whether the record is its row's only one, so that the row's refusal may be its own."""
    final: tuple[Cause, ...]
    """For what causes it is of no use to send the record again."""
    is_found_again: bool
    newest: tuple[str, str] | None
    repeat_key: str


def expected_outcomes(pending: PendingWrite, rows: Sequence[Row]) -> Iterator[bytes]:
    """For each item of the write, what the journal keeps until the job is over."""
    items = pending.fold.items
    for nth, (item, row, fate) in enumerate(zip(items, rows, pending.fates, strict=True)):
        expected = _Expected(
            fate=fate,
            object_name=item.record.object,
            notes=(*(note.text for note in item.fitted.notes), *pending.notes),
            verb=pending.call.verb,
            tells_created=pending.call.verb == "upsert" and nth == 0,
            is_alone=len(items) == 1 and not item.is_folded,
            final=_final_causes(item),
            is_found_again=pending.is_found_again,
            newest=_newest(item),
            repeat_key=row.received.repeat_key,
        )
        yield _packed(expected)


@lru_cache(maxsize=_MOST_REMEMBERED)
def _packed(expected: _Expected) -> bytes:
    """Notes are long: in half the bytes, two records fit into a page of the journal."""
    return zlib.compress(orjson.dumps(expected._asdict()), 1)


@lru_cache(maxsize=_MOST_REMEMBERED)
def _unpacked(stored: bytes) -> _Expected:
    said = orjson.loads(zlib.decompress(stored))
    return _Expected(**{**said, "notes": tuple(said["notes"])})


def _final_causes(item: Item) -> tuple[Cause, ...]:
    causes: tuple[Cause, ...] = () if item.lookup_keys else ("taken",)
    return (*causes, "duplicate") if item.record.on_duplicate == "fail" else causes


def _newest(item: Item) -> tuple[str, str] | None:
    return (item.moment.identity.hex(), item.moment.time) if item.moment and item.moment.time else None


def stored_answer(outcome: RowOutcome) -> bytes:
    """The answer of a row, for the journal."""
    return orjson.dumps(_UNPROCESSED if isinstance(outcome, Unprocessed) else outcome)


def ended_record(record: AnsweredRecord) -> EndedRecord:
    """The record with its outcome, if the answer of its row settles it."""
    expected = _unpacked(record.expected)
    answer = orjson.loads(record.answer) if record.answer else None
    received = held_event(record.held)
    row = Row(
        received._replace(repeat_key=expected.repeat_key) if expected.repeat_key else received, record.held.key
    )
    if ending := _ending(expected, answer, record.place):
        row.end(ending, record.held.key.mapping, expected.object_name)
    newest = expected.newest
    is_written = ending is not None and ending.fate != "failed"
    return EndedRecord(
        row=row,
        is_refused=ending is None and isinstance(answer, dict),
        newest=(bytes.fromhex(newest[0]), newest[1]) if newest and is_written else None,
    )


def _ending(expected: _Expected, answer: object, place: int) -> Ending | None:
    """What the answer of its row makes of a record; None if it must be sent otherwise."""
    if answer == _LOST and not expected.is_found_again:
        return Ending("failed", reason=_LOST_CREATE, notes=expected.notes, may_be_created=True)
    if not isinstance(answer, dict):
        return None
    if "code" in answer:
        refused = Refused(answer["code"], answer["message"], tuple(answer["fields"]), tuple(answer["duplicates"]))
        cause = cause_of(refused, expected.verb, _CHUNK)
        is_final = expected.is_alone and (cause is None or cause in expected.final)
        return _refused(expected, refused, place) if is_final else None
    written = Written(answer["id"], answer["created"])
    fate = upserted(written) if expected.tells_created else expected.fate
    return Ending(fate, written.id, notes=expected.notes)


def _refused(expected: _Expected, refused: Refused, place: int) -> Ending:
    return Ending(
        "failed",
        reason=f"{refused.code}: {refused.message}",
        notes=expected.notes,
        answer=Answer(code=refused.code, verb=expected.verb, place=place + 1, together=_CHUNK, tries=1),
    )
