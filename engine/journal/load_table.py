"""The loads of a journal: records that bulk jobs write, which are held until the jobs are over."""

from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import cast

from sfmap.engine.journal.database import Database, Transaction
from sfmap.engine.journal.entries import (
    DEAD_LETTERS,
    AnsweredRecord,
    Held,
    Loaded,
    LoadPart,
    RecordKey,
    StoredLoad,
)
from sfmap.engine.journal.statements import DELETE_RECORD

_AT_ONCE = 10_000
_RECORD = "org = ? AND source = ? AND event = ? AND digest = ? AND mapping = ? AND item = ?"
_LOADED = f"UPDATE held SET load = ?, place = ?, row_key = ?, expected = ?, answer = NULL WHERE {_RECORD}"  # noqa: S608
_BY_NO_LOAD = "UPDATE held SET load = 0, row_key = NULL, expected = NULL, answer = NULL"


class LoadTable:
    """The loads of one source to one org. Every method may raise `JournalFailed`."""

    def __init__(self, database: Database, org: str, source: str) -> None:
        self._database = database
        self._org = org
        self.source = source

    @property
    def is_of_letters(self) -> bool:
        """Whether the source is the dead letters, which the journal keeps apart from held records."""
        return self.source == DEAD_LETTERS

    @property
    def _own(self) -> tuple[str, str]:
        return self._org, self.source

    def begin(self, target: bytes) -> int:
        """Begins a load; returns its number."""
        with self._database.transaction() as connection:
            row = connection.execute(
                "INSERT INTO loads (org, source, state, job, target) VALUES (?, ?, 'filling', '', ?) RETURNING id",
                (*self._own, target),
            )
            return cast(int, row.fetchone()[0])

    def of_org(self) -> list[StoredLoad]:
        """The loads of all sources to the org, oldest first."""
        rows = self._database.rows(
            "SELECT id, source, state, job, target FROM loads WHERE org = ? ORDER BY id", self._org
        )
        return [
            StoredLoad(id=number, source=source, state=state, job=job, target=target)  # type: ignore[arg-type]
            for number, source, state, job, target in rows
        ]

    def opened(self, load: int, job: str) -> None:
        """Notes the job of a load before its rows are uploaded."""
        with self._database.transaction() as connection:
            connection.execute("UPDATE loads SET state = 'opened', job = ? WHERE id = ?", (job, load))

    def closing(self, load: int) -> None:
        """Notes that the job is about to be closed, after which the org processes it."""
        with self._database.transaction() as connection:
            connection.execute("UPDATE loads SET state = 'closing' WHERE id = ?", (load,))

    def hold(self, connection: Transaction, held: Iterable[Held | Loaded]) -> None:
        """Holds records, or has them travel by loads, of which some are held already."""
        held = list(held)
        own = self._own
        connection.executemany(
            "INSERT INTO held (org, source, event, digest, mapping, item, file, line, raw, load, place, row_key,"
            " expected) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(*own, *_record(one), *_load(one)) for one in held if not (isinstance(one, Loaded) and one.was_held)],
        )
        connection.executemany(
            _LOADED,
            [(*_load(one), *own, *one.held.key) for one in held if isinstance(one, Loaded) and one.was_held],
        )

    def give_back(self, connection: Transaction, keys: Iterable[RecordKey]) -> None:
        """Has records travel by no job any more. Dead letters are kept as such, and are not held."""
        statement = DELETE_RECORD.format(table="held") if self.is_of_letters else f"{_BY_NO_LOAD} WHERE {_RECORD}"
        connection.executemany(statement, [(*self._own, *key) for key in keys])

    def forget(self, connection: Transaction, part: LoadPart) -> None:
        """Forgets the records of a part."""
        connection.execute(
            "DELETE FROM held WHERE load = ? AND (place, id) <= (?, ?)", (part.load, part.place, part.number)
        )

    def rows(self, load: int) -> int:
        """The number of its rows."""
        query = "SELECT count(*) FROM held WHERE load = ? AND row_key IS NOT NULL"
        return cast(int, self._database.rows(query, load)[0][0])

    def keys(self, load: int) -> Iterator[tuple[int, bytes]]:
        """The place and the key of each row, in order."""
        last: object = -1
        while rows := self._database.rows(
            "SELECT place, row_key FROM held WHERE load = ? AND place > ? AND row_key IS NOT NULL"
            " ORDER BY place LIMIT ?",
            load,
            last,
            _AT_ONCE,
        ):
            yield from cast(list[tuple[int, bytes]], rows)
            last = rows[-1][0]

    def answer(self, load: int, answers: Iterable[tuple[int, bytes]]) -> None:
        """Stores what the org did with each row, by place: the job is not needed any more."""
        with self._database.transaction() as connection:
            connection.executemany(
                "UPDATE held SET answer = ? WHERE load = ? AND place = ?",
                ((answer, load, place) for place, answer in answers),
            )
            connection.execute("UPDATE loads SET state = 'answered' WHERE id = ?", (load,))

    def next_records(self, load: int, most: int, most_bytes: int) -> list[AnsweredRecord]:
        """The next records of a load that is over: at least one, and then those whose events fit."""
        sizes = self._database.rows(
            "SELECT length(raw) FROM held WHERE load = ? ORDER BY place, id LIMIT ?", load, most
        )
        up_to = accumulate(cast(int, size) for (size,) in sizes)
        fitting = sum(1 for size in up_to if size <= most_bytes)
        rows = self._database.rows(
            "SELECT event, digest, mapping, item, file, line, raw, place, expected, answer, id FROM held"
            " WHERE load = ?"
            " ORDER BY place, id LIMIT ?",
            load,
            max(1, fitting),
        )
        found = cast(list[tuple[int, str, str, int, str, int, bytes, int, bytes, bytes | None, int]], rows)
        return [
            AnsweredRecord(
                held=Held(key=RecordKey(*row[:4]), file=row[4], line=row[5], raw=row[6]),
                place=row[7],
                expected=row[8],
                answer=row[9],
                number=row[10],
            )
            for row in found
        ]

    def count(self) -> int:
        """The number of records of this source that travel by jobs."""
        query = (
            "SELECT count(*) FROM held JOIN loads ON loads.id = held.load WHERE loads.org = ? AND loads.source = ?"
        )
        return cast(int, self._database.rows(query, *self._own)[0][0])

    def end(self, load: int) -> None:
        """Forgets a load without records."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM loads WHERE id = ?", (load,))


def _record(one: Held | Loaded) -> tuple[object, ...]:
    held = one.held if isinstance(one, Loaded) else one
    return (*held.key, held.file, held.line, held.raw)


def _load(one: Held | Loaded) -> tuple[object, ...]:
    if isinstance(one, Loaded):
        return one.load, one.place, one.row_key, one.expected
    return 0, 0, None, None
