"""Plans which records can be written together: folds events of one identity, defers those that must wait.

Records are written together only if the order of their writes cannot matter. It can matter if one writes a value
that another is looked up by, or if both turn out to be the same record. Then the later one is deferred until the
earlier one is written, and looked up again.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Literal

from sfmap.engine.delivery.fit import Content, Fitted, Pointer, Target
from sfmap.engine.delivery.outcome import Fate
from sfmap.engine.journal.ledger import RecordKey, Unanswered
from sfmap.engine.mapping.values.record import Addition, Record, Value
from sfmap.engine.org.fields import several
from sfmap.engine.org.port import FoundRecord

Fields = tuple[str, ...]
ID: Fields = ("Id",)
"""The lookup by record id."""
Key = tuple[str, Fields, tuple[Value, ...]]
"""Object, lookup fields, and their values as the org compares them."""
Cause = Literal["locked", "undone", "duplicate", "taken", "gone", "unavailable", "too much", "refused together"]
"""Why a refused record is sent again; each cause has its own limit."""
Trace = str | tuple[object, ...]
"""What makes two items depend on each other: a record id, or something looked up, written or yet to be found."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When a guarded event happened, and the identity for which it must be the newest."""

    identity: bytes
    time: str
    """In a form that sorts as text; empty if the event has none."""


@dataclass(frozen=True, slots=True)
class Item:
    """One record of one event, to be delivered."""

    place: int
    """The index of its outcome in the window."""
    key: RecordKey
    """Its key in the journal."""
    record: Record
    fitted: Fitted
    keys: tuple[Key, ...]
    """Its lookups, in order."""
    native_key: str = ""
    """The field by which the org's upsert finds the record; empty if delivery looks it up."""
    is_unique: bool = False
    """Whether that field is unique, so that the org prevents a second record."""
    moment: Moment | None = None
    """None if `timestamp_guard` is off."""
    is_alone: bool = False
    """Whether it is written alone, because a shared write was refused."""
    again: tuple[Cause, ...] = ()
    """The cause of each repetition."""
    unanswered: Unanswered | None = None
    """An earlier write for it that was not answered."""

    @property
    def time(self) -> str:
        return self.moment.time if self.moment else ""

    @property
    def unless_found(self) -> tuple[Target, ...]:
        """The targets of `unless_found`; none once something was sent, which is settled regardless of them."""
        return () if self.unanswered else self.fitted.unless_found

    @property
    def targets(self) -> Iterator[Target]:
        """The lookups of other records."""
        for pointer in self.fitted.all_pointers():
            yield from pointer.targets
        yield from self.unless_found

    @property
    def looked_up_targets(self) -> Iterator[Target]:
        """The lookups of other records that delivery makes, as opposed to the org on write."""
        for pointer in self.fitted.looked_up_pointers:
            yield from pointer.targets
        yield from self.unless_found

    @property
    def self_finding(self) -> Iterator[int]:
        """The lookups that would find the record that it creates, ignoring conditions."""
        written = self.fitted.on_create
        for position, (object_name, fields, values) in enumerate(self.keys):
            present = {name: value for name in fields if (value := written.get(name)) is not None}
            if len(present) == len(fields) and lookup_key(object_name, present)[2] == values:
                yield position

    @property
    def takes_its_key_away(self) -> bool:
        """Whether its write changes the value of a field that it is looked up by."""
        if not self.record.plan.finds_by_another_value:
            return False
        fitted = self.fitted
        return any(
            name in contents and comparable_content(contents[name]) != value
            for _, fields, values in self.keys
            for name, value in zip(fields, values, strict=True)
            for contents in (fitted.on_create, fitted.on_update, fitted.if_empty)
        )

    @property
    def is_found_again(self) -> bool:
        """Whether a lookup would find the record that it creates."""
        return next(self.self_finding, None) is not None

    def may_create(self, found: Sequence[FoundRecord]) -> bool:
        return not found and not self.native_key and self.record.operation in ("create", "upsert")


@dataclass(frozen=True, slots=True)
class Found:
    """An item with the records that its lookup found, oldest first, and its pointers resolved to ids."""

    item: Item
    records: Sequence[FoundRecord]
    origin: Item
    """The item before the lookups."""
    pointed: tuple[tuple[str, FoundRecord], ...] = ()
    """All records found for its pointers, with their objects: a change to one may change which is chosen."""
    lacks: str = ""
    """Why it cannot be written: a required reference was not found. Otherwise empty."""
    is_done: bool = False
    """Whether the record found is the one that its unanswered create has made."""
    instead: Target | None = None
    """The `unless_found` target that found a record, so that this one is not written."""
    found_instead: tuple[str, ...] = ()
    """The ids of the records that it found."""

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(record.id for record in self.records)


