"""Delivers one window of items: looks them up, plans, writes them in batches, and gives each an outcome.

Each item is looked up before it is written, so delivering the same events again updates their records.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from sfmap.engine.delivery.batch_sizes import BatchSizes
from sfmap.engine.delivery.batches import Answers, Lost, Sender, Sent, batch_items
from sfmap.engine.delivery.folding import Fold, WritePlan, plan_writes
from sfmap.engine.delivery.in_doubt import Doubts, kept
from sfmap.engine.delivery.item import Item, Lookups
from sfmap.engine.delivery.lookup import known_ids, look_up
from sfmap.engine.delivery.outcome import Answer, Ending
from sfmap.engine.delivery.outcome_table import Decided, Decisions
from sfmap.engine.delivery.query import Queries
from sfmap.engine.delivery.refusals import is_too_much, to_send_again
from sfmap.engine.delivery.waiter import Waiter
from sfmap.engine.delivery.writes import VERBS, PendingWrite, WriteCall, WriteCalls, plan_write
from sfmap.engine.journal.entries import RecordKey, Unanswered
from sfmap.engine.journal.ledger import Ledger
from sfmap.engine.org.port import Org, Refused, Written

_MOST_LOST = 6
"""The number of lost answers after which a record counts as failed."""
_FEWEST = 32
"""The fewest deferred items that are looked up together, even if fewer were written the last time."""


def _place(item: Item) -> int:
    return item.place


@dataclass(frozen=True, slots=True)
class _Turn:
    """What is left of batches that were sent one after the other."""

    again: Sequence[Item]
    is_halted: bool = False
    """Whether a create whose order matters is lost: created after it, others would be the newest."""


class Window:
    """The writes of one window."""

    def __init__(
        self,
        *,
        org: Org,
        lookups: Lookups,
        ledger: Ledger,
        doubts: Doubts,
        waiter: Waiter,
        connections: int,
        sizes: BatchSizes,
        decisions: Decisions,
        apart: Callable[[Item], list[Item]],
    ) -> None:
        """`apart` makes the items of the events that were folded into an item."""
        self._org = org
        self._sender = Sender(org, doubts, waiter, connections)
        self._calls = WriteCalls(lookups)
        self._lookups = lookups
        self._ledger = ledger
        self._doubts = doubts
        self._waiter = waiter
        self._sizes = sizes
        self._decisions = decisions
        self._apart = apart

    def deliver(self, items: Sequence[Item]) -> None:
        """Writes the items so that the result in the org is the same as after one write each, in order.

        Those without an outcome must wait until a write in doubt is settled. Raises `OrgError`, `StopRequested` or
        `JournalFailed`.
        """
        together = len(items)
        while items:
            # A chain of dependent items shrinks by one each round, so at most four times the number that ended in
            # the last round are looked up in the next.
            current, later = self._not_overtaken(items[:together]), items[together:]
            again: list[Item] = []
            plan = self._plan(current, again)
            self._write(plan.folds, again)
            left = sorted([*again, *plan.deferred], key=_place)
            if current:
                together = max(_FEWEST, 4 * (len(current) - len(left)))
            items = [*left, *later]

    def _not_overtaken(self, items: Sequence[Item]) -> list[Item]:
        """The items, without those for whose identity a newer event was written: these end here."""
        guarded = [(item, item.moment) for item in items if item.moment and item.moment.time]
        if not guarded:
            return list(items)
        newest = self._ledger.newest(list({moment.identity for _, moment in guarded}))
        overtaken = [item for item, moment in guarded if moment.time < newest.get(moment.identity, "")]
        if overtaken:
            reason = "a newer event was written for the same record: timestamp_guard"
            self._decisions.record(Decided(item, Ending("skipped", reason=reason)) for item in overtaken)
        places = {item.place for item in overtaken}
        return [item for item in items if item.place not in places]

    def _decide(
        self,
        decided: Sequence[Decided],
        again: list[Item],
        answered: Sequence[int] = (),
        kept: Sequence[tuple[RecordKey, Unanswered]] = (),
    ) -> None:
        """Records the outcomes. If a folded record fails, each of its events is sent again on its own."""
        self._decisions.record(decided, answered, kept)
        for one in decided:
            if one.ending.fate == "failed" and one.item.is_folded:
                again += self._apart(one.item)

    def _plan(self, items: Sequence[Item], again: list[Item]) -> WritePlan:
        """Looks the items up, and plans their writes; adds the items to send again."""
        queries = Queries(self._org, self._lookups, self._waiter)
        try:
            found = look_up(items, queries)
        finally:
            self._fail_refused(queries, again)
        plan = plan_writes(found, self._lookups, self._doubts.traces(), self._doubts.writes())
        self._doubts.hold(plan.held_traces)
        return plan

    def _fail_refused(self, queries: Queries, again: list[Item]) -> None:
        """Ends the items that the org refuses to look up, even if a later query failed altogether."""
        refused = queries.refused.values()
        if refused:
            self._decide([Decided(one.item, Ending("failed", reason=one.reason)) for one in refused], again)

    def _write(self, folds: Sequence[Fold], again: list[Item]) -> None:
        """Writes the folds, batch by batch, and adds the items to send again.

        The answers of a batch are in the journal before the next is sent. So are the outcomes of items that end
        without a write, since a write may change what they saw.
        """
        halted: set[str] = set()
        for call, pending in _runs(self._with_known(self._pending(folds, again), again)):
            if call.object_name in halted and call.order_matters:
                again += batch_items(pending)
                continue
            size = self._sizes.most(call)
            batches = [pending[start : start + size] for start in range(0, len(pending), size)]
            if self._sender.sends_together(batches):
                again += self._send_together(batches)
            else:
                turn = self._send_in_turn(batches)
                again += turn.again
                halted |= {call.object_name} if turn.is_halted else set()
        pauses = [item.again.count(item.again[-1]) for item in again if _needs_a_pause(item)]
        if pauses:
            self._waiter.pause(max(pauses))

    def _pending(self, folds: Sequence[Fold], again: list[Item]) -> list[PendingWrite]:
        """The writes of the folds; those that need none end here."""
        pending: list[PendingWrite] = []
        ended: list[Decided] = []
        for fold in folds:
            one = plan_write(fold, self._calls)
            if isinstance(one, Ending):
                ended += _ends(fold, one)
            else:
                pending.append(one)
        if ended:
            self._decide(ended, again)
        return pending

    def _with_known(self, pending: Sequence[PendingWrite], again: list[Item]) -> Sequence[PendingWrite]:
        """Adds to creates with a condition the records that already have their keys."""
        asked = [one.fold.head for one in pending if one.call.verb == "create" and one.fold.head.record.where]
        if not asked:
            return pending
        queries = Queries(self._org, self._lookups, self._waiter)
        try:
            known = known_ids(asked, queries)
        finally:
            self._fail_refused(queries, again)
        return [
            replace(one, known=known.get(one.fold.head.place, ()))
            for one in pending
            if one.fold.head.place not in queries.refused
        ]

    def _send_in_turn(self, batches: Sequence[Sequence[PendingWrite]]) -> _Turn:
        """Sends one batch after the other."""
        again: list[Item] = []
        for number, batch in enumerate(batches, 1):
            answers = self._sender.send(batch)
            again += self._conclude(answers)
            if answers.failure:
                raise answers.failure
            if batch[0].call.order_matters and answers.is_lost:
                again += (item for later in batches[number:] for item in batch_items(later))
                return _Turn(again, is_halted=True)
        return _Turn(again)

    def _send_together(self, batches: Sequence[Sequence[PendingWrite]]) -> list[Item]:
        """Sends the batches on several connections; returns the items to send again."""
        again: list[Item] = []
        failures = []
        for answers in self._sender.send_together(batches):
            again += self._conclude(answers)
            failures += [answers.failure] if answers.failure else []
        if failures:
            raise failures[0]
        return again

    def _conclude(self, answers: Answers) -> list[Item]:
        """Gives items their outcomes where certain, in one transaction with the writes that these settle.

        Returns the items to send again.
        """
        decided: list[Decided] = []
        settled: set[int] = set()
        repeated: list[Item] = []
        passed: dict[int, Sent] = {}
        for sent in answers.sent:
            if isinstance(sent.result, Lost):
                decided += _after_loss(sent, sent.result)
                continue
            settled.add(sent.number)
            if isinstance(sent.result, Written):
                decided += _written(sent, sent.result)
                passed[sent.number] = sent
                continue
            if is_too_much(sent.result):
                self._sizes.refused(sent.pending.call, sent.together, sent.result.message)
            if (items := to_send_again(sent, sent.result)) is not None:
                repeated += items
            else:
                decided.append(_refused(sent, sent.result))
        for sent in passed.values():
            self._sizes.passed(sent.pending.call, sent.together)
        apart: list[Item] = []
        self._decide(decided, apart, sorted(settled), kept(repeated))
        return [*repeated, *apart]


def _runs(pending: Sequence[PendingWrite]) -> list[tuple[WriteCall, list[PendingWrite]]]:
    """Groups writes by call, verb by verb; creates whose order matters keep it."""
    runs: list[tuple[WriteCall, list[PendingWrite]]] = []
    open_runs: dict[WriteCall, list[PendingWrite]] = {}
    last: dict[str, WriteCall] = {}
    for one in pending:
        call = one.call
        if call not in open_runs or (call.order_matters and last[call.object_name] != call):
            open_runs[call] = []
            runs.append((call, open_runs[call]))
        open_runs[call].append(one)
        if call.order_matters:
            last[call.object_name] = call
    return sorted(runs, key=lambda run: VERBS.index(run[0].verb))


def _ends(fold: Fold, ending: Ending) -> Iterator[Decided]:
    """The outcome of each item: after a create, the further ones found the record."""
    fates = fold.fates() if ending.fate == "created" else [ending.fate] * len(fold.items)
    for item, fate in zip(fold.items, fates, strict=True):
        yield Decided(item, replace(ending, fate=fate))


def _after_loss(sent: Sent, result: Lost) -> Iterator[Decided]:
    """The outcomes of items that are not tried again after a lost answer; the others wait."""
    for item in sent.pending.fold.items:
        times = item.unanswered.losses + 1 if item.unanswered else 1
        if sent.pending.call.verb == "create" and not sent.pending.fold.head.is_found_again:
            reason = f"{result.reason} It is not known whether the record was created, and no lookup can find it"
            yield Decided(item, Ending("failed", reason=reason, may_be_created=True))
        elif times > _MOST_LOST:
            yield Decided(item, Ending("failed", reason=f"{result.reason} (tried {times} times)"))


def _needs_a_pause(item: Item) -> bool:
    return bool(item.again) and item.again[-1] in ("locked", "unavailable")


def _refused(sent: Sent, refused: Refused) -> Decided:
    pending = sent.pending
    head = pending.fold.head
    answer = Answer(
        code=refused.code,
        verb=pending.call.verb,
        place=sent.place,
        together=sent.together,
        tries=len(head.again) + 1,
    )
    return Decided(
        head,
        Ending(
            "failed",
            id=pending.write.id,
            reason=f"{refused.code}: {refused.message}",
            notes=pending.notes,
            answer=answer,
        ),
    )


def _written(sent: Sent, written: Written) -> Iterator[Decided]:
    pending = sent.pending
    first, *further = pending.fates
    fates = (pending.call.fate(written, first), *further)
    for item, fate in zip(pending.fold.items, fates, strict=True):
        yield Decided(item, Ending(fate, written.id, notes=pending.notes))
