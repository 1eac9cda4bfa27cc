"""Delivers the spool in the background until told to stop, and keeps trying while the org is unavailable."""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial

from sfmap.engine.delivery.commits import Delivered, OutputState
from sfmap.engine.delivery.deliver_all import RunOptions, make_delivery
from sfmap.engine.delivery.internal_error import internal_error
from sfmap.engine.delivery.pipeline import Delivery
from sfmap.engine.delivery.waiter import Patience, StopRequested
from sfmap.engine.errors import SfmapError
from sfmap.engine.journal.dead_letter_events import DeadLetterSource
from sfmap.engine.journal.dead_letter_store import dead_letters
from sfmap.engine.journal.ledger import Ledger
from sfmap.engine.journal.organizations import remember_organization
from sfmap.engine.journal.project_state import Lease, LeaseLost, LeaseTaken, State
from sfmap.engine.journal.service_nodes import Nodes
from sfmap.engine.journal.spool import Spool, Spooled
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.messages.counts import counted
from sfmap.engine.messages.hints import command_line
from sfmap.engine.serve.call_pace import CallPace
from sfmap.engine.serve.crash_isolation import Suspects, make_dead_letters_of_held, retriable
from sfmap.engine.serve.delivery_requests import ALL, DeliveryRequests, OpenOrgIn
from sfmap.engine.serve.event_history import EventHistory
from sfmap.engine.serve.log import Log, SparingLog
from sfmap.engine.serve.metrics import Metrics
from sfmap.engine.serve.outages import Outages, must_open_again
from sfmap.engine.serve.spool_windows import SpoolWindows
from sfmap.engine.serve.turns import POLL_SECONDS, Turns
from sfmap.engine.serve.window_log import window_facts, window_message
from sfmap.engine.sources.event_source import START, Position
from sfmap.engine.wiring.org_opening import OpenOrg

_PATIENCE = Patience(outage=10.0, first_contact=5.0)
"""How long to retry before the problem is logged and delivery starts again."""


