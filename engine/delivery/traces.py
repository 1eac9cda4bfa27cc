"""Traces: what makes records depend on each other, so that the order of their writes can matter."""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import Literal, NamedTuple, Protocol, cast

import orjson

from sfmap.engine.delivery.item import (
    Content,
    Fields,
    Found,
    Item,
    LookupKey,
    Lookups,
    comparable,
    lookup_key,
    mentioned,
    target_key,
)
from sfmap.engine.mapping.values.record import Value

Kind = Literal[
    "record", "pointed", "deleted", "child", "looked", "written", "hidden", "creation", "unasked", "all unasked"
]
"""What a trace says:

- `record`: this record is written, by its id
- `pointed`: this record was found for a reference, by its id
- `deleted`: this record is deleted, by its id, and what the org does to records that refer to it is done
- `child`: a record that refers to this one, by its id, was found
- `looked`: a lookup depends on this
- `written`: a write changes this
- `hidden`: a write may hide this record, or any of this object, from `unless_found`
- `creation`: a record of this object is created, and the order of creation matters
- `unasked`: a deferred or held item may still find a record by this key, or by some key of this object
- `all unasked`: a deferred or held item may still find any record of this object
"""


FieldValue = tuple[str, str, Value | None]
"""One value of an object's lookup field; None for any value of it."""

ConditionField = tuple[str, str]
"""A field in the conditions of an object's lookups."""

About = LookupKey | FieldValue | ConditionField

Trace = tuple[Kind, str | About]
"""Two items with the same trace depend on each other, if one leaves it and a later one meets it.

It is about a record id, the name of an object, or what is looked up or written. A plain tuple, since every item
makes several.
"""


class Disjoint(Protocol):
    """Traces that others may meet."""

    def isdisjoint(self, traces: Iterable[Trace], /) -> bool: ...


class AnyOf(NamedTuple):
    """The traces of several."""

    parts: Sequence[Disjoint]

    def isdisjoint(self, traces: Iterable[Trace], /) -> bool:
        return all(part.isdisjoint(traces) for part in self.parts)


class Traces(NamedTuple):
    """The dependencies of an item: one that leaves a trace must be written before a later one that meets it."""

    leaves: Set[Trace]
    meets: Set[Trace]


def traces_of(found: Found, lookups: Lookups) -> Traces:
    item = found.item
    looked = _looked(found)
    written = set(_written(item, lookups))
    parents = set(_parents(found, lookups)) if lookups.parents else ()
    deleted = found.ids if lookups.parents and item.record.operation == "delete" else ()
    has_found = bool(found.records or found.pointed)
    leaves: set[Trace] = {("looked", one) for one in looked}
    leaves.update([("written", one) for one in written])
    if has_found:
        leaves.update(("record", record_id) for record_id in found.ids)
        leaves.update(("pointed", one.record.id) for one in found.pointed)
    leaves.update([("child", one) for one in parents])
    leaves.update([("deleted", one) for one in deleted])
    if may_hide(item, lookups):
        leaves.update(_hidden(found))
    meets: set[Trace]
    if found.instead:
        # It is not written, and only a write that hides or deletes the found record matters.
        hidden = [one.record.id for one in found.found_instead]
        meets = {("hidden", one) for one in (*hidden, *(target.object for target in item.unless_found))}
        meets.update([("deleted", one) for one in parents])
    elif found.needs_no_write:
        meets = {("written", one) for one in looked}
    else:
        meets = {("written", one) for one in looked | written}
        # The same lookup finds the same record, even if nothing writes its field.
        meets.update([("looked", one) for one in written.union(item.lookup_keys)])
        if has_found:
            meets.update(_met_by_found(found, lookups))
        meets.update([("deleted", one) for one in parents])
        meets.update([("child", one) for one in deleted])
        if item.may_create(found.records):
            meets.add(creation(item.record.object))
    return Traces(leaves, meets)


def _met_by_found(found: Found, lookups: Lookups) -> Iterator[Trace]:
    """What an item meets because of the records that it has found."""
    for record_id in found.ids:
        yield "record", record_id
        yield "pointed", record_id
    # Items that point to the same record are independent: only a write to it matters.
    for one in found.pointed:
        yield "record", one.record.id
    yield from _findable_by_others(found, lookups)


def _looked(found: Found) -> set[About]:
    """What the lookups of the item depend on."""
    item = found.item
    targets = list(found.origin.targets)
    keys = {*item.lookup_keys, *map(target_key, targets)}
    looked: set[About] = set(keys)
    for object_name, fields, values in keys:
        for name, value in zip(fields, values, strict=True):
            looked |= {(object_name, name, value), (object_name, name, None)}
    if item.record.where:
        looked.update((item.record.object, name) for name in mentioned([item.record.where]))
    for target in targets:
        looked.update((target.object, name) for name in mentioned([target.where]))
    return looked


