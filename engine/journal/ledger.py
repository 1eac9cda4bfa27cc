"""The journal as one run uses it: how far its source is delivered, and everything not yet settled."""

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import cast

import orjson

from sfmap.engine.files.output import Results
from sfmap.engine.journal.database import Database, Transaction, replacing
from sfmap.engine.journal.delivered_messages import DeliveredMessages, rows_among
from sfmap.engine.journal.entries import (
    Checkpoint,
    Commit,
    Held,
    InFlight,
    Letter,
    RecordKey,
    Settled,
    Unanswered,
    digest,
)
from sfmap.engine.journal.file_list import FileList
from sfmap.engine.journal.load_table import LoadTable
from sfmap.engine.journal.statements import ADD_LETTER, DELETE_RECORD, STORE_DECIDED, STORE_SENT, STORE_SOURCE
from sfmap.engine.sources.event_source import START, FileVersion, Position

_FORGET_DECIDED = (
    "DELETE FROM decided WHERE org = ? AND source = ?"
    " AND event > (SELECT number FROM sources WHERE org = ? AND source = ?)"
)
"""Of events after the last commit. What was decided for held records, whose events are before, is still needed."""


def highest_number(database: Database, source: str) -> int:
    """The highest event number of the source, for any org. Raises `JournalFailed`."""
    tables = {"sources": "number", "decided": "event", "held": "event", "sent": "event"}
    query = " UNION ALL ".join(
        f"SELECT coalesce(max({number}), 0) AS highest FROM {table} WHERE source = ?"  # noqa: S608 - our own names
        for table, number in tables.items()
    )
    rows = database.rows(f"SELECT max(highest) FROM ({query}) AS numbers", *[source] * len(tables))  # noqa: S608
    return cast(int, rows[0][0])


