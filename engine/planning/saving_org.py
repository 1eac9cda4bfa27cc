"""An org that keeps the values which its writes replace, in a file, before they are sent."""

import sqlite3
import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import closing
from os.path import abspath
from types import TracebackType

from sfmap.engine.delivery.item import ID, comparable
from sfmap.engine.files.output import Output, Results
from sfmap.engine.org.port import (
    NO_OPTIONS,
    ApiUsage,
    FoundRecord,
    ObjectDescription,
    Org,
    RecordWrite,
    Value,
    WriteOptions,
    WriteResult,
)
from sfmap.engine.planning.old_values import saved_line, saved_values
from sfmap.engine.planning.org_texts import as_held, as_read, is_same
from sfmap.engine.planning.planned_deletes import deletions


class SavedFile:
    """The file of old values. Of several values of one field, the first is kept, also over several runs."""

    def __init__(self, name: str) -> None:
        """Opens the file, and continues after what it holds. Raises `CannotWrite`."""
        self._output = Output(name)
        # A database without a name is in a temporary file: ids of many records would fill the memory.
        self._seen = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._seen.execute("CREATE TABLE seen (id TEXT, field TEXT, PRIMARY KEY (id, field)) WITHOUT ROWID")
        self._lock = threading.Lock()
        size = 0
        for size, saved in saved_values(name):  # noqa: B007 - the last one is used
            for field in saved.fields:
                self._is_new(saved.id, field)
        self._output.continue_from(Results(abspath(name), size))

    def save(self, object_name: str, verb: str, record_id: str, fields: Mapping[str, str | None]) -> None:
        with self._lock:
            new = {name: text for name, text in fields.items() if self._is_new(record_id, name)}
            if new:
                self._output.write(saved_line(object_name, verb, record_id, new))

    def _is_new(self, record_id: str, field: str) -> bool:
        done = self._seen.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (record_id, field))
        return done.rowcount == 1

    def __enter__(self) -> "SavedFile":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with closing(self._seen):
            self._output.__exit__(kind, error, trace)


class SavingOrg:
    """Implements the port `Org` over another one; reads what a write replaces before it is sent.

    If that cannot be read, nothing is written.
    """

    def __init__(self, org: Org, saved: SavedFile) -> None:
        self._org = org
        self._saved = saved
        self._described: dict[str, ObjectDescription] = {}

    def object_names(self) -> frozenset[str]:
        return self._org.object_names()

    def describe(self, objects: Sequence[str]) -> Mapping[str, ObjectDescription]:
        described = self._org.describe(objects)
        self._described.update(described)
        return described

    def is_described(self, objects: Sequence[str]) -> bool:
        return self._org.is_described(objects)

    def find(
        self,
        object_name: str,
        fields: tuple[str, ...],
        identities: Sequence[tuple[Value, ...]],
        also: tuple[str, ...] = (),
        where: str = "",
    ) -> Sequence[FoundRecord]:
        return self._org.find(object_name, fields, identities, also, where)

    def create(
        self, object_name: str, records: Sequence[RecordWrite], options: WriteOptions = NO_OPTIONS
    ) -> Sequence[WriteResult]:
        return self._org.create(object_name, records, options)

    def update(
        self, object_name: str, records: Sequence[RecordWrite], options: WriteOptions = NO_OPTIONS
    ) -> Sequence[WriteResult]:
        by_id = {write.id: write for write in records if write.id}
        names = self._written(object_name, records)
        for row in self._org.find(object_name, ID, [(one,) for one in by_id], names):
            self._save(object_name, row, by_id[row.id])
        return self._org.update(object_name, records, options)

    def upsert(
        self,
        object_name: str,
        external_id: str,
        records: Sequence[RecordWrite],
        options: WriteOptions = NO_OPTIONS,
    ) -> Sequence[WriteResult]:
        by_key: dict[object, RecordWrite] = {comparable(write.fields[external_id]): write for write in records}
        keys = [write.fields[external_id] for write in by_key.values()]
        names = tuple(name for name in self._written(object_name, records) if name != external_id)
        for row in self._org.find(object_name, (external_id,), [(key,) for key in keys], names):
            if write := by_key.get(as_read(row.fields[external_id], keys[0])):
                self._save(object_name, row, write)
        return self._org.upsert(object_name, external_id, records, options)

    def delete(
        self, object_name: str, ids: Sequence[str], options: WriteOptions = NO_OPTIONS
    ) -> Sequence[WriteResult]:
        gone: dict[str, list[str]] = defaultdict(list)
        for one in deletions(object_name, ids, self._described, self._org.find, lambda name: ()).values():
            for record_id, name in one.gone.items():
                gone[name].append(record_id)
        for name, deleted in gone.items():
            self._save_deleted(name, deleted)
        return self._org.delete(object_name, ids, options)

    def _save_deleted(self, object_name: str, ids: Sequence[str]) -> None:
        fields = self._described[object_name].fields.values() if object_name in self._described else ()
        names = tuple(one.name for one in fields if one.createable)
        for row in self._org.find(object_name, ID, [(one,) for one in ids], names):
            filled = {name: text for name, text in row.fields.items() if text is not None and name not in ID}
            self._saved.save(object_name, "delete", row.id, filled)

    def _save(self, object_name: str, row: FoundRecord, write: RecordWrite) -> None:
        """Saves the values of the record that the write replaces by others."""
        fields = self._described[object_name].fields if object_name in self._described else {}
        known = {**{name: as_held(value) for name, value in write.fields.items()}, **dict.fromkeys(write.clear)}
        replaced = {
            name: row.fields[name]
            for name in self._written(object_name, [write])
            if name in row.fields
            and (name not in known or not is_same(fields.get(name), row.fields[name], known[name]))
        }
        if replaced:
            self._saved.save(object_name, "update", row.id, replaced)

    def _written(self, object_name: str, writes: Sequence[RecordWrite]) -> tuple[str, ...]:
        """The fields that are written."""
        fields = self._described[object_name].fields.values() if object_name in self._described else ()
        named = {one.relationship_name: one.name for one in fields if one.relationship_name}
        names = [name for write in writes for name in (*write.fields, *write.clear)]
        names += [named[name] for write in writes for name in write.references if name in named]
        return tuple(name for name in dict.fromkeys(names) if name not in ID)

    def currency(self) -> str:
        return self._org.currency()

    def limits(self) -> ApiUsage | None:
        return self._org.limits()

    def calls(self) -> Mapping[str, int]:
        return self._org.calls()

    def usage(self) -> ApiUsage | None:
        return self._org.usage()
