"""The local org's records in SQLite: a table for each object, and the number of API calls for each day."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import orjson

from sfmap.engine.errors import ExitCode, SfmapError
from sfmap.engine.files.private_files import private_database, private_folder
from sfmap.engine.local_org.records.exchanges import KeptExchange
from sfmap.engine.local_org.records.ids import new_id
from sfmap.engine.local_org.records.object_schema import NUMBER_TYPES, FieldSchema, ObjectSchema, Schema
from sfmap.engine.local_org.records.tables import NUMBER_COLUMN, prepare_tables, quoted

Stored = str | int | float | None
"""A value as stored in SQLite; booleans are 0 and 1."""

_BUSY_SECONDS = 30
_LONGEST_LOG = 1_000
_EXCHANGES = 200
_STATEMENTS = 128
"""How many statements that write the same columns again are kept."""
_SEARCHED = 90
"""The most columns that a search covers: SQLite limits the depth of expressions."""


@dataclass(frozen=True, slots=True)
class LoggedCall:
    at: str
    operation: str
    object_name: str
    records: int
    outcome: str
    """`ok`, a fault's code, or the number of refused records."""
    milliseconds: float
    fault: str = ""
    """The fault of the plan that hit it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change that one call made to a record."""

    at: str
    call: int
    """The number of the call in the log."""
    verb: str
    values: Mapping[str, Stored]
    """The values written."""


class StoreFailed(SfmapError):
    """The database cannot be used; the message says why."""

    exit_code = ExitCode.NOT_FINISHED


def response_value(field: FieldSchema, value: Stored) -> Stored | bool:
    """The value as a response contains it."""
    if value is None:
        return None
    if field.type == "boolean":
        return bool(value)
    return float(value) if field.type in NUMBER_TYPES and field.type != "int" else value


def fold(text: Stored) -> Stored:
    """The text normalized for comparison, as the org does."""
    return text.casefold() if isinstance(text, str) else text


