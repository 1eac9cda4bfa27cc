"""Lookups as they would be after the writes that a plan has kept so far."""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from sfmap.engine.delivery.item import ID, Fields, comparable
from sfmap.engine.org.port import FoundRecord, ObjectDescription, Org, Value
from sfmap.engine.planning.org_texts import as_read
from sfmap.engine.planning.planned_records import PlannedRecord, PlannedRecords, Texts
from sfmap.engine.planning.soql_evaluation import holds_for, names_in

_CREATED = "CreatedDate"
_MARK = "PLAN"
"""Is in the ids of records that do not exist yet."""


def planned_id(key_prefix: str, number: int) -> str:
    """The first 15 characters of the id of a record that does not exist yet."""
    return f"{key_prefix or '000':.3}{_MARK}{number:08d}"


def is_planned(value: Value) -> bool:
    """Whether it is the id of a record that does not exist yet."""
    return isinstance(value, str) and len(value) == 18 and value[3 : 3 + len(_MARK)] == _MARK


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lookup:
    """What is looked for: records whose fields have one of the wanted sets of values."""

    object_name: str
    fields: Fields
    read: Fields
    """The fields to read, without the id."""
    where: str
    compared: Fields
    """The fields that the condition compares; none if it cannot be evaluated here."""
    sample: tuple[Value, ...]
    """One of the sets, from which the kinds of the values are known."""
    wanted: Set[tuple[object, ...]]
    """The sets, as `as_read` gives the values of records."""

    @property
    def needed(self) -> Fields:
        return tuple(dict.fromkeys((*self.read, *self.compared)))

    def depends_on(self, planned: PlannedRecord) -> bool:
        """Whether what is planned for the record may change whether it is found."""
        return planned.is_new or any(name in planned.now for name in (*self.fields, *self.compared))

    def finds(self, record_id: str, texts: Texts) -> bool:
        """Whether a record with these values has one of the sets and meets the condition.

        A condition that cannot be evaluated here counts as met.
        """
        held = {**texts, "Id": record_id}
        pairs = zip(self.fields, self.sample, strict=True)
        is_wanted = tuple(as_read(held.get(name), like) for name, like in pairs) in self.wanted
        return is_wanted and not (self.where and holds_for(self.where, held) is False)

    def row(self, record_id: str, texts: Texts) -> FoundRecord:
        return FoundRecord(record_id, {name: texts.get(name) for name in self.read})


class PlannedLookups:
    """Looks up in the org, and among the records that would be written."""

    def __init__(self, org: Org, records: PlannedRecords, described: Mapping[str, ObjectDescription]) -> None:
        self._org = org
        self._records = records
        self._described = described

    def find(
        self,
        object_name: str,
        fields: Fields,
        identities: Sequence[tuple[Value, ...]],
        also: Fields = (),
        where: str = "",
    ) -> Sequence[FoundRecord]:
        """The records of the org, changed as planned, and the planned ones that meet the same conditions."""
        if not identities:
            return ()
        lookup = _Lookup(
            object_name=object_name,
            fields=fields,
            read=tuple(name for name in dict.fromkeys((*fields, *also)) if name not in ID),
            where=where,
            compared=self._compared(object_name, where),
            sample=identities[0],
            wanted={tuple(map(comparable, one)) for one in identities},
        )
        real = [one for one in identities if not any(map(is_planned, one))]
        rows = self._org.find(object_name, fields, real, lookup.needed, where) if real else ()
        found = list(self._as_planned(lookup, rows))
        further = self._further(lookup, identities, {row.id for row in rows})
        changed = list(self._changed(lookup, [one for one in further if not one.is_new]))
        new = (lookup.row(one.id, texts) for one in further if one.is_new and (texts := self._new(lookup, one)))
        in_order = self._oldest_first(object_name, [*found, *changed]) if changed else found
        return [*in_order, *sorted(new, key=lambda row: row.id)]

    def _compared(self, object_name: str, where: str) -> Fields:
        """The fields that the condition compares, by the names that the org gives them."""
        described = self._described.get(object_name)
        names = described.by_casefold if described else {}
        compared = (names.get(name.casefold(), name) for name in names_in(where)) if where else ()
        return tuple(name for name in dict.fromkeys(compared) if name not in ID)

    def _as_planned(self, lookup: _Lookup, rows: Sequence[FoundRecord]) -> Iterator[FoundRecord]:
        """The records that the org found and that would still be found, with their planned values."""
        for row in rows:
            planned = self._records.get(row.id)
            if planned is None:
                yield lookup.row(row.id, row.fields)
            elif not planned.is_deleted:
                texts = {**row.fields, **planned.now}
                if not lookup.depends_on(planned) or lookup.finds(row.id, texts):
                    yield lookup.row(row.id, texts)

    def _further(
        self, lookup: _Lookup, identities: Sequence[tuple[Value, ...]], known: Set[str]
    ) -> list[PlannedRecord]:
        """The planned records that the org did not find, and that may be found."""
        candidates: dict[str, PlannedRecord] = {}
        for identity in identities:
            for name, value in zip(lookup.fields, identity, strict=True):
                for one in self._that_held(lookup.object_name, name, value):
                    if one.id not in known and not one.is_deleted and lookup.depends_on(one):
                        candidates[one.id] = one
        return list(candidates.values())

    def _that_held(self, object_name: str, name: str, value: Value) -> Iterator[PlannedRecord]:
        if name in ID:
            one = self._records.get(str(value))
            yield from [one] if one and one.object_name == object_name else []
        else:
            yield from self._records.that_held(object_name, name, value)

    def _changed(self, lookup: _Lookup, candidates: Sequence[PlannedRecord]) -> Iterator[FoundRecord]:
        """The records of the org that would be found only after what is planned for them."""
        if not candidates:
            return
        by_id = {one.id: one for one in candidates}
        # If the condition cannot be evaluated here, the records must meet it as they are.
        where = "" if lookup.compared else lookup.where
        for row in self._org.find(lookup.object_name, ID, [(one,) for one in by_id], lookup.needed, where):
            texts = {**row.fields, **by_id[row.id].now}
            if lookup.finds(row.id, texts):
                yield lookup.row(row.id, texts)

    def _new(self, lookup: _Lookup, one: PlannedRecord) -> Texts | None:
        """The values of a record that does not exist yet; None if it would not be found."""
        unwritten = (name for name in lookup.needed if name not in one.now)
        texts = {**one.now, **{name: self.usual(lookup.object_name, name) for name in unwritten}}
        return texts if lookup.finds(one.id, texts) else None

    def usual(self, object_name: str, name: str) -> str | None:
        """What a new record has in a field that is not written, as far as that is known."""
        described = self._described.get(object_name)
        field = described.fields.get(name) if described else None
        return "false" if field and field.type == "boolean" else None

    def _oldest_first(self, object_name: str, found: Sequence[FoundRecord]) -> list[FoundRecord]:
        rows = self._org.find(object_name, ID, [(one.id,) for one in found], (_CREATED,))
        created = {row.id: row.fields[_CREATED] or "" for row in rows}
        return sorted(found, key=lambda row: (created.get(row.id, ""), row.id))