class Background:
    """The delivery thread, the methods that other threads control it by, and the listener of its deliveries."""

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
        self.pace = CallPace()
        self.org: OpenOrg | None = None
        """The org that was opened last."""
        self.on_crash: Callable[[], object] = lambda: None
        """Called when the thread ends without having been told to."""
        self.on_committed: Callable[[], object] = lambda: None
        """Called once a window's outcomes are in the journal, and before the next."""
        self.has_crashed = False
        """Whether the thread has ended without having been told to."""
        self._spool = spool
        self._state = state
        self._options = _in_background(options, self.requests.is_stopping)
        self._metrics = metrics
        self._history = history
        self._log = log
        self._log_sparingly = SparingLog(log)
        self._windows = SpoolWindows(spool, self.requests, linger)
        self._outages = Outages(metrics, log)
        self._suspects = Suspects()
        self._turns = Turns(nodes, self.requests, metrics, log)
        self._org_option = org_option
        self._began = 0.0
        """When the window being delivered was taken."""
        self._apart: set[int] = set()
        """Dead letters that are tried again alone, since delivery crashed on them together."""
        self._accepted: dict[int, float] = {}
        """When the events of the window being delivered were accepted."""
        self._thread = threading.Thread(target=self._run, name="delivery")
        spool.on_arrival = self.requests.note_arrival

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
        """Delivers what was requested and then the spool, until something is requested or the day ends."""
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
        self.org = opened
        if not self._outages.is_under_way:
            self._metrics.trouble = ""
        return opened

    def _deliver_spool(self, opened: OpenOrg, lease: Lease) -> None:
        """Delivers window by window, until something is requested or the day ends."""
        ledger = Ledger(lease.database, opened.key(), self._spool.name)
        ledger.begin_unless_begun()
        known = ledger.checkpoint()
        position = known.position if known else START
        delivery = make_delivery(
            self.requests.current_mapper(), opened.org, ledger, self._options, self, bulk=opened.bulk
        )
        delivery.begin(position)
        self._metrics.held = lambda: delivery.held
        today = _day()
        try:
            if self._suspects.are_after(position.number):
                # Records that waited for a write in doubt go first, on their own.
                self._deliver_window(delivery, [])
            while True:
                self.on_committed()
                self._spool.remove(position.number)  # its outcomes are in the journal
                self.requests.retry_what_is_due()
                self._turns.take_wishes(opened.key())
                if self.requests.are_waiting or lease.is_wanted() or _day() != today:
                    return  # each delivery forgets old message ids
                window = self._windows.next(position.number, self._suspects.most_together(position.number))
                position = self._deliver_window(delivery, window) or position
                self._outages.end()
        finally:
            self._metrics.count_calls(dict(opened.org.calls()))

    def _deliver_window(self, delivery: Delivery, window: Sequence[Spooled]) -> Position | None:
        """Delivers a window, or only what waits for a write in doubt if it is empty; returns its last position."""
        self._accepted = {one.number: one.accepted for one in window}
        self._began = time.time()
        received = [self._suspects.received(one) for one in window]
        if self._history:
            self._history.note_window(window, received)
        delivery.deliver_window(received)
        self._accepted = {}
        return received[-1].position if received else None

    def _deliver_letters(self, opened: OpenOrg, lease: Lease) -> None:
        """Delivers the dead letters whose retry was requested."""
        self._accepted = {}
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
        self._began = time.time()
        retried = _Retried(self._tell_retried)
        delivery = make_delivery(
            self.requests.mapper, opened.org, ledger, self._options, retried, bulk=opened.bulk
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
        numbers = list(self._accepted)
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

    def tell(self, delivered: Delivered) -> OutputState:
        """Receives the outcomes of a window."""
        return self._tell(delivered, are_retried=False)

    def _tell_retried(self, delivered: Delivered) -> OutputState:
        return self._tell(delivered, are_retried=True)

    def _tell(self, delivered: Delivered, *, are_retried: bool) -> OutputState:
        """Counts the outcomes, notes them in the history, and logs failures."""
        now = time.time()
        metrics = self._metrics
        if self.org:
            metrics.usage = self.org.org.usage()
            self.pace.note(metrics.usage)
            metrics.count_calls(dict(self.org.org.calls()))
        metrics.end(delivered.outcomes, delivered.events)
        if self._history:
            self._history.note_outcomes(delivered.outcomes, self.requests.revision, are_retried=are_retried)
        for outcome in delivered.outcomes:
            accepted = self._accepted.get(outcome.event)
            if accepted is not None:
                metrics.counters.latency.observe(max(0.0, now - accepted))
        self._log_window(delivered, now)
        return OutputState()

    def _log_window(self, delivered: Delivered, now: float) -> None:
        outcomes, events, seconds = delivered.outcomes, delivered.events, now - self._began
        if not (outcomes or events):
            return
        facts = partial(window_facts, outcomes, events, seconds)
        self._log("info", window_message(outcomes, events, seconds), facts)
        if failed := _failed(delivered):
            listed_by = command_line("dead-letters", *self._org_option)
            message = f"Failed and kept: {counted(failed, 'record')}. To list all that failed, run: {listed_by}"
            self._log_sparingly("warning", "dead letters", message)


class _Retried:
    """Counts the outcomes of retried dead letters."""

    def __init__(self, tell: Callable[[Delivered], OutputState]) -> None:
        self._tell = tell
        self.events = 0
        self.failed = 0

    def tell(self, delivered: Delivered) -> OutputState:
        self.events += delivered.events
        self.failed += _failed(delivered)
        return self._tell(delivered)


def _failed(delivered: Delivered) -> int:
    return sum(outcome.fate == "failed" for outcome in delivered.outcomes)


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


def _day() -> int:
    return int(time.time() // 86_400)
