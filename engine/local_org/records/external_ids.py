"""Finds records by an external id, or by another field that identifies records."""

from sfmap.engine.local_org.faults.org_faults import InvalidRecord, RecordError, no_external_id
from sfmap.engine.local_org.records.object_schema import FieldSchema, ObjectSchema
from sfmap.engine.local_org.records.store import Store, Stored

_MOST_NAMED = 10


def external_id(target: ObjectSchema, name: str) -> FieldSchema:
    """The object's field of that name. Raises `Fault` if it does not identify records."""
    field = target.field(name)
    if field is None or not field.id_lookup:
        raise no_external_id(name, target.name)
    return field


def found_by(store: Store, target: ObjectSchema, field: FieldSchema, value: Stored) -> str | None:
    """The id of the one record with this value, or None. Raises `InvalidRecord` if there are several."""
    ids = store.holders(target, field.name, value, _MOST_NAMED)
    if len(ids) > 1:
        message = f"{field.label}: more than one record found for external id field: [{', '.join(ids)}]"
        raise InvalidRecord(RecordError("DUPLICATE_EXTERNAL_ID", message, (field.name,)))
    return ids[0] if ids else None


def not_specified(field: FieldSchema) -> InvalidRecord:
    return InvalidRecord(RecordError("MISSING_ARGUMENT", f"{field.name} not specified", (field.name,)))