class Fold:
    """Items of one identity, in order, to be written as one."""

    def __init__(self, first: Found | None = None) -> None:
        """Without a first item, a placeholder that no item can join."""
        self.found: Sequence[FoundRecord] = first.records if first else ()
        self.lacks = first.lacks if first else ""
        self.is_done = first.is_done if first else False
        self.instead = first.instead if first else None
        self.items: list[Item] = []
        self.is_closed = False
        """Whether a deferred item may change or delete the record of this fold: later items wait for that one."""
        self.traces: set[Trace] = set()
        """The traces that its items leave."""
        self.on_create: dict[str, Content] = {}
        """The result of a create with the first item followed by an update with each further one.

        Fields that further items write only if empty already have a value: see `takes`.
        """
        self._way = _way(first) if first else ()
        self._written: set[str] = set()
        self._time = ""
        self._is_renamed = False
        """Whether the lookups of its items may no longer find its record."""
        if first:
            self.add(first.item)

    @property
    def head(self) -> Item:
        return self.items[0]

    def add(self, item: Item) -> None:
        contents = item.fitted.on_update if self.items else item.fitted.on_create
        self.on_create.update(_after(self.on_create, contents) if item.fitted.adds else contents)
        if item.record.where or item.fitted.points or item.fitted.unless_found:
            self._written |= _written_names(item)
        self._time = max(self._time, item.time)
        self._is_renamed = self._is_renamed or item.takes_its_key_away
        self.items.append(item)

    def on_update(self, chosen: FoundRecord) -> dict[str, Content]:
        """The result of updating the found record with each item in turn."""
        merged: dict[str, Content] = {}
        for item in self.items:
            for name, content in item.fitted.if_empty.items():
                if merged[name] is None if name in merged else not chosen.fields[name]:
                    merged[name] = content
            contents = item.fitted.on_update
            merged.update(_after({**chosen.fields, **merged}, contents) if item.fitted.adds else contents)
        return merged

    def fates(self, chosen: FoundRecord | None = None) -> list[Fate]:
        """The outcome of each item in turn, if the chosen record is updated or, without one, created."""
        if len(self.items) == 1:
            return ["updated" if chosen else "created"]
        held: dict[str, Content] = dict(chosen.fields if chosen else self.head.fitted.on_create)
        fates: list[Fate] = [] if chosen else ["created"]
        for item in self.items[len(fates) :]:
            empty = {name: one for name, one in item.fitted.if_empty.items() if not held.get(name)}
            contents = _after(held, {**empty, **item.fitted.on_update})
            is_same = not contents or (item.record.skip_unchanged and holds(held, contents))
            fates.append("unchanged" if is_same else "updated")
            held |= contents
        return fates

    def takes(self, one: Found) -> bool:
        """Whether the next item is certain to find the record of this fold, and to be written.

        A doubtful item is written alone, and so is a create that lacks something: a later value could hide what
        the org refuses. An event older than one of the fold waits, in case that one is refused. So does one that
        needs more fields of the found record than were read for the first: unanswered writes are looked up
        differently.
        """
        first, item = self.head, one.item
        if self.instead or one.instead:
            return False
        if self.lacks or one.lacks or self.is_closed or first.fitted.doubtful or item.fitted.doubtful:
            return False
        if self._is_renamed:
            return False
        if first.is_alone or item.is_alone or self._way != _way(one):
            return False
        if first.record.operation in ("create", "delete") or item.time < self._time:
            return False
        same = (first.keys, first.record.mapping, first.native_key)
        if same != (item.keys, item.record.mapping, item.native_key):
            return False
        if first.record.where and mentioned([first.record.where]) & self._written:
            return self.is_done
        if self._written and not self._written.isdisjoint(_sought_names(one.origin)):
            return False
        if self.found:
            return {*item.fitted.if_empty, *item.fitted.added} <= self.found[0].fields.keys()
        return first.record.operation == "update" or self._creates_for(item)

    def _creates_for(self, item: Item) -> bool:
        """Whether the item would find the record that this fold creates, in its current state."""
        first = self.head
        if first.record.where or (not first.native_key and 0 not in first.self_finding):
            return False
        read = (*item.fitted.if_empty, *item.fitted.added)
        return first.fitted.complete and all(self.on_create.get(name) is not None for name in read)


