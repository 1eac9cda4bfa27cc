"""Creates and updates records: each one checked, stored, or refused with the org's own errors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sfmap.engine.mapping.values import full_record_id
from sfmap.engine.org.local.faults import Invalid, RecordError, no_such_field, no_such_object
from sfmap.engine.org.local.schema import FieldSchema, ObjectSchema, Schema
from sfmap.engine.org.local.store import Store, Stored
from sfmap.engine.org.local.validate import checked


@dataclass(frozen=True, slots=True)
class Sent:
    """One record of a create or update as it came: values as text, None for a field to empty."""

    object_name: str
    values: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of one record."""

    id: str | None
    errors: tuple[RecordError, ...] = ()


class _RolledBack(Exception):
    """All or none, and not all."""


class Writer:
    """The writes of one call, by one user, at one time."""

    def __init__(self, store: Store, schema: Schema, user_id: str, cut_long: bool) -> None:
        self._store = store
        self._schema = schema
        self._user_id = user_id
        self._cut_long = cut_long
        self._now = datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"

    def write(self, records: Sequence[Sent], creating: bool, all_or_none: bool) -> list[Saved]:
        """Creates or updates each record. Raises `Fault` for an object or field that does not exist."""
        resolved = [(self._target(record), self._fields(record)) for record in records]
        saved: list[Saved] = []
        try:
            with self._store.savepoint():
                seen: set[str] = set()
                for target, given in resolved:
                    saved.append(self._create(target, given) if creating else self._update(target, given, seen))
                if all_or_none and any(one.errors for one in saved):
                    raise _RolledBack
        except _RolledBack:
            saved = [one if one.errors else _rolled_back() for one in saved]
        return saved

    def _target(self, record: Sent) -> ObjectSchema:
        target = self._schema.object(record.object_name)
        if target is None:
            raise no_such_object(record.object_name)
        return target

    def _fields(self, record: Sent) -> dict[FieldSchema, str | None]:
        target = self._target(record)
        given: dict[FieldSchema, str | None] = {}
        for name, text in record.values.items():
            field = target.field(name)
            if field is None:
                raise no_such_field(name, target.name)
            if text is None or text.strip():  # an empty element changes nothing; fieldsToNull empties a field
                given[field] = text
        return given

    def _create(self, target: ObjectSchema, given: Mapping[FieldSchema, str | None]) -> Saved:
        try:
            values = checked(target, given, creating=True, cut_long=self._cut_long)
            self._check_references(target, values)
            self._check_unique(target, values, None)
        except Invalid as invalid:
            return Saved(None, invalid.errors)
        number = self._store.next_number(target)
        counted = {name: str(number).rjust(digits, "0") for name, digits in target.number.items()}
        row = {"OwnerId": self._user_id, **values, **counted, **self._audit(creating=True)}
        row |= _composed(target, row)
        known = {name: value for name, value in row.items() if name in target.fields}
        return Saved(self._store.insert(target, number, known))

    def _update(self, target: ObjectSchema, given: dict[FieldSchema, str | None], seen: set[str]) -> Saved:
        named = given.pop(target.fields["Id"], None)
        record_id = full_record_id(named or "")
        try:
            current = self._current(target, named, record_id, seen)
            values = checked(target, given, creating=False, cut_long=self._cut_long)
            self._check_references(target, values)
            self._check_unique(target, values, record_id)
        except Invalid as invalid:
            return Saved(record_id, invalid.errors)
        changes = {**values, **self._audit(creating=False)}
        changes |= _composed(target, {**current, **changes})
        known = {name: value for name, value in changes.items() if name in target.fields}
        self._store.update(target, str(record_id), known)
        return Saved(record_id)

    def _current(
        self, target: ObjectSchema, named: str | None, record_id: str | None, seen: set[str]
    ) -> dict[str, Stored]:
        """The record as it is. Raises `Invalid` where it cannot be updated."""
        if named is None:
            raise Invalid(RecordError("MISSING_ARGUMENT", "Id not specified in an update call"))
        if record_id is None:
            message = f"{target.fields['Id'].label}: id value of incorrect type: {named[:80]}"
            raise Invalid(RecordError("MALFORMED_ID", message, ("Id",)))
        if record_id in seen:
            raise Invalid(RecordError("DUPLICATE_VALUE", f"duplicate id specified: {record_id}"))
        seen.add(record_id)
        current = self._store.get(target, record_id)
        if current is None:
            raise Invalid(RecordError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"))
        if current["IsDeleted"]:
            raise Invalid(RecordError("ENTITY_IS_DELETED", "entity is deleted"))
        if target.lock and current[target.lock.when]:
            raise Invalid(RecordError(target.lock.code, target.lock.message))
        return current

    def _check_references(self, target: ObjectSchema, values: Mapping[str, Stored]) -> None:
        for name, value in values.items():
            field = target.fields[name]
            if field.type == "reference" and value is not None and not self._exists(field, str(value)):
                raise Invalid(RecordError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", (name,)))

    def _exists(self, field: FieldSchema, record_id: str) -> bool:
        """Whether there is such a record of an object that the field may refer to; the user is one."""
        objects = (self._schema.object(name) for name in field.references)
        named = next((known for known in objects if known and record_id.startswith(known.key_prefix)), None)
        return self._store.holds(named, record_id) if named else record_id == self._user_id

    def _check_unique(self, target: ObjectSchema, values: Mapping[str, Stored], own_id: str | None) -> None:
        for name, value in values.items():
            if target.fields[name].unique and value is not None:
                holder = self._store.holder(target, name, value)
                if holder not in (None, own_id):
                    message = (
                        f"duplicate value found: {name} duplicates value on record with id: {str(holder)[:15]}"
                    )
                    raise Invalid(RecordError("DUPLICATE_VALUE", message, (name,)))

    def _audit(self, creating: bool) -> dict[str, Stored]:
        changed: dict[str, Stored] = {
            "LastModifiedDate": self._now,
            "LastModifiedById": self._user_id,
            "SystemModstamp": self._now,
        }
        return {"CreatedDate": self._now, "CreatedById": self._user_id, **changed} if creating else changed


def _composed(target: ObjectSchema, row: Mapping[str, Stored]) -> dict[str, Stored]:
    """The fields that are made of others: a full name of its parts."""
    parts = {name: "" if row.get(name) is None else row[name] for name in target.fields}
    return {name: pattern.format_map(parts).strip() for name, pattern in target.compose.items()}


def _rolled_back() -> Saved:
    message = "Record rolled back because not all records were valid and the request was using AllOrNone header"
    return Saved(None, (RecordError("ALL_OR_NONE_OPERATION_ROLLED_BACK", message),))
