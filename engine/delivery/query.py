"""Queries the org for records by keys; a refused query is split until the item that causes it stands alone."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sfmap.engine.delivery.item import (
    ID,
    Fields,
    Item,
    LookupKey,
    Lookups,
    comparable,
    comparable_number,
    lookup_key,
)
from sfmap.engine.delivery.waiter import Waiter
from sfmap.engine.mapping.values.record import Value
from sfmap.engine.org.port import CallRefused, FoundRecord, Org


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A lookup that a group of items shares."""

    object: str
    fields: Fields
    values: Callable[[Item], tuple[Value, ...]]
    """The value of each lookup field, for an item."""
    also: tuple[str, ...] = ()
    """Further fields to read."""
    where: str = ""

    def key(self, item: Item) -> LookupKey:
        return lookup_key(self.object, dict(zip(self.fields, self.values(item), strict=True)))


@dataclass(frozen=True, slots=True)
class RefusedLookup:
    """An item that the org refuses to look up."""

    item: Item
    reason: str


class Queries:
    """The queries of one look-up. Every method may raise `OrgError` or `StopRequested`."""

    def __init__(self, org: Org, lookups: Lookups, waiter: Waiter) -> None:
        self._org = org
        self._lookups = lookups
        self._waiter = waiter
        self.refused: dict[int, RefusedLookup] = {}
        """By place."""

    def may_be_taken_along(self, object_name: str) -> bool:
        """Whether records of the object may be deleted with those that they refer to."""
        return object_name in self._lookups.taken_along

    def refuse(self, items: Sequence[Item], error: CallRefused) -> None:
        for item in items:
            self.refused.setdefault(item.place, RefusedLookup(item, f"{error.code}: {error.message}"))

    def find(self, items: Sequence[Item], question: Question) -> Mapping[LookupKey, Sequence[FoundRecord]]:
        """The records found, by key. A refused query is split until the item that causes it is refused alone.

        If the first and the last item alone are refused too, the field is the cause, and all are refused.
        """
        try:
            return self._ask(items, question)
        except CallRefused as error:
            refused = error
        ends = ([items[0]], [items[-1]]) if len(items) > 1 else ()
        if not any(self._can_ask(end, question) for end in ends):
            self.refuse(items, refused)
            return {}
        middle = len(items) // 2
        return {**self.find(items[:middle], question), **self.find(items[middle:], question)}

    def _can_ask(self, items: Sequence[Item], question: Question) -> bool:
        try:
            self._ask(items, question)
        except CallRefused:
            return False
        return True

    def _ask(self, items: Sequence[Item], question: Question) -> Mapping[LookupKey, Sequence[FoundRecord]]:
        fields = question.fields
        asked = {question.key(item): question.values(item) for item in items}
        identities = list(asked.values())
        by_key: dict[LookupKey, list[FoundRecord]] = defaultdict(list)
        rows = self.ask(question.object, fields, identities, question.also, question.where)
        for row in rows:
            by_key[LookupKey(question.object, fields, read_values(row, fields, identities[0]))].append(row)
        return by_key

    def ask(
        self,
        object_name: str,
        fields: Fields,
        identities: Sequence[tuple[Value, ...]],
        also: tuple[str, ...] = (),
        where: str = "",
    ) -> Sequence[FoundRecord]:
        """The records with one of these sets of values in these fields, oldest first.

        May also raise `CallRefused`.
        """
        others = (name for one in self._lookups.several.get(object_name, ()) for name in one)
        further = dict.fromkeys((*also, *others, *self._lookups.parents.get(object_name, ())))
        read = tuple(name for name in further if name not in (*fields, *ID))
        return self._waiter.ask(lambda: self._org.find(object_name, fields, identities, read, where))


def read_values(row: FoundRecord, fields: Fields, like: tuple[Value, ...]) -> tuple[Value, ...]:
    """The fields' values in a form that is comparable with the requested ones."""
    return tuple(_read_value(row.fields[name], value) for name, value in zip(fields, like, strict=True))


def _read_value(text: str | None, like: Value) -> Value:
    """The org's text converted to the type of the requested value, for comparison."""
    if text is None:
        return ""
    if isinstance(like, bool):
        return text == "true"
    return comparable_number(text) if isinstance(like, (int, float)) else comparable(text)
