"""One record of one event on its way to the org: what of it can be written, and what identifies it."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Literal, NamedTuple

from sfmap.engine.journal.entries import RecordKey, Unanswered
from sfmap.engine.language.model import OnMany, OnMissing
from sfmap.engine.mapping.values.record import Addition, Note, Record, Value
from sfmap.engine.org.port import FoundRecord


@dataclass(frozen=True, slots=True)
class Target:
    """A lookup of a pointer: the records of `object` with the value in field `by` that meet `where`."""

    object: str
    by: str
    value: Value
    where: str = ""


@dataclass(frozen=True, slots=True)
class Pointer:
    """A record that a field points to, before it has been looked up."""

    targets: tuple[Target, ...]
    """In order; the first that finds a record wins."""
    on_missing: OnMissing
    on_many: OnMany = "newest"
    relationship: str = ""
    """The relationship's name in a write if the org itself looks up the record; empty if delivery does."""
    is_constant: bool = field(default=False, compare=False)
    """Whether its value is a constant of the mapping, which may be shown."""


Content = Value | Pointer | Addition | None
"""What is written to a field; None empties it."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A record that the org can take: what to send for a create and for an update."""

    match: tuple[Mapping[str, "Value | Pointer"], ...]
    on_create: Mapping[str, Content]
    on_update: Mapping[str, Content]
    if_empty: Mapping[str, Content]
    """Fields that are part of an update only if empty in the org."""
    notes: tuple[Note, ...]
    likely_refused: bool = False
    """Whether the org is likely to refuse it because a value is not in a restricted picklist."""
    complete: bool = True
    """Whether it has every field that a create requires."""
    points: bool = False
    """Whether any of its contents may be a pointer."""
    adds: bool = False
    """Whether any of its contents may be an addition."""
    unless_found: tuple[Target, ...] = ()
    """If one of these finds a record, this one is not written."""

    @property
    def writes_the_same(self) -> bool:
        """Whether a create and an update have the same contents."""
        return self.on_create is self.on_update or self.on_create == self.on_update

    @property
    def added(self) -> Iterator[str]:
        """The fields that are added to."""
        contents = self.on_update.items() if self.adds else ()
        return (name for name, one in contents if isinstance(one, Addition))

    def all_pointers(self) -> Iterator[Pointer]:
        for _, pointer in self._pointers():
            yield pointer
        yield from self.match_pointers

    @property
    def match_pointers(self) -> Iterator[Pointer]:
        """The references in lookups."""
        for lookup in self.match if self.points else ():
            yield from (value for value in lookup.values() if isinstance(value, Pointer))

    @property
    def pointers(self) -> Iterator[tuple[str, Pointer]]:
        """The references that delivery looks up, by field."""
        return ((name, pointer) for name, pointer in self._pointers() if not pointer.relationship)

    @property
    def looked_up_pointers(self) -> Iterator[Pointer]:
        yield from (pointer for _, pointer in self.pointers)
        yield from self.match_pointers

    def _pointers(self) -> Iterator[tuple[str, Pointer]]:
        for contents in (self.on_create, self.on_update, self.if_empty) if self.points else ():
            yield from ((name, one) for name, one in contents.items() if isinstance(one, Pointer))


Fields = tuple[str, ...]
ID: Fields = ("Id",)
"""The lookup by record id."""


class LookupKey(NamedTuple):
    """A lookup: the object, its lookup fields, and their values as the org compares them."""

    object: str
    fields: Fields
    values: tuple[Value, ...]

    def as_read(self) -> "LookupKey":
        """The key as read from the org, as texts of any field type."""
        return self._replace(values=tuple(map(_like_a_text, self.values)))


def lookup_key(object_name: str, values: Mapping[str, Value | Pointer | Addition]) -> LookupKey:
    return LookupKey(object_name, tuple(values), tuple(map(comparable, values.values())))


def target_key(target: Target) -> LookupKey:
    return lookup_key(target.object, {target.by: target.value})


def comparable(value: Value | Pointer | Addition) -> str | bool:
    """The value as the org compares it: text without case and outer blanks, numbers by value.

    A record that is not looked up yet is compared by its lookup.
    """
    if isinstance(value, str):
        return value.strip().casefold()
    if isinstance(value, Addition):
        return repr(value)
    if isinstance(value, Pointer):
        return repr([(tuple(target_key(target)), target.where) for target in value.targets])
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


def _like_a_text(value: Value) -> str:
    text = str(value).strip().casefold()
    return comparable_number(text) if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text) else text


