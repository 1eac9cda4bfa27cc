"""Which records can go to the org together: folds the events of one identity, defers what must wait for others.

Records go together only if the order of their writes cannot matter. It can where one writes what another looks up
by, or where both are found to be the same record; then the later one is deferred until the earlier one is written,
and looked up again.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property

from sfmap.engine.delivery.fit import Content, Fitted, Pointer
from sfmap.engine.mapping.record import Record, Value
from sfmap.engine.org.port import FoundRecord

Fields = tuple[str, ...]
Key = tuple[str, Fields, tuple[Value, ...]]
"""Object, looked-up fields and their values as the org compares them."""
Trace = str | tuple[object, ...]
"""By what items meet: the id of a record, or what is looked up, written or watched."""


@dataclass(frozen=True, slots=True)
class Item:
    """One record of one event on its way to the org."""

    place: int
    """Where its outcome belongs in the window."""
    event: int
    """The event's number."""
    record: Record
    fitted: Fitted
    keys: tuple[Key, ...]
    """What it is looked up by, in order."""
    native_key: str = ""
    """The field by which the org itself finds the record as it upserts; empty where delivery looks it up."""
    is_unique: bool = False
    """Whether that field keeps a second record out."""
    is_alone: bool = False
    """Whether it goes in a write of its own: one that it shared was refused."""
    is_locked: bool = False
    """Whether somebody else held its record when it was sent last."""
    attempts: int = 0
    """How often it was sent and must go again."""
    lost: int = 0
    """How often the answer to its write was lost."""

    @property
    def key(self) -> tuple[int, str, int]:
        """What the journal knows it by."""
        return self.event, self.record.mapping, self.record.item


@dataclass(frozen=True, slots=True)
class Found:
    """An item with what its lookup found, oldest first; what it points to is in place of its pointers."""

    item: Item
    records: Sequence[FoundRecord]
    origin: Item
    """The item as it was before anything was looked up."""
    pointed: tuple[str, ...] = ()
    """The ids of the records that it points to."""
    lacks: str = ""
    """Why it cannot be written: what it points to must be there and is not. Empty where nothing is lacking."""

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(record.id for record in self.records)


@dataclass(slots=True)
class Fold:
    """Items of one identity, in order, that one write can carry."""

    found: Sequence[FoundRecord]
    items: list[Item] = field(default_factory=list)
    lacks: str = ""
    """Why its only item cannot be written; empty where it can."""
    is_closed: bool = False
    """Whether a deferred item may change or delete the record that it writes: later ones wait for that one."""
    traces: set[Trace] = field(default_factory=set)
    """What its items leave."""

    @property
    def head(self) -> Item:
        return self.items[0]

    def on_create(self) -> dict[str, Content]:
        """What is left after a create with the first item and an update with each further one.

        What further ones write into empty fields alone has a value already: see `takes`.
        """
        merged = dict(self.head.fitted.on_create)
        for item in self.items[1:]:
            merged.update(item.fitted.on_update)
        return merged

    def on_update(self, chosen: FoundRecord) -> dict[str, Content]:
        """What is left of the found record's fields after an update with each item."""
        merged: dict[str, Content] = {}
        for item in self.items:
            for name, content in item.fitted.if_empty.items():
                if merged[name] is None if name in merged else not chosen.fields[name]:
                    merged[name] = content
            merged.update(item.fitted.on_update)
        return merged

    def takes(self, item: Item) -> bool:
        """Whether the item, coming next, is sure to find the record that this fold writes, and to be written.

        A doubtful one goes alone, and so does a create that lacks something: a later value could hide what the org
        refuses.
        """
        first = self.head
        if self.lacks or self.is_closed or first.fitted.doubtful or item.fitted.doubtful:
            return False
        if first.is_alone or item.is_alone:
            return False
        if first.record.operation in ("create", "delete"):
            return False
        same = (first.keys, first.record.mapping, first.native_key)
        if same != (item.keys, item.record.mapping, item.native_key):
            return False
        if first.record.where and mentioned([first.record.where]) & _written_names(first):
            return False
        if self.found or first.record.operation == "update":
            return True
        if not first.native_key and not set(item.keys[0][1]) <= set(first.fitted.on_create):
            return False
        if not item.fitted.if_empty:
            return first.fitted.complete
        written = self.on_create()
        return first.fitted.complete and all(written.get(name) is not None for name in item.fitted.if_empty)


def lookup_key(object_name: str, values: Mapping[str, Value]) -> Key:
    return object_name, tuple(values), tuple(comparable(value) for value in values.values())


def comparable(value: Value) -> Value:
    """The value as the org compares it: text without regard to case and outer blanks, numbers by what they are."""
    if isinstance(value, str):
        return value.strip().casefold()
    return value if isinstance(value, bool) else float(value)


def mentioned(conditions: Iterable[str]) -> frozenset[str]:
    """The names that may be fields in conditions, in lower case."""
    return frozenset(word.lower() for condition in conditions for word in re.findall(r"\w+", condition))


