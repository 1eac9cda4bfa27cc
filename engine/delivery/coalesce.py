"""Which records can go to the org together: folds the events of one identity, defers what must wait for others.

Records go together only if the order of their writes cannot matter. It can where one writes what another looks up
by, or where both are found to be the same record; then the later one is deferred until the earlier one is written,
and looked up again.
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
from sfmap.engine.mapping.record import Addition, Record, Value
from sfmap.engine.org.fields import several
from sfmap.engine.org.port import FoundRecord

Fields = tuple[str, ...]
ID: Fields = ("Id",)
"""The lookup that names the record itself."""
Key = tuple[str, Fields, tuple[Value, ...]]
"""Object, looked-up fields and their values as the org compares them."""
Cause = Literal["locked", "undone", "duplicate", "taken", "gone", "unavailable", "too much", "refused together"]
"""Why a record goes again that was refused; each cause has a bound of its own."""
Trace = str | tuple[object, ...]
"""By what items meet: the id of a record, or what is looked up, written or yet to be found."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When a guarded event happened, and the identity that it must not be older for."""

    identity: bytes
    time: str
    """As texts compare; empty where the event does not say."""


@dataclass(frozen=True, slots=True)
class Item:
    """One record of one event on its way to the org."""

    place: int
    """Where its outcome belongs in the window."""
    key: RecordKey
    """What the journal knows it by."""
    record: Record
    fitted: Fitted
    keys: tuple[Key, ...]
    """What it is looked up by, in order."""
    native_key: str = ""
    """The field by which the org itself finds the record as it upserts; empty where delivery looks it up."""
    is_unique: bool = False
    """Whether that field keeps a second record out."""
    moment: Moment | None = None
    """None where `timestamp_guard` is off."""
    is_alone: bool = False
    """Whether it goes in a write of its own: one that it shared was refused."""
    again: tuple[Cause, ...] = ()
    """Why it was sent and must go again, each time."""
    unanswered: Unanswered | None = None
    """What was sent for it before, and not answered."""

    @property
    def time(self) -> str:
        return self.moment.time if self.moment else ""

    @property
    def unless_found(self) -> tuple[Target, ...]:
        """What was sent before is settled, whatever is found by now."""
        return () if self.unanswered else self.fitted.unless_found

    @property
    def targets(self) -> Iterator[Target]:
        """Where it looks for other records."""
        for pointer in self.fitted.all_pointers():
            yield from pointer.targets
        yield from self.unless_found

    @property
    def looked_up_targets(self) -> Iterator[Target]:
        """The same without those where the org itself looks as it writes."""
        for pointer in self.fitted.looked_up_pointers:
            yield from pointer.targets
        yield from self.unless_found

    @property
    def self_finding(self) -> Iterator[int]:
        """Which of its lookups would find the record that it creates, conditions aside."""
        written = self.fitted.on_create
        for position, (object_name, fields, values) in enumerate(self.keys):
            present = {name: value for name in fields if (value := written.get(name)) is not None}
            if len(present) == len(fields) and lookup_key(object_name, present)[2] == values:
                yield position

    @property
    def takes_its_key_away(self) -> bool:
        """Whether its write gives a field that it is looked up by another value."""
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
        """Whether any of its lookups would find the record that it creates."""
        return next(self.self_finding, None) is not None

    def may_create(self, found: Sequence[FoundRecord]) -> bool:
        return not found and not self.native_key and self.record.operation in ("create", "upsert")


@dataclass(frozen=True, slots=True)
class Found:
    """An item with what its lookup found, oldest first; what it points to is in place of its pointers."""

    item: Item
    records: Sequence[FoundRecord]
    origin: Item
    """The item as it was before anything was looked up."""
    pointed: tuple[tuple[str, FoundRecord], ...] = ()
    """All records that its pointers have found, with their objects: what becomes of one may decide which it is."""
    lacks: str = ""
    """Why it cannot be written: what it points to must be there and is not. Empty where nothing is lacking."""
    is_done: bool = False
    """Whether the record found is the one that an unanswered create has made for it."""
    instead: Target | None = None
    """What has found a record for which this one is not written."""
    found_instead: tuple[str, ...] = ()
    """The ids of what it has found."""

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(record.id for record in self.records)