class Store:
    def __init__(self, path: Path, schema: Schema) -> None:
        """Opens the database, and adds new objects and fields of the schema. Raises `StoreFailed`."""
        try:
            if not path.parent.exists():
                private_folder(path.parent)
            private_database(path)
            self._connection = sqlite3.connect(
                path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            self._connection.create_function("fold", 1, fold, deterministic=True)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            with self.transaction():
                prepare_tables(self._connection, schema)
                for target in schema.objects.values():
                    self._seed(target)
        except (sqlite3.Error, OSError) as error:
            raise StoreFailed(f"The local org cannot use {path}: {error}.") from None

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A transaction that excludes other writers."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """A part of a transaction that an exception rolls back before it propagates."""
        self._connection.execute("SAVEPOINT part")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK TO part")
            self._connection.execute("RELEASE part")
            raise
        self._connection.execute("RELEASE part")

    def next_number(self, target: ObjectSchema) -> int:
        """The number of the object's next record."""
        query = (
            f"SELECT max(coalesce(max({NUMBER_COLUMN}), 0),"  # noqa: S608
            " coalesce((SELECT last FROM sfmap_purged WHERE object = ?), 0)) + 1"
            f" FROM {quoted(target.name)}"
        )
        number: int = self._connection.execute(query, [target.name]).fetchone()[0]
        return number

    def purge(self, target: ObjectSchema, record_id: str) -> None:
        """Removes a record; its number, and so its id, is not given again."""
        table = quoted(target.name)
        self._connection.execute(
            f"INSERT INTO sfmap_purged SELECT ?, {NUMBER_COLUMN} FROM {table} WHERE Id = ?"  # noqa: S608
            " ON CONFLICT (object) DO UPDATE SET last = max(last, excluded.last)",
            [target.name, record_id],
        )
        self._connection.execute(f"DELETE FROM {table} WHERE Id = ?", [record_id])  # noqa: S608

    def referring(self, child: ObjectSchema, field: str, record_id: str) -> list[str]:
        """The ids of the records whose reference has this id, without deleted ones."""
        query = (
            f"SELECT Id FROM {quoted(child.name)} WHERE {quoted(field)} = ? AND IsDeleted = 0"  # noqa: S608
            f" ORDER BY {NUMBER_COLUMN}"
        )
        return [row[0] for row in self._connection.execute(query, [record_id])]

    def note_taken_along(self, parent: str, child: str, field: str) -> None:
        """Notes what a delete of the parent did to a child: emptied this reference, or with "" deleted it."""
        self._connection.execute("INSERT INTO sfmap_taken_along VALUES (?, ?, ?)", [parent, child, field])

    def taken_along(self, parent: str) -> list[tuple[str, str]]:
        """The children that the last delete of the parent changed, and how, as `note_taken_along` has it."""
        query = "SELECT child, field FROM sfmap_taken_along WHERE parent = ? ORDER BY rowid"
        return self._connection.execute(query, [parent]).fetchall()

    def forget_taken_along(self, parent: str) -> None:
        self._connection.execute("DELETE FROM sfmap_taken_along WHERE parent = ?", [parent])

    def insert(self, target: ObjectSchema, number: int, row: Mapping[str, Stored]) -> str:
        """Inserts a record; returns its id."""
        record_id = new_id(target.key_prefix, number)
        values = {NUMBER_COLUMN: number, "Id": record_id, **row}
        self._connection.execute(_insertion(target.name, tuple(values)), list(values.values()))
        return record_id

    def update(self, target: ObjectSchema, record_id: str, changes: Mapping[str, Stored]) -> None:
        self._connection.execute(_assignment(target.name, tuple(changes)), [*changes.values(), record_id])

    def get(self, target: ObjectSchema, record_id: str) -> dict[str, Stored] | None:
        """All fields of a record, deleted or not."""
        cursor = self._connection.execute(f"SELECT * FROM {quoted(target.name)} WHERE Id = ?", [record_id])  # noqa: S608
        row = cursor.fetchone()
        return dict(zip((column[0] for column in cursor.description), row, strict=True)) if row else None

    def is_deleted(self, target: ObjectSchema, record_id: str) -> bool | None:
        """Whether the record with this id is deleted; None if it does not exist."""
        query = f"SELECT IsDeleted FROM {quoted(target.name)} WHERE Id = ?"  # noqa: S608
        row = self._connection.execute(query, [record_id]).fetchone()
        return bool(row[0]) if row else None

    def holders(self, target: ObjectSchema, field: str, value: Stored, most: int) -> list[str]:
        """The ids of up to `most` records that have this value in the field, as the org compares it."""
        query = (
            f"SELECT Id FROM {quoted(target.name)} WHERE fold({quoted(field)}) = ? AND IsDeleted = 0"  # noqa: S608
            f" LIMIT {most}"
        )
        return [row[0] for row in self._connection.execute(query, [fold(value)])]

    def alike(self, target: ObjectSchema, values: Mapping[str, Stored], most: int) -> list[str]:
        """The ids of up to `most` records that have all these values, as the org compares them, oldest first."""
        same = " AND ".join(f"fold({quoted(name)}) = ?" for name in values)
        query = (
            f"SELECT Id FROM {quoted(target.name)} WHERE {same} AND IsDeleted = 0"  # noqa: S608
            f" ORDER BY {NUMBER_COLUMN} LIMIT {most}"
        )
        return [row[0] for row in self._connection.execute(query, [fold(value) for value in values.values()])]

    def select(
        self, statement: str, parameters: Sequence[Stored] | Mapping[str, Stored]
    ) -> list[tuple[Stored, ...]]:
        """Runs a compiled query."""
        return self._connection.execute(statement, parameters).fetchall()

    def blob(self, query: str, number: int) -> bytes:
        """The bytes that a query for the row with this number selects."""
        content: bytes = self._connection.execute(query, [number]).fetchone()[0]
        return content

    def run(self, statement: str, parameters: Sequence[Stored | bytes] = ()) -> int:
        """Runs a statement on the tables of another room; returns the number of the row that it inserted."""
        return self._connection.execute(statement, parameters).lastrowid or 0

    def note_change(self, record_id: str, verb: str, values: Mapping[str, Stored]) -> None:
        """Notes a change that the current call makes to a record; `log` gives the call the same number."""
        self._connection.execute(
            "INSERT INTO sfmap_changes VALUES (?, ?, (SELECT coalesce(max(number), 0) + 1 FROM sfmap_log), ?, ?)",
            [record_id, now(), verb, orjson.dumps(values).decode()],
        )

    def changes(self, record_id: str) -> list[Change]:
        """The changes to the record, in order."""
        query = "SELECT at, call, verb, changed FROM sfmap_changes WHERE id = ? ORDER BY rowid"
        rows = self._connection.execute(query, [record_id])
        return [
            Change(at=at, call=call, verb=verb, values=orjson.loads(changed)) for at, call, verb, changed in rows
        ]

    def log(self, entry: LoggedCall, exchange: KeptExchange | None = None) -> None:
        """Adds an entry to the log, which keeps the last thousand, and of the last 200 what went over the wire."""
        number = self._connection.execute(
            "INSERT INTO sfmap_log VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)", astuple(entry)
        ).lastrowid
        assert number
        self._connection.execute("DELETE FROM sfmap_log WHERE number <= ?", [number - _LONGEST_LOG])
        if exchange:
            values = (number, *astuple(exchange))
            self._connection.execute("INSERT INTO sfmap_exchanges VALUES (?, ?, ?, ?, ?, ?, ?)", values)
            self._connection.execute("DELETE FROM sfmap_exchanges WHERE number <= ?", [number - _EXCHANGES])

    def exchange(self, number: int) -> KeptExchange | None:
        """What went over the wire in that call; None if it is not kept, or no longer."""
        query = "SELECT url, client, sent, received, request, response FROM sfmap_exchanges WHERE number = ?"
        row = self._connection.execute(query, [number]).fetchone()
        if row is None:
            return None
        url, client, sent, received, request, response = row
        return KeptExchange(
            url=url, client=client, sent=sent, received=received, request=request, response=response
        )

    def changed_by(self, call: int) -> list[tuple[str, str]]:
        """The records that a call changed: their ids, and what it did."""
        query = "SELECT id, verb FROM sfmap_changes WHERE call = ? ORDER BY rowid LIMIT 1000"
        return [(record_id, verb) for record_id, verb in self._connection.execute(query, [call])]

    def calls_logged(self) -> int:
        number: int = self._connection.execute("SELECT count(*) FROM sfmap_log").fetchone()[0]
        return number

    def logged_call(self, number: int) -> LoggedCall | None:
        row = self._connection.execute("SELECT * FROM sfmap_log WHERE number = ?", [number]).fetchone()
        return LoggedCall(*row[1:]) if row else None

    def logged(self) -> list[tuple[int, LoggedCall]]:
        """The last calls with their numbers, newest first."""
        rows = self._connection.execute("SELECT * FROM sfmap_log ORDER BY number DESC")
        return [(number, LoggedCall(*row)) for number, *row in rows]

    def records(
        self, target: ObjectSchema, *, search: str, order: str, descending: bool, most: int, start: int
    ) -> tuple[int, list[dict[str, Stored]]]:
        """The number of records that contain the text in some field, and a page of them; includes deleted ones."""
        columns = [quoted(field.name) for field in target.fields.values()]
        condition, parameters = "1", []
        if search:
            holds = " || ' ' || ".join(f"coalesce({column}, '')" for column in columns[:_SEARCHED])
            condition, parameters = f"instr(fold({holds}), fold(?)) > 0", [search]
        table = quoted(target.name)
        count = f"SELECT count(*) FROM {table} WHERE {condition}"  # noqa: S608
        total: int = self._connection.execute(count, parameters).fetchone()[0]
        known = target.field(order)
        by = f"{quoted(known.name)} {'DESC' if descending else 'ASC'}, " if known else ""
        page = (
            f"SELECT {', '.join(columns)} FROM {table} WHERE {condition}"  # noqa: S608
            f" ORDER BY {by}{NUMBER_COLUMN} DESC LIMIT ? OFFSET ?"
        )
        cursor = self._connection.execute(page, [*parameters, most, start])
        return total, [dict(zip(target.fields, row, strict=True)) for row in cursor]

    def count(self, target: ObjectSchema) -> int:
        """The number of the object's records that are not deleted."""
        query = f"SELECT count(*) FROM {quoted(target.name)} WHERE IsDeleted = 0"  # noqa: S608
        number: int = self._connection.execute(query).fetchone()[0]
        return number

    def calls_today(self) -> int:
        row = self._connection.execute("SELECT calls FROM sfmap_api_calls WHERE day = ?", [_today()]).fetchone()
        return row[0] if row else 0

    def count_call(self) -> None:
        self._connection.execute(
            "INSERT INTO sfmap_api_calls VALUES (?, 1) ON CONFLICT (day) DO UPDATE SET calls = calls + 1",
            [_today()],
        )

    def _seed(self, target: ObjectSchema) -> None:
        """Inserts the records that every org has of the object."""
        is_new = self.next_number(target) == 1
        for row in target.seed:
            key = {name: row[name] for name in target.seed_key}
            if is_new or (key and not self.alike(target, key, 1)):
                self.insert(target, self.next_number(target), row)


@lru_cache(_STATEMENTS)
def _insertion(table: str, columns: tuple[str, ...]) -> str:
    places = ", ".join("?" * len(columns))
    return f"INSERT INTO {quoted(table)} ({', '.join(map(quoted, columns))}) VALUES ({places})"  # noqa: S608


@lru_cache(_STATEMENTS)
def _assignment(table: str, columns: tuple[str, ...]) -> str:
    changes = ", ".join(f"{quoted(name)} = ?" for name in columns)
    return f"UPDATE {quoted(table)} SET {changes} WHERE Id = ?"  # noqa: S608


def now() -> str:
    """The current time as the org writes it."""
    return stored_moment(datetime.now(UTC))


def stored_moment(moment: datetime) -> str:
    """A time in UTC as the org writes it."""
    return f"{moment.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
