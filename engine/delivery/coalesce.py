"""Folds the records of one identity into one write, and keeps apart what must not be written at the same time."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sfmap.engine.delivery.fit import Fitted
from sfmap.engine.mapping.record import Record, Value

Key = tuple[str, tuple[str, ...], tuple[Value, ...]]
"""Object, looked-up fields and their values as the org compares them: equal keys are one record."""


@dataclass(frozen=True, slots=True)
class Item:
    """One record of one event on its way to the org."""

    place: int
    """Where its outcome belongs in the window."""
    record: Record
    fitted: Fitted
    keys: tuple[Key, ...]


@dataclass(slots=True)
class Fold:
    """Items of one identity, in order, that one write can carry."""

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

    def _merged(self, first: Mapping[str, Value]) -> dict[str, Value]:
        merged = dict(first)
        for item in self.items[1:]:
            merged.update(item.fitted.on_update)
        return merged


def lookup_key(object_name: str, lookup: Mapping[str, Value]) -> Key:
    return object_name, tuple(lookup), tuple(comparable(value) for value in lookup.values())


def comparable(value: Value) -> Value:
    """The value as the org compares it: text without regard to case and outer blanks, numbers by what they are."""
    if isinstance(value, str):
        return value.strip().casefold()
    return value if isinstance(value, bool) else float(value)


def fold_in_rounds(items: Iterable[Item]) -> list[list[Fold]]:
    """The items as rounds of folds: within a round no two folds share a key, and a round builds on those before.

    An item joins the fold before it if the two are found by the very same lookups of the same mapping. If they
    share only some, who they are depends on what the org holds, so the later one waits for the next round.
    """
    rounds: list[list[Fold]] = []
    latest: dict[Key, tuple[int, Fold]] = {}
    for item in items:
        related = {id(latest[key][1]): latest[key] for key in item.keys if key in latest}
        if len(related) == 1:
            number, fold = next(iter(related.values()))
            if fold.head.keys == item.keys and fold.head.record.mapping == item.record.mapping:
                fold.items.append(item)
                continue
        number = max((number + 1 for number, _ in related.values()), default=0)
        fold = Fold([item])
        while len(rounds) <= number:
            rounds.append([])
        rounds[number].append(fold)
        latest.update((key, (number, fold)) for key in item.keys)
    return rounds
