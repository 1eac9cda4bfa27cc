"""Duplicate rules: finds records that match an existing one by the rules of a user's schema file."""

from collections.abc import Mapping
from dataclasses import dataclass

from sfmap.engine.local_org.faults.org_faults import Duplicate, InvalidRecord, RecordError
from sfmap.engine.local_org.records.object_schema import ObjectSchema
from sfmap.engine.local_org.records.store import Store, Stored

_MOST = 5
_BLOCKED = "You're creating a duplicate record. We recommend you use an existing record instead."
_WARNED = "Use one of these records?"


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Looks for duplicates in the store."""

    store: Store
    allowed: bool
    """Whether the call asks to save records despite a warning."""

    def check(
        self, target: ObjectSchema, row: Mapping[str, Stored], written: Mapping[str, Stored], own_id: str | None
    ) -> None:
        """Raises `InvalidRecord` if a rule finds duplicates of the row; `written` are its new values."""
        for rule in target.duplicate_rules:
            values = {name: row.get(name) for name in rule.fields}
            applies = None not in values.values() and not set(rule.fields).isdisjoint(written)
            if not applies or (rule.warns and self.allowed):
                continue
            others = [found for found in self.store.alike(target, values, _MOST + 1) if found != own_id][:_MOST]
            if others:
                duplicate = Duplicate(
                    rule=rule.name, object_name=target.name, may_be_saved=rule.warns, ids=tuple(others)
                )
                message = _WARNED if rule.warns else _BLOCKED
                raise InvalidRecord(RecordError("DUPLICATES_DETECTED", message, duplicate=duplicate))
