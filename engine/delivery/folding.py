"""Plans which records can be written together: folds events of one identity, defers those that must wait.

Records are written together only if the order of their writes cannot matter. It can matter if one writes a value
that another is looked up by, or if both turn out to be the same record. Then the later one is deferred until the
earlier one is written, and looked up again.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from sfmap.engine.delivery.item import Content, Found, Item, Lookups, comparable, holds, mentioned
from sfmap.engine.delivery.outcome import Fate
from sfmap.engine.delivery.traces import Disjoint, Trace, traces_of, traces_until_written
from sfmap.engine.delivery.undecided import PlannedGroup
from sfmap.engine.mapping.values.record import Addition
from sfmap.engine.org.fields import several
from sfmap.engine.org.port import FoundRecord


class Fold:
    """Items of one identity, in order, to be written as one."""

    def __init__(self, first: Found) -> None:
        self.found = first.records
        self.lacks = first.lacks
        self.is_done = first.is_done
        self.instead = first.instead
        self.items: list[Item] = []
        self.is_closed = False
        """Whether a deferred item may change or delete the record of this fold: later items wait for that one."""
        self.traces: set[Trace] = set()
        """The traces that its items leave."""
        self.on_create: dict[str, Content] = {}
        """The result of a create with the first item followed by an update with each further one.

        Fields that further items write only if empty already have a value: see `takes`.
        """
        self._way = _way(first)
        self._written: set[str] = set()
        """The fields that its first items may change, as far as somebody has asked."""
        self._noted = 0
        """The number of those items."""
        self._time = ""
        self._is_renamed = False
        """Whether the lookups of its items may no longer find its record."""
        self.add(first.item)

    @property
    def head(self) -> Item:
        return self.items[0]

    def add(self, item: Item) -> None:
        if self.items:
            _update(self.on_create, item)
        else:
            self.on_create.update(item.fitted.on_create)
        self._time = max(self._time, item.time)
        self._is_renamed = self._is_renamed or item.changes_lookup_values
        self.items.append(item)

    def on_update(self, chosen: FoundRecord) -> dict[str, Content]:
        """The result of updating the found record with each item in turn."""
        merged: dict[str, Content] = {}
        for item in self.items:
            for name, content in item.fitted.if_empty.items():
                if merged[name] is None if name in merged else not chosen.fields[name]:
                    merged[name] = content
            contents = item.fitted.on_update
            merged.update(after({**chosen.fields, **merged}, contents) if item.fitted.adds else contents)
        return merged

    def fates(self, chosen: FoundRecord | None = None) -> list[Fate]:
        """The outcome of each item in turn, if the chosen record is updated or, without one, created."""
        if len(self.items) == 1:
            return ["updated" if chosen else "created"]
        held: dict[str, Content] = dict(chosen.fields if chosen else self.head.fitted.on_create)
        fates: list[Fate] = [] if chosen else ["created"]
        for item in self.items[len(fates) :]:
            empty = {name: one for name, one in item.fitted.if_empty.items() if not held.get(name)}
            contents = after(held, {**empty, **item.fitted.on_update})
            is_same = not contents or (item.record.skip_unchanged and holds(held, contents))
            fates.append("unchanged" if is_same else "updated")
            held |= contents
        return fates

    def takes(self, one: Found) -> bool:
        """Whether the next item is certain to find the record of this fold, and to be written.

        An item that the org is likely to refuse is written alone, and so is a create that lacks something: a later
        value could hide that. An event older than one of the fold is deferred, in case that one is refused. So is
        one that needs more fields of the found record than were read for the first, since unanswered writes are
        looked up differently.
        """
        first, item = self.head, one.item
        if self.instead or one.instead:
            return False
        if self.lacks or one.lacks or self.is_closed or first.fitted.likely_refused or item.fitted.likely_refused:
            return False
        if self._is_renamed:
            return False
        if first.is_alone or item.is_alone or self._way != _way(one):
            return False
        if first.record.operation in ("create", "delete") or item.time < self._time:
            return False
        same = (first.lookup_keys, first.record.mapping, first.native_key)
        if same != (item.lookup_keys, item.record.mapping, item.native_key):
            return False
        if first.record.where and self._changes_any(mentioned([first.record.where])):
            return self.is_done
        looks_for_others = one.origin.fitted.points or one.origin.unless_found
        if looks_for_others and self._changes_any(one.origin.sought_names):
            return False
        if self.found:
            return {*item.fitted.if_empty, *item.fitted.added} <= self.found[0].fields.keys()
        return first.record.operation == "update" or self._creates_for(item)

    def _changes_any(self, names: Set[str]) -> bool:
        """Whether the writes of its items may change one of these fields."""
        for item in self.items[self._noted :]:
            self._written |= item.written_names
        self._noted = len(self.items)
        return not self._written.isdisjoint(names)

    def _creates_for(self, item: Item) -> bool:
        """Whether the item would find the record that this fold creates, in its current state."""
        first = self.head
        if first.record.where or (not first.native_key and 0 not in first.finding_itself):
            return False
        read = (*item.fitted.if_empty, *item.fitted.added)
        return first.fitted.complete and all(self.on_create.get(name) is not None for name in read)


def contents_of_create(items: Sequence[Item]) -> dict[str, Content]:
    """The result of a create with the first item followed by an update with each further one."""
    contents = dict(items[0].fitted.on_create)
    for item in items[1:]:
        _update(contents, item)
    return contents


def _update(contents: dict[str, Content], item: Item) -> None:
    """Applies an update with the item to the contents."""
    changes = item.fitted.on_update
    contents.update(after(contents, changes) if item.fitted.adds else changes)


def after(held: Mapping[str, Content], contents: Mapping[str, Content]) -> dict[str, Content]:
    """The fields after the write, given their values before it; additions are appended."""
    return {
        name: added(held.get(name), one.values) if isinstance(one, Addition) else one
        for name, one in contents.items()
    }


def added(held: Content, values: str) -> str:
    if not isinstance(held, str) or not held:
        return values
    there = {comparable(value) for value in several(held)}
    return ";".join((held, *(value for value in several(values) if comparable(value) not in there)))


def _way(found: Found) -> tuple[object, ...]:
    """How an item's record was found, by an earlier write or by a lookup, and which."""
    sent_to = found.item.unanswered.id if found.item.unanswered else ""
    return found.ids, sent_to, found.is_done


