"""Writes the history, and keeps it within its bounds."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple, cast

from sfmap.engine.journal.database import Database, Transaction, replacing
from sfmap.engine.journal.history_entries import DISCARDED, PastEvent, PastOutcome

_AT_ONCE = 500
"""The events that are asked for or deleted by one statement."""
_MARKS = ", ".join("?" * _AT_ONCE)
_BESIDE = 400
"""Bytes that an event takes in addition to itself: its outcome, keys and indexes, as measured."""
_STORE_EVENT = replacing("history_events", "number", "source, came, type, title, message_id, org, size")
_STORE_RAW = replacing("history_raw", "number", "raw")
_STORE_OUTCOME = replacing(
    "history_outcomes",
    "event, mapping, item",
    "fate, object, record, reason, answer, notes, revision, decided, org",
)
_COUNT = (
    "INSERT INTO history_minutes (org, minute, mapping, fate, outcomes) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (org, minute, mapping, fate) DO UPDATE SET"
    " outcomes = history_minutes.outcomes + excluded.outcomes"
)
_BEFORE = f"SELECT event, mapping, item, fate, decided FROM history_outcomes WHERE event IN ({_MARKS})"  # noqa: S608
_DELETE = "DELETE FROM history_outcomes WHERE event = ? AND mapping = ? AND item = ?"
_FAILED = "SELECT decided FROM history_outcomes WHERE event = ? AND mapping = ? AND item = ? AND fate = 'failed'"
_DISCARD = f"UPDATE history_outcomes SET fate = '{DISCARDED}' WHERE event = ? AND mapping = ? AND item = ?"  # noqa: S608
_OLDEST = f"SELECT number, came, size FROM history_events ORDER BY number LIMIT {_AT_ONCE}"  # noqa: S608
_SECONDS_A_MINUTE = 60
_COUNT_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class HistoryBounds:
    """What the history may hold."""

    days: float = 7.0
    size: int = 256 * 1024 * 1024
    """Bytes."""


class _Before(NamedTuple):
    """An outcome that was stored before."""

    event: int
    mapping: str
    item: int
    fate: str
    decided: float

    def gives_way_to(self, new: PastOutcome) -> bool:
        """Whether the new one is of the same record, or of the event as a whole after the record had failed."""
        is_same = (self.mapping, self.item) == (new.mapping, new.item_number)
        return is_same or (self.fate == "failed" and "" in (self.mapping, new.mapping))


class HistoryWriting:
    """Writes for one org. For one thread; every method may raise `JournalFailed`."""

    def __init__(self, database: Database, org: str, bounds: HistoryBounds) -> None:
        self._database = database
        self._org = org
        self._bounds = bounds
        self._size = 0
        self._counted = 0.0
        """When the size was counted: other nodes may write the same history."""

    def close(self) -> None:
        self._database.close()

    def discard(self, event: int, mapping: str, item_number: int) -> None:
        """Notes that a record that failed is never delivered."""
        with self._database.transaction() as transaction:
            row = transaction.execute(_FAILED, (event, mapping, item_number)).fetchone()
            if row is None:
                return
            transaction.execute(_DISCARD, (event, mapping, item_number))
            minute = _minute(row[0])
            for fate, change in (("failed", -1), (DISCARDED, 1)):
                transaction.execute(_COUNT, (self._org, minute, mapping, fate, change))

    def write(self, events: Sequence[PastEvent], outcomes: Sequence[PastOutcome], now: float) -> None:
        """Writes all in one transaction. What is written again takes the place of what was there."""
        if abs(now - self._counted) >= _COUNT_SECONDS:
            row = self._database.rows("SELECT coalesce(sum(size), 0) FROM history_events")[0]
            self._size, self._counted = int(cast(int, row[0])), now
        size = self._size
        latest = {(one.event, one.mapping, one.item_number): one for one in outcomes}
        with self._database.transaction() as transaction:
            if events:
                size += self._write_events(transaction, events)
            if latest:
                self._write_outcomes(transaction, list(latest.values()))
            size -= self._prune(transaction, size, now)
        self._size = size

    def _write_events(self, transaction: Transaction, events: Sequence[PastEvent]) -> int:
        """Returns by how much the history has grown."""
        bounds = (min(one.number for one in events), max(one.number for one in events))
        query = "SELECT number, came, size FROM history_events WHERE number >= ? AND number <= ?"
        came = {one.number: one.came for one in events}
        known = [row for row in transaction.execute(query, bounds).fetchall() if row[0] in came]
        # The spool was lost, and its numbers begin again: what they stood for before is another event.
        others = [(number,) for number, before, _ in known if before != came[number]]
        transaction.executemany("DELETE FROM history_outcomes WHERE event = ?", others)
        rows = [(*one[:-1], self._org, _size(one)) for one in events]
        transaction.executemany(_STORE_EVENT, rows)
        transaction.executemany(_STORE_RAW, [(one.number, one.raw) for one in events])
        return sum(map(_size, events)) - sum(int(size) for _, _, size in known)

    def _write_outcomes(self, transaction: Transaction, outcomes: Sequence[PastOutcome]) -> None:
        counts: Counter[tuple[int, str, str]] = Counter()
        replaced = list(_replaced(transaction, outcomes))
        for before in replaced:
            counts[_minute(before.decided), before.mapping, before.fate] -= 1
        transaction.executemany(_DELETE, [(one.event, one.mapping, one.item) for one in replaced])
        for one in outcomes:
            counts[_minute(one.decided), one.mapping, one.fate] += 1
        transaction.executemany(_STORE_OUTCOME, [(*one, self._org) for one in outcomes])
        changes = sorted((key, count) for key, count in counts.items() if count)
        transaction.executemany(_COUNT, [(self._org, *key, count) for key, count in changes])

    def _prune(self, transaction: Transaction, size: int, now: float) -> int:
        """Deletes the oldest events beyond the bounds; returns by how much the history has shrunk."""
        freed = 0
        earliest = now - self._bounds.days * 86_400
        while True:
            oldest = cast(list[tuple[int, float, int]], transaction.execute(_OLDEST).fetchall())
            last = 0
            for number, came, taken in oldest:
                if came >= earliest and size - freed <= self._bounds.size:
                    break
                last, freed = number, freed + taken
            if not last:
                break
            for table, column in (("outcomes", "event"), ("raw", "number"), ("events", "number")):
                transaction.execute(f"DELETE FROM history_{table} WHERE {column} <= ?", (last,))  # noqa: S608
        transaction.execute("DELETE FROM history_minutes WHERE minute < ?", (_minute(earliest),))
        return freed


def _replaced(transaction: Transaction, outcomes: Sequence[PastOutcome]) -> Iterator[_Before]:
    new: dict[int, list[PastOutcome]] = {}
    for one in outcomes:
        new.setdefault(one.event, []).append(one)
    for numbers in _chunks(new):
        asked = numbers + [numbers[0]] * (_AT_ONCE - len(numbers))
        for row in transaction.execute(_BEFORE, asked).fetchall():
            before = _Before(*row)
            if any(before.gives_way_to(one) for one in new[before.event]):
                yield before


def _chunks(numbers: Iterable[int]) -> Iterator[list[int]]:
    left = iter(numbers)
    while chunk := list(islice(left, _AT_ONCE)):
        yield chunk


def _size(event: PastEvent) -> int:
    return len(event.raw) + _BESIDE


def _minute(moment: float) -> int:
    return int(moment // _SECONDS_A_MINUTE)
