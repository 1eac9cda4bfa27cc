"""Counts what is delivered, notes it in the history, and logs it window by window."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from sfmap.engine.delivery.commits import Delivered, OutputState
from sfmap.engine.journal.spool import Spooled
from sfmap.engine.messages.counts import counted
from sfmap.engine.messages.hints import command_line
from sfmap.engine.org.port import Org
from sfmap.engine.serve.call_pace import CallPace
from sfmap.engine.serve.event_history import EventHistory
from sfmap.engine.serve.log import Log, SparingLog
from sfmap.engine.serve.metrics import Metrics
from sfmap.engine.serve.window_log import window_facts, window_message
from sfmap.engine.sources.event_source import Received


class _UnderWay(NamedTuple):
    """An event that is being delivered."""

    accepted: float
    taken: float


class ServiceListener:
    """The listener of the deliveries of a service. For the delivery thread."""

    def __init__(
        self,
        *,
        metrics: Metrics,
        history: EventHistory | None,
        revision: Callable[[], str],
        log: Log,
        org_option: Sequence[str],
    ) -> None:
        """`org_option` are the words that name the org on a command line."""
        self.org: Org | None = None
        """The org that is delivered to."""
        self.pace = CallPace()
        self.began = 0.0
        """When dead letters or held records were taken that are being delivered."""
        self._metrics = metrics
        self._history = history
        self._revision = revision
        self._log = log
        self._log_sparingly = SparingLog(log)
        self._org_option = org_option
        self._under_way: dict[int, _UnderWay] = {}
        """By number, events of the spool."""

    @property
    def under_way(self) -> list[int]:
        """The numbers of the events of the spool that are being delivered, in order."""
        return list(self._under_way)

    def begin(self, window: Sequence[Spooled], received: Sequence[Received]) -> None:
        """Notes events of the spool that are about to be delivered."""
        now = time.time()
        self._under_way |= {one.number: _UnderWay(one.accepted, now) for one in window}
        if self._history:
            self._history.note_window(window, received)

    def end(self, up_to: int) -> bool:
        """Notes that the outcomes of events up to a number are in the journal; returns whether there are any."""
        left = {number: one for number, one in self._under_way.items() if number > up_to}
        has_ended = len(left) < len(self._under_way)
        self._under_way = left
        return has_ended

    def forget(self) -> None:
        """Notes that no event of the spool is being delivered."""
        self._under_way = {}
        self.began = time.time()

    def tell(self, delivered: Delivered) -> OutputState:
        """Receives the outcomes of a window."""
        return self._tell(delivered, are_retried=False)

    def retried(self) -> "RetryListener":
        """Receives the outcomes of dead letters that are tried again."""
        return RetryListener(partial(self._tell, are_retried=True))

    def count_calls(self) -> None:
        if self.org:
            self._metrics.count_calls(dict(self.org.calls()))

    def note_usage(self) -> None:
        """Notes how many calls the org says were used."""
        if self.org:
            self._metrics.usage = self.org.usage()
            self.pace.note(self._metrics.usage)

    def _tell(self, delivered: Delivered, *, are_retried: bool) -> OutputState:
        now = time.time()
        self.note_usage()
        self.count_calls()
        self._metrics.end(delivered.outcomes, delivered.events)
        if self._history:
            self._history.note_outcomes(delivered.outcomes, self._revision(), are_retried=are_retried)
        for outcome in delivered.outcomes:
            if under_way := self._under_way.get(outcome.event):
                self._metrics.counters.latency.observe(max(0.0, now - under_way.accepted))
        self._log_window(delivered, now)
        return OutputState()

    def _log_window(self, delivered: Delivered, now: float) -> None:
        outcomes, events = delivered.outcomes, delivered.events
        if not (outcomes or events):
            return
        first = next(iter(self._under_way.values()), None)  # windows are committed in order
        seconds = now - (first.taken if first else self.began)
        facts = partial(window_facts, outcomes, events, seconds)
        self._log("info", window_message(outcomes, events, seconds), facts)
        if failed := _failed(delivered):
            listed_by = command_line("dead-letters", *self._org_option)
            message = f"Failed and kept: {counted(failed, 'record')}. To list all that failed, run: {listed_by}"
            self._log_sparingly("warning", "dead letters", message)


class RetryListener:
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