@dataclass(frozen=True)
class Lookups:
    """What records of each object are looked up by, by any of the active mappings."""

    fields: Mapping[str, Sequence[Fields]]
    """Every set of fields."""
    conditions: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @cached_property
    def mentioned(self) -> Mapping[str, frozenset[str]]:
        """The names in the conditions."""
        return {name: mentioned(conditions) for name, conditions in self.conditions.items()}


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of some items, each list in their order."""

    folds: Sequence[Fold]
    """To be written together now."""
    deferred: Sequence[Item]
    """To be looked up again once the folds are written."""
    held: Sequence[Item]
    """Not to be touched before a write in doubt is settled."""
    held_traces: Set[Trace]


def plan(found: Iterable[Found], lookups: Lookups, in_doubt: Set[Trace] = frozenset()) -> Plan:
    """Which items can be written together, and which must wait; `in_doubt` is what writes in doubt have left."""
    folds: list[Fold] = []
    deferred: list[Item] = []
    held: list[Item] = []
    waiting, holding = Fold(()), Fold(())  # stand for all that is deferred or held; nothing folds into them
    seen: dict[Trace, dict[int, Fold]] = defaultdict(dict)
    for one in found:
        traces = _traces(one, lookups)
        met = {number: fold for trace in traces.meets if trace in seen for number, fold in seen[trace].items()}
        fold = next(iter(met.values()), None)
        left = traces.leaves
        if id(holding) in met or not in_doubt.isdisjoint(traces.meets):
            fold = holding
            held.append(one.origin)
            left |= frozenset(_watched(one))
        elif fold is None:
            fold = Fold(one.records, [one.item], one.lacks)
            folds.append(fold)
        elif len(met) == 1 and fold is not waiting and not one.lacks and fold.takes(one.item):
            fold.items.append(one.item)
        else:
            fold = waiting
            deferred.append(one.origin)
            left |= frozenset(_watched(one))
        if fold is waiting or fold is holding:
            for earlier in met.values():
                earlier.is_closed = True
        fold.traces |= left
        for trace in left:
            seen[trace][id(fold)] = fold
    return Plan(folds, deferred, held, holding.traces)


@dataclass(frozen=True, slots=True)
class _Traces:
    """By what items meet: whoever leaves a trace that a later one meets must be written before it."""

    leaves: frozenset[Trace]
    meets: frozenset[Trace]


def _traces(found: Found, lookups: Lookups) -> _Traces:
    item = found.item
    keys = {*item.keys, *_pointer_keys(found.origin)}
    looked: set[Trace] = set(keys)
    for object_name, fields, values in keys:
        looked.update((object_name, name, value) for name, value in zip(fields, values, strict=True))
    written = set(_written(item, lookups))
    if item.record.where:
        looked.update((item.record.object, "where", name) for name in mentioned([item.record.where]))
    ids = {*found.ids, *found.pointed}
    return _Traces(
        leaves=frozenset({*ids, *(("looked", trace) for trace in looked), *(("written", t) for t in written)}),
        meets=frozenset(
            {
                *ids,
                *(("written", trace) for trace in looked | written),
                # The same lookup finds the same record, even where nobody writes the field that it looks at.
                *(("looked", trace) for trace in {*written, *item.keys}),
                *_changed(item, lookups),
            }
        ),
    )


def _watched(deferred: Found) -> Iterator[Trace]:
    """The fields of lookups that were not asked because an earlier one found something: they may matter yet, and a
    record that they would find must not change before.
    """
    item = deferred.item
    if deferred.records:
        for object_name, fields, _ in item.keys[1:]:
            yield from (("watched", object_name, name.lower()) for name in fields)


def _changed(item: Item, lookups: Lookups) -> Iterator[Trace]:
    """The fields of lookups that the item may take an old value away from."""
    object_name, deletes = item.record.object, item.record.operation == "delete"
    for fields in lookups.fields.get(object_name, ()):
        for name in fields:
            if deletes or item.fitted.writes(name):
                yield "watched", object_name, name.lower()


def _pointer_keys(item: Item) -> Iterator[Key]:
    return (pointer_key(pointer) for pointer in item.fitted.all_pointers())


def pointer_key(pointer: Pointer) -> Key:
    return lookup_key(pointer.object, {pointer.by: pointer.value})


def _written_names(item: Item) -> frozenset[str]:
    fitted = item.fitted
    return frozenset(name.lower() for name in (*fitted.on_create, *fitted.on_update, *fitted.if_empty))


def _written(item: Item, lookups: Lookups) -> Iterator[Trace]:
    """What the write lets others find, or find no more."""
    object_name = item.record.object
    if item.record.operation == "delete":
        yield from item.keys
    if in_conditions := lookups.mentioned.get(object_name):
        for name in in_conditions & _written_names(item):
            yield object_name, "where", name
    fitted = item.fitted
    updated = {**fitted.on_update, **fitted.if_empty} if fitted.if_empty else fitted.on_update
    for values in (fitted.on_create, updated):
        yield from _findable(object_name, values, lookups.fields.get(object_name, ()))


def _findable(object_name: str, contents: Mapping[str, Content], lookups: Sequence[Fields]) -> Iterator[Trace]:
    """A whole key, or single values where the rest is the org's to know."""
    for fields in lookups:
        present = {name: value for name in fields if isinstance(value := contents.get(name), (str, int, float))}
        if len(present) == len(fields):
            yield lookup_key(object_name, present)
        else:
            yield from ((object_name, name, comparable(value)) for name, value in present.items())
