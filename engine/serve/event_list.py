"""The list of events on the operator's page: those that wait, and the latest outcome of every record."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sfmap.engine.delivery.outcome import Outcome
from sfmap.engine.journal.database import Database
from sfmap.engine.journal.dead_letter_store import DeadLetter, dead_letters
from sfmap.engine.journal.history import History, Listed
from sfmap.engine.journal.history_entries import PastEvent
from sfmap.engine.journal.spool import Spool, Spooled
from sfmap.engine.mapping.values.event_title import event_title
from sfmap.engine.serve.failure_groups import FailureGroups, reason_of
from sfmap.engine.serve.page_query import PageQuery
from sfmap.engine.sources.reading import read_event

PAGE = 50
MOST_COUNTED = 10_000
"""Counting on would cost more than it tells."""
WAITING = "waiting"
_WAITING_SHOWN = 3
"""Those that wait are above the others only as far as they leave room for them."""
_MOST_BYTES = 1024 * 1024
_NO_NAME = "(no name)"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    key: str
    """Identifies the row when the list is renewed."""
    href: str
    """Empty if there is nothing more to show of it."""
    time: str
    title: str
    type: str
    fate: str
    mapping: str = ""
    record: str = ""
    reason: str = ""
    is_open: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EventList:
    rows: Sequence[EventRow]
    total: int
    waiting: int = 0
    """Further events that wait, and are not in the list."""
    before: str = ""
    further: str = ""
    """The addresses of the pages before and after this one."""
    note: str = ""
    """Why the list is not whole."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Where events wait."""

    spool: Spool
    held: int
    """How many records wait until it is certain what the org did."""


def listed_history(history: History, waiting: Waiting, org: str, query: PageQuery, now: float) -> EventList:
    """Raises `JournalFailed`."""
    if query.outcome == WAITING:
        return _waiting(history, waiting, org, query)
    above = EventList(rows=(), total=0)
    if not query.is_filtered and not query.start:
        above = _waiting(history, waiting, org, query, _WAITING_SHOWN)
    wanted = query.wanted(now)
    found = history.outcomes(org, wanted, PAGE + 1, query.start)
    total = query.start + len(found) if len(found) <= PAGE else history.count(org, wanted, MOST_COUNTED)
    until = query.until or int(now) + 1
    return EventList(
        rows=[*above.rows, *(_row(one, query, now) for one in found[:PAGE])],
        total=total,
        waiting=above.total - len(above.rows),
        before=query.link(start=max(0, query.start - PAGE)) if query.start else "",
        further=query.link(start=query.start + PAGE, until=until) if len(found) > PAGE else "",
    )


def listed_group(database: Database, org: str, groups: FailureGroups, query: PageQuery) -> EventList | None:
    """The dead letters of a group; None if there are none any more. Raises `JournalFailed`."""
    group = groups.find(org, query.failure)
    if group is None:
        return None
    numbers = groups.numbers(org, group)[::-1]
    chosen = numbers[query.start : query.start + PAGE]
    letters = {one.id: one for one in dead_letters(database, org, numbers=chosen)} if chosen else {}
    return EventList(
        rows=[letter_row(letters[number], query) for number in chosen if number in letters],
        total=len(numbers),
        before=query.link(start=max(0, query.start - PAGE)) if query.start else "",
        further=query.link(start=query.start + PAGE) if query.start + PAGE < len(numbers) else "",
    )


def listed_recent(recent: Iterable[Outcome], query: PageQuery) -> EventList:
    """What is known without a history: the last outcomes since the start."""
    wanted = query.wanted(0.0)
    rows = [
        EventRow(
            key=f"{one.file}:{one.line}:{one.mapping}:{one.item_number}",
            href="",
            time="",
            title=one.message_id or f"{one.file}:{one.line}",
            type="",
            fate=one.fate,
            mapping=one.mapping,
            record=one.id or "",
            reason=one.reason,
        )
        for one in recent
        if (not wanted.fate or one.fate == wanted.fate)
        and (wanted.mapping is None or one.mapping == wanted.mapping)
        and wanted.text.lower() in f"{one.message_id or ''} {one.id or ''}".lower()
    ]
    return EventList(rows=rows, total=len(rows))


def letter_row(letter: DeadLetter, query: PageQuery) -> EventRow:
    event, _ = read_event(letter.raw)
    kind = event.get("type") if event else ""
    return EventRow(
        key=f"letter:{letter.id}",
        href=query.link(letter=letter.id, event=0, record=""),
        time=letter.last[11:19],
        title=(event_title(event) if event else "") or f"{letter.file}:{letter.line}",
        type=kind if isinstance(kind, str) else "",
        fate="failed",
        mapping=letter.mapping,
        reason=reason_of(letter.reason).message,
        is_open=query.letter == letter.id,
    )


def record_key(mapping: str, item_number: int) -> str:
    return f"{mapping}:{item_number}"


def clock_time(moment: float, now: float) -> str:
    """The time in UTC, with the day if it is not today's."""
    at, today = datetime.fromtimestamp(moment, UTC), datetime.fromtimestamp(now, UTC)
    return at.strftime("%H:%M:%S" if at.date() == today.date() else "%m-%d %H:%M")


def _row(one: Listed, query: PageQuery, now: float) -> EventRow:
    event, outcome = one
    record = record_key(outcome.mapping, outcome.item_number)
    return EventRow(
        key=f"{event.number}:{record}",
        href=query.link(event=event.number, record=record, letter=0),
        time=clock_time(outcome.decided, now),
        title=event.title or event.message_id or _NO_NAME,
        type=event.type,
        fate=outcome.fate,
        mapping=outcome.mapping,
        record=outcome.record,
        reason=reason_of(outcome.reason).message,
        is_open=query.event == event.number and query.record in ("", record),
    )


def _waiting(history: History, waiting: Waiting, org: str, query: PageQuery, most: int = PAGE) -> EventList:
    """The events that wait in the spool, and those that wait until it is certain what the org did."""
    spooled = waiting.spool.after(0, most, _MOST_BYTES)
    known = {one.number for one in spooled}
    rows = [_spooled_row(one, query) for one in spooled]
    if waiting.held and len(rows) < most:
        rows += [_held_row(one, query) for one in history.undecided(org, most) if one.number not in known]
    return EventList(rows=rows[:most], total=max(waiting.spool.events, len(rows)))


def _spooled_row(one: Spooled, query: PageQuery) -> EventRow:
    event, _ = read_event(one.event)
    kind = event.get("type") if event else ""
    return EventRow(
        key=f"{one.number}:",
        href=query.link(event=one.number, record="", letter=0),
        time=datetime.fromtimestamp(one.accepted, UTC).strftime("%H:%M:%S"),
        title=(event_title(event) if event else "") or _NO_NAME,
        type=kind if isinstance(kind, str) else "",
        fate=WAITING,
        is_open=query.event == one.number,
    )


def _held_row(one: PastEvent, query: PageQuery) -> EventRow:
    return EventRow(
        key=f"{one.number}:",
        href=query.link(event=one.number, record="", letter=0),
        time=datetime.fromtimestamp(one.came, UTC).strftime("%H:%M:%S"),
        title=one.title or one.message_id or _NO_NAME,
        type=one.type,
        fate=WAITING,
        reason="until it is certain what the org did",
        is_open=query.event == one.number,
    )
