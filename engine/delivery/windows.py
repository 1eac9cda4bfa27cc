"""Groups events into windows, limited by number, by bytes and, for a stream, by time."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sfmap.engine.sources.event_source import EventSource, Received, SourceFailed

WINDOW_SIZE = 2_000
"""The most events in a window: as many identities as the result of one query can hold."""
WINDOW_BYTES = 4 * 1024 * 1024
"""Bytes of events after which a window is full, since an event takes many times its size in memory."""
_FOLDED_SHARE = 16
"""The events of a folded record stay packed: in memory it takes its bytes, not many times as much."""
_POLL_SECONDS = 0.1


def event_size(received: Received) -> int:
    """What the event counts for in a window, in bytes."""
    return len(received.raw) // (_FOLDED_SHARE if received.folded else 1)


CheckStop = Callable[[], None]
"""Raises `StopRequested`."""


@dataclass(slots=True)
class _Growing:
    """A window being filled with events."""

    most: int
    events: list[Received]
    size: int = 0

    def add(self, received: Received) -> bool:
        """Adds the event; returns whether the window is now full."""
        self.events.append(received)
        self.size += event_size(received)
        return len(self.events) >= self.most or self.size >= WINDOW_BYTES


def windows(source: EventSource, check_stop: CheckStop, most: int = WINDOW_SIZE) -> Iterator[list[Received]]:
    """The source's events, as many at once as go together. Raises `StopRequested` or `SourceFailed`."""
    window = _Growing(most, [])
    failure: SourceFailed | None = None
    try:
        for received in source:
            check_stop()
            if window.add(received):
                yield window.events
                window = _Growing(most, [])
    except SourceFailed as error:
        failure = error
    if window.events:
        yield window.events
    if failure:
        raise failure


class Stream:
    """A source whose events arrive at any time, read by a separate thread."""

    def __init__(self, source: EventSource, linger: float) -> None:
        """A window ends when its first event has waited `linger` seconds for others."""
        self._source = source
        self._linger = linger
        self._changed = threading.Condition()
        self._waiting: deque[Received] = deque()
        self._size = 0
        self._is_over = False
        self._failure: Exception | None = None
        self.read = 0
        """The number of events read."""

    @property
    def has_window(self) -> bool:
        """Whether so many events are waiting that no more are read before some are taken."""
        return not self._has_room()

    def windows(self, check_stop: CheckStop) -> Iterator[list[Received]]:
        """The events in windows as they arrive; an empty window if none arrives for a while.

        Raises `StopRequested` or `SourceFailed`.
        """
        threading.Thread(target=self._read, name="reading", daemon=True).start()
        is_over = False
        while not is_over:
            window, is_over = self._next(check_stop)
            yield window
        if self._failure:
            raise self._failure

    def _next(self, check_stop: CheckStop) -> tuple[list[Received], bool]:
        """The next window, and whether it is the last one."""
        window = _Growing(WINDOW_SIZE, [])
        end = time.monotonic() + self._linger
        while True:
            check_stop()
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._is_over, _POLL_SECONDS)
                if not self._waiting and self._is_over:
                    return window.events, True
                if self._waiting and not window.events:
                    end = time.monotonic() + self._linger
                is_full = bool(self._waiting) and self._move_into(window)
            if is_full or time.monotonic() >= end:
                return window.events, False

    def _move_into(self, window: _Growing) -> bool:
        """Moves waiting events into the window while there is room; returns whether it is now full."""
        is_full = False
        while self._waiting and not is_full:
            received = self._waiting.popleft()
            self._size -= len(received.raw)
            is_full = window.add(received)
        self._changed.notify_all()
        return is_full

    def _read(self) -> None:
        try:
            for received in self._source:
                with self._changed:
                    self.read += 1
                    self._changed.wait_for(self._has_room)
                    self._waiting.append(received)
                    self._size += len(received.raw)
                    self._changed.notify_all()
        except Exception as error:  # noqa: BLE001 - raised again where the windows are taken
            self._failure = error
        with self._changed:
            self._is_over = True
            self._changed.notify_all()

    def _has_room(self) -> bool:
        return len(self._waiting) < WINDOW_SIZE and self._size < WINDOW_BYTES
