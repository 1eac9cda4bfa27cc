"""What one run reads and writes of the journal: how far its source is delivered, and all that is not settled."""

import hashlib
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

import orjson

from sfmap.engine.journal.database import Database
from sfmap.engine.sources.port import Position

RecordKey = tuple[int, str, int]
"""One record of an event: the event's number, the mapping, and which item of its list."""

_MOST_DELIVERED = 5_000_000
"""Message ids that are remembered at the most; each takes about 30 bytes."""
_ASKED_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Results:
    """A file of results, and how many of its bytes belong to what is delivered."""

    file: str
    size: int


NO_RESULTS = Results("", 0)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Up to here every event has an outcome, or is held in the journal."""

    beginning: str
    position: Position
    results: Results
    finished: bool


@dataclass(frozen=True, slots=True)
class Held:
    """A record of an event that waits until a write in doubt is settled."""

    key: RecordKey
    file: str
    line: int
    raw: bytes


@dataclass(frozen=True, slots=True)
class InFlight:
    """A write whose answer has not come, and may never: until then the org may still do it."""

    id: int
    source: str
    until: float
    """Seconds since 1970."""
    traces: bytes
    records: bytes


@dataclass(frozen=True, slots=True)
class Letter:
    """What failed: one record of an event, or an event as a whole."""

    key: RecordKey
    file: str
    line: int
    object_name: str
    reason: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Commit:
    """What changes with a window: all of it is written together."""

    position: Position
    results: Results = NO_RESULTS
    held: Sequence[Held] = ()
    released: Sequence[RecordKey] = ()
    """Those that were held or dead letters, and have their outcome."""
    failed: Sequence[Letter] = ()
    mended: Sequence[bytes] = ()
    """The digests of what has been delivered, and may have been a dead letter before."""
    messages: Sequence[str] = ()
    """The ids of delivered events."""
    newest: Sequence[tuple[bytes, str]] = ()
    """By identity, the moment of the newest event that was written."""


def digest(raw: bytes, mapping: str, item: int) -> bytes:
    """Tells a record of an event from all others, whatever file it came in.

    Copies of an event, of one `messageId`, have one digest, though they were sent and received at other times.
    """
    return hashlib.sha256(b"%d %s %s" % (item, mapping.encode(), _what_was_said(raw))).digest()[:16]


def _what_was_said(raw: bytes) -> bytes:
    """The event without what a service adds that takes it in."""
    try:
        event = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return raw
    if not isinstance(event, dict) or not event.get("messageId"):
        return raw
    added = {"receivedAt", "sentAt"}
    if "originalTimestamp" in event or event.get("timestamp") == event.get("receivedAt"):
        added.add("timestamp")
    return orjson.dumps({key: event[key] for key in sorted(event) if key not in added})


def furthest(database: Database, source: str) -> int:
    """The number of the last event of the source that was delivered to any org. Raises `JournalFailed`."""
    rows = database.rows("SELECT coalesce(max(number), 0) FROM sources WHERE source = ?", source)
    return cast(int, rows[0][0])


class Ledger:
    """The journal as the run of one source to one org sees it. Every method may raise `JournalFailed`."""

    def __init__(self, database: Database, org: str, source: str, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._org = org
        self._source = source
        self._clock = clock
        self._digest_key = hashlib.sha256(org.encode()).digest()

    def checkpoint(self) -> Checkpoint | None:
        rows = self._database.rows(
            "SELECT beginning, number, file, offset, line, results, results_size, finished FROM sources"
            " WHERE org = ? AND source = ?",
            self._org,
            self._source,
        )
        if not rows:
            return None
        beginning, number, file, offset, line, results, size, finished = cast(
            tuple[str, int, int, int, int, str, int, int], rows[0]
        )
        return Checkpoint(beginning, Position(number, file, offset, line), Results(results, size), bool(finished))

    def begin(self, beginning: str, keep_held: bool = False) -> None:
        """Forgets how far the source was delivered; what is in doubt stays, and what waits for it if so asked."""
        own = (self._org, self._source)
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM decided WHERE org = ? AND source = ?", own)
            self._forget_settled(connection)
            if not keep_held:
                connection.execute("DELETE FROM held WHERE org = ? AND source = ?", own)
            connection.execute(
                "INSERT OR REPLACE INTO sources VALUES (?, ?, ?, 0, 0, 0, 0, '', 0, 0)", (*own, beginning)
            )

    def begin_unless_begun(self) -> None:
        """For a source without an end: what was decided and is not committed stays known."""
        if self.checkpoint() is None:
            self.begin("")

    def decided(self) -> dict[RecordKey, bytes]:
        """The outcomes, as JSON, of records of the window that was under way."""
        rows = self._database.rows(
            "SELECT event, mapping, item, outcome FROM decided WHERE org = ? AND source = ?",
            self._org,
            self._source,
        )
        return {(e, m, i): outcome for e, m, i, outcome in cast(list[tuple[int, str, int, bytes]], rows)}

    def held(self) -> list[Held]:
        """In the order in which they came."""
        rows = self._database.rows(
            "SELECT event, mapping, item, file, line, raw FROM held WHERE org = ? AND source = ? ORDER BY id",
            self._org,
            self._source,
        )
        found = cast(list[tuple[int, str, int, str, int, bytes]], rows)
        return [Held((e, m, i), file, line, raw) for e, m, i, file, line, raw in found]

    def in_flight(self) -> list[InFlight]:
        """The org's writes in doubt, of whatever source, and those of this one that are so no more.

        The latter are kept, since they still tell what a run that was killed had sent.
        """
        with self._database.transaction() as connection:
            connection.execute(
                "DELETE FROM in_flight WHERE org = ? AND source != ? AND until <= ?",
                (self._org, self._source, self._clock()),
            )
        rows = self._database.rows(
            "SELECT id, source, until, traces, records FROM in_flight WHERE org = ?", self._org
        )
        return [InFlight(*row) for row in cast(list[tuple[int, str, float, bytes, bytes]], rows)]

    def is_own(self, write: InFlight) -> bool:
        """Whether the write came of this source."""
        return write.source == self._source

    def sending(self, until: float, traces: bytes, records: bytes) -> int:
        """Notes a write before it is sent; the number by which it is settled."""
        with self._database.transaction() as connection:
            row = connection.execute(
                "INSERT INTO in_flight (org, source, until, traces, records) VALUES (?, ?, ?, ?, ?)",
                (self._org, self._source, until, traces, records),
            )
            return cast(int, row.lastrowid)

    def settle(self, numbers: Iterable[int], outcomes: Iterable[tuple[RecordKey, bytes]]) -> None:
        """Writes were answered: they are in flight no more, and these outcomes are certain."""
        own = (self._org, self._source)
        with self._database.transaction() as connection:
            connection.executemany("DELETE FROM in_flight WHERE id = ?", [(number,) for number in numbers])
            connection.executemany(
                "INSERT OR REPLACE INTO decided VALUES (?, ?, ?, ?, ?, ?)",
                [(*own, *key, outcome) for key, outcome in outcomes],
            )

    def commit(self, commit: Commit) -> None:
        own = (self._org, self._source)
        at = commit.position
        with self._database.transaction() as connection:
            connection.execute(
                "DELETE FROM decided WHERE org = ? AND source = ? AND event <= ?", (*own, at.number)
            )
            released = [(*own, *key) for key in commit.released]
            connection.executemany(
                "DELETE FROM decided WHERE org = ? AND source = ? AND event = ? AND mapping = ? AND item = ?",
                released,
            )
            connection.executemany(
                "DELETE FROM held WHERE org = ? AND source = ? AND event = ? AND mapping = ? AND item = ?",
                released,
            )
            connection.executemany(
                "INSERT INTO held (org, source, event, mapping, item, file, line, raw)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [(*own, *held.key, held.file, held.line, held.raw) for held in commit.held],
            )
            connection.execute(
                "UPDATE sources SET number = ?, file = ?, offset = ?, line = ?, results = ?, results_size = ?"
                " WHERE org = ? AND source = ?",
                (at.number, at.file, at.offset, at.line, commit.results.file, commit.results.size, *own),
            )
            connection.executemany(_LETTER, [self._letter(letter) for letter in commit.failed])
            connection.executemany(
                "DELETE FROM dead_letters WHERE org = ? AND digest = ?",
                [(self._org, mended) for mended in commit.mended],
            )
            today = int(self._clock() // 86_400)
            connection.executemany(
                "INSERT OR IGNORE INTO delivered VALUES (?, ?)",
                [(today, self._message_digest(message)) for message in commit.messages],
            )
            connection.executemany(
                "INSERT OR REPLACE INTO newest VALUES (?, ?, ?)",
                [(self._org, identity, moment) for identity, moment in commit.newest],
            )

    def finish(self) -> None:
        """Every event of the source has its outcome."""
        with self._database.transaction() as connection:
            self._forget_settled(connection)
            connection.execute(
                "UPDATE sources SET finished = 1 WHERE org = ? AND source = ?", (self._org, self._source)
            )

    def _forget_settled(self, connection: sqlite3.Connection) -> None:
        connection.execute(
            "DELETE FROM in_flight WHERE org = ? AND source = ? AND until <= ?",
            (self._org, self._source, self._clock()),
        )

    def has_letters(self) -> bool:
        return bool(self._database.rows("SELECT 1 FROM dead_letters WHERE org = ? LIMIT 1", self._org))

    def delivered(self, messages: Iterable[str]) -> set[str]:
        """Those of the message ids that were delivered before."""
        asked = {self._message_digest(message): message for message in messages}
        query = "SELECT message FROM delivered WHERE day = ? AND message"
        return {asked[cast(bytes, row[0])] for day in self._days() for row in self._among(query, day, list(asked))}

    def _days(self) -> Iterator[int]:
        """Those of which message ids are remembered."""
        day: object = -1
        while (day := self._database.rows("SELECT min(day) FROM delivered WHERE day > ?", day)[0][0]) is not None:
            yield cast(int, day)

    def _message_digest(self, message: str) -> bytes:
        """Short, and another one for each org, so that the table is small: it is written at random places."""
        return hashlib.blake2b(message.encode("utf-8", "replace"), digest_size=16, key=self._digest_key).digest()

    def forget_delivered(self, days: int) -> None:
        """Message ids older than so many days, and the oldest where they are too many."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM delivered WHERE day <= ?", (int(self._clock() // 86_400) - days,))
            while connection.execute("SELECT count(*) FROM delivered").fetchone()[0] > _MOST_DELIVERED:
                connection.execute("DELETE FROM delivered WHERE day = (SELECT min(day) FROM delivered)")

    def newest(self, identities: Sequence[bytes]) -> dict[bytes, str]:
        """The moments of the newest events that were written, by identity."""
        rows = self._among("SELECT identity, moment FROM newest WHERE org = ? AND identity", self._org, identities)
        return dict(cast(Iterable[tuple[bytes, str]], rows))

    def _among(self, query: str, given: object, values: Sequence[bytes]) -> Iterator[tuple[object, ...]]:
        """The rows of a query that has one given value, and ends in a column which must be one of the values."""
        for start in range(0, len(values), _ASKED_AT_ONCE):
            asked = values[start : start + _ASKED_AT_ONCE]
            yield from self._database.rows(f"{query} IN ({', '.join('?' * len(asked))})", given, *asked)

    def _letter(self, letter: Letter) -> tuple[object, ...]:
        event, mapping, item = letter.key
        at = self._now()
        return (
            self._org, digest(letter.raw, mapping, item), event, letter.file, letter.line, mapping, item,
            letter.object_name, letter.reason, at, at, letter.raw,
        )  # fmt: skip

    def _now(self) -> str:
        return datetime.fromtimestamp(self._clock(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


_LETTER = """\
INSERT INTO dead_letters
    (org, digest, event, file, line, mapping, item, object, reason, attempts, first, last, raw)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?)
ON CONFLICT (org, digest) DO UPDATE SET reason = excluded.reason, attempts = attempts + 1, last = excluded.last,
    event = excluded.event, file = excluded.file, line = excluded.line, object = excluded.object
"""
