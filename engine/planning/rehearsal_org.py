"""A stand-in for an org: it looks up in the org, and keeps what would be written instead of writing it."""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from sfmap.engine.delivery.item import comparable
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
    Refused,
    Value,
    WriteOptions,
    WriteResult,
    Written,
)
from sfmap.engine.planning.org_texts import as_held, as_read, is_entry
from sfmap.engine.planning.planned_records import PlannedRecord, PlannedRecords, Texts, after_write
from sfmap.engine.planning.soql_evaluation import holds_for, names_in

_ID = "Id"
_CREATED = "CreatedDate"
_MARK = "PLAN"
"""Is in the ids of records that do not exist yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lookup:
    """What is looked for: records whose fields have one of the wanted sets of values."""

    fields: tuple[str, ...]
    where: str
    sample: tuple[Value, ...]
    """One of the sets, from which the kinds of the values are known."""
    wanted: Set[tuple[object, ...]]
    """The sets, as `as_read` gives the values of records."""

    def finds(self, texts: Texts) -> bool:
        """Whether a record with these values has one of the sets."""
        pairs = zip(self.fields, self.sample, strict=True)
        return tuple(as_read(texts.get(name), like) for name, like in pairs) in self.wanted


class RehearsalOrg:
    """Implements the port `Org` over another one, of which only reading methods are called.

    What is found is as it would be after the writes so far. Refusals are those that the description of an object
    tells: rules, triggers and flows of the org are not known.
    """

    def __init__(self, org: Org, records: PlannedRecords) -> None:
        self._org = org
        self._records = records
        self._described: dict[str, ObjectDescription] = {}

    def object_names(self) -> frozenset[str]:
        return self._org.object_names()

    def describe(self, objects: Sequence[str]) -> Mapping[str, ObjectDescription]:
        described = self._org.describe(objects)
        self._described.update(described)
        return described

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
        """The records of the org, changed as planned, and then the planned ones that meet the same conditions."""
        if not identities:
            return ()
        lookup = _Lookup(
            fields=fields,
            where=where,
            sample=identities[0],
            wanted={tuple(map(comparable, one)) for one in identities},
        )
        real = [one for one in identities if not any(_is_planned(value) for value in one)]
        rows = self._org.find(object_name, fields, real, also, where) if real else ()
        found: dict[str, FoundRecord] = {}
        for row in rows:
            planned = self._records.get(row.id)
            seen = self._changed(row, planned, lookup) if planned else row
            if seen:
                found[row.id] = seen
        is_in_order = True
        for planned in self._candidates(object_name, fields, identities):
            if planned.id not in found and (seen := self._appearing(planned, (*fields, *also), lookup)):
                found[planned.id] = seen
                is_in_order = is_in_order and planned.is_new
        return list(found.values()) if is_in_order else self._oldest_first(object_name, found)

    def _oldest_first(self, object_name: str, found: Mapping[str, FoundRecord]) -> list[FoundRecord]:
        """The records in the order of their creation, those that do not exist yet last."""
        real = [(one,) for one in found if not _is_planned(one)]
        rows = self._org.find(object_name, (_ID,), real, (_CREATED,))
        created = {row.id: row.fields[_CREATED] or "" for row in rows}
        return sorted(found.values(), key=lambda row: (row.id not in created, created.get(row.id, ""), row.id))

    def _candidates(
        self, object_name: str, fields: tuple[str, ...], identities: Sequence[tuple[Value, ...]]
    ) -> Iterator[PlannedRecord]:
        """The planned records that may have one of the identities."""
        for identity in identities:
            if fields[0] == _ID:
                planned = self._records.get(str(identity[0]))
                if planned and planned.object_name == object_name:
                    yield planned
            else:
                yield from self._records.that_held(object_name, fields[0], identity[0])

    def _changed(self, row: FoundRecord, planned: PlannedRecord, lookup: _Lookup) -> FoundRecord | None:
        """A record that the org found, as planned; None if it would not be found any more."""
        if planned.is_deleted:
            return None
        texts = {name: planned.now.get(name, text) for name, text in row.fields.items()}
        if not lookup.finds({**texts, _ID: row.id}):
            return None
        names = names_in(lookup.where)
        if any(name in planned.now for name in names) and not self._meets(lookup, planned):
            return None
        return replace(row, fields=texts)

    def _appearing(self, planned: PlannedRecord, read: tuple[str, ...], lookup: _Lookup) -> FoundRecord | None:
        """A planned record that the org did not find; None if it would not be found either."""
        if planned.is_deleted:
            return None
        texts = self._read(planned, (*lookup.fields, *read))
        if not lookup.finds({**texts, _ID: planned.id}) or not self._meets(lookup, planned):
            return None
        return FoundRecord(planned.id, {name: texts.get(name) for name in read if name != _ID})

    def _meets(self, lookup: _Lookup, planned: PlannedRecord) -> bool:
        """Whether it meets the condition of the lookup; one that cannot be evaluated here counts as met."""
        texts = self._read(planned, names_in(lookup.where)) if lookup.where else {}
        return not lookup.where or holds_for(lookup.where, texts) is not False

    def _read(self, planned: PlannedRecord, names: Sequence[str]) -> dict[str, str | None]:
        """The values of the fields as planned, or else as they are in the org."""
        missing = tuple(dict.fromkeys(name for name in names if name not in planned.now and name != _ID))
        texts = dict(planned.now)
        if planned.is_new:
            return texts | {name: self._usual(planned.object_name, name) for name in missing}
        if missing:
            for row in self._org.find(planned.object_name, (_ID,), [(planned.id,)], missing):
                texts |= {name: row.fields[name] for name in missing}
        return texts

    def _usual(self, object_name: str, name: str) -> str | None:
        """What a new record has in a field that is not written, as far as that is known."""
        described = self._field(object_name, name)
        return "false" if described and described.type == "boolean" else None

    def create(
        self, object_name: str, records: Sequence[RecordWrite], options: WriteOptions = NO_OPTIONS
    ) -> Sequence[WriteResult]:
        return [self._create(object_name, write) for write in records]

    def update(
        self, object_name: str, records: Sequence[RecordWrite], options: WriteOptions = NO_OPTIONS
    ) -> Sequence[WriteResult]:
        ids = [write.id or "" for write in records]
        current = self._current(object_name, ids, records)
        return [
            self._update(object_name, record_id, write, current)
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
        names = tuple(name for name in self._all_names(object_name, records) if name != external_id)
        rows = self.find(object_name, (external_id,), [(key,) for key in dict.fromkeys(keys)], names)
        by_key: dict[object, list[str]] = {}
        for row in rows:
            by_key.setdefault(as_read(row.fields[external_id], keys[0]), []).append(row.id)
        ids = [by_key.get(comparable(key), []) for key in keys]
        read = {row.id: row.fields for row in rows if self._records.get(row.id) is None}
        planned = [one[0] for one in ids if one and one[0] not in read]
        current = {**read, **self._current(object_name, planned, records)}
        return [
            _several(external_id, found)
            if len(found) > 1
            else self._update(object_name, found[0], write, current)
            if found
            else self._create(object_name, write)
            for found, write in zip(ids, records, strict=True)
        ]

    def delete(
        self, object_name: str, ids: Sequence[str], options: WriteOptions = NO_OPTIONS
    ) -> Sequence[WriteResult]:
        existing = {row.id for row in self.find(object_name, (_ID,), [(one,) for one in ids])}
        for one in existing:
            planned = self._records.get(one) or PlannedRecord(id=one, object_name=object_name)
            self._records.put(replace(planned, is_deleted=True))
        return [Written(one) if one in existing else _GONE for one in ids]

    def _current(self, object_name: str, ids: Sequence[str], writes: Sequence[RecordWrite]) -> Mapping[str, Texts]:
        """By id, what the org has now in the fields that are written."""
        real = [one for one in dict.fromkeys(ids) if one and not _is_planned(one)]
        names = self._all_names(object_name, writes)
        rows = self._org.find(object_name, (_ID,), [(one,) for one in real], names) if real else ()
        return {row.id: row.fields for row in rows}

    def _create(self, object_name: str, write: RecordWrite) -> WriteResult:
        texts = self._checked(object_name, write, is_new=True)
        if isinstance(texts, Refused):
            return texts
        prefix = self._described[object_name].key_prefix or "000"
        short = f"{prefix[:3]}{_MARK}{self._records.next_number():08d}"
        record_id = full_record_id(short) or short
        self._records.put(PlannedRecord(id=record_id, object_name=object_name, is_new=True, now=texts))
        return Written(record_id, created=True)

    def _update(
        self, object_name: str, record_id: str, write: RecordWrite, current: Mapping[str, Texts]
    ) -> WriteResult:
        planned = self._records.get(record_id) or PlannedRecord(id=record_id, object_name=object_name)
        if planned.is_deleted or (record_id not in current and not planned.is_new):
            return _GONE
        texts = self._checked(object_name, write, is_new=False)
        if isinstance(texts, Refused):
            return texts
        before = {} if planned.is_new else {name: current[record_id].get(name) for name in texts}
        self._records.put(after_write(planned, before, texts))
        return Written(record_id)

    def _checked(self, object_name: str, write: RecordWrite, *, is_new: bool) -> Texts | Refused:
        """The values of the write as the org would report them, or why it would refuse it."""
        texts = self._texts(object_name, write)
        return texts if isinstance(texts, Refused) else self._refused(object_name, texts, is_new) or texts

    def _all_names(self, object_name: str, writes: Sequence[RecordWrite]) -> tuple[str, ...]:
        """The fields that are written."""
        return tuple(dict.fromkeys(name for write in writes for name in self._names(object_name, write)))

    def _names(self, object_name: str, write: RecordWrite) -> Iterator[str]:
        yield from write.fields
        yield from write.clear
        yield from (one.name for name in write.references if (one := self._referring(object_name, name)))

    def _texts(self, object_name: str, write: RecordWrite) -> dict[str, str | None] | Refused:
        """The values of the write as the org would report them."""
        texts: dict[str, str | None] = {}
        for name, value in write.fields.items():
            texts[name] = as_held(value)
        for name in write.clear:
            texts[name] = self._usual(object_name, name)
        for relationship, reference in write.references.items():
            field = self._referring(object_name, relationship)
            rows = self.find(reference.object, (reference.by,), [(reference.value,)])
            if len(rows) != 1:
                which = "not found" if not rows else "matches more than one record"
                message = f"Foreign key external ID: {reference.value} {which} for field {reference.by}"
                return Refused("INVALID_FIELD", message)
            if field:
                texts[field.name] = rows[0].id
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

    def _field(self, object_name: str, name: str) -> FieldDescription | None:
        described = self._described.get(object_name)
        return described.fields.get(name) if described else None

    def _referring(self, object_name: str, relationship: str) -> FieldDescription | None:
        fields = self._described[object_name].fields.values()
        return next((one for one in fields if one.relationship_name == relationship), None)


_GONE = Refused("ENTITY_IS_DELETED", "entity is deleted")


def _several(external_id: str, found: Sequence[str]) -> Refused:
    return Refused("DUPLICATE_EXTERNAL_ID", f"{external_id}: more than one record found: {', '.join(found)}")


def _is_planned(value: Value) -> bool:
    return isinstance(value, str) and len(value) == 18 and value[3 : 3 + len(_MARK)] == _MARK
