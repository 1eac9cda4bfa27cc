"""The items on their way to the org: looked up, planned, written in batches, and ended with an outcome each.

Each item is looked up before it is written, so delivering the same events again updates their records. Look-ups
and writes of many items are under way at once. The result in the org is as after one write each, in order.
"""

import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from functools import partial

from sfmap.engine.delivery.batch_sizes import BatchSizes
from sfmap.engine.delivery.batches import Answers, Sender
from sfmap.engine.delivery.endings import conclusion_of, ended
from sfmap.engine.delivery.folding import Fold, WritePlan, plan_writes
from sfmap.engine.delivery.in_doubt import Doubts, kept
from sfmap.engine.delivery.item import Found, Item, LookupKey, Lookups, place_of
from sfmap.engine.delivery.lookup import known_ids, look_up
from sfmap.engine.delivery.org_threads import OrgCalls, OrgThreads
from sfmap.engine.delivery.outcome import Ending
from sfmap.engine.delivery.outcome_table import Decided, Decisions
from sfmap.engine.delivery.query import Queries
from sfmap.engine.delivery.traces import creation
from sfmap.engine.delivery.undecided import PlannedGroup, Undecided
from sfmap.engine.delivery.waiter import Waiter
from sfmap.engine.delivery.write_queue import WriteQueue
from sfmap.engine.delivery.writes import PendingWrite, WriteCalls, plan_write
from sfmap.engine.errors import SfmapError
from sfmap.engine.journal.entries import RecordKey, Unanswered
from sfmap.engine.journal.ledger import Ledger
from sfmap.engine.org.port import Org
from sfmap.engine.yaml_files.diagnostics import listed

_FEWEST = 32
"""The fewest deferred items that are looked up together, even if fewer were written the last time."""


@dataclass(eq=False, slots=True, kw_only=True)
class _LookUp:
    """Items that are looked up together. Look-ups are planned in the order in which they began."""

    items: Sequence[Item]
    queries: Queries
    began: int
    found: Sequence[Found] = ()
    failure: SfmapError | None = None
    is_done: bool = False


@dataclass(eq=False, slots=True, kw_only=True)
class _Unsent:
    """The writes of a plan that are not in the queue yet."""

    pending: Sequence[PendingWrite]
    is_ready: bool
    """Whether nothing more is asked about them."""


class More(Enum):
    """When more items come, which could share look-ups and writes with those that are there."""

    AT_ONCE = auto()
    WITH_ROOM = auto()
    """Once some of those that are there have been written."""
    LATER = auto()
    """Perhaps, at any time."""
    NEVER = auto()