class Fold:
    """Items of one identity, in order, that one write can carry."""

    def __init__(self, first: Found | None = None) -> None:
        """Without a first item it stands for others that none can join."""
        self.found: Sequence[FoundRecord] = first.records if first else ()
        self.lacks = first.lacks if first else ""
        self.is_done = first.is_done if first else False
        self.instead = first.instead if first else None
        self.items: list[Item] = []
        self.is_closed = False
        """Whether a deferred item may change or delete the record that it writes: later ones wait for that one."""
        self.traces: set[Trace] = set()
        """What its items leave."""
        self.on_create: dict[str, Content] = {}
        """What is left after a create with the first item and an update with each further one.

        What further ones write into empty fields alone has a value already: see `takes`.
        """
        self._way = _way(first) if first else ()
        self._written: set[str] = set()
        self._time = ""
        self._is_renamed = False
        """Whether the lookups of its items may find its record no more."""
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
        """What is left of the found record's fields after an update with each item."""
        merged: dict[str, Content] = {}
        for item in self.items:
            for name, content in item.fitted.if_empty.items():
                if merged[name] is None if name in merged else not chosen.fields[name]:
                    merged[name] = content
            contents = item.fitted.on_update
            merged.update(_after({**chosen.fields, **merged}, contents) if item.fitted.adds else contents)
        return merged

    def fates(self, chosen: FoundRecord | None = None) -> list[Fate]:
        """What becomes of the items, one after the other, where the record chosen is updated, or one created."""
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
        """Whether the item, coming next, is sure to find the record that this fold writes, and to be written.

        A doubtful one goes alone, and so does a create that lacks something: a later value could hide what the org
        refuses. An older event than one of these waits, in case that one is refused. So does one that must know
        more of the record found than was read for the first: what was sent before is looked up in another way.
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
        """Whether the record that it creates is found by the item, which changes it as it stands here."""
        first = self.head
        if first.record.where or (not first.native_key and 0 not in first.self_finding):
            return False
        read = (*item.fitted.if_empty, *item.fitted.added)
        return first.fitted.complete and all(self.on_create.get(name) is not None for name in read)


def _after(held: Mapping[str, Content], contents: Mapping[str, Content]) -> dict[str, Content]:
    """What the fields have after the write, where they hold this before it: additions come behind."""
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
    """How an item was found: by what was sent for it before, or by a lookup; and what."""
    sent_to = found.item.unanswered.id if found.item.unanswered else ""
    return found.ids, sent_to, found.is_done


def lookup_key(object_name: str, values: Mapping[str, Value | Pointer | Addition]) -> Key:
    return object_name, tuple(values), tuple(comparable(value) for value in values.values())


def comparable(value: Value | Pointer | Addition) -> str | bool:
    """The value as the org compares it: text without regard to case and outer blanks, numbers by what they are.

    A record that is not looked for yet is told from others by what it is sought by.
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
    """All digits of a number: a key of 18 digits is more than a float can hold."""
    return format(Decimal(text).normalize(), "f")


