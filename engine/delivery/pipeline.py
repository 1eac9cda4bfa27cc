"""Delivers events in windows: maps them, has their records written, and commits their outcomes in order.

Several windows are open at once. What is certain is in the journal before a window is committed, so that an
interrupted run can continue. A source is read as there is room, or events are pushed as they come: `take` and
`go_on` until `finish` or `close`.
"""

from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from sfmap.engine.delivery.arrivals import Arrivals
from sfmap.engine.delivery.asked_objects import AskedObjects
from sfmap.engine.delivery.batch_sizes import BatchSizes
from sfmap.engine.delivery.commits import Commits, Listener
from sfmap.engine.delivery.ended_loads import EndedLoads
from sfmap.engine.delivery.flow import Flow, More
from sfmap.engine.delivery.in_doubt import Doubts
from sfmap.engine.delivery.intake import Intake
from sfmap.engine.delivery.item import Item
from sfmap.engine.delivery.loads import Loads
from sfmap.engine.delivery.open_windows import OpenWindow, OpenWindows, certain_of
from sfmap.engine.delivery.org_threads import OrgThreads
from sfmap.engine.delivery.outcome_table import Decisions, MessageIds
from sfmap.engine.delivery.progress import JobProgress
from sfmap.engine.delivery.waiter import StopRequested, Waiter, until
from sfmap.engine.delivery.windows import WINDOW_SIZE, Stream, windows
from sfmap.engine.delivery.writes import PendingWrite
from sfmap.engine.errors import SfmapError
from sfmap.engine.journal.ledger import Ledger
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.messages.counts import counted
from sfmap.engine.org.port import BATCH_SIZE, Org
from sfmap.engine.sources.event_source import START, EventSource, Position, Received

_MOST_HELD = 16 * 1024 * 1024
"""Bytes of events that may wait for writes in doubt; beyond it, no more are read until a doubt ends."""
_MOST_HELD_BY_ALL = 64 * 1024 * 1024
"""The same for the deliveries of one process together: each has the same share."""
_MOST_OPEN = 12 * 1024 * 1024
"""Bytes of events in open windows beyond which no more are read."""
_FEWEST_OPEN = 3
"""The fewest windows that may be open."""
_CALLS_AHEAD = 3
"""The calls for each connection that the events of open windows suffice for: some are looked up, some written."""
_POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryOptions:
    window_size: int = WINDOW_SIZE
    batch_size: int = BATCH_SIZE
    """The most records in one write, unless a mapping sets it."""
    remember: bool = True
    """Whether the message ids of delivered events are remembered."""
    skip_delivered: bool = False
    """Whether events whose message id was delivered before are skipped."""
    ids_by_source: bool = False
    """Whether message ids are separate for each source of events (`Received.file`)."""

    def message_ids(self, mapper: Mapper, *, of_letters: bool) -> MessageIds:
        return MessageIds(
            by_source=self.ids_by_source,
            skip_delivered=self.skip_delivered,
            creating=mapper.creating if self.remember else frozenset(),
            of_letters=of_letters,
        )