class Flow:
    """The items that are neither decided nor held. All its methods are called by one thread.

    Those that say so raise `OrgError`, `StopRequested` or `JournalFailed`.
    """

    def __init__(
        self,
        *,
        org: Org,
        lookups: Lookups,
        ledger: Ledger,
        doubts: Doubts,
        waiter: Waiter,
        threads: OrgThreads,
        together: int,
        sizes: BatchSizes,
        decisions: Decisions,
        apart: Callable[[Item], list[Item]],
        takes: Callable[[PendingWrite], bool],
    ) -> None:
        """`together` is the most identities in one look-up; `apart` makes the items of folded events.

        What `takes` returns True for is written by a bulk job: its items get no outcome here.
        """
        self._org = org
        self._threads = threads
        self._called = OrgCalls(threads)
        self._together = together
        self._queue = WriteQueue(
            calls=self._called,
            sender=Sender(org, doubts, waiter, threads.pace),
            sizes=sizes,
            conclude=self._conclude,
            send_again=self._send_again,
        )
        self._calls = WriteCalls(lookups)
        self._lookups = lookups
        self._ledger = ledger
        self._doubts = doubts
        self._waiter = waiter
        self._sizes = sizes
        self._decisions = decisions
        self._apart = apart
        self._takes = takes
        self._unplanned: dict[int, PlannedGroup | None] = {}
        """By place, the items to be looked up or planned, each with the group that it was planned with before."""
        self._planned: dict[int, PlannedGroup] = {}
        """By place, the items whose writes are under way or that wait for others, each with its group."""
        self._undecided = Undecided()
        self._pending: list[Item] = []
        """To be looked up, in order."""
        self._look_ups: deque[_LookUp] = deque()
        self._unsent: deque[_Unsent] = deque()
        """In the order in which they were planned."""

    @property
    def is_empty(self) -> bool:
        return not (self._unplanned or self._planned)

    def holds_any(self, places: Iterable[int]) -> bool:
        """Whether one of these items is on its way."""
        return any(place in self._planned or place in self._unplanned for place in places)

    def add(self, items: Sequence[Item], lookups: Lookups) -> None:
        """Takes further items, which come after all others."""
        self._lookups = lookups
        self._pending += items
        self._unplanned.update((item.place, None) for item in items)

    def advance(self, more: More) -> None:
        """Begins what can begin now. May raise."""
        if ready := self._undecided.take_ready(time.monotonic()):
            self._unplanned.update((item.place, self._planned.pop(item.place)) for item in ready)
            self._pending = sorted([*ready, *self._pending], key=place_of)
        while self._pending and len(self._look_ups) < self._threads.pace.limit:
            if more is More.AT_ONCE and len(self._pending) < self._together:
                break
            self._look_up(self._take_together())
        if self._need_not_wait(more):
            self._queue.send_rests()

    def _need_not_wait(self, more: More) -> bool:
        """Whether writes that do not fill a batch are sent all the same, instead of waiting for others."""
        if more is More.LATER:
            return self._threads.has_free_connection
        is_due = more is More.NEVER or (more is More.WITH_ROOM and self._threads.has_free_connection)
        return is_due and not (self._look_ups or self._pending)

    def hand_over(self, timeout: float = 0.0) -> bool:
        """Handles one finished call, if there is one before the timeout. May raise."""
        return self._called.hand_over(timeout)

    @property
    def has_calls(self) -> bool:
        """Whether calls are in flight, or wait to be made."""
        return self._called.in_flight > 0

    def stop(self) -> None:
        """Sends nothing more."""
        self._queue.stop()
        self._called.stop()
        self._pending = []

    def give_up(self) -> None:
        """Ends after an error: sends nothing more, and handles the answers to what was sent."""
        self.stop()
        self._look_ups.clear()
        while self._called.running:
            try:
                self._called.hand_over(1.0)
            except SfmapError:  # the first error is the one that is told
                continue

    def _take_together(self) -> list[Item]:
        """Takes the first pending items: as many as have few enough identities."""
        identities: set[tuple[LookupKey, ...]] = set()
        number = 0
        while number < len(self._pending) and len(identities) < self._together:
            identities.add(self._pending[number].lookup_keys[:1])
            number += 1
        taken, self._pending = self._pending[:number], self._pending[number:]
        return taken

    def _look_up(self, items: Sequence[Item], is_first: bool = False) -> None:
        """Looks the items up in a thread; they are planned after the look-ups before, or as the first."""
        began = self._undecided.begin_look_up()
        current = self._not_overtaken(items)
        queries = Queries(self._org, self._lookups, self._waiter)
        one = _LookUp(items=current, queries=queries, began=began)
        if is_first:
            self._look_ups.appendleft(one)
        else:
            self._look_ups.append(one)
        self._called.look_up(partial(_ask, one), self._plan_next)

    def _not_overtaken(self, items: Sequence[Item]) -> list[Item]:
        """The items, without those for whose identity a newer event was written: these end here."""
        guarded = [(item, item.moment) for item in items if item.moment and item.moment.time]
        if not guarded:
            return list(items)
        newest = self._ledger.newest(list({moment.identity for _, moment in guarded}))
        overtaken = [item for item, moment in guarded if moment.time < newest.get(moment.identity, "")]
        if overtaken:
            reason = "a newer event was written for the same record: timestamp_guard"
            self._decide([Decided(item, Ending("skipped", reason=reason)) for item in overtaken])
        places = {item.place for item in overtaken}
        return [item for item in items if item.place not in places]

    def _plan_next(self, finished: _LookUp) -> None:
        """Plans the finished look-ups that none before them holds up."""
        finished.is_done = True
        while self._look_ups and self._look_ups[0].is_done:
            self._plan(self._look_ups.popleft())

    def _plan(self, asked: _LookUp) -> None:
        self._fail_refused(asked.queries)
        if asked.failure:
            raise asked.failure
        before = self._release(one.item.place for one in asked.found)
        plan = plan_writes(
            asked.found,
            self._lookups,
            self._doubts.traces(),
            self._doubts.writes(),
            lambda meets, place: self._undecided.met(meets, place, asked.began),
        )
        self._undecided.end_look_up(asked.began)
        self._doubts.hold(plan.held_traces)
        group = self._group_of(plan)
        for earlier in before:
            self._undecided.follow(earlier, group)
        self._write(plan.folds)

    def _group_of(self, plan: WritePlan) -> PlannedGroup:
        """The group of a plan, with its items in it."""
        writing = [item for fold in plan.folds for item in fold.items]
        group = PlannedGroup(
            traces=plan.fold_traces,
            writing=len(writing),
            waiting_traces=plan.deferred_traces,
            waiting=list(plan.deferred),
            blockers=set(plan.blockers).union(*(one.blockers for one in plan.blockers)),
            together=len(plan.deferred) if plan.blockers else max(_FEWEST, 4 * len(writing)),
        )
        self._undecided.add(group)
        self._planned.update((item.place, group) for item in (*writing, *plan.deferred))
        for item in (*writing, *plan.deferred, *plan.held):
            del self._unplanned[item.place]
        return group

    def _release(self, places: Iterable[int]) -> Iterable[PlannedGroup]:
        """Takes items that were looked up again out of the groups that they were planned with before."""
        again: defaultdict[PlannedGroup, set[int]] = defaultdict(set)
        for place in places:
            if group := self._unplanned[place]:
                again[group].add(place)
        for group, released in again.items():
            self._undecided.end_waiting(group, released)
        return again

    def _decide(
        self,
        decided: Sequence[Decided],
        answered: Sequence[int] = (),
        kept: Sequence[tuple[RecordKey, Unanswered]] = (),
    ) -> None:
        """Records the outcomes. If a folded record fails, each of its events is sent again on its own."""
        self._decisions.record(decided, answered, kept)
        for one in decided:
            is_refused = one.ending.fate == "failed" and one.item.is_folded
            apart = self._apart(one.item) if is_refused else []
            if group := self._planned.pop(one.item.place, None):
                if apart:
                    self._planned.update((item.place, group) for item in apart)
                    self._undecided.wait(group, apart, group.traces)
                self._undecided.end_write(group)
                continue
            self._release([one.item.place])
            del self._unplanned[one.item.place]
            if apart:
                self._unplanned.update((item.place, None) for item in apart)
                self._look_up(apart, is_first=True)

    def _fail_refused(self, queries: Queries) -> None:
        """Ends the items that the org refuses to look up, even if a later query failed altogether."""
        refused = queries.refused.values()
        if refused:
            self._decide([Decided(one.item, Ending("failed", reason=one.reason)) for one in refused])

    def _write(self, folds: Sequence[Fold]) -> None:
        """Sends the writes of the folds; those that need none end here."""
        pending: list[PendingWrite] = []
        decided: list[Decided] = []
        for fold in folds:
            one = plan_write(fold, self._calls)
            if isinstance(one, Ending):
                decided += ended(fold, one)
            elif self._takes(one):
                self._leave(fold.items)
            else:
                pending.append(one)
        if decided:
            self._decide(decided)
        asked = [one.fold.head for one in pending if one.call.verb == "create" and one.fold.head.record.where]
        unsent = _Unsent(pending=pending, is_ready=not asked)
        self._unsent.append(unsent)
        if asked:
            queries = Queries(self._org, self._lookups, self._waiter)
            self._called.look_up(partial(_known, asked, queries), partial(self._note_known, unsent, queries))
        self._send_ready()

    def _note_known(
        self, unsent: _Unsent, queries: Queries, known: Mapping[int, tuple[str, ...]] | SfmapError
    ) -> None:
        """Notes which records already have the keys of creates with a condition, and sends the writes."""
        self._fail_refused(queries)
        if isinstance(known, SfmapError):
            raise known
        unsent.pending = [
            replace(one, known=known.get(one.fold.head.place, ()))
            for one in unsent.pending
            if one.fold.head.place not in queries.refused
        ]
        unsent.is_ready = True
        self._send_ready()

    def _send_ready(self) -> None:
        """Sends writes in the order in which they were planned: the order of creation may matter."""
        while self._unsent and self._unsent[0].is_ready:
            self._queue.add(self._unsent.popleft().pending)

    def _conclude(self, answers: Answers) -> None:
        """Gives items their outcomes where certain, in one transaction with the writes that these settle."""
        known = conclusion_of(answers)
        for sent, refused in known.too_much:
            self._sizes.refused(sent.pending.call, sent.together, refused.message)
        for sent in known.passed:
            self._sizes.passed(sent.pending.call, sent.together)
        if known.loads:
            self._threads.pace.too_many(f"the org refused records: {listed(sorted(known.loads))}")
        self._decide(known.decided, known.settled, kept(item for _, items in known.repeated for item in items))
        for pending, items in known.repeated:
            self._send_again(pending, items)
        self._leave(known.lost)
        if answers.failure:
            raise answers.failure

    def _leave(self, items: Iterable[Item]) -> None:
        """Lets go of items whose outcome comes later: they are held."""
        for item in items:
            self._undecided.end_write(self._planned.pop(item.place))

    def _send_again(self, pending: PendingWrite, items: Sequence[Item]) -> None:
        """Has the items of a write looked up again with others of their group, after a pause if one may help."""
        group = self._planned[items[0].place]
        in_order = [creation(pending.call.object_name)] if pending.call.order_matters else []
        self._undecided.wait(group, items, {*pending.fold.traces, *in_order})
        if _needs_a_pause(items[0]):
            pause = self._waiter.pause(items[0].again.count(items[0].again[-1]))
            group.rests_until = max(group.rests_until, time.monotonic() + pause)
        for _ in items:
            self._undecided.end_write(group)


def _ask(one: _LookUp) -> _LookUp:
    """Looks the items up. An error is kept with those that the org had refused before it."""
    try:
        one.found = look_up(one.items, one.queries)
    except SfmapError as error:
        one.failure = error
    return one


def _known(items: Sequence[Item], queries: Queries) -> Mapping[int, tuple[str, ...]] | SfmapError:
    """The ids that have the keys of these creates, by place, or the error that ended the look-up."""
    try:
        return known_ids(items, queries)
    except SfmapError as error:
        return error


def _needs_a_pause(item: Item) -> bool:
    return bool(item.again) and item.again[-1] in ("locked", "unavailable")
