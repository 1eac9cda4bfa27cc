"""Applies an object's rules to the values of a record that is created or updated."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod

from sfmap.engine.local_org.faults.org_faults import InvalidRecord, RecordError
from sfmap.engine.local_org.records.object_rules import ObjectRules, TakenValues
from sfmap.engine.local_org.records.object_schema import ObjectSchema, Schema
from sfmap.engine.local_org.records.store import Store, Stored

Row = Mapping[str, Stored]


@dataclass(frozen=True, slots=True)
class AppliedRules:
    store: Store
    schema: Schema

    def completed(self, target: ObjectSchema, current: Row, values: dict[str, Stored]) -> dict[str, Stored]:
        """The values with those that follow from them. Raises `InvalidRecord` with all errors.

        `current` is the stored record, empty for a new one.
        """
        rules = target.rules
        if rules is None:
            return values
        values = {name: value for name, value in values.items() if not _is_dropped(rules, name, values)}
        for lookup in rules.looked_up:
            if not current or not values.keys().isdisjoint(lookup.where.values()):
                values |= self._looked_up(lookup, {**current, **values})
        for derivation in rules.derived:
            if derivation.by in values:
                values = {**derivation.values.get(str(values[derivation.by]), {}), **values}
        row = {**current, **values}
        for name, factors in rules.products.items():
            numbers = [value for factor in factors if isinstance(value := row.get(factor), (int, float))]
            values[name] = prod(numbers) if len(numbers) == len(factors) else None
        errors = tuple(self._errors(target, rules, current, row))
        if errors:
            raise InvalidRecord(*errors)
        return values

    def _looked_up(self, lookup: TakenValues, row: Row) -> dict[str, Stored]:
        target = self.schema.objects[lookup.object]
        wanted = {theirs: row.get(ours) for theirs, ours in lookup.where.items()}
        found = self._holder(target, wanted)
        *others, last = lookup.where
        if found is None and lookup.default:
            found = self._holder(target, {**{name: wanted[name] for name in others}, lookup.default: 1})
        if found is None:
            return dict.fromkeys(lookup.take) if row.get("Id") else {}
        copied = {ours: found.get(theirs) for ours, theirs in lookup.take.items()}
        return {lookup.where[last]: found.get(last), **copied}

    def _holder(self, target: ObjectSchema, wanted: Row) -> Row | None:
        """The record with these values."""
        if None in wanted.values():
            return None
        by_id = wanted.get("Id")
        holders = [str(by_id)] if by_id else self.store.alike(target, wanted, 1)
        return self.store.get(target, holders[0]) if holders else None

    def _errors(self, target: ObjectSchema, rules: ObjectRules, current: Row, row: Row) -> Iterator[RecordError]:
        for rule in rules.one_of:
            if all(row.get(name) is None for name in rule.fields):
                yield RecordError(rule.code, rule.message, rule.fields)
        for one in rules.excludes:
            referred = row.get(one.field)
            kind = self.schema.object_of(str(referred)) if referred else None
            if kind and kind.name == one.object and row.get(one.other) is not None:
                yield RecordError(one.code, one.message, (one.other,))
        for rule in rules.unique_together:
            wanted = {name: row.get(name) for name in rule.fields}
            if None not in wanted.values():
                own = current.get("Id")
                if any(holder != own for holder in self.store.alike(target, wanted, 2)):
                    yield RecordError(rule.code, rule.message)


def _is_dropped(rules: ObjectRules, name: str, values: Row) -> bool:
    return any(name in left_out and values.get(given) is not None for given, left_out in rules.drops.items())
