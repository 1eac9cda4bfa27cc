"""A stand-in for an org: it looks up in the org, and keeps what would be written instead of writing it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from sfmap.engine.delivery.item import ID, Fields, comparable
from sfmap.engine.mapping.values.values import full_record_id
from sfmap.engine.org.fields import is_required
from sfmap.engine.org.port import (
    NO_OPTIONS,
    ApiUsage,
    FieldDescription,
    FoundRecord,
    ObjectDescription,
    Org,
    RecordWrite,
    Reference,
    Refused,
    Value,
    WriteOptions,
    WriteResult,
    Written,
)
from sfmap.engine.planning.org_texts import as_held, as_read, is_entry
from sfmap.engine.planning.planned_deletes import Deletion, deletions
from sfmap.engine.planning.planned_lookups import PlannedLookups, is_planned, planned_id
from sfmap.engine.planning.planned_records import PlannedRecord, PlannedRecords, Texts, after_write

Referred = Mapping[Reference, Sequence[str]]
"""The ids of the records that a reference finds."""


class RehearsalOrg:
    """Implements the port `Org` over another one, of which only reading methods are called.

    What is found is as it would be after the writes so far. Refusals are those that the description of an object
    tells: rules, triggers and flows of the org are not known.
    """

    def __init__(self, org: Org, records: PlannedRecords) -> None:
        self._org = org
        self._records = records
        self._described: dict[str, ObjectDescription] = {}
        self._lookups = PlannedLookups(org, records, self._described)

    def object_names(self) -> frozenset[str]:
        return self._org.object_names()

    def describe(self, objects: Sequence[str]) -> Mapping[str, ObjectDescription]:
        described = self._org.describe(objects)
        self._described.update(described)
        for child in (child for one in described.values() for child in one.children):
            self._records.find_by(child.object, [child.field])
        return described

    def is_described(self, objects: Sequence[str]) -> bool:
        return self._org.is_described(objects)

    def currency(self) -> str:
        return self._org.currency()

    def limits(self) -> ApiUsage | None:
        return self._org.limits()

    def calls(self) -> Mapping[str, int]:
        return self._org.calls()

    def usage(self) -> ApiUsage | None:
        return self._org.usage()

    def find(
        self,
        object_name: str,
        fields: tuple[str, ...],
        identities: Sequence[tuple[Value, ...]],
        also: tuple[str, ...] = (),
        where: str = "",
    ) -> Sequence[FoundRecord]:
        """The records of the org, changed as planned, and the planned ones that meet the same conditions."""
        return self._lookups.find(object_name, fields, identities, also, where)

    def create(
        self, object_name: str, records: Sequence[RecordWrite], options: WriteOptions = NO_OPTIONS
    ) -> Sequence[WriteResult]:
        referred = self._referred(records)
        return [self._create(object_name, write, referred) for write in records]

    def update(
        self, object_name: str, records: Sequence[RecordWrite], options: WriteOptions = NO_OPTIONS
    ) -> Sequence[WriteResult]:
        ids = [write.id or "" for write in records]
        current, referred = self._current(object_name, ids, records), self._referred(records)
        return [
            self._update(object_name, record_id, write, current, referred)
            for record_id, write in zip(ids, records, strict=True)
        ]

    def upsert(
        self,
        object_name: str,
        external_id: str,
        records: Sequence[RecordWrite],
        options: WriteOptions = NO_OPTIONS,
    ) -> Sequence[WriteResult]:
        keys = [write.fields[external_id] for write in records]
        names = tuple(name for name in self._to_read(object_name, records) if name != external_id)
        rows = self.find(object_name, (external_id,), [(key,) for key in dict.fromkeys(keys)], names)
        by_key: dict[object, list[str]] = {}
        for row in rows:
            by_key.setdefault(as_read(row.fields[external_id], keys[0]), []).append(row.id)
        ids = [by_key.get(comparable(key), []) for key in keys]
        read = {row.id: row.fields for row in rows if self._records.get(row.id) is None}
        planned = [one[0] for one in ids if one and one[0] not in read]
        current = {**read, **self._current(object_name, planned, records)}
        referred = self._referred(records)
        return [
            _several(external_id, found)
            if len(found) > 1
            else self._update(object_name, found[0], write, current, referred)
            if found
            else self._create(object_name, write, referred)
            for found, write in zip(ids, records, strict=True)
        ]

    def delete(
        self, object_name: str, ids: Sequence[str], options: WriteOptions = NO_OPTIONS
    ) -> Sequence[WriteResult]:
        existing = [row.id for row in self.find(object_name, ID, [(one,) for one in ids])]
        done = deletions(object_name, existing, self._described, self.find, self._found_by)
        for one in done.values():
            if not one.refused:
                self._delete(one)
        return [(done[one].refused or Written(one)) if one in done else _GONE for one in ids]

    def _delete(self, deletion: Deletion) -> None:
        """Keeps the delete of a record, and what it does to others."""
        for one in deletion.emptied:
            planned = self._records.get(one.row.id) or PlannedRecord(id=one.row.id, object_name=one.object)
            before = {} if planned.is_new else {one.field: one.row.fields[one.field]}
            self._records.put(after_write(planned, before, {one.field: None}), one.row.fields)
        for record_id, object_name in deletion.gone.items():
            planned = self._records.get(record_id) or PlannedRecord(id=record_id, object_name=object_name)
            self._records.put(replace(planned, is_deleted=True))

    def _current(self, object_name: str, ids: Sequence[str], writes: Sequence[RecordWrite]) -> Mapping[str, Texts]:
        """By id, what the org has now in the fields that are written, and in those that records are found by."""
        real = [one for one in dict.fromkeys(ids) if one and not is_planned(one)]
        names = self._to_read(object_name, writes)
        rows = self._org.find(object_name, ID, [(one,) for one in real], names) if real else ()
        return {row.id: row.fields for row in rows}

    def _create(self, object_name: str, write: RecordWrite, referred: Referred) -> WriteResult:
        texts = self._checked(object_name, write, referred, is_new=True)
        if isinstance(texts, Refused):
            return texts
        short = planned_id(self._described[object_name].key_prefix, self._records.next_number())
        record_id = full_record_id(short) or short
        self._records.put(PlannedRecord(id=record_id, object_name=object_name, is_new=True, now=texts))
        return Written(record_id, created=True)

    def _update(
        self,
        object_name: str,
        record_id: str,
        write: RecordWrite,
        current: Mapping[str, Texts],
        referred: Referred,
    ) -> WriteResult:
        planned = self._records.get(record_id) or PlannedRecord(id=record_id, object_name=object_name)
        if planned.is_deleted or (record_id not in current and not planned.is_new):
            return _GONE
        texts = self._checked(object_name, write, referred, is_new=False)
        if isinstance(texts, Refused):
            return texts
        held = {} if planned.is_new else current[record_id]
        before = {} if planned.is_new else {name: held.get(name) for name in texts}
        self._records.put(after_write(planned, before, texts), held)
        return Written(record_id)

    def _checked(
        self, object_name: str, write: RecordWrite, referred: Referred, *, is_new: bool
    ) -> Texts | Refused:
        """The values of the write as the org would report them, or why it would refuse it."""
        texts = self._texts(object_name, write, referred)
        return texts if isinstance(texts, Refused) else self._refused(object_name, texts, is_new) or texts

    def _to_read(self, object_name: str, writes: Sequence[RecordWrite]) -> Fields:
        """The fields that are written, and those that records are found by."""
        written = (name for write in writes for name in self._names(object_name, write))
        return tuple(dict.fromkeys((*written, *self._found_by(object_name))))

    def _found_by(self, object_name: str) -> Fields:
        """The fields that records of the object are found by, of those that it has."""
        known = self._described[object_name].fields
        return tuple(name for name in self._records.looked_up(object_name) if name in known and name not in ID)

    def _names(self, object_name: str, write: RecordWrite) -> Iterator[str]:
        yield from write.fields
        yield from write.clear
        yield from (one.name for name in write.references if (one := self._referring(object_name, name)))

    def _referred(self, writes: Sequence[RecordWrite]) -> Referred:
        """The records that the references of the writes find, with one look-up for each kind."""
        asked: dict[tuple[str, str], dict[Reference, None]] = defaultdict(dict)
        for one in (one for write in writes for one in write.references.values()):
            asked[one.object, one.by][one] = None
        found: dict[Reference, Sequence[str]] = {}
        for (object_name, by), references in asked.items():
            ids: dict[object, list[str]] = defaultdict(list)
            values = [one.value for one in references]
            for row in self.find(object_name, (by,), [(value,) for value in values]):
                ids[as_read(row.fields[by], values[0])].append(row.id)
            found.update((one, ids.get(comparable(one.value), ())) for one in references)
        return found

    def _texts(self, object_name: str, write: RecordWrite, referred: Referred) -> dict[str, str | None] | Refused:
        """The values of the write as the org would report them."""
        texts: dict[str, str | None] = {}
        for name, value in write.fields.items():
            texts[name] = as_held(value)
        for name in write.clear:
            texts[name] = self._lookups.usual(object_name, name)
        for relationship, reference in write.references.items():
            field = self._referring(object_name, relationship)
            ids = referred[reference]
            if len(ids) != 1:
                which = "not found" if not ids else "matches more than one record"
                message = f"Foreign key external ID: {reference.value} {which} for field {reference.by}"
                return Refused("INVALID_FIELD", message)
            if field:
                texts[field.name] = ids[0]
        return texts

    def _refused(self, object_name: str, texts: Texts, is_new: bool) -> Refused | None:
        """Why the org would refuse the values, as far as its description tells."""
        fields = self._described[object_name].fields
        missing = [
            name
            for name, one in fields.items()
            if is_required(one) and (is_new or name in texts) and texts.get(name) is None
        ]
        if missing:
            message = f"Required fields are missing: [{', '.join(missing)}]"
            return Refused("REQUIRED_FIELD_MISSING", message, tuple(missing))
        for name, text in texts.items():
            described = fields.get(name)
            if text and described and described.restricted_picklist and not is_entry(described, text):
                message = f"{described.label}: bad value for restricted picklist field: {text}"
                return Refused("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, (name,))
        return None

    def _referring(self, object_name: str, relationship: str) -> FieldDescription | None:
        fields = self._described[object_name].fields.values()
        return next((one for one in fields if one.relationship_name == relationship), None)


_GONE = Refused("ENTITY_IS_DELETED", "entity is deleted")


def _several(external_id: str, found: Sequence[str]) -> Refused:
    return Refused("DUPLICATE_EXTERNAL_ID", f"{external_id}: more than one record found: {', '.join(found)}")
