"""Looks up the records that items point to, and replaces the pointers by their ids."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from sfmap.engine.delivery.item import (
    Content,
    Found,
    Item,
    LookupKey,
    Pointed,
    Pointer,
    Target,
    lookup_key,
    target_key,
)
from sfmap.engine.delivery.query import Queries, read_values
from sfmap.engine.mapping.values.record import Note
from sfmap.engine.org.port import CallRefused, FoundRecord
from sfmap.engine.yaml_files.diagnostics import listed

FoundTargets = Mapping[Target, Sequence[FoundRecord]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Resolved:
    """The record that a pointer resolves to, a note about it, or why the item cannot be written."""

    id: str = ""
    note: str = ""
    lacks: str = ""


class _TargetLookup(NamedTuple):
    """A lookup of targets; those with the same one share queries."""

    object: str
    by: str
    where: str


def find_targets(items: Sequence[Item], queries: Queries) -> FoundTargets:
    """The records that the items' pointers find, oldest first. Raises `OrgError` or `StopRequested`."""
    asked: dict[_TargetLookup, dict[LookupKey, dict[Target, None]]] = defaultdict(lambda: defaultdict(dict))
    pointing: dict[_TargetLookup, dict[int, Item]] = defaultdict(dict)
    for item in items:
        for target in item.looked_up_targets:
            way = _TargetLookup(target.object, target.by, target.where)
            asked[way][target_key(target)][target] = None
            pointing[way][item.place] = item
    found: dict[Target, list[FoundRecord]] = defaultdict(list)
    for way, targets in asked.items():
        fields = (way.by,)
        identities = [(next(iter(alike)).value,) for alike in targets.values()]
        try:
            rows = queries.ask(way.object, fields, identities, where=way.where)
        except CallRefused as error:
            queries.refuse(list(pointing[way].values()), error)
            continue
        for row in rows:
            for target in targets.get(LookupKey(way.object, fields, read_values(row, fields, identities[0])), ()):
                found[target].append(row)
    return found


def pointed(item: Item, targets: FoundTargets) -> Found:
    """The item with its pointers resolved to ids, before it is looked up itself."""
    if not (item.fitted.points or item.fitted.unless_found):
        return Found(item=item, records=(), origin=item)
    notes: dict[Note, None] = {}
    ids: dict[str, str] = {}
    lacks = ""
    for name, pointer in item.fitted.pointers:
        one = _resolve(pointer, targets)
        if one.id:
            ids[name] = one.id
        if one.lacks:
            lacks = f"{name}: {one.lacks}"
        if one.note:
            notes[Note(name, one.note)] = None
    resolved = _with_ids(item, ids, tuple(notes)) if ids or notes else item
    found_by = {pointer: _resolve(pointer, targets) for pointer in item.fitted.match_pointers}
    if found_by:
        resolved = _found_by(resolved, {pointer: one.id for pointer, one in found_by.items()})
        lacks = lacks or _nothing_to_find_by(found_by, resolved)
    every = {
        record.id: Pointed(target.object, record)
        for pointer in item.fitted.looked_up_pointers
        for target in pointer.targets
        for record in targets.get(target, ())
    }
    instead = {target: targets[target] for target in item.unless_found if targets.get(target)}
    return Found(
        item=resolved,
        records=(),
        origin=item,
        pointed=tuple(every.values()),
        lacks=lacks,
        instead=next(iter(instead), None),
        found_instead=tuple(
            Pointed(target.object, record) for target, records in instead.items() for record in records
        ),
    )


def _resolve(pointer: Pointer, found: FoundTargets) -> _Resolved:
    """The record of the first object for which any was found."""
    first = pointer.targets[0]
    for target in pointer.targets:
        records = found.get(target, ())
        several = f"{len(records)} {target.object} records match"
        if len(records) > 1 and pointer.on_many == "error":
            return _Resolved(lacks=f"{several}, and on_many is error")
        if records:
            note = f"{several}: the {pointer.on_many} was taken" if len(records) > 1 else ""
            return _Resolved(id=records[0 if pointer.on_many == "oldest" else -1].id, note=note)
    missing = f"no {listed(target.object for target in pointer.targets)} was found by {first.by}"
    where = f" where {first.where}" if first.where else ""
    if pointer.on_missing == "reject":
        return _Resolved(lacks=f"{missing} {first.value!r}{where}")
    value = f" {first.value!r}" if pointer.is_constant else ""
    return _Resolved(note=f"left out: {missing}{value}{where}")


def _with_ids(item: Item, ids: Mapping[str, str], notes: tuple[Note, ...]) -> Item:
    def resolved(contents: Mapping[str, Content]) -> dict[str, Content]:
        known = {name: ids.get(name, content) for name, content in contents.items()}
        return {
            name: content
            for name, content in known.items()
            if not isinstance(content, Pointer) or content.relationship
        }

    fitted = item.fitted
    return replace(
        item,
        fitted=replace(
            fitted,
            on_create=resolved(fitted.on_create),
            on_update=resolved(fitted.on_update),
            if_empty=resolved(fitted.if_empty),
            notes=(*fitted.notes, *notes),
        ),
    )


def _found_by(item: Item, ids: Mapping[Pointer, str]) -> Item:
    """The item with ids in its lookups; lookups by a missing record are dropped."""
    match = tuple(
        {name: ids[value] if isinstance(value, Pointer) else value for name, value in lookup.items()}
        for lookup in item.fitted.match
        if all(ids[value] for value in lookup.values() if isinstance(value, Pointer))
    )
    keys = tuple(lookup_key(item.record.object, lookup) for lookup in match)
    return replace(item, fitted=replace(item.fitted, match=match), lookup_keys=keys)


def _nothing_to_find_by(found_by: Mapping[Pointer, _Resolved], resolved: Item) -> str:
    """Why the record cannot be looked up because referenced records are missing; empty if it can."""
    for pointer, one in found_by.items():
        if one.lacks or not (one.id or resolved.lookup_keys):
            lacks = one.lacks or _resolve(replace(pointer, on_missing="reject"), {}).lacks
            return f"nothing to find the record by: {lacks}"
    return ""