def _after(held: Mapping[str, Content], contents: Mapping[str, Content]) -> dict[str, Content]:
    """The fields after the write, given their values before it; additions are appended."""
    return {
        name: _added(held.get(name), one.values) if isinstance(one, Addition) else one
        for name, one in contents.items()
    }


def _added(held: Content, values: str) -> str:
    if not isinstance(held, str) or not held:
        return values
    there = {comparable(value) for value in several(held)}
    return ";".join((held, *(value for value in several(values) if comparable(value) not in there)))


def _way(found: Found) -> tuple[object, ...]:
    """How an item's record was found, by an earlier write or by a lookup, and which."""
    sent_to = found.item.unanswered.id if found.item.unanswered else ""
    return found.ids, sent_to, found.is_done


def lookup_key(object_name: str, values: Mapping[str, Value | Pointer | Addition]) -> Key:
    return object_name, tuple(values), tuple(comparable(value) for value in values.values())


def comparable(value: Value | Pointer | Addition) -> str | bool:
    """The value as the org compares it: text without case and outer blanks, numbers by value.

    A record that is not looked up yet is compared by its lookup.
    """
    if isinstance(value, str):
        return value.strip().casefold()
    if isinstance(value, Addition):
        return repr(value)
    if isinstance(value, Pointer):
        return repr([(target_key(target), target.where) for target in value.targets])
    return value if isinstance(value, bool) else comparable_number(str(value))


def comparable_content(content: Content) -> str | bool | None:
    return None if content is None else comparable(content)


def comparable_number(text: str) -> str:
    """All digits of a number: a float cannot represent a key of 18 digits."""
    return format(Decimal(text).normalize(), "f")


def holds(
    fields: Mapping[str, Content], contents: Mapping[str, Content], like: Callable[[str], object] = str.strip
) -> bool:
    """Whether these fields, as read or as written, already have these contents.

    Texts are compared after `like`: the org itself strips outer blanks.
    """
    return all(name in fields and _is(fields[name], value, like) for name, value in contents.items())


def _is(held: Content, content: Content, like: Callable[[str], object]) -> bool:
    if held == content or held is None or content is None:
        return held == content
    if isinstance(content, str) and isinstance(held, str):
        return like(held) == like(content)
    if isinstance(content, bool):
        return held == str(content).lower()
    if isinstance(content, (int, float)) and isinstance(held, (str, int, float)):
        return comparable_number(str(held)) == comparable_number(str(content))
    return False


def mentioned(conditions: Iterable[str]) -> frozenset[str]:
    """The names in the conditions that may be fields, in lower case."""
    return frozenset(word.lower() for condition in conditions for word in re.findall(r"\w+", condition))


