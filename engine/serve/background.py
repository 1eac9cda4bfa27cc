"""Delivers what is in the spool until it is told to stop; nothing that happens to the org ends it."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace

from sfmap.engine.delivery.deliver import WINDOW_SIZE, Delivered
from sfmap.engine.delivery.patience import Patience, StopRequested
from sfmap.engine.journal.database import Database, JournalFailed
from sfmap.engine.journal.ledger import Ledger
from sfmap.engine.journal.spool import Spool, Spooled
from sfmap.engine.letters import DeadLetterSource
from sfmap.engine.mapping.mapper import Mapper
from sfmap.engine.org.local.process import LocalOrgFailed
from sfmap.engine.org.port import OrgError, SignInRefused
from sfmap.engine.run import Manner, deliver_all, make_delivery
from sfmap.engine.secrets import SecretMissing
from sfmap.engine.serve.log import Log
from sfmap.engine.serve.metrics import Metrics
from sfmap.engine.sources.port import START, Position, Received
from sfmap.engine.sources.reading import read_event
from sfmap.engine.spec.diagnostics import Mistakes, render_all
from sfmap.engine.spec.files import CannotRead
from sfmap.engine.wiring import OpenOrg

SPOOL = "spool"
"""What the journal knows the events as."""
_LOOK_SECONDS = 0.5
"""How often what waits for a write in doubt is looked at, where no events come."""
_LONGEST_PAUSE = 60.0
_REFUSED_PAUSE = 900.0
"""An org locks users that try to sign in with a wrong password again and again."""
_PATIENCE = Patience(outage=10.0, first_contact=5.0)
"""After which the trouble is said, and delivery begins anew."""


@dataclass(frozen=True, slots=True)
class Means:
    """What delivery works with."""

    spool: Spool
    journal: Database
    open_org: Callable[[ExitStack], OpenOrg]
    compile: Callable[[], Mapper]
    """The mappings as they stand now."""
    manner: Manner
    linger: float
    """Seconds that a first event waits for others to go with it."""


class Background:
    """The thread that delivers, and how others speak to it."""

    def __init__(self, means: Means, mapper: Mapper, metrics: Metrics, log: Log) -> None:
        self._means = means
        self.mapper = mapper
        self._metrics = metrics
        self._log = log
        self._stop = threading.Event()
        self._reload = threading.Event()
        self._retry: list[int] = []
        self._accepted: dict[int, float] = {}
        """When the events of the window under way were accepted."""
        self.org_key = ""
        self._thread = threading.Thread(target=self._run, name="delivery")

    def start(self) -> None:
        self._thread.start()

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def stop(self) -> None:
        """Ends delivery after the calls in flight."""
        self._stop.set()
        self._thread.join()

    def reload(self) -> None:
        """Has the mappings read again before the next window."""
        self._reload.set()

    def retry(self, number: int) -> None:
        """Has a dead letter delivered again before the next window; 0 stands for all."""
        self._retry.append(number)

    def _run(self) -> None:
        tries = 0
        while not self._stop.is_set():
            try:
                with ExitStack() as stack:
                    opened = self._means.open_org(stack)
                    self.org_key = opened.key
                    self._metrics.org_opened()
                    while True:
                        self._between(opened)
                        self._deliver(opened)
            except StopRequested:
                return
            except (OrgError, JournalFailed, LocalOrgFailed, SecretMissing, CannotRead) as error:
                tries = tries + 1 if self._metrics.trouble else 1
                self._rest(error, tries)

    def _rest(self, error: Exception, tries: int) -> None:
        """Says what is the matter and waits, unless it is told to stop or to read the mappings again."""
        refused = isinstance(error, SignInRefused)
        seconds = _REFUSED_PAUSE if refused else min(_LONGEST_PAUSE, 2.0 ** (tries - 1))
        self._metrics.trouble = _words(error)
        again = f"delivery begins anew in {seconds:g} s, or when the mappings are read again"
        self._log("error", f"{self._metrics.trouble} Events are accepted; {again}.")
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self._reload.is_set():
            if self._stop.wait(0.2):
                return

    def _between(self, opened: OpenOrg) -> None:
        """What others have asked for."""
        if self._reload.is_set():
            self._reload.clear()
            self._take_mappings()
        while self._retry:
            number = self._retry.pop()
            source = DeadLetterSource(self._means.journal, opened.key, number=number)
            ledger = Ledger(self._means.journal, opened.key, source.name)
            ledger.begin("")
            report, _ = deliver_all(source, START, self.mapper, opened.org, ledger, self._manner())
            self._log(
                "info", f"Dead letters tried again: {report.events}, failed again: {report.fates['failed']}."
            )

    def _take_mappings(self) -> None:
        try:
            self.mapper = self._means.compile()
        except Mistakes as mistakes:
            plain = render_all(mistakes.diagnostics, lambda text, _part: text)
            self._log("error", f"The mappings have mistakes; those of before go on.\n{plain}")
        except CannotRead as error:
            self._log("error", f"{error}. The mappings of before go on.")
        else:
            self._log("info", "The mappings were read again.")

    def _deliver(self, opened: OpenOrg) -> None:
        """Window by window, until something else is asked for."""
        ledger = Ledger(self._means.journal, opened.key, SPOOL)
        known = ledger.checkpoint()
        if known is None:
            ledger.begin("")
        start = known.position if known else START
        delivery = make_delivery(self.mapper, opened.org, ledger, self._manner(), None)
        self._metrics.held = lambda: delivery.held
        try:
            for delivered in delivery.deliver_windows(self._windows(start), start):
                self._count(delivered, opened)
        finally:
            self._metrics.count_calls(dict(opened.org.calls()))

    def _windows(self, start: Position) -> Iterator[list[Received]]:
        """What waits, as soon as it is a full window or the first of it has lingered."""
        spool, number = self._means.spool, start.number
        today = _day()
        while True:
            spool.remove(number)  # its outcomes are in the journal by now
            if self._reload.is_set() or self._retry or _day() != today:  # each delivery forgets old message ids
                return
            found = self._next(number)
            self._accepted = {one.number: one.accepted for one in found}
            if found:
                number = found[-1].number
            yield [_received(one) for one in found]

    def _next(self, number: int) -> list[Spooled]:
        """The next window; an empty one after a while without events. Raises `StopRequested`."""
        until = time.monotonic() + _LOOK_SECONDS
        while not self._stop.is_set():
            found = self._means.spool.after(number, WINDOW_SIZE) if self._means.spool.events else []
            left = found[0].accepted + self._means.linger - time.time() if found else until - time.monotonic()
            if len(found) == WINDOW_SIZE or left <= 0:
                return found
            self._stop.wait(min(left, 0.02))
        raise StopRequested

    def _count(self, delivered: Delivered, opened: OpenOrg) -> None:
        now = time.time()
        metrics = self._metrics
        metrics.trouble = ""
        metrics.usage = opened.org.usage()
        metrics.report.add(delivered.outcomes, delivered.events)
        metrics.count_calls(dict(opened.org.calls()))
        for outcome in delivered.outcomes:
            metrics.outcomes.labels(outcome.fate).inc()
            if outcome.fate == "skipped":
                metrics.reasons.labels(metrics.bounded(outcome.reason)).inc()
            accepted = self._accepted.get(outcome.event)
            if accepted is not None:
                metrics.latency.observe(max(0.0, now - accepted))
        metrics.recent.extend(delivered.outcomes)

    def _manner(self) -> Manner:
        return replace(
            self._means.manner,
            patience=_PATIENCE,
            skip_delivered=True,  # a client that has missed its answer sends the same again
            should_stop=self._stop.is_set,
            say=lambda text: self._log("warning", text),
        )


def _day() -> int:
    return int(time.time() // 86_400)


def _received(spooled: Spooled) -> Received:
    event, problem = read_event(spooled.event)
    position = Position(spooled.number, line=spooled.number)
    return Received(spooled.number, spooled.source, spooled.number, spooled.event, event, problem, position)


def _words(error: Exception) -> str:
    return (
        f"{error.message} {error.advice}".strip() if isinstance(error, OrgError) else f"{str(error).rstrip('.')}."
    )
