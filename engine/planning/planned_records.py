"""The records that a plan would write, each as it was and as it would be, in a temporary database."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import cast

import orjson

from sfmap.engine.delivery.item import LookupKey
from sfmap.engine.mapping.values.record import Value

Texts = Mapping[str, str | None]
"""The values of fields as the org reports them."""

_TABLES = """
CREATE TABLE records (
    id TEXT PRIMARY KEY, object TEXT, is_new INTEGER, is_deleted INTEGER, before BLOB, now BLOB, events BLOB,
    first_event INTEGER
) STRICT;
CREATE TABLE held (object TEXT, field TEXT, value TEXT, id TEXT, PRIMARY KEY (object, field, value, id)) STRICT;
"""
_MOST_EVENTS = 20


@dataclass(frozen=True, kw_only=True)
class PlannedRecord:
    """One record that the plan would write."""

    id: str
    object_name: str
    is_new: bool = False
    is_deleted: bool = False
    before: Texts = field(default_factory=dict)
    """The values in the org, of the fields that would be written."""
    now: Texts = field(default_factory=dict)
    """The values of the same fields after all writes."""
    events: tuple[int, ...] = ()
    """The numbers of the first events that would write it."""


class PlannedRecords:
    """All records that would be written, found by id or by a value that records are looked up by."""

    def __init__(self, lookups: Mapping[str, Iterable[Sequence[str]]]) -> None:
        """`lookups` are by object the sets of fields that records are looked up by."""
        self._looked_up: dict[str, dict[str, None]] = {}
        for object_name, sets in lookups.items():
            for names in sets:
                self.find_by(object_name, names)
        # A database without a name is in a temporary file that nobody else can open.
        self._connection = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._connection.executescript(_TABLES)
        self._created = 0

    def close(self) -> None:
        self._connection.close()

    def next_number(self) -> int:
        """The number of a new record, from 1."""
        self._created += 1
        return self._created

    def find_by(self, object_name: str, names: Iterable[str]) -> None:
        """Has records of the object, from now on, be found by these fields, too."""
        self._looked_up.setdefault(object_name, {}).update(dict.fromkeys(names))

    def looked_up(self, object_name: str) -> Iterable[str]:
        """The fields that records of the object are found by."""
        return self._looked_up.get(object_name, ())

    def get(self, record_id: str) -> PlannedRecord | None:
        row = self._connection.execute("SELECT * FROM records WHERE id = ?", (record_id,)).fetchone()
        return _planned(row) if row else None

    def put(self, one: PlannedRecord, held: Texts = MappingProxyType({})) -> None:
        """Stores the record in place of what was stored of it; `held` are further values that it is found by."""
        with_json = (orjson.dumps(dict(one.before)), orjson.dumps(dict(one.now)), orjson.dumps(one.events))
        values = (one.id, one.object_name, int(one.is_new), int(one.is_deleted), *with_json)
        self._connection.execute(
            "INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, NULL) ON CONFLICT (id) DO UPDATE SET"
            " is_deleted = excluded.is_deleted, before = excluded.before, now = excluded.now",
            values,
        )
        texts = {(name, text) for texts in (held, one.now) for name, text in texts.items() if text is not None}
        self._connection.executemany(
            "INSERT OR IGNORE INTO held VALUES (?, ?, ?, ?)",
            [
                (one.object_name, name, _comparable(one.object_name, name, text), one.id)
                for name, text in texts
                if name in self._looked_up.get(one.object_name, ())
            ],
        )

    def add_event(self, record_id: str, number: int) -> None:
        """Remembers that an event would write the record."""
        one = self.get(record_id)
        if one and len(one.events) < _MOST_EVENTS and number not in one.events:
            numbers = orjson.dumps((*one.events, number))
            self._connection.execute(
                "UPDATE records SET events = ?, first_event = coalesce(first_event, ?) WHERE id = ?",
                (numbers, number, record_id),
            )

    def that_held(self, object_name: str, name: str, value: Value) -> Iterator[PlannedRecord]:
        """The records that have, or had at some time, this value in the field."""
        wanted = (object_name, name, _comparable(object_name, name, value))
        rows = self._connection.execute(
            "SELECT records.* FROM held JOIN records USING (id)"
            " WHERE held.object = ? AND field = ? AND value = ? ORDER BY records.rowid",
            wanted,
        )
        yield from map(_planned, rows.fetchall())

    def __iter__(self) -> Iterator[PlannedRecord]:
        """All records, in the order of their first events; last those that are changed by other deletes."""
        rows = self._connection.execute("SELECT * FROM records ORDER BY first_event NULLS LAST, rowid")
        yield from map(_planned, rows)


def _planned(row: tuple[object, ...]) -> PlannedRecord:
    record_id, object_name, is_new, is_deleted, before, now, events, _ = row
    return PlannedRecord(
        id=str(record_id),
        object_name=str(object_name),
        is_new=bool(is_new),
        is_deleted=bool(is_deleted),
        before=orjson.loads(cast(bytes, before)),
        now=orjson.loads(cast(bytes, now)),
        events=tuple(orjson.loads(cast(bytes, events))),
    )


def _comparable(object_name: str, name: str, value: Value) -> str:
    return str(LookupKey(object_name, (name,), (value,)).as_read().values[0])


def after_write(one: PlannedRecord, before: Texts, written: Texts) -> PlannedRecord:
    """The record after one more write; `before` are the values in the org of fields that had not been written."""
    known = {name: text for name, text in before.items() if name not in one.before}
    return replace(one, before={**known, **one.before}, now={**one.now, **written})