class Ledger:
    """The journal for one run from one source to one org. Every method may raise `JournalFailed`."""

    def __init__(
        self,
        database: Database,
        org: str,
        source: str,
        *,
        is_stream: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`is_stream` means that events are read once only: the same bytes may come again at another position."""
        self._database = database
        self._org = org
        self._source = source
        self.is_stream = is_stream
        self._clock = clock
        self._files = FileList(org, source)
        self._messages = DeliveredMessages(org)
        self._days_kept = 0
        """The days for which message ids are kept; 0 for ever."""
        self._forgot_on = 0
        """The day on which older ones were forgotten last."""
        self.loads = LoadTable(database, org, source)

    @property
    def slack(self) -> float:
        """Seconds that may pass between noting a write and sending it."""
        return self._database.tenure.slack

    @property
    def _own(self) -> tuple[str, str]:
        return self._org, self._source

    def checkpoint(self) -> Checkpoint | None:
        rows = self._database.rows(
            'SELECT number, file, "offset", line, digest, cursor, results, results_size, tally, finished'
            " FROM sources WHERE org = ? AND source = ?",
            *self._own,
        )
        if not rows:
            return None
        number, file, offset, line, read, cursor, results, size, tally, finished = cast(
            tuple[int, int, int, int, bytes, str, str, int, bytes, int], rows[0]
        )
        position = Position(number=number, file=file, offset=offset, line=line, digest=read, cursor=cursor)
        results_file = Results(results, size)
        return Checkpoint(position=position, results=results_file, tally=tally, finished=bool(finished))

    def run_files(self) -> list[FileVersion]:
        """The files of the current run, in their order."""
        return self._files.of_run(self._database)

    def delivered_files(self) -> list[FileVersion]:
        """The files that earlier runs have delivered, of a source that remembers them."""
        return self._files.delivered(self._database)

    def go_on_with_files(self, files: Sequence[FileVersion]) -> None:
        """Replaces the files of the current run by those that are left of them, in the same order."""
        with self._database.transaction() as connection:
            self._files.go_on(connection, files)

    def finish_files(self, before: int) -> None:
        """Counts the files of the run before a place as delivered."""
        with self._database.transaction() as connection:
            self._files.finish(connection, before)

    def begin(
        self,
        start: Position = START,
        files: Sequence[FileVersion] = (),
        delivered: Sequence[FileVersion] = (),
    ) -> None:
        """Starts a run, and forgets everything about the source but writes that the org may still execute.

        `delivered` are the files that earlier runs have delivered, and later ones leave out.
        """
        with self._database.transaction() as connection:
            for table in ("decided", "held", "sent"):
                connection.execute(f"DELETE FROM {table} WHERE org = ? AND source = ?", self._own)  # noqa: S608
            self._begin(connection, start)
            self._files.begin(connection, files, delivered)

    def number_of_others(self) -> int:
        """The number that other events under the same source name are counted from: none has a lower one."""
        rows = self._database.rows(
            "SELECT coalesce(max(event), 0) FROM"
            " (SELECT event FROM held WHERE org = ? AND source = ?"
            " UNION ALL SELECT event FROM sent WHERE org = ? AND source = ?"
            " UNION ALL SELECT event FROM decided WHERE org = ? AND source = ?) AS numbers",
            *self._own * 3,
        )
        return cast(int, rows[0][0])

    def begin_with_other_events(
        self,
        start: Position,
        files: Sequence[FileVersion] = (),
        delivered: Sequence[FileVersion] = (),
    ) -> None:
        """Starts with other events under the same source name, and keeps held records and unanswered writes.

        Also keeps what was decided for a stream, whose events may come again.
        """
        with self._database.transaction() as connection:
            self._begin(connection, start)
            self._files.begin(connection, files, delivered)

    def _begin(self, connection: Transaction, start: Position) -> None:
        if not self.is_stream:
            connection.execute(_FORGET_DECIDED, self._own * 2)
        connection.execute(
            STORE_SOURCE,
            (*self._own, *start, "", 0, b"", 0),
        )

    def begin_unless_begun(self) -> None:
        """Starts a source without an end, and keeps what was decided but not committed."""
        if self.checkpoint() is None:
            self.begin()

    def decided(self) -> dict[RecordKey, bytes]:
        """The outcomes, as JSON, of records of an unfinished window."""
        rows = self._database.rows(
            "SELECT event, digest, mapping, item, outcome FROM decided WHERE org = ? AND source = ?", *self._own
        )
        found = cast(list[tuple[int, str, str, int, bytes]], rows)
        return {RecordKey(event, digest, mapping, item): out for event, digest, mapping, item, out in found}

    def held(self) -> list[Held]:
        """The held records, in order of arrival, without those that travel by a bulk job."""
        rows = self._database.rows(
            "SELECT event, digest, mapping, item, file, line, raw FROM held WHERE org = ? AND source = ?"
            " AND load = 0 ORDER BY id",
            *self._own,
        )
        found = cast(list[tuple[int, str, str, int, str, int, bytes]], rows)
        return [Held(key=RecordKey(*row[:4]), file=row[4], line=row[5], raw=row[6]) for row in found]

    def in_flight(self) -> list[InFlight]:
        """The org's unanswered writes of any source, but for those of a process that delivers another part."""
        now = self._database.moment()
        rows = self._database.rows(
            "SELECT id, boot, until, traces FROM in_flight WHERE org = ? AND NOT EXISTS (SELECT 1 FROM leases"
            " WHERE leases.org = in_flight.org AND leases.part = in_flight.part"
            " AND leases.epoch = in_flight.epoch AND leases.part <> ?)",
            self._org,
            self._database.tenure.part,
        )
        found = cast(list[tuple[int, str, float, bytes]], rows)
        return [
            InFlight(
                id=number,
                seconds=until - now.seconds if now.era and era == now.era else None,
                traces=traces,
            )
            for number, era, until, traces in found
        ]

    def unanswered(self) -> dict[RecordKey, Unanswered]:
        """The unanswered writes of this source, by record."""
        rows = self._database.rows(
            "SELECT event, digest, mapping, item, verb, record, known, in_flight, position FROM sent"
            " WHERE org = ? AND source = ?",
            *self._own,
        )
        found = cast(list[tuple[int, str, str, int, str, str, bytes, int, int]], rows)
        return {
            RecordKey(*row[:4]): Unanswered(
                verb=row[4], id=row[5], known=tuple(orjson.loads(row[6])), write=row[7], position=row[8]
            )
            for row in found
        }

    def forget_over(self) -> None:
        """Forgets writes that the org can no longer execute and whose records all have an outcome."""
        now = self._database.moment()
        with self._database.transaction() as connection:
            connection.execute(
                "DELETE FROM in_flight WHERE org = ? AND boot = ? AND until <= ?"
                " AND id NOT IN (SELECT in_flight FROM sent)",
                (self._org, now.era, now.seconds),
            )

    def restate(self, write: int, seconds: float) -> None:
        """Sets for how long the org may still execute a write in doubt."""
        now = self._database.moment()
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE in_flight SET boot = ?, until = ? WHERE id = ?", (now.era, now.seconds + seconds, write)
            )

    def claim(self, sent: RecordKey, key: RecordKey) -> None:
        """Moves what was sent for one record to another key: the stream's event came again."""
        with self._database.transaction() as connection:
            connection.execute(DELETE_RECORD.format(table="sent"), (*self._own, *sent._replace(event=key.event)))
            connection.execute(
                "UPDATE sent SET event = ? WHERE org = ? AND source = ? AND event = ? AND digest = ?"
                " AND mapping = ? AND item = ?",
                (key.event, *self._own, *sent),
            )

    def sending(self, seconds: float, traces: bytes, records: Iterable[tuple[RecordKey, Unanswered]]) -> int:
        """Notes a write before it is sent; returns the number to settle it by.

        `seconds` is for how long the org may execute it if no answer comes.
        """
        now, tenure = self._database.moment(), self._database.tenure
        until = now.seconds + seconds + tenure.slack
        with self._database.transaction() as connection:
            row = connection.execute(
                "INSERT INTO in_flight (org, day, boot, until, traces, part, epoch) VALUES (?, ?, ?, ?, ?, ?, ?)"
                " RETURNING id",
                (self._org, self._day(), now.era, until, traces, tenure.part, tenure.epoch),
            )
            number = cast(int, row.fetchone()[0])
            self._note_sent(connection, ((key, number, sent) for key, sent in records))
            return number

    def _note_sent(self, connection: Transaction, records: Iterable[tuple[RecordKey, int, Unanswered]]) -> None:
        """Notes what was sent for each record, and by which write."""
        own = self._own
        connection.executemany(
            STORE_SENT,
            [
                (*own, *key, write, sent.position, sent.verb, sent.id, orjson.dumps(sent.known))
                for key, write, sent in records
            ],
        )

    def settle(self, settled: Settled) -> None:
        """Notes that writes were answered and their outcomes are certain.

        After a power cut the writes may be unanswered again; `commit` makes the outcomes durable.
        """
        numbers = [(number,) for number in settled.writes]
        own, today = self._own, self._day()
        keys = [(*own, *key) for key, _ in settled.outcomes]
        with self._database.transaction(is_durable=False) as connection:
            connection.executemany("DELETE FROM in_flight WHERE id = ?", numbers)
            connection.executemany("DELETE FROM sent WHERE in_flight = ?", numbers)
            self._note_sent(connection, ((key, sent.write, sent) for key, sent in settled.kept))
            connection.executemany(
                DELETE_RECORD.format(table="sent"), [(*self._own, *key) for key in settled.ended]
            )
            connection.executemany(
                STORE_DECIDED,
                [(*key, today, outcome) for key, (_, outcome) in zip(keys, settled.outcomes, strict=True)],
            )
            self._messages.remember(connection, self._day(), settled.messages)
            self._note_newest(connection, settled.newest)

    def commit(self, commit: Commit) -> None:
        at = commit.position
        with self._database.transaction() as connection:
            connection.execute(f"{_FORGET_DECIDED} AND event <= ?", (*self._own, *self._own, at.number))
            ended = [(*self._own, *key) for key in commit.no_longer_held]
            for table in ("decided", "held"):
                connection.executemany(DELETE_RECORD.format(table=table), ended)
            self.loads.hold(connection, commit.held)
            self.loads.give_back(connection, commit.given_back)
            if commit.ended:
                self.loads.forget(connection, commit.ended)
            connection.execute(
                'UPDATE sources SET number = ?, file = ?, "offset" = ?, line = ?, digest = ?, cursor = ?,'
                " results = ?, results_size = ?, tally = ? WHERE org = ? AND source = ?",
                (*at, commit.results.file, commit.results.size, commit.tally, *self._own),
            )
            connection.executemany(ADD_LETTER, [self._letter(letter) for letter in commit.failed])
            connection.executemany(
                "DELETE FROM dead_letters WHERE org = ? AND digest = ?",
                [(self._org, delivered) for delivered in commit.delivered],
            )
            self._messages.remember(connection, self._day(), commit.messages)
            self._note_newest(connection, commit.newest)
            if self._day() != self._forgot_on:
                self._forget_old(connection)

    def _note_newest(self, connection: Transaction, newest: Iterable[tuple[bytes, str]]) -> None:
        connection.executemany(
            replacing("newest", "org, identity", "moment"),
            [(self._org, identity, moment) for identity, moment in newest],
        )

    def finish(self) -> None:
        """Notes that every event of the source has its outcome."""
        with self._database.transaction() as connection:
            connection.execute("UPDATE sources SET finished = 1 WHERE org = ? AND source = ?", self._own)
            self._files.finish(connection)

    def has_letters(self) -> bool:
        return bool(self._database.rows("SELECT 1 FROM dead_letters WHERE org = ? LIMIT 1", self._org))

    def delivered(self, messages: Iterable[str]) -> set[str]:
        """The message ids that were delivered before."""
        return self._messages.among(self._database, messages)

    def forget_old(self, days: int) -> None:
        """Forgets message ids older than that many days, and the oldest if there are too many; again each day.

        0 forgets nothing.

        Also forgets what was sent or decided that long ago for a source that has finished.
        """
        self._days_kept = days
        if days:
            with self._database.transaction() as connection:
                self._forget_old(connection)

    def _forget_old(self, connection: Transaction) -> None:
        self._forgot_on = self._day()
        if not self._days_kept:
            return
        oldest = self._forgot_on - self._days_kept
        has_ended = "(org, source) IN (SELECT org, source FROM sources WHERE finished = 1)"
        connection.execute(f"DELETE FROM decided WHERE day <= ? AND {has_ended}", (oldest,))  # noqa: S608
        connection.execute(
            "DELETE FROM sent WHERE in_flight IN (SELECT id FROM in_flight WHERE day <= ?)"  # noqa: S608
            f" AND {has_ended}",
            (oldest,),
        )
        self._messages.forget(connection, oldest)

    def newest(self, identities: Sequence[bytes]) -> dict[bytes, str]:
        """The times of the newest written events, by identity."""
        query = "SELECT identity, moment FROM newest WHERE org = ? AND identity"
        return dict(cast(Iterable[tuple[bytes, str]], rows_among(self._database, query, self._org, identities)))

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
