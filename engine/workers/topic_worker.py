"""Delivers the partitions of a topic that the brokers give to this worker, until it is told to stop."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass, replace
from functools import partial

from sfmap.engine.delivery.call_allowance import CallAllowance
from sfmap.engine.delivery.deliver_all import RunListener, RunOptions, make_delivery
from sfmap.engine.delivery.org_threads import OrgThreads
from sfmap.engine.delivery.pipeline import have_room
from sfmap.engine.delivery.waiter import StopRequested
from sfmap.engine.delivery.write_pace import WritePace
from sfmap.engine.errors import SfmapError
from sfmap.engine.journal.database import Database, JournalFailed, JournalOutOfReach
from sfmap.engine.journal.ledger import Ledger
from sfmap.engine.journal.project_state import Lease, LeaseLost, LeaseTaken
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.org.bulk_port import BulkOrg
from sfmap.engine.org.port import Org
from sfmap.engine.sources.event_source import Position, SourceFailed
from sfmap.engine.sources.kafka.group_consumer import GroupConsumer
from sfmap.engine.sources.kafka.kafka_errors import BrokersAway
from sfmap.engine.sources.kafka.topic import Topic
from sfmap.engine.sources.kafka.topic_description import TopicDescriber
from sfmap.engine.sources.kafka.topic_messages import PartitionStart, TopicMessage
from sfmap.engine.workers.assignment import AssignedPartition, Assignment
from sfmap.engine.workers.dead_letter_topic import DeadLetterTopic, LetterListener
from sfmap.engine.workers.partition_delivery import (
    PartitionDelivery,
    PartitionPlace,
    begin_partition,
    journal_name,
)
from sfmap.engine.workers.topic_check import check_partitions_of
from sfmap.engine.workers.topic_growth import TopicGrowth

_POLL_SECONDS = 0.1
_COMMIT_SECONDS = 5.0
_LEASE_SECONDS = 0.5
_JOURNAL_SECONDS = 2.0
_LOOK_SECONDS = 5.0
_GROWTH_SECONDS = 1.0


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
    bulk: BulkOrg
    """Its bulk jobs, which this waits for and begins none of."""
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
    lease: Lease
    ending: ExitStack
    """Gives the lease back."""


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
        self._threads = OrgThreads(WritePace(ports.options.connections), self._assignment.note_call)
        self._allowance = CallAllowance(ports.org)
        self._open: dict[int, _Open] = {}
        self._delivered: dict[int, int] = {}
        """By partition, the offset of the first event that is not delivered, for displays of the lag."""
        self.held = 0
        """How many records waited for a write in doubt when it ended."""
        self._restarted: set[int] = set()
        self._growth = TopicGrowth(topic, self._describer, ports.key, ports.lease, ports.options.say)
        self._letters = (
            DeadLetterTopic(topic.settings, ports.journal, ports.key) if topic.settings.dead_letters else None
        )
        self._deliverable = 0
        """How many partitions may be delivered."""
        self._next_look = 0.0
        self._next_wish = 0.0
        self._trouble = ""
        """What was said last about what keeps it from delivering."""
        self._is_over = threading.Event()
        self._failure: Exception | None = None

    def run(self) -> None:
        """Raises `StopRequested`, and what delivery, the journal or the brokers raise."""
        described = self._describer.describe()
        check_partitions_of(self._topic, described, self._ports.mapper)
        ends = self._ends(described.partitions) if self._options.until_end else None
        if ends is not None and self._are_reached(ends):
            return  # a member that leaves as soon as it has joined would make the others wait
        reading = threading.Thread(target=self._read, name="reading")
        reading.start()
        try:
            while ends is None or not self._are_reached(ends):
                self._turn()
        finally:
            try:
                self._end()
            finally:
                self._is_over.set()
                reading.join()

    def _end(self) -> None:
        opened = list(self._open.values())
        self._close_all()
        self.held = sum(one.delivery.held for one in opened)
        self._delivered = {one.partition.number: one.delivery.offset for one in opened}

    def _turn(self) -> None:
        """Gives each partition a turn, or waits if none has anything to do."""
        if self._ports.options.should_stop():
            raise StopRequested
        if self._failure:
            raise self._failure
        try:
            self._give_way()
            self._look_at_topic()
            has_taken = [self._handle(one) for one in self._assignment.partitions()]
        except (LeaseLost, JournalOutOfReach) as lost:
            self._begin_again(lost)
        except BrokersAway as away:
            self._wait_after(f"{away}. Delivery goes on as soon as one answers.")
        else:
            if not any(has_taken):
                self._assignment.wait(_POLL_SECONDS)

    def _look_at_topic(self) -> None:
        """Looks whether it is the same topic, with the same partitions. Raises `SourceFailed`."""
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + _LOOK_SECONDS
        described = self._describer.describe()
        if not all(one.delivery.is_of(described) for one in self._open.values()):
            raise SourceFailed(f"{self._topic.name}: the topic was created again while it was delivered")
        check_partitions_of(self._topic, described, self._ports.mapper)
        self._deliverable = self._growth.deliverable(
            described,
            self._ports.journal,
            self._known_offset,
            restart=self._options.restart and not self._deliverable,
        )
        if self._deliverable < described.partitions:
            self._next_look = time.monotonic() + _GROWTH_SECONDS

    def _handle(self, partition: AssignedPartition) -> bool:
        """Does what is next for a partition; returns whether it has taken events."""
        opened = self._open.get(partition.number)
        if opened and opened.partition.is_revoked:
            if opened.delivery.stop():
                self._close(opened)
        elif partition.is_revoked:
            self._assignment.close(partition)
        elif opened and partition.is_out_of_range and not (partition.waiting or opened.delivery.is_busy):
            self._forget(opened, 0.0)  # it is opened again, if the brokers have what comes next
        elif opened:
            return self._deliver(opened)
        elif partition.number < self._deliverable and time.monotonic() >= partition.begins:
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
            options = replace(ports.options, bulk_asked="never")
            letters = LetterListener(ports.listener, self._letters, ledger, place.name) if self._letters else None
            opened = PartitionDelivery(
                delivery=make_delivery(
                    ports.mapper,
                    ports.org,
                    ledger,
                    options,
                    letters or ports.listener,
                    partial(self._committed, letters),
                    ports.bulk,
                    self._threads,
                ),
                ledger=ledger,
                reader=self._topic.reader,
                place=place,
                start=start,
                letters=letters,
            )
            self._open[number] = _Open(partition, opened, lease, stack.pop_all())
        self._trouble = ""
        self._delivered[number] = start.offset
        self._assignment.open(partition, start.offset)

    def _wait_for_lease(self, partition: AssignedPartition, taken: LeaseTaken) -> None:
        if not partition.begins:
            self._ports.options.say(f"{self._topic.name}[{partition.number}] waits: {taken}.")
        partition.begins = time.monotonic() + _LEASE_SECONDS

    def _committed(self, letters: LetterListener | None, position: Position) -> None:
        if letters:
            letters.end(position.number)
        self._ports.on_commit(position)

    def _deliver(self, one: _Open) -> bool:
        """Goes on with the partition, and takes its next window if it is time for it; returns whether it was."""
        window: Sequence[TopicMessage] = ()
        try:
            one.delivery.go_on()
            if self._has_room(one):
                window = self._assignment.window(one.partition, self._options.linger, self._allowance)
            if window:
                one.delivery.take(window)
        except BrokersAway:  # which would have taken dead letters: the window is not committed
            self._forget(one, _JOURNAL_SECONDS)
            raise
        self._delivered[one.partition.number] = one.delivery.offset
        end = one.partition.end  # before what waits: a later end may come with events
        is_idle = not (window or one.partition.waiting or one.delivery.is_busy or one.delivery.held)
        if is_idle and end > one.delivery.offset:
            one.delivery.pass_end(end)
        return bool(window)

    def _has_room(self, one: _Open) -> bool:
        """Whether it may take a window: the first one, or more to keep the connections full."""
        if not one.delivery.delivery.can_take(len(self._open)):
            return False
        return not one.delivery.is_busy or have_room([each.delivery.delivery for each in self._open.values()])

    def _give_way(self) -> None:
        """Gives up all leases if a run waits for the org; they are taken again when it has ended."""
        if not self._open or time.monotonic() < self._next_wish:
            return
        self._next_wish = time.monotonic() + _LEASE_SECONDS
        if next(iter(self._open.values())).lease.is_wanted():
            self._ports.options.say("Another command delivers to this org first.")
            self._give_up_leases()

    def _begin_again(self, lost: SfmapError) -> None:
        """Gives up all leases: none is sure any longer. They are taken again."""
        self._give_up_leases()
        self._wait_after(f"{lost}. Nothing is sent until the journal can be used again.")

    def _give_up_leases(self) -> None:
        for one in self._open.values():
            self._assignment.reset(one.partition, time.monotonic() + _JOURNAL_SECONDS)
        self._close_all()

    def _wait_after(self, trouble: str) -> None:
        """Waits a moment, and says why: once, until a partition can be opened again."""
        if trouble != self._trouble:
            self._ports.options.say(trouble)
        self._trouble = trouble
        self._assignment.wait(_LEASE_SECONDS)

    def _forget(self, one: _Open, seconds: float) -> None:
        """Closes the partition, to be opened again after so long."""
        self._assignment.reset(one.partition, time.monotonic() + seconds)
        self._close(one)

    def _close_all(self) -> None:
        opened = list(self._open.values())
        for one in opened:
            one.delivery.stop()  # while the calls of the first are waited for, the others send nothing more
        for one in opened:
            self._close(one)

    def _close(self, one: _Open) -> None:
        del self._open[one.partition.number]
        self._delivered.pop(one.partition.number, None)
        with suppress(JournalFailed, LeaseLost, BrokersAway):  # what is not committed is delivered again
            one.delivery.close()
        with suppress(JournalFailed):  # the database frees what it could not be told
            one.ending.close()

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

    def _are_reached(self, ends: Mapping[int, int]) -> bool:
        """Whether all has been delivered up to there, by this worker or others."""
        return all(self._is_reached(number, end) for number, end in ends.items())

    def _is_reached(self, number: int, end: int) -> bool:
        """Whether the partition has been delivered up to there, and no record waits or is on its way."""
        if self._options.restart and number not in self._restarted:
            return False
        if opened := self._open.get(number):
            delivery = opened.delivery
            return delivery.offset >= end and not (delivery.is_busy or delivery.held)
        return self._known_offset(number) >= end and not self._ledger(number).held()

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
                assignment.take(polled)
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
