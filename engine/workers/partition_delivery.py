"""Delivers one partition: its journal, its position, and its events in windows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sfmap.engine.delivery.pipeline import Delivery
from sfmap.engine.journal.entries import Commit
from sfmap.engine.journal.ledger import Ledger
from sfmap.engine.messages.hints import again, command_line
from sfmap.engine.sources.event_source import SourceFailed
from sfmap.engine.sources.kafka.topic_description import OffsetRange, TopicDescription
from sfmap.engine.sources.kafka.topic_messages import MessageReader, PartitionStart, TopicMessage
from sfmap.engine.workers.dead_letter_topic import LetterListener


def journal_name(source: str, partition: int) -> str:
    """The name of a partition as a source in the journal."""
    return f"kafka {source} {partition}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionPlace:
    """A partition as the brokers have it now."""

    source: str
    number: int
    topic: TopicDescription
    offsets: OffsetRange

    @property
    def name(self) -> str:
        """How messages name it."""
        return f"{self.source}[{self.number}]"


def begin_partition(ledger: Ledger, place: PartitionPlace, *, restart: bool) -> PartitionStart:
    """Where the journal says that the partition goes on; a new one begins at its oldest event.

    Raises `SourceFailed` if the topic no longer has what comes next, or is another one: with `restart` it begins
    at the oldest event.
    """
    known = ledger.checkpoint()
    start = PartitionStart.read(known.position) if known else None
    if known is None or start is None:
        start = PartitionStart(cluster=place.topic.cluster, topic=place.topic.id, offset=place.offsets.low)
        ledger.begin(start.position(place.number))
        return start
    if restart:
        before = max(known.position.number, ledger.number_of_others())
        start = PartitionStart(
            cluster=place.topic.cluster,
            topic=place.topic.id,
            base=before - place.offsets.low,
            offset=place.offsets.low,
        )
        ledger.begin_with_other_events(start.position(place.number))
        return start
    _check(start, place)
    return start


def _check(start: PartitionStart, place: PartitionPlace) -> None:
    """Raises `SourceFailed`."""
    if not start.is_of(place.topic):
        why = "this is another topic of the same name, or another cluster, than the one that was delivered before"
    elif start.offset < place.offsets.low:
        lost = place.offsets.low - start.offset
        why = (
            f"the next event to deliver has the offset {start.offset:,}, and the oldest one that is left"
            f" {place.offsets.low:,}: up to {lost:,} events were removed before they were delivered"
        )
    elif start.offset > place.offsets.high:
        why = (
            f"events up to the offset {start.offset:,} have been delivered, and the topic ends at"
            f" {place.offsets.high:,}: it was truncated, or created again"
        )
    else:
        return
    raise SourceFailed(
        f"{place.name}: {why}. Nothing more is delivered. To go on with the oldest event that is left:"
        f" {again('--restart') or command_line('run', '--source', place.source, '--restart')}"
    )


class PartitionDelivery:
    """The delivery of a partition that this worker has the lease of."""

    def __init__(
        self,
        *,
        delivery: Delivery,
        ledger: Ledger,
        reader: MessageReader,
        place: PartitionPlace,
        start: PartitionStart,
        letters: LetterListener | None,
    ) -> None:
        self.delivery = delivery
        self._ledger = ledger
        self._place = place
        self._letters = letters
        self._reader = reader
        self._start = start
        delivery.begin(start.position(place.number))

    @property
    def offset(self) -> int:
        """The offset of the first event that is not delivered."""
        return self.delivery.position.offset

    @property
    def held(self) -> int:
        """The number of records that wait for a write in doubt."""
        return self.delivery.held

    @property
    def is_busy(self) -> bool:
        """Whether events were taken that are not committed."""
        return self.delivery.is_busy

    def go_on(self) -> None:
        """Goes on with what has become possible. Raises as `Delivery` does."""
        self.delivery.go_on()

    def stop(self) -> bool:
        """Sends nothing more; returns whether no calls are in flight, so that `close` need not wait."""
        return self.delivery.stop()

    def close(self) -> None:
        """Ends after the calls in flight, and commits what is certain. Raises as `Delivery` does."""
        self.delivery.close()

    def is_of(self, topic: TopicDescription) -> bool:
        return self._start.is_of(topic)

    def pass_end(self, end: int) -> None:
        """Moves past what is no event, such as the end of a transaction. Raises `JournalFailed`."""
        position = replace(self._start, offset=end).position(self._place.number)
        self.delivery.begin(position)
        self._ledger.commit(Commit(position=position))

    def take(self, messages: Sequence[TopicMessage]) -> None:
        """Takes a window of events. Raises as `Delivery` does."""
        window = [self._reader.received(one, self._start) for one in messages]
        if self._letters:
            self._letters.begin(window)
        self.delivery.take(window)
