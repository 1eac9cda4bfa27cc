"""The partitions that the brokers have given to this worker, and what was read of each and not delivered yet.

One thread reads, another one delivers.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sfmap.engine.delivery.call_allowance import CallAllowance
from sfmap.engine.delivery.windows import WINDOW_BYTES, WINDOW_SIZE
from sfmap.engine.sources.kafka.group_consumer import Polled
from sfmap.engine.sources.kafka.topic_messages import TopicMessage

_MOST_WAITING = 64 * 1024 * 1024
"""Bytes of events of all partitions that may have been read and not taken to be delivered."""


@dataclass(slots=True)
class AssignedPartition:
    """One partition. Only the methods of `Assignment` change it."""

    number: int
    offset: int | None = None
    """That of the next event to deliver; None until it is opened, since another worker may still deliver it."""
    waiting: deque[TopicMessage] = field(default_factory=deque)
    size: int = 0
    """Bytes of what waits."""
    since: float = 0.0
    """When the first of what waits has arrived."""
    end: int = 0
    """The end of the partition when it was last reached."""
    begins: float = 0.0
    """When its lease is tried again."""
    is_revoked: bool = False
    is_out_of_range: bool = False
    """Whether the brokers do not have what comes next."""
    is_paused: bool = True
    has_begun: bool = False
    """Whether it has been read since it was opened."""


class Assignment:
    """Thread-safe."""

    def __init__(self, known: Callable[[int], int]) -> None:
        """`known` gives the offset at which a partition goes on, as far as is known before it is opened."""
        self._known = known
        self._changed = threading.Condition()
        self._partitions: dict[int, AssignedPartition] = {}
        self._has_news = False
        """Whether something has arrived or changed since the last wait."""

    # For the reading thread.

    def assign(self, partitions: Sequence[int]) -> Mapping[int, int]:
        offsets = {number: self._known(number) for number in partitions}
        with self._changed:
            self._partitions |= {number: AssignedPartition(number) for number in partitions}
            self._notify()
        return offsets

    def revoke(self, partitions: Sequence[int]) -> None:
        """Has them closed. Until then their leases keep others from delivering them."""
        with self._changed:
            for number in self._partitions.keys() & set(partitions):
                self._partitions[number].is_revoked = True
            self._notify()

    def take(self, polled: Polled) -> None:
        """Adds what has arrived; what arrives of a partition that is not open is read again when it is opened."""
        with self._changed:
            known = self._partitions.items()
            read = {number: one for number, one in known if one.has_begun and not one.is_revoked}
            for message in polled.messages:
                if message.partition in read:
                    self._add(read[message.partition], message)
            for number in read.keys() & polled.ends.keys():
                read[number].end = polled.ends[number]
            for number in read.keys() & set(polled.out_of_range):
                read[number].is_out_of_range = True
            self._notify()

    def to_resume(self) -> dict[int, int | None]:
        """The partitions to be read on; with the offset to begin at if they have just been opened."""
        with self._changed:
            found: dict[int, int | None] = {}
            for one in self._partitions.values():
                is_due = one.is_paused or not one.has_begun
                if is_due and one.offset is not None and not (one.is_revoked or self._is_full(one)):
                    found[one.number] = None if one.has_begun else one.offset
                    one.is_paused, one.has_begun = False, True
            return found

    def to_pause(self) -> list[int]:
        with self._changed:
            all_read = [one for one in self._partitions.values() if not (one.is_paused or one.is_revoked)]
            found = [one for one in all_read if one.offset is None or self._is_full(one)]
            for one in found:
                one.is_paused = True
            return [one.number for one in found]

    # For the delivering thread.

    def partitions(self) -> list[AssignedPartition]:
        with self._changed:
            return list(self._partitions.values())

    def open(self, partition: AssignedPartition, offset: int) -> None:
        """Has it read from an offset on."""
        with self._changed:
            partition.offset = offset
            self._notify()

    def window(self, partition: AssignedPartition, linger: float, allowance: CallAllowance) -> list[TopicMessage]:
        """What is to be delivered now: a full window, or if calls may be made, what has waited for so long."""
        with self._changed:
            is_old = partition.waiting and time.monotonic() >= partition.since + linger
            due = is_old and not allowance.due_in()
            if partition.is_revoked or not (due or self._has_window(partition)):
                return []
            return self._taken(partition)

    def reset(self, partition: AssignedPartition, begins: float) -> None:
        """Has it opened again, not before a time."""
        with self._changed:
            partition.waiting.clear()
            partition.size, partition.end, partition.offset = 0, 0, None
            partition.has_begun, partition.is_out_of_range, partition.begins = False, False, begins

    def close(self, partition: AssignedPartition) -> None:
        """Forgets it: nothing more is delivered of it."""
        with self._changed:
            if self._partitions.get(partition.number) is partition:  # it may be assigned again by now
                del self._partitions[partition.number]

    def wait(self, seconds: float) -> None:
        """Waits until something has arrived or changed since the last wait, or a call has finished."""
        with self._changed:
            self._changed.wait_for(lambda: self._has_news, seconds)
            self._has_news = False

    # For the threads of calls.

    def note_call(self) -> None:
        """Notes that a call of a delivery has finished."""
        with self._changed:
            self._notify()

    def _notify(self) -> None:
        self._has_news = True
        self._changed.notify_all()

    def _is_full(self, partition: AssignedPartition) -> bool:
        """Whether nothing more is read until some of it is delivered: each partition has the same share."""
        share = min(2 * WINDOW_BYTES, _MOST_WAITING // len(self._partitions))
        return len(partition.waiting) >= 2 * WINDOW_SIZE or partition.size >= share

    def _has_window(self, partition: AssignedPartition) -> bool:
        is_large = len(partition.waiting) >= WINDOW_SIZE or partition.size >= WINDOW_BYTES
        return is_large or self._is_full(partition)

    @staticmethod
    def _add(partition: AssignedPartition, message: TopicMessage) -> None:
        if not partition.waiting:
            partition.since = time.monotonic()
        partition.waiting.append(message)
        partition.size += message.size

    @staticmethod
    def _taken(partition: AssignedPartition) -> list[TopicMessage]:
        window: list[TopicMessage] = []
        size = 0
        while partition.waiting and len(window) < WINDOW_SIZE and size < WINDOW_BYTES:
            window.append(partition.waiting.popleft())
            size += window[-1].size
        partition.size -= size
        return window
