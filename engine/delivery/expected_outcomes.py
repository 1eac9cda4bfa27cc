"""What the outcome of a record is once a bulk job has written its row, and how the row's answer changes that."""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import orjson

from sfmap.engine.delivery.item import Cause, Item
from sfmap.engine.delivery.outcome import Answer, Ending, Outcome
from sfmap.engine.delivery.outcome_table import Row, held_event, outcome_of_json
from sfmap.engine.delivery.refusals import cause_of
from sfmap.engine.delivery.writes import PendingWrite, upserted
from sfmap.engine.journal.entries import AnsweredRecord
from sfmap.engine.org.bulk_port import RowOutcome, Unprocessed
from sfmap.engine.org.port import Refused, Written

_CHUNK = 200
"""The rows that the org writes together."""
LOST = b'"lost"'
"""The answer of a job that is gone: whether its rows were written is not known."""
_UNPROCESSED = b'"unprocessed"'
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


def expected_outcomes(pending: PendingWrite, rows: Sequence[Row]) -> Iterator[bytes]:
    """For each item of the write, what the journal keeps until the job is over."""
    items = pending.fold.items
    for nth, (item, row, fate) in enumerate(zip(items, rows, pending.fates, strict=True)):
        outcome = row.outcome_of(
            Ending(fate, notes=pending.notes), item.record.mapping, item.record.object, item.fitted.notes
        )
        expected = orjson.dumps(
            {
                "outcome": outcome,
                "verb": pending.call.verb,
                "tells_created": pending.call.verb == "upsert" and nth == 0,
                "is_alone": len(items) == 1 and not item.is_folded,
                "final": _final_causes(item),
                "is_found_again": pending.call.verb != "create" or pending.fold.head.is_found_again,
                "newest": _newest(item),
                "repeat_key": row.received.repeat_key,
            }
        )
        # Notes are long: in half the bytes, two records fit into a page of the journal.
        yield zlib.compress(expected, 1)


def _final_causes(item: Item) -> list[Cause]:
    """For what causes it is of no use to send the record again."""
    causes: list[Cause] = [] if item.lookup_keys else ["taken"]
    return [*causes, "duplicate"] if item.record.on_duplicate == "fail" else causes


def _newest(item: Item) -> tuple[str, str] | None:
    return (item.moment.identity.hex(), item.moment.time) if item.moment and item.moment.time else None


def stored_answer(outcome: RowOutcome) -> bytes:
    """The answer of a row, for the journal."""
    return _UNPROCESSED if isinstance(outcome, Unprocessed) else orjson.dumps(outcome)


def ended_record(record: AnsweredRecord) -> EndedRecord:
    """The record with its outcome, if the answer of its row settles it."""
    said = orjson.loads(zlib.decompress(record.expected))
    answer = orjson.loads(record.answer or _UNPROCESSED)
    received = held_event(record.held)._replace(repeat_key=said["repeat_key"])
    row = Row(received, record.held.key)
    expected = outcome_of_json(said["outcome"])
    if record.answer == LOST:
        if not said["is_found_again"]:
            row.may_be_created = True
            row.outcome = replace(expected, fate="failed", reason=_LOST_CREATE)
    elif isinstance(answer, dict) and "code" in answer:
        refused = Refused(answer["code"], answer["message"], tuple(answer["fields"]), tuple(answer["duplicates"]))
        cause = cause_of(refused, said["verb"], _CHUNK)
        if said["is_alone"] and (cause is None or cause in said["final"]):
            row.outcome = _refused(expected, refused, said["verb"], record.place)
    elif isinstance(answer, dict):
        written = Written(answer["id"], answer["created"])
        fate = upserted(written) if said["tells_created"] else expected.fate
        row.outcome = replace(expected, id=written.id, fate=fate)
    newest = said["newest"]
    is_written = row.outcome is not None and row.outcome.fate != "failed"
    return EndedRecord(
        row=row,
        is_refused=row.outcome is None and isinstance(answer, dict),
        newest=(bytes.fromhex(newest[0]), newest[1]) if newest and is_written else None,
    )


def _refused(expected: Outcome, refused: Refused, verb: str, place: int) -> Outcome:
    return replace(
        expected,
        fate="failed",
        reason=f"{refused.code}: {refused.message}",
        answer=Answer(code=refused.code, verb=verb, place=place + 1, together=_CHUNK, tries=1),
    )