def holds(
    fields: Mapping[str, Content], contents: Mapping[str, Content], like: Callable[[str], object] = str.strip
) -> bool:
    """Whether these fields, as the org tells them or as they were written, have these contents already.

    Texts are compared as `like` makes them: the org itself takes outer blanks off.
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
    """The names that may be fields in conditions, in lower case."""
    return frozenset(word.lower() for condition in conditions for word in re.findall(r"\w+", condition))


@dataclass(frozen=True)
class Lookups:
    """What records of each object are looked up by, by any of the active mappings."""

    fields: Mapping[str, Sequence[Fields]]
    """Every set of fields."""
    conditions: Mapping[str, Sequence[str]] = field(default_factory=dict)
    blind: Set[str] = frozenset()
    """The objects whose records are created without being looked up, by any of the mappings."""
    instead: Mapping[str, Set[str]] = field(default_factory=dict)
    """By object, the fields that decide whether `unless_found` finds its records, in lower case."""
    in_turn: Mapping[str, Sequence[Fields]] = field(default_factory=dict)
    """By object, the sets of fields of which one is tried after another: all are read of each record found."""

    @cached_property
    def mentioned(self) -> Mapping[str, frozenset[str]]:
        """The names in the conditions."""
        return {name: mentioned(conditions) for name, conditions in self.conditions.items()}

    def minds_order(self, object_name: str) -> bool:
        """Whether one lookup may find several records of the object: `on_many` goes by the order of creation.

        Where all is found and written by one key, no second record comes to have it.
        """
        lookups = self.fields.get(object_name, ())
        several = len(lookups) > 1 or object_name in self.conditions or object_name in self.blind
        return bool(lookups) and several


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


def plan(
    found: Iterable[Found], lookups: Lookups, in_doubt: Set[Trace] = frozenset(), writes: Set[int] = frozenset()
) -> Plan:
    """Which items can be written together, and which must wait; `in_doubt` is what `writes` in doubt have left."""
    folds: list[Fold] = []
    deferred: list[Item] = []
    held: list[Item] = []
    waiting, holding = Fold(), Fold()  # stand for all that is deferred or held; nothing folds into them
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
            # Whoever meets one of these waits too, as they are closed: no need to go through them each time.
            seen.update((trace, {id(waiting): waiting}) for trace in traces.meets if len(seen.get(trace, ())) > 1)
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
        # It is not written, and only who takes away what was found makes a difference.
        hidden = (*found.found_instead, *(target.object for target in item.unless_found))
        return _Traces(leaves, frozenset(("hidden", one) for one in hidden))
    if _ends_here(found):
        return _Traces(leaves, frozenset(("written", trace) for trace in looked))
    return _Traces(
        leaves=leaves,
        meets=frozenset(
            {
                # Those that point to one record do not disturb each other: only whoever writes it does.
                *found.ids,
                *(record.id for _, record in found.pointed),
                *(("pointed", record_id) for record_id in found.ids),
                *(("written", trace) for trace in looked | written),
                # The same lookup finds the same record, even where nobody writes the field that it looks at.
                *(("looked", trace) for trace in {*written, *item.keys}),
                *_may_be_another_s(found, lookups),
                *([creation(item.record.object)] if item.may_create(found.records) else ()),
            }
        ),
    )


def _ends_here(found: Found) -> bool:
    """Whether nothing is written for the item: it leaves nothing to those after it."""
    if found.instead:
        return True
    item = found.item
    return not (found.records or found.lacks or item.unanswered) and item.record.operation in ("update", "delete")


def _may_hide(item: Item, lookups: Lookups) -> bool:
    """Whether the write may keep the record from being found by `unless_found`."""
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
    """What a create leaves that is yet to come, where the order of creation matters: later ones wait for it."""
    return object_name, "creation"


def _left_open(deferred: Found, lookups: Lookups) -> Iterator[Trace]:
    """What may yet become of an item that waits: it is looked up again, and may find another record then.

    That is one of a lookup that was not asked because an earlier one found something, or whose values were not
    known; or one that the items before it have written. Nobody later may touch it before.
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
    """What those leave before it that may yet find one of its records."""
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
    """The key as texts of the org give it, whatever the types of its fields."""
    object_name, fields, values = key
    return object_name, fields, tuple(_like_a_text(value) for value in values)


def _like_a_text(value: Value) -> str:
    text = str(value).strip().casefold()
    return comparable_number(text) if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text) else text


def _hidden(found: Found) -> Iterator[Trace]:
    """The records that the write may hide; of the org's own upsert only the object is known."""
    yield from (("hidden", record_id) for record_id in found.ids)
    if found.item.native_key:
        yield "hidden", found.item.record.object


def target_key(target: Target) -> Key:
    return lookup_key(target.object, {target.by: target.value})


def _sought_names(item: Item) -> frozenset[str]:
    """The fields of its own object by which the item looks for other records, in lower case."""
    own = [target for target in item.targets if target.object == item.record.object]
    return frozenset(target.by.lower() for target in own) | mentioned(target.where for target in own)


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
    # What goes into empty fields alone may stay what it was: the other values are then part of an unknown key.
    updates = (
        (fitted.on_update, {**fitted.on_update, **fitted.if_empty}) if fitted.if_empty else (fitted.on_update,)
    )
    for values in (fitted.on_create, *updates):
        yield from _findable(object_name, values, lookups.fields.get(object_name, ()))


def _findable(object_name: str, contents: Mapping[str, Content], lookups: Sequence[Fields]) -> Iterator[Trace]:
    """A whole key, or single values where the rest is the org's to know, or fields where all of it is."""
    for fields in lookups:
        given = {name: value for name in fields if (value := contents.get(name)) is not None}
        present = {name: value for name, value in given.items() if isinstance(value, (str, int, float))}
        if len(present) == len(fields):
            yield lookup_key(object_name, present)
        elif present:
            yield from ((object_name, name, comparable(value)) for name, value in present.items())
        else:
            yield from ((object_name, name) for name in given)