@dataclass(frozen=True)
class Lookups:
    """The lookups of each object in all active mappings."""

    fields: Mapping[str, Sequence[Fields]]
    """By object, every set of lookup fields."""
    conditions: Mapping[str, Sequence[str]] = field(default_factory=dict)
    blind: Set[str] = frozenset()
    """The objects whose records a mapping creates without a lookup."""
    instead: Mapping[str, Set[str]] = field(default_factory=dict)
    """By object, the fields that `unless_found` finds its records by, in lower case."""
    in_turn: Mapping[str, Sequence[Fields]] = field(default_factory=dict)
    """By object, the sets of lookup fields that are tried in turn: all are read for each record found."""

    @cached_property
    def mentioned(self) -> Mapping[str, frozenset[str]]:
        """By object, the names in conditions."""
        return {name: mentioned(conditions) for name, conditions in self.conditions.items()}

    def minds_order(self, object_name: str) -> bool:
        """Whether a lookup may find several records of the object: `on_many` depends on the order of creation.

        If everything is found and written by one key, no second record gets it.
        """
        lookups = self.fields.get(object_name, ())
        several = len(lookups) > 1 or object_name in self.conditions or object_name in self.blind
        return bool(lookups) and several


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan for some items; each list is in their order."""

    folds: Sequence[Fold]
    """To write now, together."""
    deferred: Sequence[Item]
    """To look up again once the folds are written."""
    held: Sequence[Item]
    """To keep until a write in doubt is settled."""
    held_traces: Set[Trace]


def plan(
    found: Iterable[Found], lookups: Lookups, in_doubt: Set[Trace] = frozenset(), writes: Set[int] = frozenset()
) -> Plan:
    """Decides which items are written together and which wait; `in_doubt` are the traces of `writes` in doubt."""
    folds: list[Fold] = []
    deferred: list[Item] = []
    held: list[Item] = []
    waiting, holding = Fold(), Fold()  # placeholders for all deferred or held items; nothing folds into them
    seen: dict[Trace, dict[int, Fold]] = defaultdict(dict)
    for one in found:
        traces = _traces(one, lookups)
        met = {number: fold for trace in traces.meets if trace in seen for number, fold in seen[trace].items()}
        fold = next(iter(met.values()), None)
        left = traces.leaves
        sent_by = one.item.unanswered.write if one.item.unanswered else 0
        if id(holding) in met or sent_by in writes or not in_doubt.isdisjoint(traces.meets):
            fold = holding
            held.append(one.origin)
        elif fold is None:
            fold = Fold(one)
            folds.append(fold)
            if _ends_here(one):
                left = frozenset()
        elif len(met) == 1 and fold is not waiting and fold.takes(one):
            fold.add(one.item)
        else:
            fold = waiting
            deferred.append(one.origin)
        if fold is waiting or fold is holding:
            left |= frozenset(_left_open(one, lookups))
            for earlier in met.values():
                earlier.is_closed = True
        if fold is waiting:
            # An item that meets one of these waits too, since they are closed: no need to visit each of them.
            seen.update((trace, {id(waiting): waiting}) for trace in traces.meets if len(seen.get(trace, ())) > 1)
        fold.traces |= left
        for trace in left:
            seen[trace][id(fold)] = fold
    return Plan(folds, deferred, held, holding.traces)


@dataclass(frozen=True, slots=True)
class _Traces:
    """The dependencies of an item: one that leaves a trace must be written before a later one that meets it."""

    leaves: frozenset[Trace]
    meets: frozenset[Trace]


def _traces(found: Found, lookups: Lookups) -> _Traces:
    item = found.item
    targets = list(found.origin.targets)
    keys = {*item.keys, *map(target_key, targets)}
    looked: set[Trace] = set(keys)
    for object_name, fields, values in keys:
        looked.update((object_name, name, value) for name, value in zip(fields, values, strict=True))
        looked.update((object_name, name) for name in fields)
    written = set(_written(item, lookups))
    if item.record.where:
        looked.update((item.record.object, "where", name) for name in mentioned([item.record.where]))
    for target in targets:
        looked.update((target.object, "where", name) for name in mentioned([target.where]))
    leaves: frozenset[Trace] = frozenset(
        {
            *found.ids,
            *(("pointed", record.id) for _, record in found.pointed),
            *(("looked", trace) for trace in looked),
            *(("written", trace) for trace in written),
            *(_hidden(found) if _may_hide(item, lookups) else ()),
        }
    )
    if found.instead:
        # It is not written, and only a write that hides the found record matters.
        hidden = (*found.found_instead, *(target.object for target in item.unless_found))
        return _Traces(leaves, frozenset(("hidden", one) for one in hidden))
    if _ends_here(found):
        return _Traces(leaves, frozenset(("written", trace) for trace in looked))
    return _Traces(
        leaves=leaves,
        meets=frozenset(
            {
                # Items that point to the same record are independent: only a write to it matters.
                *found.ids,
                *(record.id for _, record in found.pointed),
                *(("pointed", record_id) for record_id in found.ids),
                *(("written", trace) for trace in looked | written),
                # The same lookup finds the same record, even if nothing writes its field.
                *(("looked", trace) for trace in {*written, *item.keys}),
                *_may_be_another_s(found, lookups),
                *([creation(item.record.object)] if item.may_create(found.records) else ()),
            }
        ),
    )


def _ends_here(found: Found) -> bool:
    """Whether nothing is written for the item, so that it leaves no traces."""
    if found.instead:
        return True
    item = found.item
    return not (found.records or found.lacks or item.unanswered) and item.record.operation in ("update", "delete")


def _may_hide(item: Item, lookups: Lookups) -> bool:
    """Whether the write may hide the record from `unless_found`."""
    names = lookups.instead.get(item.record.object)
    if not names:
        return False
    if item.record.operation == "delete":
        return True
    kept = set()
    if len(item.keys) == 1 and not item.takes_its_key_away:
        kept = {name.lower() for name in item.keys[0][1]} - lookups.mentioned.get(item.record.object, frozenset())
    return not names.isdisjoint(_written_names(item) - kept)


def creation(object_name: str) -> Trace:
    """The trace of a pending create if the order of creation matters: later creates wait for it."""
    return object_name, "creation"


def _left_open(deferred: Found, lookups: Lookups) -> Iterator[Trace]:
    """The traces of an item that waits: it is looked up again, and may then find another record.

    That is a record of a lookup that was skipped because an earlier one found something, or whose values were
    not known; or one that the items before it have written. No later item may change it first.
    """
    item = deferred.item
    object_name = item.record.object
    if lookups.minds_order(object_name) and item.record.operation in ("create", "upsert"):
        yield creation(object_name)
    if _may_hide(item, lookups):
        yield "hidden", object_name
    if next(deferred.origin.fitted.match_pointers, None):
        yield "unasked", object_name
        yield "unasked", object_name, "all"
    elif deferred.records and item.keys[1:]:
        yield "unasked", object_name
        yield from (("unasked", _as_read(key)) for key in item.keys[1:])


def _may_be_another_s(found: Found, lookups: Lookups) -> Iterator[Trace]:
    """The traces of waiting items that may still find one of its records."""
    object_name = found.item.record.object
    for name, record in (*((object_name, record) for record in found.records), *found.pointed):
        yield "unasked", name, "all"
        held = {**record.fields, "Id": record.id}
        for fields in lookups.in_turn.get(name, ()):
            if held.keys() >= set(fields):
                yield "unasked", _as_read((name, fields, tuple(held[one] or "" for one in fields)))
            else:
                yield "unasked", name


def _as_read(key: Key) -> Key:
    """The key as read from the org, as texts of any field type."""
    object_name, fields, values = key
    return object_name, fields, tuple(_like_a_text(value) for value in values)


def _like_a_text(value: Value) -> str:
    text = str(value).strip().casefold()
    return comparable_number(text) if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text) else text


def _hidden(found: Found) -> Iterator[Trace]:
    """The records that the write may hide; for the org's own upsert only the object is known."""
    yield from (("hidden", record_id) for record_id in found.ids)
    if found.item.native_key:
        yield "hidden", found.item.record.object


