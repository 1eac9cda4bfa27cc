"""Sends dead letters to a topic, before the journal counts their events as done."""

from collections.abc import Sequence

from sfmap.engine.delivery.commits import Delivered, Listener, OutputState
from sfmap.engine.delivery.outcome import Outcome
from sfmap.engine.journal.database import Database
from sfmap.engine.journal.dead_letter_store import attempts_before
from sfmap.engine.journal.entries import digest
from sfmap.engine.journal.ledger import Ledger
from sfmap.engine.sources.event_source import Received
from sfmap.engine.sources.kafka.kafka_errors import BrokersAway
from sfmap.engine.sources.kafka.kafka_settings import KafkaSettings
from sfmap.engine.sources.kafka.topic_messages import SOURCE_HEADER
from sfmap.engine.sources.kafka.topic_producer import QueueFull, TopicProducer

_SECONDS = 15.0


class DeadLetterTopic:
    """The topic, with the producer of this worker."""

    def __init__(self, settings: KafkaSettings, journal: Database, org: str) -> None:
        """Raises `ExtraMissing` or `SourceFailed`."""
        self._settings = settings
        self._producer = TopicProducer(settings, settings.dead_letters)
        self._journal = journal
        self._org = org

    def send(self, outcome: Outcome, raw: bytes, place: str) -> None:
        """Raises `BrokersAway`."""
        known = digest(raw, outcome.mapping, outcome.item_number)
        headers = {
            SOURCE_HEADER: outcome.file,
            "sfmap-reason": outcome.reason,
            "sfmap-mapping": outcome.mapping,
            "sfmap-attempts": str(attempts_before(self._journal, self._org, known) + 1),
            "sfmap-place": place,
        }
        try:
            self._producer.send(raw, "", headers, self._ended)
        except QueueFull:
            self.flush()
            self._producer.send(raw, "", headers, self._ended)

    def flush(self) -> None:
        """Waits until the brokers have all. Raises `BrokersAway`."""
        if self._producer.flush(_SECONDS):
            raise BrokersAway(f"{self._settings.source}: the brokers do not take dead letters")

    def _ended(self, why: str) -> None:
        if why:
            raise BrokersAway(
                f"{self._settings.source}: {self._settings.dead_letters} takes no dead letters: {why}"
            )


class LetterListener:
    """Implements `Listener` for one partition."""

    def __init__(self, listener: Listener, topic: DeadLetterTopic, ledger: Ledger, name: str) -> None:
        self._listener = listener
        self._topic = topic
        self._ledger = ledger
        self._name = name
        self._under_way: dict[int, bytes] = {}
        """The events that are being delivered, by their number."""

    def begin(self, window: Sequence[Received]) -> None:
        """Notes events that are about to be delivered."""
        self._under_way |= {one.number: one.raw for one in window}

    def end(self, up_to: int) -> None:
        """Notes that the outcomes of the events up to a number are in the journal."""
        self._under_way = {number: raw for number, raw in self._under_way.items() if number > up_to}

    def tell(self, delivered: Delivered) -> OutputState:
        failed = [outcome for outcome in delivered.outcomes if outcome.fate == "failed"]
        if failed:
            held = {one.key.event: one.raw for one in self._ledger.held()}
            for outcome in failed:
                raw = self._under_way.get(outcome.event, held.get(outcome.event, b""))
                self._topic.send(outcome, raw, f"{self._name}@{outcome.line}")
            self._topic.flush()
        return self._listener.tell(delivered)
