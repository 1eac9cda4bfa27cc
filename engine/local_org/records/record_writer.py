"""Creates, updates, upserts, deletes: each record checked, stored, or refused with the org's own errors."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial

from sfmap.engine.local_org.faults.fault_plan import InjectedFault
from sfmap.engine.local_org.faults.org_faults import InvalidRecord, RecordError, no_such_field, no_such_object
from sfmap.engine.local_org.records.applied_rules import AppliedRules
from sfmap.engine.local_org.records.duplicates import Duplicates
from sfmap.engine.local_org.records.external_ids import external_id, found_by, not_specified
from sfmap.engine.local_org.records.ids import full_id
from sfmap.engine.local_org.records.object_schema import FieldSchema, ObjectSchema, Schema
from sfmap.engine.local_org.records.persons import Persons
from sfmap.engine.local_org.records.picklists import synced
from sfmap.engine.local_org.records.record_deletes import Deletes
from sfmap.engine.local_org.records.record_types import RecordTypes
from sfmap.engine.local_org.records.references import Parent, References, SentParent
from sfmap.engine.local_org.records.store import Store, Stored, fold, now
from sfmap.engine.local_org.records.validation import checked, stored_value

ROLLED_BACK = "ALL_OR_NONE_OPERATION_ROLLED_BACK"
"""The error of a valid record beside a refused one in a call with AllOrNone."""
_SHOWN = 80


@dataclass(frozen=True, slots=True)
class SentRecord:
    """One record of a write as received: values as text, None for a field to empty, parents by relationship."""

    object_name: str
    values: Mapping[str, str | None]
    parents: Mapping[str, SentParent] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SaveResult:
    """The result for one record."""

    id: str | None
    errors: tuple[RecordError, ...] = ()
    created: bool = False
    """Whether the record is new, or would be if it had not been refused."""


@dataclass(frozen=True, slots=True)
class _Record:
    """A sent record whose object, fields and relationships are known to exist."""

    target: ObjectSchema
    given: dict[FieldSchema, str | None]
    parents: Sequence[Parent]


_Keys = Counter[tuple[str, Stored]]
"""The number of records in a call by object and external id, as the org compares it."""


class _RolledBack(Exception):
    """Rolls back a call with AllOrNone in which a record was refused."""


class Writer:
    """The writes of one call. Each operation raises `Fault` for objects and fields that do not exist."""

    def __init__(
        self,
        store: Store,
        schema: Schema,
        user_id: str,
        *,
        cut_long: bool = False,
        allow_duplicates: bool = False,
        injected: InjectedFault | None = None,
    ) -> None:
        self._store = store
        self._schema = schema
        self._references = References(store, schema, user_id)
        self._user_id = user_id
        self._cut_long = cut_long
        self._duplicates = Duplicates(store, allow_duplicates)
        self._injected = injected
        self._seen: set[str] = set()
        """The ids that this call has already used."""
        self._now = now()
        self._record_types = RecordTypes(store, schema)
        self._persons = Persons(store, schema, self._record_types)
        self._rules = AppliedRules(store, schema)
        self._deletes = Deletes(store, schema, self._audit(creating=False))

    def create(self, records: Sequence[SentRecord], all_or_none: bool) -> list[SaveResult]:
        return self._done([partial(self._create_new, self._known(sent)) for sent in records], all_or_none)

    def update(self, records: Sequence[SentRecord], all_or_none: bool) -> list[SaveResult]:
        return self._done([partial(self._update, self._known(sent)) for sent in records], all_or_none)

    def upsert(self, key_name: str, records: Sequence[SentRecord], all_or_none: bool) -> list[SaveResult]:
        keyed = [(known, external_id(known.target, key_name)) for known in map(self._known, records)]
        keys: _Keys = Counter()
        for known, key in keyed:
            with suppress(InvalidRecord):
                keys[known.target.name, self._key_value(known, key)] += 1
        return self._done([partial(self._upsert, known, key, keys) for known, key in keyed], all_or_none)

    def delete(self, ids: Sequence[str], all_or_none: bool, *, for_good: bool = False) -> list[SaveResult]:
        """Moves the records to the recycle bin, or removes them, with those that depend on them."""
        return self._done([partial(self._delete, named, for_good=for_good) for named in ids], all_or_none)

    def _done(self, steps: Sequence[Callable[[], SaveResult]], all_or_none: bool) -> list[SaveResult]:
        saved: list[SaveResult] = []
        try:
            with self._store.savepoint():
                saved += (self._step(step, len(steps)) for step in steps)
                if all_or_none and any(one.errors for one in saved):
                    raise _RolledBack
        except _RolledBack:
            saved = [one if one.errors else rolled_back(created=one.created) for one in saved]
        return saved

    def _step(self, step: Callable[[], SaveResult], together: int) -> SaveResult:
        error = self._injected.record_error(together) if self._injected else None
        return SaveResult(None, (error,)) if error else step()

    def _known(self, sent: SentRecord) -> _Record:
        target = self._schema.object(sent.object_name)
        if target is None:
            raise no_such_object(sent.object_name)
        given: dict[FieldSchema, str | None] = {}
        for name, text in sent.values.items():
            known = target.field(name)
            if known is None:
                raise no_such_field(name, target.name)
            if text is None or text.strip():  # an empty element changes nothing; fieldsToNull empties a field
                given[known] = text
        parents = [self._references.parent(target, name, parent) for name, parent in sent.parents.items()]
        return _Record(target, given, parents)

    def _create_new(self, record: _Record) -> SaveResult:
        if self._injected and self._injected.interferes():
            self._create(record)
        return self._create(record)

    def _create(self, record: _Record) -> SaveResult:
        target = record.target
        try:
            values = self._values(record, {})
            self._check_unique(target, values, None)
            self._duplicates.check(target, values, values, None)
        except InvalidRecord as invalid:
            return SaveResult(None, invalid.errors, created=True)
        number = self._store.next_number(target)
        counted = {name: str(number).rjust(digits, "0") for name, digits in target.number.items()}
        row = {"OwnerId": self._user_id, **values, **counted, **self._audit(creating=True)}
        row |= _composed(target, row)
        known = {name: value for name, value in row.items() if name in target.fields}
        record_id = self._store.insert(target, number, known)
        self._store.note_change(record_id, "create", values)
        self._make_with(target, record_id)
        self._persons.follow(target, record_id, known)
        return SaveResult(record_id, created=True)

    def _update(self, record: _Record) -> SaveResult:
        id_field = record.target.fields["Id"]
        named = record.given.pop(id_field, None)
        record_id = full_id(named or "")
        if named is None:
            return _refused(None, "MISSING_ARGUMENT", "Id not specified in an update call")
        if record_id is None:
            message = f"{id_field.label}: id value of incorrect type: {named[:_SHOWN]}"
            return _refused(None, "MALFORMED_ID", message, "Id")
        if record_id in self._seen:
            return _refused(record_id, "DUPLICATE_VALUE", f"duplicate id specified: {record_id}")
        self._seen.add(record_id)
        if self._injected and self._injected.interferes():
            self._store.update(record.target, record_id, {"IsDeleted": 1, **self._audit(creating=False)})
        return self._change(record, record_id)

    def _change(self, record: _Record, record_id: str) -> SaveResult:
        target = record.target
        try:
            current = self._current(target, record_id)
            if target.lock and current[target.lock.when]:
                raise InvalidRecord(RecordError(target.lock.code, target.lock.message))
            values = self._values(record, current)
            self._check_unique(target, values, record_id)
            self._duplicates.check(target, {**current, **values}, values, record_id)
        except InvalidRecord as invalid:
            return SaveResult(record_id, invalid.errors)
        changes = {**values, **self._audit(creating=False)}
        changes |= _composed(target, {**current, **changes})
        known = {name: value for name, value in changes.items() if name in target.fields}
        self._store.update(target, record_id, known)
        self._store.note_change(record_id, "update", values)
        self._persons.follow(target, record_id, known)
        return SaveResult(record_id)

    def _upsert(self, record: _Record, key: FieldSchema, keys: _Keys) -> SaveResult:
        if key.type == "id":
            return self._update(record) if record.given.get(key) else self._create(record)
        try:
            value = self._key_value(record, key)
            if keys[record.target.name, value] > 1:
                message = f"Duplicate external id specified: {str(record.given[key]).strip()}"
                raise InvalidRecord(RecordError("DUPLICATE_VALUE", message, (key.name,)))
            found = found_by(self._store, record.target, key, value)
        except InvalidRecord as invalid:
            return SaveResult(None, invalid.errors)
        if found is None:
            return self._create(record)
        if not key.updateable:  # a number assigned by the org identifies its record and does not change
            given = {known: text for known, text in record.given.items() if known != key}
            record = replace(record, given=given)
        return self._change(record, found)

    def _key_value(self, record: _Record, key: FieldSchema) -> Stored:
        """The record's external id as the org compares it."""
        text = record.given.get(key)
        if text is None:
            raise not_specified(key)
        return fold(stored_value(key, text, self._cut_long))

    def _delete(self, named: str, *, for_good: bool) -> SaveResult:
        record_id = full_id(named.strip())
        if record_id is None:
            return _refused(None, "MALFORMED_ID", f"bad id {named[:_SHOWN]}")
        if record_id in self._seen:
            return _refused(record_id, "DUPLICATE_VALUE", f"duplicate id specified: {record_id}")
        self._seen.add(record_id)
        target = self._schema.object_of(record_id)
        try:
            if target is None:
                raise _no_such_record()
            self._current(target, record_id)
            with self._store.savepoint():  # children that were deleted before one is found that restricts
                self._deletes.delete(target, record_id)
        except InvalidRecord as invalid:
            return SaveResult(record_id, invalid.errors)
        if for_good:
            self._deletes.purge(target, record_id)
        return SaveResult(record_id)

    def undelete(self, ids: Sequence[str], all_or_none: bool) -> list[SaveResult]:
        return self._done([partial(self._from_bin, self._deletes.undelete, named) for named in ids], all_or_none)

    def empty_recycle_bin(self, ids: Sequence[str]) -> list[SaveResult]:
        """Removes deleted records for good."""
        return self._done([partial(self._from_bin, self._deletes.purge, named) for named in ids], False)

    def _from_bin(self, move: Callable[[ObjectSchema, str], None], named: str) -> SaveResult:
        record_id = full_id(named.strip()) or ""
        target = self._schema.object_of(record_id)
        deleted = self._store.is_deleted(target, record_id) if target else None
        if target is None or deleted is None:
            return _refused(record_id or None, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        if not deleted:
            return _refused(record_id, "UNDELETE_FAILED", "Entity is not in the recycle bin")
        move(target, record_id)
        return SaveResult(record_id)

    def _current(self, target: ObjectSchema, record_id: str) -> dict[str, Stored]:
        """The stored record. Raises `InvalidRecord` if it does not exist."""
        current = self._store.get(target, record_id)
        if current is None:
            raise _no_such_record()
        if current["IsDeleted"]:
            raise InvalidRecord(RecordError("ENTITY_IS_DELETED", "entity is deleted"))
        return current

    def _values(self, record: _Record, current: Mapping[str, Stored]) -> dict[str, Stored]:
        """The values to store, with parents resolved to ids; `current` is empty for a new record."""
        given = record.given
        for parent in record.parents:
            known = parent.field
            if known in given:
                message = (
                    f"Cannot specify both an external ID reference {known.relationship_name} and a salesforce id,"
                    f" {known.name}"
                )
                raise InvalidRecord(RecordError("INVALID_FIELD", message, (known.name,)))
            given = {**given, known: self._references.parent_id(parent)}
        target = record.target
        values = checked(target, given, creating=not current, cut_long=self._cut_long)
        values = self._persons.completed(target, current, values)
        values = self._record_types.completed(target, current, values)
        self._references.check(target, values)
        return self._rules.completed(target, current, synced(target, current, values))

    def _make_with(self, target: ObjectSchema, record_id: str) -> None:
        """Creates the records that the org creates with this one."""
        for made in target.rules.makes if target.rules else ():
            child = self._schema.objects[made.object]
            for row in made.rows:
                values = {**row, made.parent: record_id, **self._audit(creating=True)}
                known = {name: value for name, value in values.items() if name in child.fields}
                self._store.insert(child, self._store.next_number(child), known)

    def _check_unique(self, target: ObjectSchema, values: Mapping[str, Stored], own_id: str | None) -> None:
        for name, value in values.items():
            if target.fields[name].unique and value is not None:
                holder = next(iter(self._store.holders(target, name, value, 1)), own_id)
                if holder != own_id:
                    message = (
                        f"duplicate value found: {name} duplicates value on record with id: {str(holder)[:15]}"
                    )
                    raise InvalidRecord(RecordError("DUPLICATE_VALUE", message, (name,)))

    def _audit(self, creating: bool) -> dict[str, Stored]:
        changed: dict[str, Stored] = {
            "LastModifiedDate": self._now,
            "LastModifiedById": self._user_id,
            "SystemModstamp": self._now,
        }
        return {"CreatedDate": self._now, "CreatedById": self._user_id, **changed} if creating else changed


def _composed(target: ObjectSchema, row: Mapping[str, Stored]) -> dict[str, Stored]:
    """The fields composed of others, such as a full name."""
    parts = _Parts((name, value) for name, value in row.items() if value is not None)
    return {name: pattern.format_map(parts).strip() for name, pattern in target.compose.items()}


class _Parts(dict[str, Stored]):
    """The values of a row for a composed field, in which one without a value is empty."""

    def __missing__(self, name: str) -> str:
        return ""


def _refused(record_id: str | None, code: str, message: str, *fields: str) -> SaveResult:
    return SaveResult(record_id, (RecordError(code, message, fields),))


def _no_such_record() -> InvalidRecord:
    return InvalidRecord(RecordError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"))


def rolled_back(*, created: bool = False) -> SaveResult:
    """The result of a valid record beside a refused one in a call with AllOrNone."""
    message = "Record rolled back because not all records were valid and the request was using AllOrNone header"
    return SaveResult(None, (RecordError(ROLLED_BACK, message),), created)
