"""Moves the children of a record to another one, as merges and conversions do."""

from collections.abc import Iterable, Mapping

from sfmap.engine.local_org.records.object_schema import ChildRelationship
from sfmap.engine.local_org.records.store import Store, Stored, now


def changed_by(user_id: str) -> dict[str, Stored]:
    """The fields that say when and by whom a record was changed."""
    moment = now()
    return {"LastModifiedDate": moment, "LastModifiedById": user_id, "SystemModstamp": moment}


def move_children(
    store: Store,
    relationships: Iterable[ChildRelationship],
    from_id: str,
    to_id: str,
    changed: Mapping[str, Stored],
) -> list[str]:
    """Returns the ids of the children."""
    moved: list[str] = []
    for one in relationships:
        for child in store.referring(one.child, one.field.name, from_id):
            store.update(one.child, child, {one.field.name: to_id, **changed})
            store.note_change(child, "update", {one.field.name: to_id})
            moved.append(child)
    return moved
