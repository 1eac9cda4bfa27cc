"""One event on the operator's page: its outcome, the org's answer, the record with its explanation, the event."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import orjson

from sfmap.engine.delivery.internal_error import internal_error
from sfmap.engine.inspect.explanation import Explained, FieldStory, explain
from sfmap.engine.journal.database import Database
from sfmap.engine.journal.dead_letter_store import DeadLetter, dead_letters, letter_number
from sfmap.engine.journal.entries import digest
from sfmap.engine.journal.history import History
from sfmap.engine.journal.history_entries import PastEvent, PastOutcome
from sfmap.engine.journal.spool import Spool
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.mapping.values.event_title import event_title
from sfmap.engine.mapping.values.record import Record, Skipped
from sfmap.engine.serve.event_list import WAITING, record_key
from sfmap.engine.serve.failure_groups import reason_of
from sfmap.engine.serve.page_query import PageQuery
from sfmap.engine.sources.reading import read_event

_WRITES = {
    "create": "create only",
    "update": "update only",
    "empty": "only if empty",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldLine:
    """A field of the record as the mappings make it now."""

    field: str
    value: str
    source: str
    file: str
    line: int
    chips: Sequence[str] = ()
    tried: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordView:
    """The record that the mappings make of the event now."""

    heading: str = ""
    written: Sequence[FieldLine] = ()
    others: Sequence[FieldLine] = ()
    """Fields that are not written, with the reason."""
    problem: str = ""
    """Why there is no record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrgAnswer:
    code: str
    message: str
    write: str
    """`create Lead, record 12 of 57`; empty if it is not known."""
    tries: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventDetail:
    title: str
    fate: str
    event: str
    """Its source and number, as in `website:1042`."""
    type: str
    message_id: str
    came: str
    decided: str = ""
    mapping: str = ""
    revision: str = ""
    object_name: str = ""
    record: str = ""
    reason: str = ""
    notes: Sequence[str] = ()
    answer: OrgAnswer | None = None
    view: RecordView = field(default_factory=RecordView)
    raw: str
    letter: int = 0
    """The dead letter that can be retried or discarded; 0 if there is none."""
    others: Sequence[tuple[str, str, bool]] = ()
    """The records of the event: the words, the address, and whether it is this one; empty if there is only one."""


class EventDetails:
    """Looks events up, in the history, the spool and the dead letters; every method may raise `JournalFailed`."""

    def __init__(self, journal: Database, spool: Spool) -> None:
        self._journal = journal
        self._spool = spool

    def of_letter(self, history: History | None, org: str, query: PageQuery, mapper: Mapper) -> EventDetail | None:
        """The dead letter of the query; None if there is none any more."""
        letter = self._letter(org, query.letter)
        if letter is None:
            return None
        event = history.event(letter.line) if history else None
        if history is None or event is None or event.source != letter.file:
            return _of_letter(letter, mapper)
        outcomes = history.outcomes_of(event.number)
        outcome = _chosen(outcomes, record_key(letter.mapping, letter.item_number))
        return _of_past(event, outcome, outcomes, letter, query, mapper)

    def of_event(
        self, history: History | None, org_key: str | None, query: PageQuery, mapper: Mapper
    ) -> EventDetail | None:
        """The event of the query; None if it is neither in the history nor in the spool."""
        event = history.event(query.event) if history else None
        if event is None or history is None:
            return self._of_spooled(query.event, mapper)
        outcomes = history.outcomes_of(query.event)
        outcome = _chosen(outcomes, query.record)
        letter = self._letter_of(org_key, event, outcome) if outcome and org_key else None
        return _of_past(event, outcome, outcomes, letter, query, mapper)

    def _letter(self, org: str, number: int) -> DeadLetter | None:
        return next(iter(dead_letters(self._journal, org, numbers=(number,))), None)

    def _letter_of(self, org: str, event: PastEvent, outcome: PastOutcome) -> DeadLetter | None:
        if outcome.fate != "failed":
            return None
        number = letter_number(self._journal, org, digest(event.raw, outcome.mapping, outcome.item_number))
        return self._letter(org, number) if number else None

    def _of_spooled(self, number: int, mapper: Mapper) -> EventDetail | None:
        spooled = next(iter(self._spool.after(number - 1, 1, 1)), None)
        if spooled is None or spooled.number != number:
            return None
        event, _ = read_event(spooled.event)
        return EventDetail(
            title=(event_title(event) if event else "") or f"{spooled.source}:{number}",
            fate=WAITING,
            event=f"{spooled.source}:{number}",
            type=_text(event, "type"),
            message_id=_text(event, "messageId"),
            came=_moment(spooled.accepted),
            view=_view(spooled.event, mapper, None),
            raw=_pretty(spooled.event),
        )


def _of_past(
    event: PastEvent,
    outcome: PastOutcome | None,
    outcomes: Sequence[PastOutcome],
    letter: DeadLetter | None,
    query: PageQuery,
    mapper: Mapper,
) -> EventDetail:
    others = [
        (
            f"{one.mapping or 'no mapping'}{f' {one.item_number}' if one.item_number else ''}: {one.fate}",
            query.link(event=event.number, letter=0, record=record_key(one.mapping, one.item_number)),
            one is outcome,
        )
        for one in outcomes
    ]
    common = {
        "title": event.title or event.message_id or f"{event.source}:{event.number}",
        "event": f"{event.source}:{event.number}",
        "type": event.type,
        "message_id": event.message_id,
        "came": _moment(event.came),
        "raw": _pretty(event.raw),
    }
    if outcome is None:
        return EventDetail(**common, fate=WAITING, view=_view(event.raw, mapper, None))  # type: ignore[arg-type]
    answer = _answer(outcome, letter)
    return EventDetail(
        **common,
        fate=outcome.fate,
        decided=_moment(outcome.decided),
        mapping=outcome.mapping,
        revision=outcome.revision,
        object_name=outcome.object_name,
        record=outcome.record,
        reason="" if answer else outcome.reason,
        notes=[note for note in outcome.notes.split("\n") if note],
        answer=answer,
        view=_view(event.raw, mapper, (outcome.mapping, outcome.item_number)),
        letter=letter.id if letter else 0,
        others=others if len(others) > 1 else (),
    )


