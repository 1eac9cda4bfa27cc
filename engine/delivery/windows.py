"""Groups events into windows, limited by number, by bytes and, for a stream, by time."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sfmap.engine.delivery.call_allowance import CallAllowance
from sfmap.engine.delivery.org_threads import OrgThreads
from sfmap.engine.sources.event_source import EventSource, Received, SourceFailed

WINDOW_SIZE = 2_000
"""The most events in a window: as many identities as the result of one query can hold."""
WINDOW_BYTES = 4 * 1024 * 1024
"""Bytes of events after which a window is full, since an event takes many times its size in memory."""
_FOLDED_SHARE = 16
"""The events of a folded record stay packed: in memory it takes its bytes, not many times as much."""


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

    def __init__(self, source: EventSource, linger: float, allowance: CallAllowance) -> None:
        """A window ends when its first event has waited `linger` seconds for others, and calls may be made."""
        self._source = source
        self._linger = linger
        self._allowance = allowance
        self._changed = threading.Condition()
        self._waiting: deque[Received] = deque()
        self._size = 0
        self._is_over = False
        self._failure: Exception | None = None
        self._has_news = False
        self._since = 0.0
        """When the first of those that wait has arrived."""
        self.read = 0
        """The number of events read."""

    def start(self, threads: OrgThreads) -> None:
        """Begins to read. `wait` ends when a call by these threads has finished, too."""
        threads.on_finished = self._wake
        threading.Thread(target=self._read, name="reading", daemon=True).start()

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes."""
        return self._is_over and not self._waiting

    def check(self) -> None:
        """Raises what the source has raised."""
        if self._failure:
            raise self._failure

    def next(self) -> list[Received]:
        """What is to be delivered now: a full window, or what has waited long enough; otherwise nothing."""
        window = _Growing(WINDOW_SIZE, [])
        with self._changed:
            if self._waiting and (self._is_over or not self._has_room() or not self._due_in()):
                self._move_into(window)
        return window.events

    def wait(self, seconds: float) -> None:
        """Waits until something arrives or becomes due, or a call of delivery has finished."""
        with self._changed:
            due = self._due_in() if self._waiting else seconds
            self._changed.wait_for(lambda: self._has_news, min(due, seconds))
            self._has_news = False

    def _due_in(self) -> float:
        """Seconds that those that wait go on waiting, if no more come."""
        return max(self._since + self._linger - time.monotonic(), self._allowance.due_in())

    def _wake(self) -> None:
        with self._changed:
            self._notify()

    def _notify(self) -> None:
        self._has_news = True
        self._changed.notify_all()

    def _move_into(self, window: _Growing) -> None:
        """Moves waiting events into the window while there is room."""
        is_full = False
        while self._waiting and not is_full:
            received = self._waiting.popleft()
            self._size -= len(received.raw)
            is_full = window.add(received)
        self._since = time.monotonic()
        self._notify()

    def _read(self) -> None:
        try:
            for received in self._source:
                with self._changed:
                    self.read += 1
                    self._changed.wait_for(self._has_room)
                    is_first = not self._waiting
                    self._waiting.append(received)
                    self._size += len(received.raw)
                    if is_first:
                        self._since = time.monotonic()
                    if is_first or not self._has_room():
                        self._notify()
        except Exception as error:  # noqa: BLE001 - raised again where the windows are taken
            self._failure = error
        with self._changed:
            self._is_over = True
            self._notify()

    def _has_room(self) -> bool:
        return len(self._waiting) < WINDOW_SIZE and self._size < WINDOW_BYTES
