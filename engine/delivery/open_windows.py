"""The windows that are being delivered, in the order in which they are committed."""

from bisect import bisect_right
from collections import deque
from collections.abc import Sequence, Set
from dataclasses import dataclass
from itertools import takewhile

from sfmap.engine.delivery.outcome_table import OutcomeTable, Row
from sfmap.engine.delivery.windows import event_size
from sfmap.engine.sources.event_source import Received


@dataclass(eq=False, slots=True, kw_only=True)
class OpenWindow:
    """Events that are committed together: held records that are released, and newly read events."""

    released: Sequence[Received]
    events: Sequence[Received]
    table: OutcomeTable
    size: int
    """In bytes, as `windows` counts them."""
    messages: Set[str]
    """What repeats of its events are recognized by."""
    is_taken_in: bool = False
    """Whether each of its records has an outcome or is on its way to the org."""

    def take_in(self) -> None:
        """Notes that its events are mapped, and forgets what they held: that is half the memory of a window."""
        short = {id(one): one.shortened() for one in (*self.released, *self.events)}
        self.released = [short[id(one)] for one in self.released]
        self.events = [short[id(one)] for one in self.events]
        for row in self.table:
            row.received = short.get(id(row.received), row.received)
        self.is_taken_in = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Certain:
    """What has become certain of a window, in the order of its events."""

    taken: Sequence[Received]
    """The newly read events of which every record has an outcome or waits for a write in doubt."""
    ended: Sequence[Row]
    held: Sequence[Row]
    apart: Sequence[Row]
    """The folded records whose events have outcomes of their own."""


class OpenWindows:
    """The windows whose outcomes are not committed."""

    def __init__(self) -> None:
        self._windows: deque[OpenWindow] = deque()
        self._firsts: deque[int] = deque()
        """The first place of each."""
        self._next_place = 0
        self.events = 0
        self.size = 0
        """In bytes."""

    def __bool__(self) -> bool:
        return bool(self._windows)

    def open(self, released: Sequence[Received], events: Sequence[Received], messages: Set[str]) -> OpenWindow:
        """Opens a window with an empty table of outcomes, whose places follow those of the window before."""
        if self._windows:
            self._next_place = self._windows[-1].table.end
        window = OpenWindow(
            released=released,
            events=events,
            table=OutcomeTable(self._next_place),
            size=sum(map(event_size, released)) + sum(map(event_size, events)),
            messages=messages,
        )
        self._windows.append(window)
        self._firsts.append(self._next_place)
        self.events += len(released) + len(events)
        self.size += window.size
        return window

    def have_any(self, messages: Set[str]) -> bool:
        """Whether an event of an open window is recognized by one of these."""
        return any(not window.messages.isdisjoint(messages) for window in self._windows)

    @property
    def first(self) -> OpenWindow:
        return self._windows[0]

    def close_first(self) -> None:
        window = self._windows.popleft()
        self._firsts.popleft()
        self._next_place = window.table.end
        self.events -= len(window.released) + len(window.events)
        self.size -= window.size

    def table_of(self, place: int) -> OutcomeTable:
        """The table that has the row at this place."""
        return self._windows[bisect_right(self._firsts, place) - 1].table


def certain_of(window: OpenWindow, is_whole: bool) -> Certain:
    """What is certain of the window: if it is not whole, all up to the first event with an undecided record."""
    table = window.table
    taken = list(window.events)
    if not is_whole:
        decided = {row.taken_with for row in table} - table.undecided_events()
        taken = list(takewhile(lambda received: received.number in decided, window.events))
    every = list(table.of_events(received.number for received in (*window.released, *taken)))
    rows = [row for row in every if not row.is_apart]
    return Certain(
        taken=taken,
        ended=[row for row in rows if row.outcome],
        held=[row for row in rows if row.outcome is None],
        apart=[row for row in every if row.is_apart],
    )