def _of_letter(letter: DeadLetter, mapper: Mapper) -> EventDetail:
    event, _ = read_event(letter.raw)
    code, message = reason_of(letter.reason)
    answer = OrgAnswer(code=code, message=message, write="", tries=_tries(letter)) if code else None
    return EventDetail(
        title=(event_title(event) if event else "") or f"{letter.file}:{letter.line}",
        fate="failed",
        event=f"{letter.file}:{letter.line}",
        type=_text(event, "type"),
        message_id=_text(event, "messageId"),
        came=_text(event, "receivedAt").replace("T", " ").replace("Z", " UTC"),
        decided=f"{letter.last[:19].replace('T', ' ')} UTC",
        mapping=letter.mapping,
        object_name=letter.object_name,
        reason="" if answer else letter.reason,
        answer=answer,
        view=_view(letter.raw, mapper, (letter.mapping, letter.item_number)),
        raw=_pretty(letter.raw),
        letter=letter.id,
    )


def _chosen(outcomes: Sequence[PastOutcome], record: str) -> PastOutcome | None:
    named = (one for one in outcomes if record_key(one.mapping, one.item_number) == record)
    return next(named, outcomes[0] if outcomes else None)


def _answer(outcome: PastOutcome, letter: DeadLetter | None) -> OrgAnswer | None:
    code, message = reason_of(outcome.reason)
    if not outcome.answer:
        return None
    said = orjson.loads(outcome.answer)
    verb = f"{said['verb']} {outcome.object_name}".strip()
    return OrgAnswer(
        code=code or said["code"],
        message=message,
        write=f"{verb}, record {said['place']:,} of {said['together']:,}",
        tries=_tries(letter) if letter else _times(said["tries"]),
    )


def _tries(letter: DeadLetter) -> str:
    return f"{_times(letter.attempts)}, last {letter.last[:19].replace('T', ' ')} UTC"


def _times(count: int) -> str:
    return "tried once" if count == 1 else f"tried {count:,} times"


def _view(raw: bytes, mapper: Mapper, record: tuple[str, int] | None) -> RecordView:
    """The record of that mapping and item, or the only one, as the mappings make it now."""
    event, problem = read_event(raw)
    if event is None:
        return RecordView(problem=problem)
    try:
        told = explain(mapper, event)
    except Exception as error:  # noqa: BLE001 - a bug that one event triggers must not hide the event
        return RecordView(problem=f"This is a bug in sfmap: {internal_error(error)}")
    chosen = next((one for one in told if record and _is_of(one, *record)), told[0] if len(told) == 1 else None)
    if chosen is None:
        return RecordView(problem="The mappings no longer make this record of the event." if record else "")
    if isinstance(chosen.mapped, Skipped):
        return RecordView(problem=f"Skipped: {chosen.mapped.reason}")
    written = [_line(story) for story in chosen.stories if story.is_written]
    others = [_line(story) for story in chosen.stories if not story.is_written and (story.notes or story.tried)]
    if isinstance(chosen.mapped, Record):
        return RecordView(heading=_heading(chosen.mapped), written=written, others=others)
    return RecordView(problem=f"Rejected: {chosen.mapped.reason}", written=written, others=others)


def _is_of(one: Explained, mapping: str, item_number: int) -> bool:
    mapped = one.mapped
    return not isinstance(mapped, Skipped) and (mapped.mapping, mapped.item_number) == (mapping, item_number)


def _heading(record: Record) -> str:
    by = ", else by ".join(" and ".join(lookup) for lookup in record.match)
    return f"{record.operation} {record.object}{f' by {by}' if by else ''}"


def _line(story: FieldStory) -> FieldLine:
    told = story.as_json()
    value = told.get("value")
    return FieldLine(
        field=story.field,
        value=value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False),
        source=story.origin,
        file=story.span.source.file,
        line=story.span.line,
        chips=list(_chips(story)),
        tried=[f"{attempt.source}: {attempt.outcome}" for attempt in story.tried],
    )


def _chips(story: FieldStory) -> Iterator[str]:
    if story.is_written and story.content is None:
        yield "emptied"
    if story.is_written and story.write in _WRITES:
        yield _WRITES[story.write]
    yield from story.notes


def _pretty(raw: bytes) -> str:
    event, _ = read_event(raw)
    if event is None:
        return raw.decode("utf-8", "replace")
    return json.dumps(event, ensure_ascii=False, indent=2).encode("utf-8", "replace").decode()


def _text(event: object, name: str) -> str:
    found = event.get(name) if isinstance(event, dict) else None
    return found if isinstance(found, str) else ""


def _moment(seconds: float) -> str:
    at = datetime.fromtimestamp(seconds, UTC)
    return f"{at.strftime('%Y-%m-%d %H:%M:%S')}.{at.microsecond // 1000:03} UTC"