class Delivery:
    """Delivers events to an org.

    Its methods raise `OrgError`, `StopRequested` or `SourceFailed` after what is certain has been told and is in
    the journal. `JournalFailed`, and what the listener raises, may come before that.
    """

    _can_commit = True
    """False once a commit has failed: later windows must not be committed then."""
    _is_over = False
    """Whether it has ended early."""

    def __init__(
        self,
        *,
        org: Org,
        mapper: Mapper,
        ledger: Ledger,
        doubts: Doubts,
        waiter: Waiter,
        loads: Loads,
        threads: OrgThreads,
        options: DeliveryOptions,
        listener: Listener,
        on_commit: Callable[[Position], object] = lambda position: None,
    ) -> None:
        """`on_commit` is called after each commit with the position of the source."""
        self._doubts, self._loads, self._waiter = doubts, loads, waiter
        self._threads, self._options = threads, options
        self._messages = options.message_ids(mapper, of_letters=loads.are_of_letters)
        objects = AskedObjects(org=org, mapper=mapper, waiter=waiter, threads=threads)
        self._intake = Intake(
            objects=objects, mapper=mapper, ledger=ledger, doubts=doubts, messages=self._messages
        )
        self._commits = Commits(
            ledger=ledger,
            doubts=doubts,
            loads=loads,
            messages=self._messages,
            listener=listener,
            on_commit=on_commit,
            remember=options.remember,
        )
        self._ended_loads = EndedLoads(loads, self._commits, self._messages, waiter, self._deliver_again)
        self.sizes = BatchSizes(options.batch_size)
        self._windows = OpenWindows()
        self._arrivals = Arrivals(self._messages, self._windows)
        self._decisions = Decisions(self._windows.table_of, ledger, doubts, self._messages)
        self._flow = Flow(
            org=org,
            lookups=self._intake.lookups,
            ledger=ledger,
            doubts=doubts,
            waiter=waiter,
            threads=threads,
            together=options.window_size,
            sizes=self.sizes,
            decisions=self._decisions,
            apart=self._apart,
            takes=self._takes,
        )

    @property
    def held(self) -> int:
        """The number of records that wait for a write in doubt or a bulk job."""
        return self._commits.held + self._loads.records

    @property
    def bulk(self) -> JobProgress:
        """How far the bulk jobs under way are."""
        return self._loads.progress()

    def deliver(self, source: EventSource | Stream, start: Position = START) -> None:
        """Delivers a source to its end, and then the held records, once nothing that they wait for is left."""
        self.deliver_source(source, start)
        with self._committing_what_is_certain():
            while self._commits.held or self._loads:
                self._deliver_held()

    def deliver_source(self, source: EventSource | Stream, start: Position = START) -> None:
        """Delivers a source to its end; records may still be held then."""
        self.begin(start)
        with self._committing_what_is_certain():
            if isinstance(source, Stream):
                self._deliver_stream(source)
                return
            for window in self._read(source):
                self._arrivals.add(window)
                self._take_in()
                self._proceed(More.AT_ONCE)
                while not self.has_room:
                    self._gain_room(More.WITH_ROOM)
            self._finish()

    def begin(self, start: Position) -> None:
        """Sets where the source starts, and ends the bulk jobs that earlier runs have left."""
        self._commits.position = start
        with self._committing_what_is_certain():
            self._ended_loads.resume()

    @property
    def position(self) -> Position:
        """The position after the last event that is committed."""
        return self._commits.position

    @property
    def is_busy(self) -> bool:
        """Whether events were taken that are not committed."""
        return bool(self._windows or self._arrivals)

    def can_take(self, of: int = 1) -> bool:
        """Whether not too many records are held, as one `of` so many deliveries, and no others come first."""
        most_held = min(_MOST_HELD, _MOST_HELD_BY_ALL // of)
        return not (self._arrivals or self._commits.can_release or self._commits.held_bytes > most_held)

    @property
    def has_room(self) -> bool:
        """Whether more events should be taken."""
        return self.can_take() and have_room((self,))

    def take(self, window: Sequence[Received]) -> None:
        """Takes further events. It waits for nothing that is on its way."""
        self._arrivals.add(window)
        with self._committing_what_is_certain():
            self._take_in()

    def go_on(self) -> None:
        """Goes on with what has become possible. Held records wait only until nothing else is on its way.

        It waits for nothing.
        """
        with self._committing_what_is_certain():
            self._go_on()

    def finish(self) -> None:
        """Delivers all that is on its way, and commits it."""
        with self._committing_what_is_certain():
            self._finish()

    def stop(self) -> bool:
        """Sends nothing more; returns whether no calls are in flight, so that `close` need not wait for them."""
        self._waiter.stop()
        self._flow.stop()
        return not self._flow.has_calls

    def close(self) -> None:
        """Ends after the calls in flight, and commits what is certain; does nothing after an error."""
        if self._windows and not self._is_over:
            with suppress(StopRequested), self._committing_what_is_certain():
                raise StopRequested

    def _read(self, source: EventSource) -> Iterator[Sequence[Received]]:
        """The windows of the source. If it fails, what it has read before is delivered all the same."""
        try:
            yield from windows(source, self._waiter.check_stop, self._options.window_size)
        except StopRequested:
            raise
        except Exception:
            self._finish()
            raise

    def _deliver_stream(self, stream: Stream) -> None:
        """Delivers events that come at any time, until no more come."""
        stream.start(self._threads)
        while not stream.is_over:
            self._go_on()
            if not self.has_room:
                self._gain_room(More.LATER)
            elif window := stream.next():
                self._arrivals.add(window)
            else:
                if self._loads.is_filling:
                    self._finish()
                    self._ended_loads.flush()
                stream.wait(_POLL_SECONDS)
        self._finish()
        stream.check()

    def _go_on(self) -> None:
        self._waiter.check_stop()
        self._take_in()
        self._proceed(More.LATER)

    def _gain_room(self, more: More) -> None:
        """Waits until something has ended that more events wait for."""
        if self.is_busy:
            self._take_in()
            self._step(more)
        else:
            self._deliver_held()

    def _take_in(self) -> None:
        """Opens a window for held records that may be delivered now, and for events that repeat no others."""
        if self._loads.has_over:
            self._commit_all()
            self._ended_loads.end()
        released: Sequence[Received] = ()
        if self._commits.can_release:
            if self._windows:
                return
            released = self._commits.take_held()
        events, messages = self._arrivals.next(released)
        self._open(released, events, messages)

    def _open(self, released: Sequence[Received], events: Sequence[Received], messages: Set[str]) -> None:
        """Opens a window: each of its records has an outcome when this returns, or is on its way."""
        if not (released or events):
            return
        window = self._windows.open(released, events, messages)
        items = self._intake.items([*released, *events], window.table, self._commits.held_messages())
        self._decisions.record_unsent(window.table)
        self._flow.add(items, self._intake.lookups)
        window.take_in()

    def _finish(self) -> None:
        """Delivers all that is on its way, and commits it."""
        self._commit_all()
        while self._arrivals:
            self._take_in()
            self._commit_all()

    def _commit_all(self) -> None:
        while self._windows:
            self._step(More.NEVER)

    def _step(self, more: More) -> None:
        """Waits for the next finished call, and goes on with what has become possible."""
        self._flow.advance(more)
        if not self._flow.is_empty and not self._flow.hand_over(_POLL_SECONDS):
            self._waiter.check_stop()
        while self._flow.hand_over():
            continue
        self._commit_whole()

    def _proceed(self, more: More) -> None:
        """Goes on with what has become possible by now."""
        self._flow.advance(more)
        while self._flow.hand_over():
            self._flow.advance(more)
        self._commit_whole()

    @property
    def open_size(self) -> int:
        """Bytes of events in open windows."""
        return self._windows.size

    @property
    def open_events(self) -> int:
        return self._windows.events

    @property
    def most_events(self) -> int:
        """The number of events in open windows beyond which no more are read."""
        ahead = _CALLS_AHEAD * self._threads.pace.limit * BATCH_SIZE // WINDOW_SIZE
        return self._options.window_size * max(_FEWEST_OPEN, 1 + ahead)

    def _commit_whole(self) -> None:
        """Commits the windows that are done and that no other is before."""
        while self._windows and self._is_whole(self._windows.first):
            self._commit_first(is_whole=True)

    def _is_whole(self, window: OpenWindow) -> bool:
        return window.is_taken_in and not self._flow.holds_any(window.table.places)

    def _commit_first(self, *, is_whole: bool) -> None:
        self._can_commit = False
        self._commits.commit(certain_of(self._windows.first, is_whole))
        self._can_commit = True
        self._windows.close_first()

    @contextmanager
    def _committing_what_is_certain(self) -> Iterator[None]:
        """After an error, handles the answers to what was sent, and commits what is certain."""
        try:
            yield
        except BaseException as error:
            self._is_over = True
            self._flow.give_up()
            self._loads.close()
            if isinstance(error, SfmapError) and self._can_commit:
                self._commit_whole()
                if self._windows:
                    self._commit_first(is_whole=False)
            raise

    def _deliver_again(self, released: Sequence[Received]) -> None:
        self._open(released, (), set())
        self._commit_all()

    def _deliver_held(self) -> None:
        """Waits for the next load or doubt to end, and delivers the held records."""
        self._finish()
        self._ended_loads.flush()
        if self._loads:
            self._ended_loads.wait()
        else:
            self._wait_for_doubts()
        self._take_in()
        self._finish()

    def _wait_for_doubts(self) -> None:
        seconds = self._doubts.next_end()
        if seconds > 1:
            records = f"{counted(self.held, 'record')} {'waits' if self.held == 1 else 'wait'}"
            self._waiter.say(
                f"{records} until {until(seconds)}: an answer was lost, and until then the"
                " org may still execute that call. Ctrl-C stops; the same command continues later."
            )
        self._waiter.sleep(seconds)

    def _takes(self, pending: PendingWrite) -> bool:
        """Whether the write travels by a bulk job."""
        places = [item.place for item in pending.fold.items]
        return self._loads.takes(
            pending, self._intake.lookups, [self._windows.table_of(place)[place] for place in places]
        )

    def _apart(self, item: Item) -> list[Item]:
        """The items of the events that were folded into an item which the org has refused."""
        table = self._windows.table_of(item.place)
        items = self._intake.apart(table[item.place], table)
        self._decisions.record_unsent(table)
        return items


def have_room(deliveries: Sequence[Delivery]) -> bool:
    """Whether one of these, which share their threads, should take more events to keep the connections full."""
    size = sum(one.open_size for one in deliveries)
    events = sum(one.open_events for one in deliveries)
    return size < _MOST_OPEN and events < max((one.most_events for one in deliveries), default=1)