def target_key(target: Target) -> Key:
    return lookup_key(target.object, {target.by: target.value})


def _sought_names(item: Item) -> frozenset[str]:
    """The fields of its own object by which the item looks up other records, in lower case."""
    own = [target for target in item.targets if target.object == item.record.object]
    return frozenset(target.by.lower() for target in own) | mentioned(target.where for target in own)


def _written_names(item: Item) -> frozenset[str]:
    fitted = item.fitted
    return frozenset(name.lower() for name in (*fitted.on_create, *fitted.on_update, *fitted.if_empty))


def _written(item: Item, lookups: Lookups) -> Iterator[Trace]:
    """The keys by which the write makes a record findable, or no longer findable."""
    object_name = item.record.object
    if item.record.operation == "delete":
        yield from item.keys
    if in_conditions := lookups.mentioned.get(object_name):
        for name in in_conditions & _written_names(item):
            yield object_name, "where", name
    fitted = item.fitted
    # Fields written only if empty may keep their value: the other values are then part of an unknown key.
    updates = (
        (fitted.on_update, {**fitted.on_update, **fitted.if_empty}) if fitted.if_empty else (fitted.on_update,)
    )
    for values in (fitted.on_create, *updates):
        yield from _findable(object_name, values, lookups.fields.get(object_name, ()))


def _findable(object_name: str, contents: Mapping[str, Content], lookups: Sequence[Fields]) -> Iterator[Trace]:
    """A whole key, or single values if only the org knows the rest, or fields if it knows all of it."""
    for fields in lookups:
        given = {name: value for name in fields if (value := contents.get(name)) is not None}
        present = {name: value for name, value in given.items() if isinstance(value, (str, int, float))}
        if len(present) == len(fields):
            yield lookup_key(object_name, present)
        elif present:
            yield from ((object_name, name, comparable(value)) for name, value in present.items())
        else:
            yield from ((object_name, name) for name in given)
