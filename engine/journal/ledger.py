"""What one run reads and writes of the journal: how far its source is delivered, and all that is not settled."""

import hashlib
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple, cast

import orjson

from sfmap.engine.journal.database import Database
from sfmap.engine.sources.port import Position
from sfmap.engine.sources.reading import json_bytes, read_event


class RecordKey(NamedTuple):
    """One record of an event: the event's number and the digest of its bytes, the mapping, and which item."""

    event: int
    digest: str
    mapping: str
    item: int


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

    position: Position
    results: Results
    tally: bytes
    """What the outcomes up to here came to."""
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
    boot: str
    """Which start of the machine `until` counts from."""
    until: float
    """Seconds of `uptime`."""
    traces: bytes


@dataclass(frozen=True, slots=True)
class Unanswered:
    """What was sent for a record and not answered: only this can tell later whether the org did it."""

    verb: str
    id: str = ""
    """Of the record that was to be changed; empty for a create and an upsert."""
    known: tuple[str, ...] = ()
    """For a create, the ids of the records that had its key before."""
    write: int = 0
    """The write that it was part of, and where it stood there: records of one place were written as one."""
    place: int = 0
    losses: int = 1
    """How often its answer was lost; counted in each run from 1."""


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
class Settled:
    """What has become certain: all of it is written together."""

    writes: Sequence[int] = ()
    """Those that were answered."""
    outcomes: Sequence[tuple[RecordKey, bytes]] = ()
    """As JSON."""
    newest: Sequence[tuple[bytes, str]] = ()
    """By identity, the moment of the newest event that was written."""
    kept: Sequence[tuple[RecordKey, Unanswered]] = ()
    """What was sent before these writes, and stays unknown although they were answered."""
    ended: Sequence[RecordKey] = ()
    """Records that have their end, and for which something may have been sent by other writes than these."""
    messages: Sequence[str] = ()
    """What is remembered of records that must not be created again, even where the run begins again."""


@dataclass(frozen=True, slots=True)
class Commit:
    """What changes with a window: all of it is written together."""

    position: Position
    results: Results = NO_RESULTS
    tally: bytes = b""
    held: Sequence[Held] = ()
    released: Sequence[RecordKey] = ()
    """Those that were held or dead letters, and have their outcome."""
    failed: Sequence[Letter] = ()
    mended: Sequence[bytes] = ()
    """The digests of what has been delivered, and may have been a dead letter before."""
    messages: Sequence[str] = ()
    """The ids of delivered events."""


def digest(raw: bytes, mapping: str, item: int) -> bytes:
    """Tells a record of an event from all others, whatever file it came in.

    Copies of an event, of one `messageId`, have one digest, though they were sent and received at other times.
    """
    return hashlib.sha256(b"%d %s %s" % (item, mapping.encode(), _what_was_said(raw))).digest()[:16]


def _what_was_said(raw: bytes) -> bytes:
    """The event without what a service adds that takes it in."""
    event, _ = read_event(raw)
    if event is None or not event.get("messageId"):
        return raw
    added = {"receivedAt", "sentAt"}
    if "originalTimestamp" in event or event.get("timestamp") == event.get("receivedAt"):
        added.add("timestamp")
    return json_bytes({key: event[key] for key in sorted(event) if key not in added})


def furthest(database: Database, source: str) -> int:
    """The highest number that an event of the source had, for any org. Raises `JournalFailed`."""
    tables = {"sources": "number", "decided": "event", "held": "event", "sent": "event"}
    query = " UNION ALL ".join(
        f"SELECT coalesce(max({number}), 0) AS highest FROM {table} WHERE source = ?"  # noqa: S608 - names of ours
        for table, number in tables.items()
    )
    rows = database.rows(f"SELECT max(highest) FROM ({query})", *[source] * len(tables))  # noqa: S608
    return cast(int, rows[0][0])


