"""Delivers the partitions of a topic that the brokers give to this worker, until it is told to stop."""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass, replace

from sfmap.engine.delivery.deliver_all import RunListener, RunOptions, make_delivery
from sfmap.engine.delivery.partitioning import dependences
from sfmap.engine.delivery.waiter import StopRequested
from sfmap.engine.errors import SfmapError
from sfmap.engine.journal.database import Database, JournalFailed, JournalOutOfReach
from sfmap.engine.journal.ledger import Ledger
from sfmap.engine.journal.project_state import Lease, LeaseLost, LeaseTaken
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.org.port import Org
from sfmap.engine.sources.event_source import Position, SourceFailed
from sfmap.engine.sources.kafka.group_consumer import GroupConsumer
from sfmap.engine.sources.kafka.topic import Topic
from sfmap.engine.sources.kafka.topic_description import TopicDescriber
from sfmap.engine.sources.kafka.topic_messages import PartitionStart
from sfmap.engine.workers.assignment import AssignedPartition, Assignment
from sfmap.engine.workers.partition_delivery import (
    PartitionDelivery,
    PartitionPlace,
    begin_partition,
    journal_name,
)

_POLL_SECONDS = 0.1
_COMMIT_SECONDS = 5.0
_LEASE_SECONDS = 0.5
_JOURNAL_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerOptions:
    linger: float
    """Seconds that the first event of a window waits for others."""
    until_end: bool = False
    """Whether it ends when everything has been delivered that the topic has when it begins."""
    restart: bool = False
    """Whether each partition begins at its oldest event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerPorts:
    """What a worker delivers with."""

    journal: Database
    """To read."""
    lease: Callable[[str], AbstractContextManager[Lease]]
    """The right to deliver a part of the events. Raises `LeaseTaken`."""
    org: Org
    key: str
    """The org in the journal."""
    mapper: Mapper
    options: RunOptions
    listener: RunListener
    on_commit: Callable[[Position], object] = lambda position: None


@dataclass(slots=True)
class _Open:
    """A partition that is being delivered."""

    partition: AssignedPartition
    delivery: PartitionDelivery
    lease: ExitStack


class TopicWorker:
    """Use it once."""

    def __init__(self, topic: Topic, options: WorkerOptions, ports: WorkerPorts) -> None:
        """Raises `ExtraMissing` or `SourceFailed`."""
        self._topic = topic
        self._options = options
        self._ports = ports
        self._describer = TopicDescriber(topic.settings)
        self._assignment = Assignment(self._known_offset)
        self._consumer = GroupConsumer(topic.settings, self._assignment)
        self._open: dict[int, _Open] = {}
        self._delivered: dict[int, int] = {}
        """By partition, the offset of the first event that is not delivered, for displays of the lag."""
        self._restarted: set[int] = set()
        self._is_over = threading.Event()
        self._failure: Exception | None = None

    def run(self) -> None:
        """Raises `StopRequested`, and what delivery, the journal or the brokers raise."""
        described = self._describer.describe()
        self._check_partitions(described.partitions)
        ends = self._ends(described.partitions) if self._options.until_end else None
        if ends is not None and self._has_nothing_to_do(ends):
            return  # a member that leaves as soon as it has joined would make the others wait
        reading = threading.Thread(target=self._read, name="reading")
        reading.start()
        try:
            while ends is None or not self._are_reached(ends):
                self._turn()
        finally:
            self._is_over.set()
            for one in list(self._open.values()):
                self._close(one)
            self._assignment.close_all()
            reading.join()

    def _check_partitions(self, count: int) -> None:
        """Raises `SourceFailed` if the mappings need all events in one order, and the topic has several."""
        reasons = dependences(self._ports.mapper.mappings)
        if count > 1 and reasons and not self._topic.may_be_relaxed:
            more = f" ({len(reasons) - 1} more reasons)" if len(reasons) > 1 else ""
            raise SourceFailed(
                f"{self._topic.name}: the topic has {count} partitions, and these mappings are safe with one only:"
                f" {reasons[0]}{more}. See sfmap check --source {self._topic.name}; order: relaxed in sfmap.yaml"
                " delivers it all the same"
            )

    @property
    def held(self) -> int:
        return sum(one.delivery.held for one in self._open.values())

    def _turn(self) -> None:
        """Gives each partition a turn, or waits if none has anything to do."""
        if self._ports.options.should_stop():
            raise StopRequested
        if self._failure:
            raise self._failure
        try:
            has_delivered = [self._handle(one) for one in self._assignment.partitions()]
        except (LeaseLost, JournalOutOfReach) as lost:
            self._begin_again(lost)
        else:
            if not any(has_delivered):
                self._assignment.wait(_POLL_SECONDS)

    def _handle(self, partition: AssignedPartition) -> bool:
        """Does what is next for a partition; returns whether it has delivered events."""
        opened = self._open.get(partition.number)
        if partition.is_revoked:
            if opened:
                self._close(opened)
            self._assignment.close(partition)
        elif opened:
            return self._deliver(opened)
        elif time.monotonic() >= partition.begins:
            self._begin(partition)
        return False

    def _begin(self, partition: AssignedPartition) -> None:
        """Takes the lease of the partition, and delivers it from where the journal says."""
        ports, number = self._ports, partition.number
        with ExitStack() as stack:
            try:
                lease = stack.enter_context(ports.lease(f"{self._topic.name} {number}"))
            except LeaseTaken as taken:  # by the worker that had the partition before, and may still write
                self._wait_for_lease(partition, taken)
                return
            ledger = Ledger(lease.database, ports.key, journal_name(self._topic.name, number))
            place = self._place(number)
            start = begin_partition(ledger, place, restart=self._restarts(number))
            options = replace(ports.options, should_stop=lambda: self._must_pause(partition))
            delivery = make_delivery(ports.mapper, ports.org, ledger, options, ports.listener, ports.on_commit)
            opened = PartitionDelivery(delivery, self._topic.reader, place, start)
            self._open[number] = _Open(partition, opened, stack.pop_all())
        self._delivered[number] = start.offset
        self._assignment.open(partition, start.offset)

    def _wait_for_lease(self, partition: AssignedPartition, taken: LeaseTaken) -> None:
        if not partition.begins:
            self._ports.options.say(f"{self._topic.name}[{partition.number}] waits: {taken}.")
        partition.begins = time.monotonic() + _LEASE_SECONDS

    def _deliver(self, one: _Open) -> bool:
        """Delivers the next window of the partition, if it is time for it; returns whether it was."""
        window = self._assignment.window(one.partition, self._options.linger)
        if not window and not one.delivery.held:
            return False
        try:
            one.delivery.deliver(window)
        except StopRequested:
            if not one.partition.is_revoked:
                raise
        self._delivered[one.partition.number] = one.delivery.offset
        return bool(window)

    def _begin_again(self, lost: SfmapError) -> None:
        """Gives up all leases: none is sure any longer. They are taken again."""
        self._ports.options.say(f"{lost}. Nothing is sent until the journal can be used again.")
        for one in list(self._open.values()):
            self._assignment.reset(one.partition, time.monotonic() + _JOURNAL_SECONDS)
            self._close(one)
        self._assignment.wait(_POLL_SECONDS)

    def _close(self, one: _Open) -> None:
        del self._open[one.partition.number]
        self._delivered.pop(one.partition.number, None)
        with suppress(JournalFailed):  # the database frees what it could not be told
            one.lease.close()

    def _must_pause(self, partition: AssignedPartition) -> bool:
        return partition.is_revoked or self._ports.options.should_stop()

    def _restarts(self, number: int) -> bool:
        """Whether the partition begins at its oldest event: once."""
        first = self._options.restart and number not in self._restarted
        self._restarted.add(number)
        return first

    def _place(self, number: int) -> PartitionPlace:
        topic, offsets = self._describer.describe(), self._describer.range(number)
        return PartitionPlace(source=self._topic.name, number=number, topic=topic, offsets=offsets)

    def _known_offset(self, number: int) -> int:
        """Where the partition goes on, as far as the journal says before the lease is taken."""
        start = self._known(number)
        return start.offset if start else 0

    def _known(self, number: int) -> PartitionStart | None:
        known = self._ledger(number).checkpoint()
        return PartitionStart.read(known.position) if known else None

    def _ledger(self, number: int) -> Ledger:
        """To read."""
        return Ledger(self._ports.journal, self._ports.key, journal_name(self._topic.name, number))

    def _ends(self, partitions: int) -> Mapping[int, int]:
        return {number: self._describer.range(number).high for number in range(partitions)}

    def _has_nothing_to_do(self, ends: Mapping[int, int]) -> bool:
        """Whether all has been delivered up to there, and no record waits for a write in doubt."""
        return not self._options.restart and all(
            self._is_reached(number, end) and not self._ledger(number).held() for number, end in ends.items()
        )

    def _are_reached(self, ends: Mapping[int, int]) -> bool:
        """Whether all has been delivered up to there, by this worker or others."""
        return not self.held and all(self._is_reached(number, end) for number, end in ends.items())

    def _is_reached(self, number: int, end: int) -> bool:
        opened = self._open.get(number)
        if opened:  # what is not an event, such as the end of a transaction, has an offset too
            return opened.delivery.offset >= end or (opened.partition.end >= end and not opened.partition.waiting)
        return self._known_offset(number) >= end

    def _read(self) -> None:
        """The reading thread: takes and gives up partitions, and reads those that have room."""
        consumer, assignment = self._consumer, self._assignment
        committed: dict[int, int] = {}
        next_commit = time.monotonic() + _COMMIT_SECONDS
        try:
            consumer.join()
            while not self._is_over.is_set():
                for number, offset in assignment.to_resume().items():
                    consumer.resume(number, offset)
                for number in assignment.to_pause():
                    consumer.pause(number)
                polled = consumer.poll(_POLL_SECONDS)
                assignment.take(polled.messages, polled.ends)
                if time.monotonic() > next_commit:
                    committed = self._commit(committed)
                    next_commit = time.monotonic() + _COMMIT_SECONDS
        except Exception as error:  # noqa: BLE001 - raised again by the delivering thread
            self._failure = error
            self._is_over.wait()
        finally:
            self._commit(committed)
            consumer.leave()

    def _commit(self, committed: dict[int, int]) -> dict[int, int]:
        delivered = dict(self._delivered)
        if changed := {number: offset for number, offset in delivered.items() if committed.get(number) != offset}:
            self._consumer.commit(changed)
        return delivered
