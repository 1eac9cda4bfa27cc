"""Delivers the spool in the background until told to stop, and keeps trying while the org is unavailable."""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial

from sfmap.engine.delivery.call_allowance import CallAllowance
from sfmap.engine.delivery.deliver_all import RunOptions, make_delivery
from sfmap.engine.delivery.internal_error import internal_error
from sfmap.engine.delivery.org_threads import OrgThreads
from sfmap.engine.delivery.pipeline import Delivery
from sfmap.engine.delivery.waiter import Patience, StopRequested
from sfmap.engine.delivery.write_pace import WritePace
from sfmap.engine.errors import SfmapError
from sfmap.engine.journal.dead_letter_events import DeadLetterSource
from sfmap.engine.journal.dead_letter_store import dead_letters
from sfmap.engine.journal.ledger import Ledger
from sfmap.engine.journal.organizations import remember_organization
from sfmap.engine.journal.project_state import Lease, LeaseLost, LeaseTaken, State
from sfmap.engine.journal.service_nodes import Nodes
from sfmap.engine.journal.spool import Spool
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.messages.counts import counted
from sfmap.engine.serve.crash_isolation import Suspects, make_dead_letters_of_held, retriable
from sfmap.engine.serve.delivery_requests import ALL, DeliveryRequests, OpenOrgIn
from sfmap.engine.serve.event_history import EventHistory
from sfmap.engine.serve.log import Log
from sfmap.engine.serve.metrics import Metrics
from sfmap.engine.serve.outages import Outages, must_open_again
from sfmap.engine.serve.service_listener import ServiceListener
from sfmap.engine.serve.spool_windows import SpoolWindows
from sfmap.engine.serve.turns import POLL_SECONDS, Turns
from sfmap.engine.sources.event_source import START, Position
from sfmap.engine.wiring.org_opening import OpenOrg

_PATIENCE = Patience(outage=10.0, first_contact=5.0)
"""How long to retry before the problem is logged and delivery starts again."""

_LOOK_SECONDS = 0.1
"""How often to look at what no thread of this process tells, such as events that other nodes have accepted."""
_IDLE_SECONDS = 0.5
"""How often records that wait for a write in doubt are looked at while no events arrive."""