class Ledger:
    """The journal as the run of one source to one org sees it. Every method may raise `JournalFailed`."""

    def __init__(
        self,
        database: Database,
        org: str,
        source: str,
        *,
        is_stream: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`is_stream` says that the source's events come once: the same bytes may come again at another place."""
        self._database = database
        self._org = org
        self._source = source
        self.is_stream = is_stream
        self._clock = clock
        self._after = 0
        """The number after which this stream's events are counted."""
        self._digest_key = hashlib.sha256(org.encode()).digest()

    @property
    def _own(self) -> tuple[str, str]:
        return self._org, self._source

    def checkpoint(self) -> Checkpoint | None:
        rows = self._database.rows(
            "SELECT number, file, offset, line, digest, results, results_size, tally, finished FROM sources"
            " WHERE org = ? AND source = ?",
            *self._own,
        )
        if not rows:
            return None
        number, file, offset, line, digest, results, size, tally, finished = cast(
            tuple[int, int, int, int, bytes, str, int, bytes, int], rows[0]
        )
        position = Position(number, file, offset, line, digest)
        return Checkpoint(position, Results(results, size), tally, bool(finished))

    def begin(self) -> None:
        """Forgets all that is known of the source, but for what its writes may still do in the org."""
        with self._database.transaction() as connection:
            for table in ("decided", "held", "sent"):
                connection.execute(f"DELETE FROM {table} WHERE org = ? AND source = ?", self._own)  # noqa: S608
            self._begin(connection, 0)

    def begin_beside(self) -> int:
        """Begins with other events under the source's name: what waits or may have been done stays known.

        So does what was decided of a stream, whose events may come again. Returns the number after which the new
        events are counted.
        """
        rows = self._database.rows(
            "SELECT coalesce(max(event), 0) FROM"
            " (SELECT event FROM held WHERE org = ? AND source = ?"
            " UNION ALL SELECT event FROM sent WHERE org = ? AND source = ?"
            " UNION ALL SELECT event FROM decided WHERE org = ? AND source = ?)",
            *self._own * 3,
        )
        self._after = cast(int, rows[0][0])
        with self._database.transaction() as connection:
            self._begin(connection, self._after)
        return self._after

    def _begin(self, connection: sqlite3.Connection, after: int) -> None:
        if not self.is_stream:
            connection.execute("DELETE FROM decided WHERE org = ? AND source = ?", self._own)
        connection.execute(
            "INSERT OR REPLACE INTO sources VALUES (?, ?, ?, 0, 0, 0, ?, '', 0, ?, 0)",
            (*self._own, after, b"", b""),
        )

    def begin_unless_begun(self) -> None:
        """For a source without an end: what was decided and is not committed stays known."""
        if self.checkpoint() is None:
            self.begin()

    def decided(self) -> dict[RecordKey, bytes]:
        """The outcomes, as JSON, of records of the window that was under way."""
        rows = self._database.rows(
            "SELECT event, digest, mapping, item, outcome FROM decided WHERE org = ? AND source = ?", *self._own
        )
        found = cast(list[tuple[int, str, str, int, bytes]], rows)
        return {RecordKey(event, digest, mapping, item): out for event, digest, mapping, item, out in found}

    def held(self) -> list[Held]:
        """In the order in which they came."""
        rows = self._database.rows(
            "SELECT event, digest, mapping, item, file, line, raw FROM held WHERE org = ? AND source = ?"
            " ORDER BY id",
            *self._own,
        )
        found = cast(list[tuple[int, str, str, int, str, int, bytes]], rows)
        return [Held(RecordKey(*row[:4]), *row[4:]) for row in found]

    def in_flight(self) -> list[InFlight]:
        """The org's writes that were not answered, of whatever source."""
        rows = self._database.rows("SELECT id, boot, until, traces FROM in_flight WHERE org = ?", self._org)
        return [InFlight(*row) for row in cast(list[tuple[int, str, float, bytes]], rows)]

    def unanswered(self) -> dict[RecordKey, Unanswered]:
        """What was sent of this source and not answered."""
        rows = self._database.rows(
            "SELECT event, digest, mapping, item, verb, record, known, in_flight, place FROM sent"
            " WHERE org = ? AND source = ?",
            *self._own,
        )
        found = cast(list[tuple[int, str, str, int, str, str, bytes, int, int]], rows)
        return {
            RecordKey(*row[:4]): Unanswered(row[4], row[5], tuple(orjson.loads(row[6])), *row[7:]) for row in found
        }

    def forget_over(self, boot: str, now: float) -> None:
        """Writes that the org cannot do any more, and of which no record is without an outcome."""
        with self._database.transaction() as connection:
            connection.execute(
                "DELETE FROM in_flight WHERE org = ? AND boot = ? AND until <= ?"
                " AND id NOT IN (SELECT in_flight FROM sent)",
                (self._org, boot, now),
            )

    def restate(self, write: int, boot: str, until: float) -> None:
        """A write in doubt ends at another time, by the clock of this start of the machine."""
        with self._database.transaction() as connection:
            connection.execute("UPDATE in_flight SET boot = ?, until = ? WHERE id = ?", (boot, until, write))

    def claim(self, sent: RecordKey, key: RecordKey) -> None:
        """What was sent for the one is what was sent for the other: a stream's event came again."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE OR REPLACE sent SET event = ? WHERE org = ? AND source = ? AND event = ? AND digest = ?"
                " AND mapping = ? AND item = ?",
                (key.event, *self._own, *sent),
            )

    def sending(
        self, boot: str, until: float, traces: bytes, records: Iterable[tuple[RecordKey, Unanswered]]
    ) -> int:
        """Notes a write before it is sent; the number by which it is settled."""
        with self._database.transaction() as connection:
            row = connection.execute(
                "INSERT INTO in_flight (org, day, boot, until, traces) VALUES (?, ?, ?, ?, ?)",
                (self._org, self._day(), boot, until, traces),
            )
            number = cast(int, row.lastrowid)
            self._note_sent(connection, ((key, number, sent) for key, sent in records))
            return number

    def _note_sent(
        self, connection: sqlite3.Connection, records: Iterable[tuple[RecordKey, int, Unanswered]]
    ) -> None:
        """What was sent for each record, and by which write."""
        own = self._own
        connection.executemany(
            "INSERT OR REPLACE INTO sent VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (*own, *key, write, sent.place, sent.verb, sent.id, orjson.dumps(sent.known))
                for key, write, sent in records
            ],
        )

    def settle(self, settled: Settled) -> None:
        """Writes were answered: they are in flight no more, and these outcomes are certain."""
        numbers = [(number,) for number in settled.writes]
        own, today = self._own, self._day()
        keys = [(*own, *key) for key, _ in settled.outcomes]
        with self._database.transaction() as connection:
            connection.executemany("DELETE FROM in_flight WHERE id = ?", numbers)
            connection.executemany("DELETE FROM sent WHERE in_flight = ?", numbers)
            self._note_sent(connection, ((key, sent.write, sent) for key, sent in settled.kept))
            connection.executemany(_DELETE.format(table="sent"), [(*self._own, *key) for key in settled.ended])
            connection.executemany(
                "INSERT OR REPLACE INTO decided VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [(*key, today, outcome) for key, (_, outcome) in zip(keys, settled.outcomes, strict=True)],
            )
            self._remember(connection, settled.messages)
            connection.executemany(
                "INSERT OR REPLACE INTO newest VALUES (?, ?, ?)",
                [(self._org, identity, moment) for identity, moment in settled.newest],
            )

    def commit(self, commit: Commit) -> None:
        at = commit.position
        with self._database.transaction() as connection:
            connection.execute(
                "DELETE FROM decided WHERE org = ? AND source = ? AND event > ? AND event <= ?",
                (*self._own, self._after, at.number),
            )
            released = [(*self._own, *key) for key in commit.released]
            for table in ("decided", "held"):
                connection.executemany(_DELETE.format(table=table), released)
            connection.executemany(
                "INSERT INTO held (org, source, event, digest, mapping, item, file, line, raw)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [(*self._own, *held.key, held.file, held.line, held.raw) for held in commit.held],
            )
            connection.execute(
                "UPDATE sources SET number = ?, file = ?, offset = ?, line = ?, digest = ?, results = ?,"
                " results_size = ?, tally = ? WHERE org = ? AND source = ?",
                (*at, commit.results.file, commit.results.size, commit.tally, *self._own),
            )
            connection.executemany(_LETTER, [self._letter(letter) for letter in commit.failed])
            connection.executemany(
                "DELETE FROM dead_letters WHERE org = ? AND digest = ?",
                [(self._org, mended) for mended in commit.mended],
            )
            self._remember(connection, commit.messages)

    def _remember(self, connection: sqlite3.Connection, messages: Iterable[str]) -> None:
        connection.executemany(
            "INSERT OR IGNORE INTO delivered VALUES (?, ?)",
            [(self._day(), self._message_digest(message)) for message in messages],
        )

    def finish(self) -> None:
        """Every event of the source has its outcome."""
        with self._database.transaction() as connection:
            connection.execute("UPDATE sources SET finished = 1 WHERE org = ? AND source = ?", self._own)

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

    def forget_old(self, days: int) -> None:
        """Message ids older than so many days, and the oldest where they are too many.

        With them goes what was sent or decided of a source that has ended since, and never came again.
        """
        oldest = self._day() - days
        has_ended = "(org, source) IN (SELECT org, source FROM sources WHERE finished)"
        with self._database.transaction() as connection:
            connection.execute(f"DELETE FROM decided WHERE day <= ? AND {has_ended}", (oldest,))  # noqa: S608
            connection.execute(
                "DELETE FROM sent WHERE in_flight IN (SELECT id FROM in_flight WHERE day <= ?)"  # noqa: S608
                f" AND {has_ended}",
                (oldest,),
            )
            connection.execute("DELETE FROM delivered WHERE day <= ?", (oldest,))
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
        event, _, mapping, item = letter.key
        at = self._now()
        return (
            self._org, digest(letter.raw, mapping, item), event, letter.file, letter.line, mapping, item,
            letter.object_name, letter.reason, at, at, letter.raw,
        )  # fmt: skip

    def _day(self) -> int:
        return int(self._clock() // 86_400)

    def _now(self) -> str:
        return datetime.fromtimestamp(self._clock(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


_DELETE = (
    "DELETE FROM {table} WHERE org = ? AND source = ? AND event = ? AND digest = ? AND mapping = ? AND item = ?"
)
_LETTER = """\
INSERT INTO dead_letters
    (org, digest, event, file, line, mapping, item, object, reason, attempts, first, last, raw)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?)
ON CONFLICT (org, digest) DO UPDATE SET reason = excluded.reason, attempts = attempts + 1, last = excluded.last,
    file = excluded.file, line = excluded.line, object = excluded.object
"""
