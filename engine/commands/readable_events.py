"""The events of a source, with a message for each line that is none."""

from collections.abc import Iterator

from sfmap.engine.commands.terminal import say
from sfmap.engine.mapping.values.record import Event
from sfmap.engine.sources.event_source import EventSource

_MOST_SAID = 20


class ReadableEvents:
    """The events that can be read; the others are counted, and the first of them reported."""

    def __init__(self, source: EventSource) -> None:
        self._source = source
        self.unread = 0

    def __iter__(self) -> Iterator[Event]:
        for received in self._source:
            if received.event is not None:
                yield received.event
                continue
            self.unread += 1
            if self.unread <= _MOST_SAID:
                say(f"{received.place}: {received.problem}")
        if self.unread > _MOST_SAID:
            say(f"... and {self.unread - _MOST_SAID:,} more that cannot be read")
