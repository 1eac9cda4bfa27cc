"""Converts records into others: what becomes of them is data of their object."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sfmap.engine.local_org.faults.org_faults import InvalidRecord, RecordError
from sfmap.engine.local_org.records.ids import full_id
from sfmap.engine.local_org.records.moved_children import changed_by, move_children
from sfmap.engine.local_org.records.object_schema import Becomes, Conversion, ObjectSchema, Schema
from sfmap.engine.local_org.records.record_writer import SentRecord, Writer
from sfmap.engine.local_org.records.store import Store, Stored


@dataclass(frozen=True, slots=True, kw_only=True)
class SentConversion:
    """One conversion as it is asked for; empty texts for what was not sent."""

    id: str
    status: str
    owner_id: str
    existing: dict[str, str]
    """By part, the id of a record that takes the place of a new one."""
    names: dict[str, str]
    """By part, the name of the new record."""
    left_out: frozenset[str]
    """The parts that are not wanted."""
    overwrites_source: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """The result of one conversion; the ids by part."""

    id: str | None
    errors: tuple[RecordError, ...] = ()
    ids: dict[str, str]


@dataclass(frozen=True, slots=True)
class Conversions:
    """The conversions of one call."""

    store: Store
    schema: Schema
    writer: Writer
    user_id: str

    def convert(self, sent: SentConversion) -> Converted:
        record_id = full_id(sent.id.strip())
        try:
            with self.store.savepoint():
                return Converted(id=record_id, ids=self._convert(sent, record_id or ""))
        except InvalidRecord as invalid:
            return Converted(id=record_id, errors=invalid.errors, ids={})

    def _convert(self, sent: SentConversion, record_id: str) -> dict[str, str]:
        target = self.schema.object_of(record_id)
        current = self.store.get(target, record_id) if target else None
        if target is None or current is None or target.converts is None:
            raise _refused("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        plan = target.converts
        self._check(target, plan, current, sent)
        owner = sent.owner_id or str(current["OwnerId"])
        ids: dict[str, str] = {}
        for part in plan.becomes:
            if part.name not in sent.left_out:
                ids[part.name] = self._part(part, sent, current, ids, owner)
        changed: dict[str, Stored] = {
            plan.flag: 1,
            plan.day: datetime.now(UTC).date().isoformat(),
            plan.status: sent.status,
            **{part.kept_in: ids[part.name] for part in plan.becomes if part.name in ids},
        }
        audit = changed_by(self.user_id)
        self.store.update(target, record_id, {**changed, **audit})
        self.store.note_change(record_id, "update", changed)
        self._move_children(target, plan, record_id, ids)
        return ids

    def _check(
        self, target: ObjectSchema, plan: Conversion, current: dict[str, Stored], sent: SentConversion
    ) -> None:
        if current["IsDeleted"]:
            raise _refused("ENTITY_IS_DELETED", "entity is deleted")
        if current[plan.flag]:
            lock = target.lock
            code, message = (lock.code, lock.message) if lock else ("INVALID_OPERATION", "already converted")
            raise _refused(code, message)
        if sent.status not in plan.statuses:
            raise _refused("INVALID_STATUS", f"invalid convertedStatus: {sent.status}", plan.status)

    def _part(
        self, part: Becomes, sent: SentConversion, current: dict[str, Stored], ids: dict[str, str], owner: str
    ) -> str:
        """The id of the record that the part becomes, new or existing."""
        source = current.get(part.source) if part.source else None
        if existing := sent.existing.get(part.name):
            return self._existing(part, existing, ids, source if sent.overwrites_source else None)
        values: dict[str, str | None] = {**part.values, "OwnerId": owner}
        for name, copied in part.copies.items():
            if current.get(copied) is not None:
                values[name] = str(current[copied])
        if part.source and source is not None:
            values[part.source] = str(source)
        if part.ends_quarter:
            values[part.ends_quarter] = _end_of_quarter(datetime.now(UTC).date()).isoformat()
        for name, other in part.parents.items():
            values[name] = ids[other]
        if part.title:
            usual = values.get(part.title) or ""
            values[part.title] = sent.names.get(part.name) or (f"{usual}-" if part.ends_quarter else usual)
        (saved,) = self.writer.create([SentRecord(part.object_name, values)], all_or_none=False)
        if saved.id is None or saved.errors:
            raise InvalidRecord(*saved.errors)
        return saved.id

    def _existing(self, part: Becomes, named: str, ids: dict[str, str], source: Stored) -> str:
        record_id = full_id(named.strip()) or ""
        target = self.schema.object(part.object_name)
        current = self.store.get(target, record_id) if target else None
        if target is None or current is None or current["IsDeleted"]:
            raise _refused("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        for name, other in part.parents.items():
            if current.get(name) != ids.get(other):
                message = f"{target.label}'s parent doesn't match the given one"
                raise _refused("INVALID_ID_FIELD", message, name)
        if source is not None:
            changed: dict[str, Stored] = {part.source: source}
            self.store.update(target, record_id, {**changed, **changed_by(self.user_id)})
            self.store.note_change(record_id, "update", changed)
        return record_id

    def _move_children(self, target: ObjectSchema, plan: Conversion, record_id: str, ids: dict[str, str]) -> None:
        """Moves what refers to the record, and may refer to the record that inherits, to that one."""
        inheriting = next((part for part in plan.becomes if part.inherits and part.name in ids), None)
        if inheriting is None:
            return
        fitting = [one for one in self.schema.children(target) if inheriting.object_name in one.field.references]
        move_children(self.store, fitting, record_id, ids[inheriting.name], changed_by(self.user_id))


def _end_of_quarter(day: date) -> date:
    month = (day.month - 1) // 3 * 3 + 3
    first = date(day.year + month // 12, month % 12 + 1, 1)
    return first - timedelta(days=1)


def _refused(code: str, message: str, *fields: str) -> InvalidRecord:
    return InvalidRecord(RecordError(code, message, fields))
