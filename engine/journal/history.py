"""Reads the history of a service: the events of the last days, and what became of their records."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

from sfmap.engine.journal.database import Database
from sfmap.engine.journal.history_entries import PastEvent, PastOutcome

_EVENT = "e.number, e.source, e.came, e.type, e.title, e.message_id"
_OUTCOME = (
    "o.event, o.mapping, o.item, o.fate, o.object, o.record, o.reason, o.answer, o.notes, o.revision, o.decided"
)
_JOINED = "history_outcomes o JOIN history_events e ON e.number = o.event"
_READ_AT_ONCE = 500
_SEARCHED = ("e.title", "e.message_id", "o.record")
_FOUND = " OR ".join(f"lower({column}) LIKE ? ESCAPE '!'" for column in _SEARCHED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which outcomes to list; empty texts and zeros are for all."""

    text: str = ""
    """In the event's title or message id, or the beginning of a record's id."""
    fate: str = ""
    mapping: str | None = None
    """Empty for the events that no mapping takes."""
    since: float = 0.0
    until: float = 0.0
    """When they were decided, in seconds since 1970; `until` itself is left out."""


class Listed(NamedTuple):
    """A line of the list."""

    event: PastEvent
    outcome: PastOutcome


class MinuteCount(NamedTuple):
    """How many records had this outcome in a minute."""

    minute: int
    """In minutes since 1970."""
    mapping: str
    fate: str
    outcomes: int


class History:
    """The history in a database. Thread-safe; every method may raise `JournalFailed`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def close(self) -> None:
        self._database.close()

    def events(self, after: int = 0, limit: int = 100) -> list[PastEvent]:
        """The newest events as received, of those after that number; the newest first."""
        rows = self._database.rows(
            f"SELECT {_EVENT}, r.raw FROM history_events e JOIN history_raw r ON r.number = e.number"  # noqa: S608
            " WHERE e.number > ? ORDER BY e.number DESC LIMIT ?",
            after,
            limit,
        )
        return [_event(row) for row in rows]

    def all_events(self) -> Iterator[PastEvent]:
        """All events as received, the oldest first."""
        last = 0
        while True:
            rows = self._database.rows(
                f"SELECT {_EVENT}, r.raw FROM history_events e JOIN history_raw r ON r.number = e.number"  # noqa: S608
                " WHERE e.number > ? ORDER BY e.number LIMIT ?",
                last,
                _READ_AT_ONCE,
            )
            yield from map(_event, rows)
            if len(rows) < _READ_AT_ONCE:
                return
            last = cast(int, rows[-1][0])

    def event(self, number: int) -> PastEvent | None:
        """The event as received; None if it is not in the history, or no longer."""
        rows = self._database.rows(
            f"SELECT {_EVENT}, r.raw FROM history_events e JOIN history_raw r ON r.number = e.number"  # noqa: S608
            " WHERE e.number = ?",
            number,
        )
        return _event(rows[0]) if rows else None

    def outcomes_of(self, event: int) -> list[PastOutcome]:
        query = f"SELECT {_OUTCOME} FROM history_outcomes o WHERE o.event = ? ORDER BY o.mapping, o.item"  # noqa: S608
        return [_outcome(row) for row in self._database.rows(query, event)]

    def outcomes(self, org: str, wanted: Wanted, limit: int, start: int = 0) -> list[Listed]:
        """The outcomes in the org, the last decided first."""
        where, values = _conditions(org, wanted)
        rows = self._database.rows(
            f"SELECT {_EVENT}, {_OUTCOME} FROM {_JOINED} WHERE {where}"  # noqa: S608
            " ORDER BY o.decided DESC, o.event DESC LIMIT ? OFFSET ?",
            *values,
            limit,
            start,
        )
        return [Listed(_event(row[:6]), _outcome(row[6:])) for row in rows]

    def count(self, org: str, wanted: Wanted, most: int = 1_000_000_000) -> int:
        """How many outcomes there are; at `most` so many are counted."""
        where, values = _conditions(org, wanted)
        tables = _JOINED if wanted.text else "history_outcomes o"
        counted = f"SELECT 1 FROM {tables} WHERE {where} LIMIT ?"  # noqa: S608
        rows = self._database.rows(f"SELECT count(*) FROM ({counted}) AS counted", *values, most)  # noqa: S608
        return cast(int, rows[0][0])

    def undecided(self, org: str, limit: int) -> list[PastEvent]:
        """The events without an outcome: they are being delivered, or wait until what the org did is certain."""
        rows = self._database.rows(
            f"SELECT {_EVENT} FROM history_events e WHERE e.org = ?"  # noqa: S608
            " AND NOT EXISTS (SELECT 1 FROM history_outcomes o WHERE o.event = e.number)"
            " ORDER BY e.number DESC LIMIT ?",
            org,
            limit,
        )
        return [_event(row) for row in rows]

    def minutes(self, org: str, since: int) -> list[MinuteCount]:
        """The counts of each minute from that one on."""
        rows = self._database.rows(
            "SELECT minute, mapping, fate, outcomes FROM history_minutes"
            " WHERE org = ? AND minute >= ? AND outcomes > 0 ORDER BY minute, mapping, fate",
            org,
            since,
        )
        return [MinuteCount(*row) for row in rows]  # type: ignore[arg-type]

    def newest(self, org: str) -> float:
        """When the last outcome was decided; 0 if there is none."""
        query = "SELECT coalesce(max(decided), 0) FROM history_outcomes WHERE org = ?"
        return float(cast(float, self._database.rows(query, org)[0][0]))

    def mappings(self, org: str) -> list[str]:
        """The names of the mappings that outcomes are of."""
        query = "SELECT DISTINCT mapping FROM history_minutes WHERE org = ? ORDER BY mapping"
        return [cast(str, row[0]) for row in self._database.rows(query, org)]


def _conditions(org: str, wanted: Wanted) -> tuple[str, Sequence[object]]:
    parts = list(_parts(org, wanted))
    return " AND ".join(sql for sql, _ in parts), [value for _, values in parts for value in values]


def _parts(org: str, wanted: Wanted) -> Iterator[tuple[str, Sequence[object]]]:
    yield "o.org = ?", [org]
    if wanted.since:
        yield "o.decided >= ?", [wanted.since]
    if wanted.until:
        yield "o.decided < ?", [wanted.until]
    if wanted.fate:
        yield "o.fate = ?", [wanted.fate]
    if wanted.mapping is not None:
        yield "o.mapping = ?", [wanted.mapping]
    if wanted.text:
        text = wanted.text.lower()
        for special in "!%_":
            text = text.replace(special, f"!{special}")
        yield f"({_FOUND})", [f"%{text}%", f"%{text}%", f"{text}%"]


def _event(row: Sequence[object]) -> PastEvent:
    return PastEvent(*row)  # type: ignore[arg-type]


def _outcome(row: Sequence[object]) -> PastOutcome:
    return PastOutcome(*row)  # type: ignore[arg-type]
