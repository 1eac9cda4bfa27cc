"""Partitions that a topic has got since its delivery began wait until what came before has been delivered.

With more partitions, keys belong to others. If their number has become a multiple, a key stays in its partition or
moves to a new one: it is enough that the new ones wait for the old ones.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

import orjson

from sfmap.engine.journal.database import Database
from sfmap.engine.journal.ledger import Ledger
from sfmap.engine.journal.project_state import Lease, LeaseTaken
from sfmap.engine.sources.event_source import START, SourceFailed
from sfmap.engine.sources.kafka.topic import Topic
from sfmap.engine.sources.kafka.topic_description import TopicDescriber, TopicDescription


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What the journal says of the partitions."""

    count: int
    """Those that are delivered."""
    grown_to: int = 0
    """How many there are now, if more."""
    era: str = ""
    since: float = 0.0
    """When that was noticed, by the journal's clock."""
    ends: Mapping[str, int] | None = None
    """How far the old ones must be delivered before the new ones; None until the producers must know of these."""


class TopicGrowth:
    """Which partitions may be delivered."""

    def __init__(
        self,
        topic: Topic,
        describer: TopicDescriber,
        key: str,
        lease: Callable[[str], AbstractContextManager[Lease]],
        say: Callable[[str], object],
    ) -> None:
        self._topic = topic
        self._describer = describer
        self._key = key
        self._lease = lease
        self._say = say

    def deliverable(
        self, described: TopicDescription, journal: Database, delivered: Callable[[int], int], *, restart: bool
    ) -> int:
        """How many partitions may be delivered. `delivered` gives how far one is.

        Raises `SourceFailed` if keys have moved between partitions that have events to deliver.
        """
        known = self._read(journal)
        count = described.partitions
        if known is None or (known.count != count and (restart or self._topic.may_be_relaxed)):
            self._write(_Known(count=count))
            return count
        if known.count == count:
            return count
        if count < known.count or count % known.count:
            raise SourceFailed(
                f"{self._topic.name}: the topic had {known.count} partitions and has {count} now, so that keys"
                " have moved between them, and events of one record may overtake each other. Only a multiple of"
                f" {known.count} is safe; order: relaxed in sfmap.yaml delivers it all the same"
            )
        return self._grown(known, described, journal, delivered)

    def _grown(
        self, known: _Known, described: TopicDescription, journal: Database, delivered: Callable[[int], int]
    ) -> int:
        now = journal.moment()
        if known.grown_to != described.partitions or known.era != now.era:
            wait = self._topic.growth_wait
            self._write(replace(known, grown_to=described.partitions, era=now.era, since=now.seconds, ends=None))
            self._say(
                f"{self._topic.name} has grown from {known.count} to {described.partitions} partitions. The new"
                f" ones wait for {wait:g} s, until all producers know of them, and then for the old ones."
            )
        elif known.ends is None:
            if now.seconds - known.since >= self._topic.growth_wait:
                ends = {str(number): self._describer.range(number).high for number in range(known.count)}
                self._write(replace(known, ends=ends))
        elif all(delivered(int(number)) >= end for number, end in known.ends.items()):
            self._write(_Known(count=known.grown_to))
            return known.grown_to
        return known.count

    def _ledger(self, journal: Database) -> Ledger:
        return Ledger(journal, self._key, f"kafka {self._topic.name}")

    def _read(self, journal: Database) -> _Known | None:
        found = self._ledger(journal).checkpoint()
        return _Known(**orjson.loads(found.position.cursor)) if found else None

    def _write(self, known: _Known) -> None:
        try:
            with self._lease(f"{self._topic.name} partitions") as lease:
                self._ledger(lease.database).begin(START._replace(cursor=orjson.dumps(known).decode()))
        except LeaseTaken:
            return  # another worker has noticed the same
