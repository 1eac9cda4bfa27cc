"""What is planned and not decided yet, and who must wait for it.

A later record that meets a trace of such a plan is looked up again when that plan has been written. So is one
whose look-up began before it was: that may have read what was there before.
"""

import sys
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass, field

from sfmap.engine.delivery.item import Item, place_of
from sfmap.engine.delivery.traces import Trace


@dataclass(eq=False, slots=True, kw_only=True)
class PlannedGroup:
    """The items of one plan, until each of them is decided, held, or planned again."""

    traces: Set[Trace]
    """Of the items whose writes are under way: every other item that meets these must wait."""
    writing: int
    """The number of these items."""
    waiting_traces: Set[Trace]
    """Of the items that wait: only items after them must wait."""
    waiting: list[Item]
    """The items to be looked up again, as soon as nothing that they wait for is under way."""
    blockers: set["PlannedGroup"]
    """The other groups that they wait for."""
    together: int
    """The most of them that are looked up again together: of a chain of items, each of which waits for the one
    before, few can be written."""
    unplanned: set[int] = field(init=False)
    """The places of the items that wait or are being looked up again."""
    first_unplanned: int = field(init=False)
    behind: set["PlannedGroup"] = field(default_factory=set)
    """The groups with items that waited in this one before those that still do: these go on first."""
    rests_until: float = 0.0
    """The monotonic time before which its waiting items must not be sent again."""
    over_since: int = 0
    """When all its writes were over, in steps of `Undecided`."""

    def __post_init__(self) -> None:
        self.set_unplanned({item.place for item in self.waiting})

    def set_unplanned(self, places: set[int]) -> None:
        self.unplanned = places
        self.first_unplanned = min(places, default=-1)

    def take_ready(self, now: float) -> list[Item]:
        """Takes waiting items, in order, if nothing that they wait for is under way.

        Those after an item that waits in a blocker stay: if looked up again, they would have to wait again.
        """
        if not self._is_ready(now):
            return []
        self.waiting.sort(key=place_of)
        first = min((one.first_unplanned for one in self.blockers if one.unplanned), default=sys.maxsize)
        number = min(self.together, bisect_left(self.waiting, first, key=place_of))
        taken, self.waiting[:number] = self.waiting[:number], []
        return taken

    def _is_ready(self, now: float) -> bool:
        """Whether nothing that its waiting items wait for is under way."""
        self.blockers = {one for one in self.blockers if one.writing or one.unplanned or now < one.rests_until}
        self.behind = {one for one in self.behind if one.unplanned}
        is_behind = any(one.first_unplanned < self.first_unplanned for one in self.behind)
        is_looked_up = len(self.unplanned) > len(self.waiting)
        is_at_rest = all(one._has_come_to_rest(now) for one in (self, *self.blockers))
        return is_at_rest and not (is_behind or is_looked_up)

    def _has_come_to_rest(self, now: float) -> bool:
        return not self.writing and now >= self.rests_until


class Undecided:
    """The groups that are not over, and those that were written after some look-up under way had begun."""

    def __init__(self) -> None:
        self._groups: dict[PlannedGroup, None] = {}
        self._written: Counter[Trace] = Counter()
        """By trace of items whose writes are under way, the number of groups."""
        self._waiting: Counter[Trace] = Counter()
        """By trace of items that wait, the number of groups."""
        self._over: list[PlannedGroup] = []
        self._step = 0
        self._looking: list[int] = []
        """When the look-ups under way began."""

    def begin_look_up(self) -> int:
        self._step += 1
        self._looking.append(self._step)
        return self._step

    def end_look_up(self, began: int) -> None:
        self._looking.remove(began)
        first = min(self._looking, default=self._step + 1)
        self._over = [one for one in self._over if one.over_since > first]

    def met(self, meets: Set[Trace], place: int, since: int) -> list[PlannedGroup]:
        """The groups that an item with these traces meets, if its look-up began then."""
        met = [one for one in self._over if one.over_since > since and not one.traces.isdisjoint(meets)]
        if not self._written.keys().isdisjoint(meets):
            met += (one for one in self._groups if one.writing and not one.traces.isdisjoint(meets))
        if not self._waiting.keys().isdisjoint(meets):
            before = (one for one in self._groups if one.unplanned and one.first_unplanned < place)
            met += (one for one in before if not one.waiting_traces.isdisjoint(meets))
        return met

    def add(self, group: PlannedGroup) -> None:
        self._groups[group] = None
        self._written.update(group.traces)
        self._waiting.update(group.waiting_traces)

    def wait(self, group: PlannedGroup, items: Sequence[Item], traces: Set[Trace]) -> None:
        """Has items of the group wait whose writes are over, and which leave these traces."""
        group.waiting += items
        group.set_unplanned(group.unplanned | {item.place for item in items})
        new = traces - group.waiting_traces
        group.waiting_traces |= new
        self._waiting.update(new)

    def take_ready(self, now: float) -> list[Item]:
        """Takes the waiting items whose groups have come to rest, to look them up again."""
        ready: list[Item] = []
        for group in self._groups:
            if group.waiting:
                ready += group.take_ready(now)
        return ready

    def end_waiting(self, group: PlannedGroup, places: Set[int]) -> None:
        """Notes that these items no longer wait: their traces do not count from now on."""
        group.set_unplanned(group.unplanned - places)
        self._close(group)

    def follow(self, earlier: PlannedGroup, group: PlannedGroup) -> None:
        """Notes that the first waiting items of an earlier group were planned again in this one."""
        earlier.blockers.add(group)
        earlier.behind.add(group)
        earlier.together = group.together
        for one in self._groups:
            if earlier in one.behind:
                one.behind.add(group)
            if earlier in one.blockers and one is not group:
                one.blockers.add(group)

    def end_write(self, group: PlannedGroup) -> None:
        """Notes that the write of one item is over."""
        group.writing -= 1
        if not group.writing:
            self._subtract(self._written, group.traces)
            if self._looking:
                self._step += 1
                group.over_since = self._step
                self._over.append(group)
            self._close(group)

    def _close(self, group: PlannedGroup) -> None:
        if not group.unplanned:
            self._subtract(self._waiting, group.waiting_traces)
            group.waiting_traces, group.blockers = set(), set()
            if not group.writing:
                self._groups.pop(group, None)

    @staticmethod
    def _subtract(counts: Counter[Trace], traces: Set[Trace]) -> None:
        for trace in traces:
            if left := counts.pop(trace) - 1:
                counts[trace] = left
