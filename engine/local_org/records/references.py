"""Checks reference fields: the id of an existing record, or a parent identified by its external id."""

from collections.abc import Mapping
from dataclasses import dataclass

from sfmap.engine.local_org.faults.org_faults import (
    InvalidRecord,
    RecordError,
    no_parent,
    no_such_field,
    no_such_object,
)
from sfmap.engine.local_org.records.external_ids import external_id, found_by, not_specified
from sfmap.engine.local_org.records.object_rules import Referable
from sfmap.engine.local_org.records.object_schema import FieldSchema, ObjectSchema, Schema
from sfmap.engine.local_org.records.store import Store, Stored
from sfmap.engine.local_org.records.validation import stored_value


@dataclass(frozen=True, slots=True)
class SentParent:
    """A parent as received: an element named after the relationship, with a type and one field."""

    object_name: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """The record of `target` whose field `by` has this text, to be stored in `field`."""

    field: FieldSchema
    target: ObjectSchema
    by: FieldSchema
    text: str


class References:
    def __init__(self, store: Store, schema: Schema, user_id: str) -> None:
        self._store = store
        self._schema = schema
        self._user_id = user_id

    def parent(self, child: ObjectSchema, relationship: str, sent: SentParent) -> Parent:
        """The parent that was sent. Raises `Fault` if it cannot identify a record."""
        field = child.relationship(relationship)
        if field is None:
            raise no_such_field(relationship, child.name)
        name = sent.object_name or (field.references[0] if len(field.references) == 1 else "")
        target = self._schema.object(name)
        if name and target is None:
            raise no_such_object(name)
        if target is None or target.name not in field.references or len(sent.values) != 1:
            raise no_parent(relationship)
        ((by, text),) = sent.values.items()
        return Parent(field=field, target=target, by=external_id(target, by), text=text.strip())

    def parent_id(self, parent: Parent) -> str:
        """The id of the parent. Raises `InvalidRecord` if there is not exactly one."""
        by = parent.by
        if not parent.text:
            raise not_specified(by)
        if by.type == "id":
            return parent.text
        value = stored_value(by, parent.text, cut_long=False)
        found = found_by(self._store, parent.target, by, value)
        if found is None:
            message = (
                f"Foreign key external ID: {parent.text} not found for field {by.name} in entity"
                f" {parent.target.name}"
            )
            raise InvalidRecord(RecordError("INVALID_FIELD", message))
        return found

    def check(self, child: ObjectSchema, values: Mapping[str, Stored]) -> None:
        """Raises `InvalidRecord` for an id that the field may not refer to, or that does not exist."""
        for name, value in values.items():
            field = child.fields[name]
            if field.type == "reference" and value is not None and value != self._user_id:
                self._check(child, field, str(value))

    def _check(self, child: ObjectSchema, field: FieldSchema, record_id: str) -> None:
        target = self._schema.object_of(record_id)
        if target and target.name not in field.references:
            message = f"{field.label}: id value of incorrect type: {record_id}"
            raise InvalidRecord(RecordError("FIELD_INTEGRITY_EXCEPTION", message, (field.name,)))
        deleted = self._store.is_deleted(target, record_id) if target else None
        if deleted is None:
            raise InvalidRecord(
                RecordError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", (field.name,))
            )
        if deleted:
            raise InvalidRecord(RecordError("ENTITY_IS_DELETED", "entity is deleted", (field.name,)))
        assert target
        for rule in target.referable:
            if (not rule.fields or field.name in rule.fields) and not self._is_met(rule, child, target, record_id):
                message = rule.message.format(id=record_id[:15], object=child.name)
                raise InvalidRecord(RecordError(rule.code, message, (field.name,)))

    def _is_met(self, rule: Referable, child: ObjectSchema, target: ObjectSchema, record_id: str) -> bool:
        row = self._store.get(target, record_id) or {}
        if any(row.get(name) != value for name, value in rule.when.items()):
            return False
        if rule.object and row.get(rule.object) != child.name:
            return False
        if rule.listed is None:
            return True
        listing = self._schema.objects[rule.listed["object"]]
        wanted = {rule.listed["record"]: record_id, rule.listed["name"]: child.name}
        return bool(self._store.alike(listing, wanted, 1))
