"""Deletes records with those that depend on them, brings them back, and removes them for good."""

from collections.abc import Mapping
from dataclasses import dataclass

from sfmap.engine.local_org.faults.org_faults import InvalidRecord, RecordError
from sfmap.engine.local_org.records.object_schema import ChildRelationship, ObjectSchema, Schema
from sfmap.engine.local_org.records.store import Store, Stored

_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Deletes:
    """The deletes of one call; records are known to exist.

    What a delete takes along is noted, so that an undelete restores it ("undelete()" in the SOAP API's guide).
    """

    store: Store
    schema: Schema
    changed: Mapping[str, Stored]
    """The fields that say when and by whom a record was changed."""

    def delete(self, target: ObjectSchema, record_id: str) -> None:
        """Moves the record and its children to the recycle bin.

        Raises `InvalidRecord` if children keep it from being deleted.
        """
        self.store.update(target, record_id, {"IsDeleted": 1, **self.changed})
        self.store.note_change(record_id, "delete", {})
        for link in self.schema.links(target):
            children = self.store.referring(link.child, link.field.name, record_id)
            if children and link.field.restricts:
                raise self._restricted(target, record_id, link, children)
            for child in children:
                self._release(link, record_id, child)

    def _release(self, link: ChildRelationship, parent: str, child: str) -> None:
        if link.cascades or not link.field.nillable:
            self.store.note_taken_along(parent, child, "")
            self.delete(link.child, child)
        else:
            emptied: dict[str, Stored] = {link.field.name: None}
            self.store.note_taken_along(parent, child, link.field.name)
            self.store.update(link.child, child, emptied)
            self.store.note_change(child, "update", emptied)

    def _restricted(
        self, target: ObjectSchema, record_id: str, link: ChildRelationship, children: list[str]
    ) -> InvalidRecord:
        named = ", ".join(self._name(link.child, one) for one in children[:_MOST_NAMED])
        message = (
            f"Your attempt to delete {self._name(target, record_id)} could not be completed because it is"
            f" associated with the following {link.child.plural.lower()}.: {named}"
        )
        return InvalidRecord(RecordError("DELETE_FAILED", message))

    def _name(self, target: ObjectSchema, record_id: str) -> str:
        row = self.store.get(target, record_id) or {}
        return str(next((row[name] for name in (target.name_field, *target.number) if row.get(name)), record_id))

    def undelete(self, target: ObjectSchema, record_id: str) -> None:
        """Brings the record back with its children; references to it are restored where they are still empty."""
        self.store.update(target, record_id, {"IsDeleted": 0, **self.changed})
        self.store.note_change(record_id, "undelete", {})
        for child, field in self.store.taken_along(record_id):
            kind = self.schema.object_of(child)
            current = self.store.get(kind, child) if kind else None
            if kind is None or current is None:
                continue
            if not field and current["IsDeleted"]:
                self.undelete(kind, child)
            elif field and current[field] is None:
                self.store.update(kind, child, {field: record_id})
                self.store.note_change(child, "update", {field: record_id})
        self.store.forget_taken_along(record_id)

    def purge(self, target: ObjectSchema, record_id: str) -> None:
        """Removes a deleted record for good, with the children that were deleted along with it."""
        for child, field in self.store.taken_along(record_id):
            kind = self.schema.object_of(child)
            if kind and not field and self.store.is_deleted(kind, child):
                self.purge(kind, child)
        self.store.forget_taken_along(record_id)
        self.store.purge(target, record_id)