def traces_until_written(one: Found, lookups: Lookups) -> Iterator[Trace]:
    """The further traces of a deferred or held item: it is looked up again, and may then find another record.

    That is a record of a lookup that was skipped because an earlier one found something, or whose values were
    not known; or one that was written since it was looked up. No later item may change it first.
    """
    item = one.item
    object_name = item.record.object
    if lookups.order_matters(object_name) and item.record.operation in ("create", "upsert"):
        yield creation(object_name)
    if may_hide(item, lookups):
        yield "hidden", object_name
    if next(one.origin.fitted.match_pointers, None):
        yield "unasked", object_name
        yield "all unasked", object_name
    for key in {*item.lookup_keys, *map(target_key, one.origin.targets)}:
        if key.object in lookups.several:  # otherwise whoever finds the record has the same key
            yield "unasked", key.object
            yield "unasked", key.as_read()


def creation(object_name: str) -> Trace:
    """The trace of a pending create if the order of creation matters: later creates wait for it."""
    return "creation", object_name


def stored_traces(traces: Set[Trace]) -> bytes:
    """The traces as JSON, for the journal."""
    return orjson.dumps(list(traces), default=tuple)


def restored_traces(stored: bytes) -> frozenset[Trace]:
    return frozenset(
        (kind, about if isinstance(about, str) else _about(about)) for kind, about in orjson.loads(stored)
    )


def _about(stored: list[object]) -> About:
    if len(stored) == 2:
        return cast(ConditionField, tuple(stored))
    object_name, field, value = stored
    if isinstance(field, list) and isinstance(value, list):
        return LookupKey(str(object_name), tuple(field), tuple(value))
    return str(object_name), str(field), cast(Value | None, value)


def may_hide(item: Item, lookups: Lookups) -> bool:
    """Whether the write may hide the record from `unless_found`."""
    names = lookups.instead.get(item.record.object)
    if not names:
        return False
    if item.record.operation == "delete":
        return True
    kept = set()
    if len(item.lookup_keys) == 1 and not item.changes_lookup_values:
        kept = {name.lower() for name in item.lookup_keys[0].fields}
        kept -= lookups.mentioned.get(item.record.object, frozenset())
    return not names.isdisjoint(item.written_names - kept)


def _parents(found: Found, lookups: Lookups) -> Iterator[str]:
    """The ids of the records whose delete may delete or change one that was found."""
    own = ((found.item.record.object, record) for record in found.records)
    for name, record in (*own, *found.pointed, *found.found_instead):
        yield from (one for field in lookups.parents.get(name, ()) if (one := record.fields.get(field)))


def _hidden(found: Found) -> Iterator[Trace]:
    """The records that the write may hide; for the org's own upsert only the object is known."""
    yield from (("hidden", record_id) for record_id in found.ids)
    if found.item.native_key:
        yield "hidden", found.item.record.object


def _findable_by_others(found: Found, lookups: Lookups) -> Iterator[Trace]:
    """The traces of deferred and held items that may still find one of its records."""
    own = found.item.record.object
    records = (*((own, record) for record in found.records), *((one.object, one.record) for one in found.pointed))
    for name, record in records:
        yield "all unasked", name
        held = {**record.fields, "Id": record.id}
        for fields in lookups.several.get(name, ()):
            if held.keys() >= set(fields):
                yield "unasked", LookupKey(name, fields, tuple(held[one] or "" for one in fields)).as_read()
            else:
                yield "unasked", name


def _written(item: Item, lookups: Lookups) -> Iterator[About]:
    """The keys by which the write makes a record findable, or no longer findable."""
    object_name = item.record.object
    if item.record.operation == "delete":
        yield from item.lookup_keys
    if in_conditions := lookups.mentioned.get(object_name):
        for name in in_conditions & item.written_names:
            yield object_name, name
    fitted = item.fitted
    contents = [fitted.on_create]
    if not fitted.writes_the_same:
        contents.append(fitted.on_update)
    if fitted.if_empty:  # they may keep their value: the other values are then part of an unknown key
        contents.append({**fitted.on_update, **fitted.if_empty})
    for values in contents:
        yield from _findable(object_name, values, lookups.fields.get(object_name, ()))


def _findable(object_name: str, contents: Mapping[str, Content], lookups: Sequence[Fields]) -> Iterator[About]:
    """A whole key, or single values if only the org knows the rest, or fields if it knows all of it."""
    for fields in lookups:
        given = {name: value for name in fields if (value := contents.get(name)) is not None}
        present = {name: value for name, value in given.items() if isinstance(value, (str, int, float))}
        if len(present) == len(fields):
            yield lookup_key(object_name, present)
        elif present:
            yield from ((object_name, name, comparable(value)) for name, value in present.items())
        else:
            yield from ((object_name, name, None) for name in given)