class Background:
    """The delivery thread, and the methods that other threads control it by."""

    def __init__(
        self,
        *,
        spool: Spool,
        state: State,
        nodes: Nodes | None = None,
        options: RunOptions,
        linger: float,
        mapper: Mapper,
        open_org: OpenOrgIn,
        revision: str = "",
        metrics: Metrics,
        history: EventHistory | None = None,
        log: Log,
        org_option: Sequence[str] = (),
    ) -> None:
        """`org_option` are the words that name the org on a command line."""
        self.requests = DeliveryRequests(mapper, open_org, revision)
        self.org: OpenOrg | None = None
        """The org that was opened last."""
        self.on_crash: Callable[[], object] = lambda: None
        """Called when the thread ends without having been told to."""
        self.on_committed: Callable[[], object] = lambda: None
        """Called once a window's outcomes are in the journal."""
        self.has_crashed = False
        """Whether the thread has ended without having been told to."""
        self._spool = spool
        self._state = state
        self._options = _in_background(options, self.requests.is_stopping)
        self._threads = OrgThreads(WritePace(options.connections), self.requests.note_news)
        self._metrics = metrics
        self._log = log
        self._listener = ServiceListener(
            metrics=metrics,
            history=history,
            revision=lambda: self.requests.revision,
            log=log,
            org_option=org_option,
        )
        self.pace = self._listener.pace
        self._linger = linger
        self._outages = Outages(metrics, log)
        self._suspects = Suspects()
        self._turns = Turns(nodes, self.requests, metrics, log)
        self._apart: set[int] = set()
        """Dead letters that are tried again alone, since delivery crashed on them together."""
        self._next_look = 0.0
        self._thread = threading.Thread(target=self._run, name="delivery")
        spool.on_arrival = self.requests.note_news

    def start(self) -> None:
        self._thread.start()

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def stop(self) -> None:
        """Ends delivery after the calls in flight."""
        self.requests.stop()
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self.requests.is_stopping():
                with ExitStack() as stack:
                    self._deliver_with_one_session(stack)
        except StopRequested:
            pass
        finally:
            if not self.requests.is_stopping():
                self.has_crashed = True
                self.on_crash()

    def _deliver_with_one_session(self, stack: ExitStack) -> None:
        """Delivers with one session, through every problem that leaves it usable."""
        opened: OpenOrg | None = None
        while True:
            self.requests.forget_reload()
            try:
                opened = opened or self._opened(stack)
                self._deliver_with_a_lease(opened)
                self._wait(POLL_SECONDS)  # another process asked for the lease
            except StopRequested:
                raise
            except LeaseTaken:
                self._outages.stand_by()
                self._wait(POLL_SECONDS)
            except LeaseLost as error:
                self._log("warning", f"This node stops delivering: {error}. Accepted events wait in the spool.")
                self._wait(POLL_SECONDS)
            except SfmapError as error:
                self._wait(self._outages.begin(error))
                if opened is None or must_open_again(error, opened):
                    return

    def _deliver_with_a_lease(self, opened: OpenOrg) -> None:
        """Delivers until another process asks for the lease. Raises `LeaseTaken` if it cannot be had."""
        key = opened.key()
        try:
            with (
                self._state.lease(key, "sfmap serve", gives_way=True) as lease,
                self._turns.turn(key, opened.where),
            ):
                while not lease.is_wanted():
                    self._deliver_in_turn(opened, lease)
        except (LeaseTaken, LeaseLost):
            self._turns.stand_by(key)
            raise

    def _deliver_in_turn(self, opened: OpenOrg, lease: Lease) -> None:
        """Delivers what was requested and then the spool, until something is requested."""
        try:
            self._deliver_letters(opened, lease)
            self._deliver_spool(opened, lease)
        except SfmapError:
            raise
        except Exception as error:  # a bug that one event triggers must not end the service
            if not self._isolate(internal_error(error), opened, lease):
                raise

    def _opened(self, stack: ExitStack) -> OpenOrg:
        """Signs in to the org and asks for its limit, so that a problem shows from the start."""
        opened = self.requests.open_org(stack)
        self._metrics.org_opened()
        try:
            self._metrics.usage = opened.org.limits()
            self.pace.note(self._metrics.usage)
        finally:
            self._metrics.count_calls(dict(opened.org.calls()))
        remember_organization(self._state.journal, opened.entry, opened.key())
        if self.org is None and not self._turns.are_shared:
            self._log("info", f"Delivering to {opened.where}.")
        self.org, self._listener.org = opened, opened.org
        if not self._outages.is_under_way:
            self._metrics.trouble = ""
        return opened

    def _deliver_spool(self, opened: OpenOrg, lease: Lease) -> None:
        """Delivers windows as they fill, until something is requested."""
        ledger = Ledger(lease.database, opened.key(), self._spool.name)
        ledger.begin_unless_begun()
        known = ledger.checkpoint()
        position = known.position if known else START
        self._listener.forget()
        windows = SpoolWindows(self._spool, position.number, self._linger, CallAllowance(opened.org))
        delivery = make_delivery(
            self.requests.current_mapper(),
            opened.org,
            ledger,
            self._options,
            self._listener,
            partial(self._committed, windows),
            opened.bulk,
            self._threads,
        )
        if under_way := sum(load.state == "closing" for load in ledger.loads.of_org()):
            self._log("info", f"Waiting for {counted(under_way, 'bulk job')} that an earlier run has begun.")
        delivery.begin(position)
        self.on_committed()
        self._metrics.held = lambda: delivery.held
        try:
            if self._suspects.are_after(position.number):
                # Records that waited for a write in doubt go first, on their own.
                delivery.take([])
                delivery.finish()
            while not self._is_wanted_elsewhere(opened, lease):
                self._deliver_next(delivery, windows)
            delivery.finish()
        finally:
            delivery.close()
            self._listener.count_calls()

    def _is_wanted_elsewhere(self, opened: OpenOrg, lease: Lease) -> bool:
        """Whether something comes before the next window."""
        self.requests.retry_what_is_due()
        is_wanted = False
        if time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + _LOOK_SECONDS
            self._turns.take_wishes(opened.key())
            is_wanted = lease.is_wanted()
        return is_wanted or self.requests.are_waiting

    def _deliver_next(self, delivery: Delivery, windows: SpoolWindows) -> None:
        """Goes on with what is under way, and takes the next window if it is time for it; else waits for news."""
        delivery.go_on()
        windows.look()
        is_alone = self._suspects.are_after(windows.last)
        window = windows.next(self._suspects.most_together(windows.last)) if delivery.has_room else []
        if window:
            received = [self._suspects.received(one) for one in window]
            self._listener.begin(window, received)
            delivery.take(received)
            if is_alone:
                delivery.finish()
            return
        if not delivery.is_busy:
            self._listener.forget()
            self._outages.end()
        seconds = _LOOK_SECONDS if delivery.is_busy or self._spool.is_shared else _IDLE_SECONDS
        self.requests.wait_for_news(min(seconds, windows.due_in) if delivery.has_room else seconds)

    def _committed(self, windows: SpoolWindows, position: Position) -> None:
        """Notes that the outcomes of events up to a position are in the journal."""
        if self._listener.end(position.number):
            self._outages.end()
        windows.remove(position.number)
        self.on_committed()

    def _deliver_letters(self, opened: OpenOrg, lease: Lease) -> None:
        """Delivers the dead letters whose retry was requested."""
        self._listener.forget()
        while numbers := self.requests.take_retries():
            try:
                together = [number for number in numbers if number not in self._apart]
                if together:
                    self._deliver_group(together, opened, lease)
                self._deliver_apart([one for one in numbers if one not in together], opened, lease)
            except SfmapError:
                self.requests.retry(*numbers)
                raise
            self._turns.fulfil(opened.key(), numbers)

    def _deliver_apart(self, numbers: Sequence[int], opened: OpenOrg, lease: Lease) -> None:
        for number in numbers:
            self._deliver_group([number], opened, lease)

    def _deliver_group(self, numbers: Sequence[int], opened: OpenOrg, lease: Lease) -> None:
        """Delivers dead letters together; if one of them triggers a bug, each alone."""
        try:
            self._deliver_chosen(numbers, opened, lease)
        except SfmapError:
            raise
        except Exception as error:  # noqa: BLE001 - else each wish to try them again would end the service
            if len(numbers) > 1:
                # Their writes are in doubt now; tried together after that, they would be so again.
                self._apart.update(numbers)
                self._deliver_apart(numbers, opened, lease)
                return
            what = f"this is a bug in sfmap: {internal_error(error)}"
            self._log("error", f"The retry failed, and its events remain dead letters; {what}.")

    def _deliver_chosen(self, numbers: Sequence[int], opened: OpenOrg, lease: Lease) -> None:
        """Delivers those dead letters again, or all of them."""
        chosen = () if ALL in numbers else tuple(numbers)
        source = DeadLetterSource(lease.database, opened.key(), numbers=chosen)
        ledger = Ledger(lease.database, opened.key(), source.name)
        ledger.begin_unless_begun()
        self._listener.forget()
        retried = self._listener.retried()
        delivery = make_delivery(
            self.requests.mapper,
            opened.org,
            ledger,
            self._options,
            retried,
            bulk=opened.bulk,
            threads=self._threads,
        )
        delivery.deliver_source(source)
        ledger.finish()
        if delivery.held and chosen:  # still in doubt
            self.requests.retry_later(chosen, self._options.call_limit)
        doubt = f", in doubt and still dead letters: {delivery.held}" if delivery.held else ""
        self._log("info", f"Dead letters retried: {retried.events}, failed again: {retried.failed}{doubt}.")

    def _wait(self, seconds: float | None) -> None:
        """Waits for so long, or until the project is read again. Raises `StopRequested`."""
        self.requests.wait_for_reload(seconds)
        if self.requests.is_stopping():
            raise StopRequested

    def _isolate(self, error: str, opened: OpenOrg, lease: Lease) -> bool:
        """Arranges that each suspect event is delivered alone; returns False if that cannot help.

        An event that delivery crashes on when alone becomes a dead letter.
        """
        what = f"this is a bug in sfmap: {error}"
        numbers = self._listener.under_way
        if not (self._suspects.suspect(numbers, what) if numbers else self._isolate_held(what, opened, lease)):
            return False
        self._log("error", f"Delivery failed: {what}. It continues with one event at a time, to find the cause.")
        return True

    def _isolate_held(self, what: str, opened: OpenOrg, lease: Lease) -> bool:
        """Makes dead letters of held records, to be retried when doubts end; returns False if there are none."""
        events = make_dead_letters_of_held(Ledger(lease.database, opened.key(), self._spool.name), what)
        if events is None:
            return False
        letters = (one for one in dead_letters(lease.database, opened.key(), what) if one.event in events)
        self.requests.retry_later(retriable(letters, self.requests.mapper), self._options.call_limit)
        return True


def _in_background(options: RunOptions, should_stop: Callable[[], bool]) -> RunOptions:
    """The options of a run in the background."""
    return replace(
        options,
        patience=_PATIENCE,
        bulk_asked="never",  # events are delivered as they come
        skip_delivered=True,  # a client that missed the answer sends the event again
        ids_by_source=True,  # a website's key is public: it must not be able to use up another source's ids
        should_stop=should_stop,
        say=lambda text: None,  # the log says what matters; there is no terminal
    )
