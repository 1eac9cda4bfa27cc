"""Sends events to a topic, and acknowledges them once the brokers have them."""

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

from sfmap.engine.delivery.partitioning import partition_key
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.serve.accepting import NotStored
from sfmap.engine.serve.known_gauges import count_build
from sfmap.engine.sources.kafka.topic_messages import SOURCE_HEADER
from sfmap.engine.sources.kafka.topic_producer import QueueFull, TopicProducer
from sfmap.engine.sources.reading import read_event

_POLL_SECONDS = 0.1
_FLUSH_SECONDS = 15.0


@dataclass(slots=True)
class _Request:
    """Events of one request that the brokers do not have yet."""

    loop: asyncio.AbstractEventLoop
    done: "asyncio.Future[None]"
    left: int
    why: str = ""
    """Why the brokers do not have one of them."""

    def ended(self, why: str) -> None:
        """One of them has its answer; called by the polling thread alone."""
        self.left -= 1
        self.why = why or self.why
        if not self.left:
            self.loop.call_soon_threadsafe(self._answer)

    def _answer(self) -> None:
        if self.done.cancelled():  # the client has disconnected
            return
        if self.why:
            self.done.set_exception(NotStored(self.why))
        else:
            self.done.set_result(None)


class TopicAcceptance:
    """Implements `Accepting`. Use it from one event loop only."""

    def __init__(self, producer: TopicProducer, mapper: Mapper) -> None:
        self.mapper = mapper
        """Replaced when the project is read again."""
        self._producer = producer
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._poll, name="brokers")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Waits for the answers that are missing."""
        self._producer.flush(_FLUSH_SECONDS)
        self._is_over.set()
        self._thread.join()

    async def accept(self, source: str, events: Sequence[bytes]) -> None:
        self.check()
        loop = asyncio.get_running_loop()
        request = _Request(loop, loop.create_future(), len(events))
        for event in events:
            try:
                self._producer.send(event, self._key(event), {SOURCE_HEADER: source}, request.ended)
            except QueueFull:  # what was sent already comes again with the others, and is recognized
                raise NotStored("too many events wait for the brokers") from None
        if events:
            await request.done

    def check(self) -> None:
        """While no broker answers, one request at a time finds out whether one does again."""
        if self._producer.trouble and self._producer.waiting:
            raise NotStored(self._producer.trouble)

    def _key(self, event: bytes) -> str:
        read, _ = read_event(event)
        return partition_key(read, self.mapper.map(read)) if read else ""

    def _poll(self) -> None:
        while not self._is_over.is_set():
            self._producer.poll(_POLL_SECONDS)


class TopicMetrics:
    """Implements `Counting` for a node that only accepts. Thread-safe."""

    def __init__(self, producer: TopicProducer, topic: str) -> None:
        self._producer = producer
        self._topic = topic
        self._registry = registry = CollectorRegistry()
        count_build(registry)
        self._accepted = Counter(
            "sfmap_accepted", "Events that the brokers have, by source", ["source"], registry=registry
        )
        self._refused = Counter(
            "sfmap_refused", "Requests that were not accepted, by status", ["status"], registry=registry
        )
        waiting = Gauge(
            "sfmap_unacknowledged_events", "Events that the brokers do not have yet", registry=registry
        )
        waiting.set_function(lambda: producer.waiting)
        up = Gauge("sfmap_brokers_up", "Whether a broker can be used", registry=registry)
        up.set_function(lambda: not producer.trouble)

    @property
    def standing(self) -> str:
        return self._producer.trouble or f"events go to the topic {self._topic}"

    @property
    def state_trouble(self) -> str:
        """There is no journal."""
        return ""

    def accept(self, source: str, events: int) -> None:
        self._accepted.labels(source).inc(events)

    def refuse(self, _path: str, status: int, _message: str) -> None:
        self._refused.labels(str(status)).inc()

    def text(self) -> bytes:
        return generate_latest(self._registry)
