"""Record types: those of an object as a describe lists them, and what they mean for a record."""

from collections.abc import Mapping
from dataclasses import dataclass

from sfmap.engine.local_org.faults.org_faults import InvalidRecord, RecordError
from sfmap.engine.local_org.records.object_schema import ObjectSchema, RecordTypeSchema, Schema
from sfmap.engine.local_org.records.store import Store, Stored

MASTER_RECORD_TYPE_ID = "012000000000000AAA"
"""Stands for no record type."""
_MOST = 200
_MASTER = "Master"
_MADE = "2026-01-01T00:00:00.000Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordTypeInfo:
    """A member of recordTypeInfos in a describe."""

    id: str
    name: str
    developer_name: str
    active: bool
    default: bool
    """Whether new records of this user get it."""
    master: bool


def record_type_infos(store: Store, schema: Schema, target: ObjectSchema) -> tuple[RecordTypeInfo, ...]:
    """The object's record types with the master, which stands for none, last."""
    holder = schema.record_type_object
    if holder is None or holder.record_type_fields is None:
        return ()
    roles = holder.record_type_fields
    default = next((one.name for one in target.record_types if one.default), "")
    found = []
    for record_id in store.alike(holder, {roles.object: target.name}, _MOST):
        row = store.get(holder, record_id) or {}
        found.append(
            RecordTypeInfo(
                id=record_id,
                name=str(row[roles.label]),
                developer_name=str(row[roles.name]),
                active=bool(row[roles.active]),
                default=row[roles.name] == default,
                master=False,
            )
        )
    return (*found, _master(is_default=not default))


def _master(*, is_default: bool) -> RecordTypeInfo:
    return RecordTypeInfo(
        id=MASTER_RECORD_TYPE_ID,
        name=_MASTER,
        developer_name=_MASTER,
        active=True,
        default=is_default,
        master=True,
    )


def record_type_seeds(schema: Schema) -> tuple[Mapping[str, str | int | None], ...]:
    """The records of the record types that the schema's objects have."""
    holder = schema.record_type_object
    if holder is None or holder.record_type_fields is None:
        return ()
    roles = holder.record_type_fields
    return tuple(
        {
            roles.object: target.name,
            roles.name: one.name,
            roles.label: one.label,
            roles.description: one.description,
            roles.active: int(one.active),
            **({roles.person: int(one.person)} if roles.person in holder.fields else {}),
            **dict.fromkeys(("CreatedDate", "LastModifiedDate", "SystemModstamp"), _MADE),
        }
        for target in schema.objects.values()
        for one in target.record_types
    )


@dataclass(frozen=True, slots=True)
class RecordTypes:
    """What a record's type means for its values."""

    store: Store
    schema: Schema

    def completed(
        self, target: ObjectSchema, current: Mapping[str, Stored], values: dict[str, Stored]
    ) -> dict[str, Stored]:
        """The values with the default record type.

        Raises `InvalidRecord` for picklist values that a record of its type may not have.
        """
        field = self.schema.record_type_field(target)
        holder = self.schema.record_type_object
        if not field or holder is None:
            return values
        if field in values and values[field] == MASTER_RECORD_TYPE_ID and not target.record_types:
            values = {**values, field: None}
        if not target.record_types:
            return values
        if not current and field not in values:
            default = next((one for one in target.record_types if one.default), None)
            values = {**values, field: self.id_of(target, default) if default else None}
        self._check(target, self.type_of(target, {**current, **values}.get(field)), values)
        return values

    def id_of(self, target: ObjectSchema, wanted: RecordTypeSchema) -> str | None:
        holder = self.schema.record_type_object
        if holder is None or holder.record_type_fields is None:
            return None
        roles = holder.record_type_fields
        found = self.store.alike(holder, {roles.object: target.name, roles.name: wanted.name}, 1)
        return found[0] if found else None

    def type_of(self, target: ObjectSchema, record_type_id: Stored) -> RecordTypeSchema | None:
        """The object's record type with this id, if the schema file has it."""
        holder = self.schema.record_type_object
        if record_type_id is None or holder is None or holder.record_type_fields is None:
            return None
        row = self.store.get(holder, str(record_type_id)) or {}
        name = row.get(holder.record_type_fields.name)
        return next((one for one in target.record_types if one.name == name), None)

    def _check(
        self, target: ObjectSchema, record_type: RecordTypeSchema | None, values: Mapping[str, Stored]
    ) -> None:
        for name, allowed in record_type.values.items() if record_type else ():
            field, value = target.fields[name], values.get(name)
            chosen = str(value).split(";") if field.type == "multipicklist" else [str(value)]
            if field.restricted and value is not None and not set(chosen).issubset(allowed):
                message = f"{field.label}: bad value for restricted picklist field: {value}"
                raise InvalidRecord(RecordError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, (name,)))
