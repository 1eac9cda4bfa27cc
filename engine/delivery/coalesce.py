"""Which records can go to the org together: folds the events of one identity, defers what must wait for others.

Records go together only if the order of their writes cannot matter. It can where one writes what another looks up
by, or where both are found to be the same record; then the later one is deferred until the earlier one is written,
and looked up again.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sfmap.engine.delivery.fit import Fitted
from sfmap.engine.mapping.record import Record, Value

Fields = tuple[str, ...]
Key = tuple[str, Fields, tuple[Value, ...]]
"""Object, looked-up fields and their values as the org compares them."""

Lookups = Mapping[str, Sequence[Fields]]
"""By object, every set of fields that some active mapping looks records up by."""


@dataclass(frozen=True, slots=True)
class Item:
    """One record of one event on its way to the org."""

    place: int
    """Where its outcome belongs in the window."""
    record: Record
    fitted: Fitted
    keys: tuple[Key, ...]
    """What it is looked up by, in order."""


@dataclass(frozen=True, slots=True)
class Found:
    """An item with the ids of the records its lookup found, oldest first."""

    item: Item
    ids: Sequence[str]


@dataclass(slots=True)
class Fold:
    """Items of one identity, in order, that one write can carry."""

    found: Sequence[str]
    items: list[Item] = field(default_factory=list)

    @property
    def head(self) -> Item:
        return self.items[0]

    def on_create(self) -> dict[str, Value]:
        """What is left after a create with the first item and an update with each further one."""
        return self._merged(self.head.fitted.on_create)

    def on_update(self) -> dict[str, Value]:
        """What is left after an update with each item."""
        return self._merged(self.head.fitted.on_update)

    def takes(self, item: Item) -> bool:
        """Whether the item, coming next, is sure to find the record that this fold writes, and to be written.

        A doubtful one goes alone, and so does a create that lacks something: a later value could hide what the org
        refuses.
        """
        first = self.head
        if first.fitted.doubtful or item.fitted.doubtful:
            return False
        if first.keys != item.keys or first.record.mapping != item.record.mapping:
            return False
        created = first.fitted.complete and set(item.keys[0][1]) <= set(first.fitted.on_create)
        return bool(self.found) or created

    def _merged(self, first: Mapping[str, Value]) -> dict[str, Value]:
        merged = dict(first)
        for item in self.items[1:]:
            merged.update(item.fitted.on_update)
        return merged


def lookup_key(object_name: str, values: Mapping[str, Value]) -> Key:
    return object_name, tuple(values), tuple(comparable(value) for value in values.values())


def comparable(value: Value) -> Value:
    """The value as the org compares it: text without regard to case and outer blanks, numbers by what they are."""
    if isinstance(value, str):
        return value.strip().casefold()
    return value if isinstance(value, bool) else float(value)


def plan(found: Iterable[Found], lookups: Lookups) -> tuple[list[Fold], list[Item]]:
    """The folds that can be written together now, and the items that must wait for them, both in order."""
    folds: list[Fold] = []
    deferred: list[Item] = []
    waiting = Fold(())  # stands for all that is deferred; nothing folds into it
    seen: dict[object, dict[int, Fold]] = defaultdict(dict)
    for one in found:
        traces = _traces(one, lookups.get(one.item.record.object, ()))
        met = {number: fold for trace in traces.meets if trace in seen for number, fold in seen[trace].items()}
        fold = next(iter(met.values()), None)
        if fold is None:
            fold = Fold(one.ids, [one.item])
            folds.append(fold)
        elif len(met) == 1 and fold is not waiting and fold.takes(one.item):
            fold.items.append(one.item)
        else:
            fold = waiting
            deferred.append(one.item)
        for trace in traces.leaves:
            seen[trace][id(fold)] = fold
    return folds, deferred


@dataclass(frozen=True, slots=True)
class _Traces:
    """By what items meet: whoever leaves a trace that a later one meets must be written before it."""

    leaves: frozenset[object]
    meets: frozenset[object]


def _traces(found: Found, lookups: Sequence[Fields]) -> _Traces:
    item = found.item
    looked: set[object] = set(item.keys)
    for object_name, fields, values in item.keys:
        looked.update((object_name, name, value) for name, value in zip(fields, values, strict=True))
    written = {*_written(item, item.fitted.on_create, lookups), *_written(item, item.fitted.on_update, lookups)}
    ids = set(found.ids)
    return _Traces(
        leaves=frozenset({*ids, *(("looked", trace) for trace in looked), *(("written", t) for t in written)}),
        meets=frozenset(
            {
                *ids,
                *(("written", trace) for trace in looked | written),
                # The same lookup finds the same record, even where nobody writes the field that it looks at.
                *(("looked", trace) for trace in {*written, *item.keys}),
            }
        ),
    )


def _written(item: Item, values: Mapping[str, Value], lookups: Sequence[Fields]) -> Iterator[object]:
    """What the write lets others find: a whole key, or single values where the rest is the org's to know."""
    object_name = item.record.object
    for fields in lookups:
        present = {name: values[name] for name in fields if name in values}
        if len(present) == len(fields):
            yield lookup_key(object_name, present)
        else:
            yield from ((object_name, name, comparable(value)) for name, value in present.items())
