"""Persons: records of one object with a record of another behind each, as person accounts are."""

from collections.abc import Mapping
from dataclasses import dataclass

from sfmap.engine.local_org.faults.org_faults import InvalidRecord, RecordError
from sfmap.engine.local_org.records.object_rules import PersonRules
from sfmap.engine.local_org.records.object_schema import ObjectSchema, Schema
from sfmap.engine.local_org.records.record_types import RecordTypes
from sfmap.engine.local_org.records.store import Store, Stored

_REFUSED = "INVALID_FIELD_FOR_INSERT_UPDATE"


@dataclass(frozen=True, slots=True)
class Persons:
    store: Store
    schema: Schema
    record_types: RecordTypes

    def completed(
        self, target: ObjectSchema, current: Mapping[str, Stored], values: dict[str, Stored]
    ) -> dict[str, Stored]:
        """The values, with those that say that the record is a person if it is one.

        Raises `InvalidRecord` for fields of the other kind. Sources: Help article 000386207, and "Account" in the
        Object Reference.
        """
        rules = target.person
        if rules is None:
            return values
        is_person = self._is_person(target, rules, current, values)
        _check_kind(target, rules, is_person, values)
        if not current:
            needed = rules.key if is_person else rules.name
            if values.get(needed) is None:
                message = f"Required fields are missing: [{needed}]"
                raise InvalidRecord(RecordError("REQUIRED_FIELD_MISSING", message, (needed,)))
            values = {**values, rules.flag: int(is_person)}
        if is_person:
            row = {**current, **values}
            parts = (row.get(name) for name in rules.same)
            values[rules.name] = " ".join(str(part) for part in parts if part)
            values = self._typed(target, current, values)
        return values

    def _is_person(
        self, target: ObjectSchema, rules: PersonRules, current: Mapping[str, Stored], values: Mapping[str, Stored]
    ) -> bool:
        given = values.get(self.schema.record_type_field(target))
        record_type = self.record_types.type_of(target, given)
        if not current:
            return record_type.person if record_type else rules.name not in values and rules.key in values
        was = bool(current[rules.flag])
        if record_type and record_type.person != was:
            raise InvalidRecord(RecordError(_REFUSED, rules.change, (self.schema.record_type_field(target),)))
        return was

    def _typed(
        self, target: ObjectSchema, current: Mapping[str, Stored], values: dict[str, Stored]
    ) -> dict[str, Stored]:
        """The values of a person with a record type."""
        field = self.schema.record_type_field(target)
        usual = next((one for one in target.record_types if one.person and one.active), None)
        if current or field in values or usual is None:
            return values
        return {**values, field: self.record_types.id_of(target, usual)}

    def follow(self, target: ObjectSchema, record_id: str, written: Mapping[str, Stored]) -> None:
        """Writes what was written to a person to the record behind it, which is created with it."""
        rules = target.person
        current = self.store.get(target, record_id) if rules else None
        if rules is None or current is None or not current[rules.flag]:
            return
        behind = self.schema.objects[rules.object]
        theirs = {name: rules.name_of(name) for name in behind.fields if rules.name_of(name) in target.fields}
        changes = {name: written[here] for name, here in theirs.items() if here in written and name != "Id"}
        changes |= {name: current[name] for name in ("Name", "OwnerId", *_STAMPS)}
        if current[rules.reference]:
            self.store.update(behind, str(current[rules.reference]), changes)
            return
        made = {**changes, rules.parent: record_id, rules.flag: 1}
        made |= {name: current[name] for name in ("CreatedDate", "CreatedById")}
        created = self.store.insert(behind, self.store.next_number(behind), made)
        self.store.update(target, record_id, {rules.reference: created})


_STAMPS = ("LastModifiedDate", "LastModifiedById", "SystemModstamp")


def _check_kind(target: ObjectSchema, rules: PersonRules, is_person: bool, values: Mapping[str, Stored]) -> None:
    if is_person:
        wrong = [rules.name] if values.get(rules.name) is not None else []
    else:
        wrong = [name for name, value in values.items() if value and name in target.person_fields]
    if wrong:
        message = f"{target.label}: bad field names on insert/update call: {', '.join(wrong)}"
        raise InvalidRecord(RecordError(_REFUSED, message, tuple(wrong)))
