"""Delivers the spool in the background until told to stop, and keeps trying while the org is unavailable."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace

from sfmap.engine.delivery.deliver_all import RunOptions, make_delivery
from sfmap.engine.delivery.internal_error import internal_error
from sfmap.engine.delivery.pipeline import Delivered
from sfmap.engine.delivery.waiter import Patience, StopRequested
from sfmap.engine.delivery.windows import WINDOW_BYTES, WINDOW_SIZE
from sfmap.engine.errors import SfmapError
from sfmap.engine.journal.database import Database
from sfmap.engine.journal.dead_letter_events import DeadLetterSource
from sfmap.engine.journal.dead_letter_store import dead_letters
from sfmap.engine.journal.ledger import Commit, Ledger, Letter, Settled
from sfmap.engine.journal.organizations import remember_organization
from sfmap.engine.journal.spool import Spool, Spooled
from sfmap.engine.local_org.process import LocalOrgFailed
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.org.port import LimitReached, OrgError, OrgOutOfReach, OrgUnavailable, SignInRefused
from sfmap.engine.project.secrets import SecretMissing
from sfmap.engine.serve.log import Log, Sparing
from sfmap.engine.serve.metrics import Metrics
from sfmap.engine.sources.event_source import START, Position, Received
from sfmap.engine.sources.reading import read_event
from sfmap.engine.wiring import OpenOrg
from sfmap.engine.yaml_files.files import CannotRead

SPOOL = "spool"
"""The name of the spool as a source in the journal."""
_LOOK_SECONDS = 0.5
"""How often records that wait for a write in doubt are looked at while no events arrive."""
_LONGEST_PAUSE = 60.0
_LIMIT_PAUSE = 3600.0
"""Finding out whether calls are available again takes calls, so it is done rarely."""
_PATIENCE = Patience(outage=10.0, first_contact=5.0)
"""How long to retry before the problem is logged and delivery starts again."""

OpenOrgIn = Callable[[ExitStack], OpenOrg]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryResources:
    """What delivery works with."""

    spool: Spool
    journal: Database
    options: RunOptions
    linger: float
    """Seconds that the first event of a window waits for others."""


class Background:
    """The delivery thread, and the methods that other threads control it by."""

    def __init__(
        self, resources: DeliveryResources, mapper: Mapper, open_org: OpenOrgIn, metrics: Metrics, log: Log
    ) -> None:
        self._resources = resources
        self.mapper = mapper
        self._open_org = open_org
        self._metrics = metrics
        self._log = log
        self._log_sparingly = Sparing(log)
        self.on_mistake: Callable[[], object] = lambda: None
        """Called when the thread ends without having been told to."""
        self.on_committed: Callable[[], object] = lambda: None
        """Called once a window's outcomes are in the journal, and before the next."""
        self.has_ended = False
        """Whether the thread has ended without having been told to."""
        self._stop = threading.Event()
        self._news = threading.Event()
        """Set when events have arrived, or when something was requested."""
        self._reloaded = threading.Event()
        """Set when the project is read again: a pause in delivery ends at once."""
        self._is_new_mapper = False
        self._retries: dict[int, None] = {}
        """The dead letters to deliver again; 0 stands for all."""
        self._set_apart: dict[int, None] = {}
        """Dead letters to retry one by one, once their writes are no longer in doubt."""
        self._set_apart_until = 0.0
        self._tries = 0
        """How often delivery has failed since it last succeeded."""
        self._accepted: dict[int, float] = {}
        """When the events of the current window were accepted."""
        self._alone_until = 0
        """The last event of a window that delivery crashed on: up to it, each event is delivered alone."""
        self._culprits: dict[int, str] = {}
        """The events that delivery crashed on when delivered alone, and the error of each."""
        self.org: OpenOrg | None = None
        self._thread = threading.Thread(target=self._run, name="delivery")
        resources.spool.on_arrival = self._news.set

    def start(self) -> None:
        self._thread.start()

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def stop(self) -> None:
        """Ends delivery after the calls in flight."""
        self._stop.set()
        self._news.set()
        self._reloaded.set()
        self._thread.join()

    def take(self, mapper: Mapper, open_org: OpenOrgIn) -> None:
        """Uses this mapper from the next window on, and this function the next time the org is opened."""
        self.mapper, self._open_org = mapper, open_org
        self._is_new_mapper = True
        self._news.set()
        self._reloaded.set()

    def retry(self, number: int) -> None:
        """Delivers a dead letter again before the next window; 0 stands for all."""
        self._retries[number] = None
        self._news.set()

    @property
    def retries(self) -> int:
        """How many requested retries are waiting."""
        return len(self._retries)

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                with ExitStack() as stack:
                    self._deliver_with_one_session(stack)
        except StopRequested:
            pass
        finally:
            if not self._stop.is_set():
                self.has_ended = True
                self.on_mistake()

    def _deliver_with_one_session(self, stack: ExitStack) -> None:
        """Delivers with one session, through every problem that leaves it usable."""
        opened: OpenOrg | None = None
        while True:
            self._reloaded.clear()
            try:
                opened = opened or self._opened(stack)
                self._deliver_letters(opened)
                self._deliver(opened)
            except StopRequested:
                raise
            except SfmapError as error:
                self._rest(error)
                if opened is None or _is_lost(error, opened):
                    return
            except Exception as error:  # a bug that one event triggers must not end the service
                if opened is None or not self._sets_apart(internal_error(error), opened):
                    raise

    def _sets_apart(self, mistake: str, opened: OpenOrg) -> bool:
        """Whether delivery can continue after an internal error, with each suspect event delivered alone.

        An event that delivery crashes on when alone becomes a dead letter.
        """
        what = f"this is a bug in sfmap: {mistake}"
        numbers = list(self._accepted)
        if numbers and numbers[0] not in self._culprits:
            if len(numbers) == 1:
                self._culprits[numbers[0]] = what
            self._alone_until = numbers[-1]
        elif numbers or not self._sets_held_apart(what, opened):
            return False
        self._log("error", f"Delivery failed: {what}. It continues with one event at a time, to find the cause.")
        return True

    def _sets_held_apart(self, what: str, opened: OpenOrg) -> bool:
        """Makes dead letters of records that wait for a write in doubt, each retried once its write is settled."""
        ledger = Ledger(self._resources.journal, opened.key, SPOOL)
        known, held = ledger.checkpoint(), ledger.held()
        if not known or not held:
            return False
        failed = [Letter(one.key, one.file, one.line, "", what, one.raw) for one in held]
        released = [one.key for one in held]
        ledger.commit(Commit(known.position, known.results, known.tally, released=released, failed=failed))
        ledger.settle(Settled(ended=released))  # no answer to these writes is awaited
        numbers = {one.key.event for one in held}
        # A create that no lookup can find may have succeeded: only a person can tell.
        found_again = {
            one.mapping.name
            for one in self.mapper.mappings
            if not all(lookup.finds_by_another_value for lookup in one.mapping.lookups)
        }
        letters = dead_letters(self._resources.journal, opened.key, what)
        self._set_apart |= {
            letter.id: None for letter in letters if letter.event in numbers and letter.mapping in found_again
        }
        self._rest_letters()
        return True

    def _rest_letters(self) -> None:
        self._set_apart_until = time.monotonic() + self._resources.options.call_limit

    def _opened(self, stack: ExitStack) -> OpenOrg:
        """Signs in to the org and asks for its limit, so that a problem shows from the start."""
        opened = self._open_org(stack)
        self._metrics.org_opened()
        try:
            self._metrics.usage = opened.org.limits()
        finally:
            self._metrics.count_calls(dict(opened.org.calls()))
        remember_organization(self._resources.journal, opened.entry, opened.key)
        if self.org is None:
            self._log("info", f"Delivering to {opened.where}.")
        self.org = opened
        if not self._tries:
            self._metrics.trouble = ""
        return opened

    def _rest(self, error: SfmapError) -> None:
        """Logs the problem and waits, or until the project is read again. Raises `StopRequested`.

        A refused sign-in is not retried before that: the org might lock the user.
        """
        seconds: float | None = min(_LONGEST_PAUSE, 2.0 ** min(self._tries, 6))
        if isinstance(error, (SignInRefused, LimitReached)):
            seconds = _LIMIT_PAUSE if isinstance(error, LimitReached) else None
        self._tries += 1
        self._metrics.trouble = _words(error)
        when = "" if seconds is None else f"in {seconds:g} s, or "
        self._log(
            "error",
            f"{self._metrics.trouble} Accepted events wait in the spool; delivery starts again {when}when the"
            " project is read again (SIGHUP).",
        )
        if not self._stop.is_set():
            self._reloaded.wait(seconds)
        if self._stop.is_set():
            raise StopRequested

    def _well(self) -> None:
        """Notes that delivery works."""
        if self._tries:
            self._log("info", "Delivery continues.")
        self._tries = 0
        self._metrics.trouble = ""

    def _deliver_letters(self, opened: OpenOrg) -> None:
        """Delivers the dead letters whose retry was requested."""
        self._accepted = {}
        while self._retries:
            number = list(self._retries)[0]  # noqa: RUF015 - atomic: other threads add to it
            del self._retries[number]
            try:
                self._deliver_letter(number, opened)
            except StopRequested:
                raise
            except SfmapError:
                self._retries[number] = None
                raise
            except Exception as error:  # noqa: BLE001 - else each wish to try them again would end the service
                what = f"this is a bug in sfmap: {internal_error(error)}"
                self._log("error", f"The retry failed, and its events remain dead letters; {what}.")

    def _deliver_letter(self, number: int, opened: OpenOrg) -> None:
        """Delivers that dead letter again, or all of them."""
        source = DeadLetterSource(self._resources.journal, opened.key, number=number)
        ledger = Ledger(self._resources.journal, opened.key, source.name)
        ledger.begin_unless_begun()
        delivery = make_delivery(self.mapper, opened.org, ledger, self._run_options())
        tried = failed = 0
        for delivered in delivery.deliver_windows(delivery.windows(source), START):
            self._count(delivered, opened)
            tried += delivered.events
            failed += sum(outcome.fate == "failed" for outcome in delivered.outcomes)
        ledger.finish()
        if delivery.held and number:  # still in doubt
            self._set_apart[number] = None
            self._rest_letters()
        doubt = f", in doubt and still dead letters: {delivery.held}" if delivery.held else ""
        self._log("info", f"Dead letters retried: {tried}, failed again: {failed}{doubt}.")

    def _deliver(self, opened: OpenOrg) -> None:
        """Delivers window by window, until something else is requested."""
        self._is_new_mapper = False
        ledger = Ledger(self._resources.journal, opened.key, SPOOL)
        ledger.begin_unless_begun()
        known = ledger.checkpoint()
        start = known.position if known else START
        delivery = make_delivery(self.mapper, opened.org, ledger, self._run_options())
        self._metrics.held = lambda: delivery.held
        try:
            for delivered in delivery.deliver_windows(self._windows(start), start):
                self._count(delivered, opened)
        finally:
            self._metrics.count_calls(dict(opened.org.calls()))

    def _windows(self, start: Position) -> Iterator[list[Received]]:
        """Yields waiting events as soon as they fill a window or the first of them has waited long enough."""
        spool, number = self._resources.spool, start.number
        today = _day()
        if number < self._alone_until:
            yield []  # records that waited for a write in doubt go first, on their own
        while True:
            self.on_committed()
            if self._set_apart and time.monotonic() > self._set_apart_until:
                self._retries |= self._set_apart
                self._set_apart = {}
            spool.remove(number)  # its outcomes are in the journal
            if self._is_new_mapper or self._retries or _day() != today:  # each delivery forgets old message ids
                return
            found = self._next(number)
            self._accepted = {one.number: one.accepted for one in found}
            if found:
                number = found[-1].number
            yield [self._received(one) for one in found]
            self._accepted = {}
            self._well()

    def _next(self, number: int) -> list[Spooled]:
        """The next window; an empty one after a while without events. Raises `StopRequested`."""
        spool, linger = self._resources.spool, self._resources.linger
        began = time.monotonic()
        while not self._stop.is_set():
            self._news.clear()
            waits = spool.events > 0
            # The spool's age uses the wall clock, which can be set back: the wait must end all the same.
            waited = time.monotonic() - began
            left = linger - max(spool.age, waited) if waits else _LOOK_SECONDS - waited
            if self._is_new_mapper or self._retries:
                return []  # requests come first
            if spool.events >= WINDOW_SIZE or spool.size >= WINDOW_BYTES or left <= 0:
                most = 1 if number < self._alone_until else WINDOW_SIZE
                return spool.after(number, most, WINDOW_BYTES) if waits else []
            self._news.wait(left)
        raise StopRequested

    def _received(self, spooled: Spooled) -> Received:
        event, problem = read_event(spooled.event)
        if what := self._culprits.get(spooled.number):
            event, problem = None, what
        return Received(spooled.number, spooled.source, spooled.number, spooled.event, event, problem)

    def _count(self, delivered: Delivered, opened: OpenOrg) -> None:
        now = time.time()
        metrics = self._metrics
        metrics.usage = opened.org.usage()
        metrics.count_calls(dict(opened.org.calls()))
        metrics.end(delivered.outcomes, delivered.events)
        for outcome in delivered.outcomes:
            accepted = self._accepted.get(outcome.event)
            if accepted is not None:
                metrics.latency.observe(max(0.0, now - accepted))
        failed = sum(outcome.fate == "failed" for outcome in delivered.outcomes)
        if failed:
            message = f"{failed:,} records failed and are dead letters: sfmap dead-letters lists them."
            self._log_sparingly("warning", "dead letters", message)

    def _run_options(self) -> RunOptions:
        return replace(
            self._resources.options,
            patience=_PATIENCE,
            skip_delivered=True,  # a client that missed the answer sends the event again
            ids_by_source=True,  # a website's key is public: it must not be able to use up another source's ids
            should_stop=self._stop.is_set,
            say=lambda text: None,  # `_rest` logs what matters; there is no terminal
        )


def _is_lost(error: SfmapError, opened: OpenOrg) -> bool:
    """Whether the org must be opened again: with credentials that may have been corrected, or after a restart.

    Also after a limit, since only a call shows whether calls are available again.
    """
    if opened.is_local and isinstance(error, OrgUnavailable):
        return True
    return isinstance(
        error, (SignInRefused, OrgOutOfReach, LimitReached, LocalOrgFailed, SecretMissing, CannotRead)
    )


def _day() -> int:
    return int(time.time() // 86_400)


def _words(error: SfmapError) -> str:
    return str(error) if isinstance(error, OrgError) else f"{str(error).rstrip('.')}."
