"""A durable queue of events that are accepted but not yet delivered."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from sfmap.engine.errors import SfmapError
from sfmap.engine.messages.counts import counted


class SpoolFull(SfmapError):
    """There is no room for more events, or the oldest has waited too long; the message says which."""


class Spooled(NamedTuple):
    """One waiting event."""

    number: int
    """Never reused, so that it identifies an event for good."""
    source: str
    accepted: float
    """Seconds since 1970."""
    event: bytes


@dataclass(frozen=True, slots=True)
class Bounds:
    """The limits of the spool."""

    size: int = 1024 * 1024 * 1024
    """Bytes of events."""
    age: float = 7 * 86_400.0
    """Seconds that the oldest event may wait."""


class Spool(Protocol):
    """The queue. Thread-safe; every method that reads or writes may raise `JournalFailed`."""

    on_arrival: Callable[[], object]
    """Called when events have been added here, on the thread that added them."""

    @property
    def name(self) -> str:
        """Its name as a source in the journal."""

    @property
    def is_shared(self) -> bool:
        """Whether other processes add events, too."""

    @property
    def events(self) -> int: ...

    @property
    def size(self) -> int:
        """Bytes of events."""

    @property
    def age(self) -> float:
        """Seconds that the oldest event has waited; 0 if the spool is empty."""

    def look(self) -> None:
        """Updates events, size and age, where other machines change them, too."""

    def check_room(self, coming: int = 0) -> None:
        """Checks that there is room, with `coming` bytes about to be written. Raises `SpoolFull`."""

    def append(self, batches: Sequence[tuple[str, Sequence[bytes]]]) -> None:
        """Adds events of several sources; all are durable when it returns."""

    def after(self, number: int, most: int, most_bytes: int) -> list[Spooled]:
        """The next events in order of arrival, up to a number of events and of bytes."""

    def remove(self, up_to: int) -> None:
        """Removes the events up to that number."""

    def close(self) -> None: ...


def last_of_window(after: int, sizes: Iterable[tuple[int, int]], most_bytes: int) -> int:
    """The number of the last event of a window that begins after one, by the numbers and bytes of events."""
    last, size = after, 0
    for number, length in sizes:
        last, size = number, size + length
        if size >= most_bytes:
            break
    return last


def check_bounds(spool: Spool, bounds: Bounds, coming: int) -> None:
    """Checks that there is room, with `coming` bytes about to be written. Raises `SpoolFull`."""
    if spool.size + coming >= bounds.size:
        raise SpoolFull(f"the spool is full: {counted(spool.events, 'event')} waiting to be delivered")
    if spool.age > bounds.age:
        hours = f"{bounds.age / 3600:g} {'hour' if bounds.age == 3600 else 'hours'}"
        raise SpoolFull(f"the oldest event has waited for more than {hours}")