Cause = Literal["locked", "undone", "duplicate", "taken", "gone", "unavailable", "too much", "refused together"]
"""Why a refused record is sent again; each cause has its own limit."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When a guarded event happened, and the identity for which it must be the newest."""

    identity: bytes
    time: str
    """In a form that sorts as text; empty if the event has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One record of one event, to be delivered."""

    place: int
    """The index of its outcome in the window."""
    key: RecordKey
    """Its key in the journal."""
    record: Record
    fitted: Fitted
    lookup_keys: tuple[LookupKey, ...]
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
    def is_folded(self) -> bool:
        """Whether several events were folded into it before they were delivered."""
        return self.key.is_folded

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
        for pointer in self.fitted.all_pointers() if self.fitted.points else ():
            yield from pointer.targets
        yield from self.unless_found

    @property
    def looked_up_targets(self) -> Iterator[Target]:
        """The lookups of other records that delivery makes, as opposed to the org on write."""
        for pointer in self.fitted.looked_up_pointers:
            yield from pointer.targets
        yield from self.unless_found

    @property
    def finding_itself(self) -> Iterator[int]:
        """The lookups that would find the record that it creates, ignoring conditions."""
        written = self.fitted.on_create
        for position, key in enumerate(self.lookup_keys):
            present = {name: value for name in key.fields if (value := written.get(name)) is not None}
            if len(present) == len(key.fields) and lookup_key(key.object, present) == key:
                yield position

    @property
    def changes_lookup_values(self) -> bool:
        """Whether its write changes the value of a field that it is looked up by."""
        if not self.record.plan.finds_by_another_value:
            return False
        fitted = self.fitted
        return any(
            name in contents and comparable_content(contents[name]) != value
            for key in self.lookup_keys
            for name, value in zip(key.fields, key.values, strict=True)
            for contents in (fitted.on_create, fitted.on_update, fitted.if_empty)
        )

    @property
    def is_found_again(self) -> bool:
        """Whether a lookup would find the record that it creates."""
        return next(self.finding_itself, None) is not None

    @property
    def written_names(self) -> frozenset[str]:
        """The fields that its write may change, in lower case."""
        fitted = self.fitted
        return frozenset(name.lower() for name in (*fitted.on_create, *fitted.on_update, *fitted.if_empty))

    @property
    def sought_names(self) -> frozenset[str]:
        """The fields of its own object by which it looks up other records, in lower case."""
        own = [target for target in self.targets if target.object == self.record.object]
        return frozenset(target.by.lower() for target in own) | mentioned(target.where for target in own)

    def may_create(self, found: Sequence[FoundRecord]) -> bool:
        return not found and not self.native_key and self.record.operation in ("create", "upsert")


class Pointed(NamedTuple):
    """A record that was found for a pointer, and its object."""

    object: str
    record: FoundRecord


def place_of(item: Item) -> int:
    """The key that sorts items in the order of their events."""
    return item.place


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An item with the records that its lookup found, oldest first, and its pointers resolved to ids."""

    item: Item
    records: Sequence[FoundRecord]
    origin: Item
    """The item before the lookups."""
    pointed: tuple[Pointed, ...] = ()
    """All records found for its pointers: a change to one may change which is chosen."""
    lacks: str = ""
    """Why it cannot be written: a required reference was not found. Otherwise empty."""
    is_done: bool = False
    """Whether the record found is the one that its unanswered create has made."""
    instead: Target | None = None
    """The `unless_found` target that found a record, so that this one is not written."""
    found_instead: tuple[Pointed, ...] = ()
    """The records that it found."""

    @property
    def needs_no_write(self) -> bool:
        """Whether nothing is written for the item, so that later items need not wait for it."""
        if self.instead:
            return True
        item = self.item
        is_lost = not (self.records or self.lacks or item.unanswered)
        return is_lost and item.record.operation in ("update", "delete")

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(record.id for record in self.records)


@dataclass(frozen=True, kw_only=True)
class Lookups:
    """The lookups of each object in all active mappings."""

    fields: Mapping[str, Sequence[Fields]]
    """By object, every set of lookup fields."""
    conditions: Mapping[str, Sequence[str]] = field(default_factory=dict)
    blind: Set[str] = frozenset()
    """The objects whose records a mapping creates without a lookup."""
    instead: Mapping[str, Set[str]] = field(default_factory=dict)
    """By object, the fields that `unless_found` finds its records by, in lower case."""
    parents: Mapping[str, Fields] = field(default_factory=dict)
    """By object, the fields that refer to records which a mapping may delete: read for each record found."""
    taken_along: Set[str] = frozenset()
    """The objects whose records are deleted with those that these fields refer to."""
    several: Mapping[str, Sequence[Fields]] = field(default_factory=dict)
    """By object that has several, the sets of lookup fields: all are read for each record found, since an item
    that waits may find it by another one.
    """

    @cached_property
    def mentioned(self) -> Mapping[str, frozenset[str]]:
        """By object, the names in conditions."""
        return {name: mentioned(conditions) for name, conditions in self.conditions.items()}

    def order_matters(self, object_name: str) -> bool:
        """Whether a lookup may find several records of the object: `on_many` depends on the order of creation.

        If everything is found and written by one key, no second record gets it.
        """
        lookups = self.fields.get(object_name, ())
        several = len(lookups) > 1 or object_name in self.conditions or object_name in self.blind
        return bool(lookups) and several
