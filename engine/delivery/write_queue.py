"""Writes that wait to be sent: in batches that are full, and one after the other where their order matters."""

from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from sfmap.engine.delivery.batch_sizes import BatchSizes
from sfmap.engine.delivery.batches import Answers, Sender
from sfmap.engine.delivery.item import Item
from sfmap.engine.delivery.org_threads import OrgCalls
from sfmap.engine.delivery.writes import VERBS, PendingWrite, WriteCall


class WriteQueue:
    """The writes that are not sent yet."""

    def __init__(
        self,
        *,
        calls: OrgCalls,
        sender: Sender,
        sizes: BatchSizes,
        conclude: Callable[[Answers], None],
        send_again: Callable[[PendingWrite, Sequence[Item]], object],
    ) -> None:
        """`conclude` gets the answers to each batch, and `send_again` each write that is not sent."""
        self._calls = calls
        self._sender = sender
        self._sizes = sizes
        self._conclude = conclude
        self._send_again = send_again
        self._rests: dict[WriteCall, list[PendingWrite]] = {}
        """Writes that do not fill a batch yet."""
        self._in_turn: defaultdict[str, deque[Sequence[PendingWrite]]] = defaultdict(deque)
        """By object, the batches of creates whose order matters; the first is under way."""

    def add(self, pending: Sequence[PendingWrite]) -> None:
        """Adds writes, and sends each batch that is full now. Creates whose order matters follow each other."""
        for call, writes in _runs(pending):
            if call.order_matters:
                self._add_in_turn(call, writes)
                continue
            rest = self._rests.setdefault(call, [])
            rest += writes
            while len(rest) >= (size := self._sizes.most(call)):
                self._send(rest[:size])
                del rest[:size]

    def send_rests(self) -> None:
        """Sends what does not fill a batch."""
        rests, self._rests = self._rests, {}
        for call, rest in rests.items():
            for batch in self._batches(call, rest):
                self._send(batch)

    def stop(self) -> None:
        """Sends nothing more."""
        self._sender.stop()

    def _batches(self, call: WriteCall, writes: Sequence[PendingWrite]) -> Iterator[Sequence[PendingWrite]]:
        size = self._sizes.most(call)
        return (writes[start : start + size] for start in range(0, len(writes), size))

    def _send(self, batch: Sequence[PendingWrite]) -> None:
        self._calls.write(partial(self._sender.send, batch), self._conclude)

    def _add_in_turn(self, call: WriteCall, writes: Sequence[PendingWrite]) -> None:
        """Adds writes to the last batch, unless that is under way, and in further ones."""
        batches = self._in_turn[call.object_name]
        is_idle = not batches
        if len(batches) > 1 and batches[-1][0].call == call:
            writes = [*batches.pop(), *writes]
        batches += self._batches(call, writes)
        if is_idle:
            self._send_first(call.object_name)

    def _send_first(self, object_name: str) -> None:
        if batches := self._in_turn[object_name]:
            then = partial(self._conclude_turn, object_name)
            self._calls.write(partial(self._sender.send, batches[0]), then)

    def _conclude_turn(self, object_name: str, answers: Answers) -> None:
        """Goes on with the next batch, unless a create is lost: created after it, others would be the newest."""
        batches = self._in_turn[object_name]
        batches.popleft()
        if answers.is_lost:
            for pending in (pending for batch in batches for pending in batch):
                self._send_again(pending, pending.fold.items)
            batches.clear()
        self._conclude(answers)
        self._send_first(object_name)


def _runs(pending: Sequence[PendingWrite]) -> list[tuple[WriteCall, list[PendingWrite]]]:
    """Groups writes by call; creates whose order matters keep it."""
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