@dataclass(frozen=True, slots=True)
class WritePlan:
    """The plan for some items; each list is in their order."""

    folds: Sequence[Fold]
    """To write now, together."""
    deferred: Sequence[Item]
    """To look up again once the folds, and what else they wait for, are written."""
    blockers: Set[PlannedGroup]
    """The earlier groups that deferred items wait for."""
    fold_traces: Set[Trace]
    deferred_traces: Set[Trace]
    held: Sequence[Item]
    """These get no outcome until a write in doubt has ended."""
    held_traces: Set[Trace]


class _NotNow:
    """All deferred items, or all held ones: no item folds into them."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.traces: set[Trace] = set()
        self.is_closed = False


def _joined(one: Found, met: Mapping[int, Fold | _NotNow]) -> Fold | None:
    """The fold that the item joins: a new one, or the only one that it meets; None if it must wait."""
    if not met:
        return Fold(one)
    fold = next(iter(met.values()))
    if len(met) > 1 or not isinstance(fold, Fold) or not fold.takes(one):
        return None
    fold.add(one.item)
    return fold


def plan_writes(
    found: Iterable[Found],
    lookups: Lookups,
    in_doubt: Disjoint = frozenset(),
    writes: Set[int] = frozenset(),
    groups_met: Callable[[Set[Trace], int], Sequence[PlannedGroup]] = lambda traces, place: (),
) -> WritePlan:
    """Decides which items are written together, and which are deferred or held.

    `in_doubt` are the traces of the `writes` in doubt, and of the records that are held for them. `groups_met`
    returns the earlier groups that an item with these traces and this place meets.
    """
    folds: list[Fold] = []
    deferring, holding = _NotNow(), _NotNow()
    blockers: set[PlannedGroup] = set()
    seen: dict[Trace, dict[int, Fold | _NotNow]] = defaultdict(dict)
    for one in found:
        traces = traces_of(one, lookups)
        met = {number: fold for trace in traces.meets if trace in seen for number, fold in seen[trace].items()}
        left = traces.leaves
        sent_by = one.item.unanswered.write if one.item.unanswered else 0
        blocking = groups_met(traces.meets, one.item.place)
        fold: Fold | _NotNow
        if id(holding) in met or sent_by in writes or not in_doubt.isdisjoint(traces.meets):
            fold = holding
        elif not blocking and (joined := _joined(one, met)):
            fold = joined
            if not met:
                folds.append(joined)
                left = frozenset() if one.needs_no_write else left
        else:
            fold = deferring
            blockers.update(blocking)
        if isinstance(fold, _NotNow):
            fold.items.append(one.origin)
            left = left | set(traces_until_written(one, lookups))
            for earlier in met.values():
                earlier.is_closed = True
        if fold is deferring:
            # An item that meets one of these is deferred, too: they are closed, so each need not be visited.
            seen.update(
                (trace, {id(deferring): deferring}) for trace in traces.meets if len(seen.get(trace, ())) > 1
            )
        fold.traces |= left
        for trace in left:
            seen[trace][id(fold)] = fold
    return _plan_of(folds, deferring, holding, blockers)


def _plan_of(
    folds: Sequence[Fold], deferring: _NotNow, holding: _NotNow, blockers: Set[PlannedGroup]
) -> WritePlan:
    return WritePlan(
        folds=folds,
        deferred=deferring.items,
        blockers=blockers,
        fold_traces=set().union(*(fold.traces for fold in folds)),
        deferred_traces=deferring.traces,
        held=holding.items,
        held_traces=holding.traces,
    )
