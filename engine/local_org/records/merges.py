"""Merges records: children and the deleted ones go to the record that stays."""

from collections.abc import Sequence
from dataclasses import dataclass

from sfmap.engine.local_org.faults.org_faults import InvalidRecord, RecordError, no_such_object
from sfmap.engine.local_org.records.ids import full_id
from sfmap.engine.local_org.records.moved_children import changed_by, move_children
from sfmap.engine.local_org.records.object_schema import ObjectSchema, Schema
from sfmap.engine.local_org.records.record_writer import SaveResult, SentRecord, Writer
from sfmap.engine.local_org.records.store import Store

_MOST_MERGED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """The result of one merge."""

    id: str | None
    errors: tuple[RecordError, ...] = ()
    merged: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()
    """The ids of the children that now belong to the record that stays."""


@dataclass(frozen=True, slots=True)
class Merges:
    """The merges of one call."""

    store: Store
    schema: Schema
    writer: Writer
    user_id: str

    def merge(self, master: SentRecord, ids: Sequence[str]) -> Merged:
        """Writes the master's fields and merges the records with these ids into it. Raises `Fault`."""
        target = self.schema.object(master.object_name)
        if target is None:
            raise no_such_object(master.object_name)
        try:
            with self.store.savepoint():
                return self._merged(target, master, [full_id(one.strip()) or one for one in ids])
        except InvalidRecord as invalid:
            return Merged(id=full_id(master.values.get("Id") or ""), errors=invalid.errors)

    def _merged(self, target: ObjectSchema, master: SentRecord, ids: Sequence[str]) -> Merged:
        if not target.merged_into:
            raise _refused("INVALID_TYPE_FOR_OPERATION", f"entity type {target.name} does not support merge")
        if not 1 <= len(ids) <= _MOST_MERGED:
            raise _refused("INVALID_OPERATION", f"a merge takes 1 to {_MOST_MERGED} records besides the master")
        saved = self._saved(master)
        changed = changed_by(self.user_id)
        moved: list[str] = []
        for merged in ids:
            if merged == saved:
                raise _refused("INVALID_OPERATION", "the master record cannot be merged into itself")
            self._check_exists(target, merged)
            moved += move_children(self.store, self.schema.children(target), merged, saved, changed)
            self.store.update(target, merged, {"IsDeleted": 1, target.merged_into: saved, **changed})
            self.store.note_change(merged, "delete", {target.merged_into: saved})
        return Merged(id=saved, merged=tuple(ids), moved=tuple(dict.fromkeys(moved)))

    def _saved(self, master: SentRecord) -> str:
        saved: SaveResult = self.writer.update([master], all_or_none=False)[0]
        if saved.errors or saved.id is None:
            raise InvalidRecord(*saved.errors)
        return saved.id

    def _check_exists(self, target: ObjectSchema, record_id: str) -> None:
        found = self.store.is_deleted(target, record_id)
        if found is None:
            raise _refused("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        if found:
            raise _refused("ENTITY_IS_DELETED", "entity is deleted")


def _refused(code: str, message: str) -> InvalidRecord:
    return InvalidRecord(RecordError(code, message))
