"""What the service counts, for Prometheus and for its page."""

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, generate_latest

from sfmap.engine.delivery.outcome import Outcome
from sfmap.engine.delivery.report import Report
from sfmap.engine.journal.dead_letter_store import DeadLetterRoom
from sfmap.engine.journal.spool import Spool
from sfmap.engine.org.port import ApiUsage
from sfmap.engine.serve.known_gauges import KnownGauges, count_build
from sfmap.engine.serve.service_counters import ServiceCounters

_RECENT = 100
_SHOWN = 10


NOT_ASKED_YET = "The org has not been asked yet."


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures at one moment; counts are since the start."""

    fates: Mapping[str, int]
    skipped: Sequence[tuple[str, int]]
    notes: Sequence[tuple[str, int]]
    """Notes on values cut or left out, the most frequent first."""
    refused: Mapping[tuple[str, int], tuple[int, str]]
    """By path and status: the number of requests, and the message that the last one received."""
    recent: Sequence[Outcome]
    """The newest first."""


class Metrics:
    """The counts of one service since its start. Thread-safe."""

    def __init__(self, spool: Spool, letters: DeadLetterRoom | None = None) -> None:
        self._registry = CollectorRegistry()
        self._gauges = KnownGauges()
        self._registry.register(self._gauges)
        count_build(self._registry)
        self.counters = ServiceCounters(self._registry)
        self._show("sfmap_api_calls_left", "API calls left today, as last reported", self._calls_left)
        self._show("sfmap_org_up", "Whether the last delivery reached the org", self._org_up)
        self._show("sfmap_spool_events", "Events waiting in the spool", lambda: spool.events)
        self._show("sfmap_spool_bytes", "Bytes of events waiting in the spool", lambda: spool.size)
        self._show("sfmap_spool_age_seconds", "How long the oldest event has waited", lambda: spool.age)
        if letters:
            self._show("sfmap_dead_letters", "Dead letters in the journal", lambda: letters.letters)
            self._show("sfmap_dead_letter_bytes", "Bytes of dead letters", lambda: letters.size)
        self._show("sfmap_held_records", "Records waiting for a write in doubt", lambda: self.held())
        if spool.is_shared:
            self._show("sfmap_delivering", "Whether this node delivers", lambda: self.is_delivering)
            self._show("sfmap_state_up", "Whether the state can be reached", lambda: not self.state_trouble)
        self.is_delivering = False
        self.state_trouble = ""
        """Why a shared journal cannot be reached; empty if all is well."""
        self.held: Callable[[], int] = lambda: 0
        """Counts the records that wait in the journal until it is certain what the org did."""
        self.usage: ApiUsage | None = None
        self.trouble = NOT_ASKED_YET
        """Why nothing is being delivered; empty if all is well."""
        self._lock = threading.Lock()
        self._report = Report()
        self._refused: dict[tuple[str, int], tuple[int, str]] = {}
        self._recent: deque[Outcome] = deque(maxlen=_RECENT)
        self._calls: dict[str, int] = {}
        self._accepted = 0

    def _show(self, name: str, meaning: str, look: Callable[[], float | None]) -> None:
        self._gauges.looks[name] = meaning, look

    def _calls_left(self) -> float | None:
        return max(0, self.usage.limit - self.usage.used) if self.usage else None

    def _org_up(self) -> bool | None:
        return None if self.trouble == NOT_ASKED_YET else not self.trouble

    @property
    def standing(self) -> str:
        """What becomes of accepted events now."""
        return self.trouble or "the org is delivered to"

    def accept(self, source: str, events: int) -> None:
        """Counts events that were accepted."""
        self.counters.accept(source, events)
        with self._lock:
            self._accepted += events

    def counted(self) -> tuple[int, int]:
        """How many events were accepted and delivered since the start."""
        with self._lock:
            return self._accepted, self._report.events

    def forget_held(self) -> None:
        """Notes that other nodes know which records wait."""
        self.held = lambda: 0

    def refuse(self, path: str, status: int, message: str) -> None:
        """Counts a request that was refused."""
        self.counters.refused.labels(str(status)).inc()
        with self._lock:
            count, _ = self._refused.get((path, status), (0, ""))
            self._refused[path, status] = count + 1, message

    def end(self, outcomes: Sequence[Outcome], events: int) -> None:
        """Counts the outcomes of a window, and the number of events read for it."""
        with self._lock:
            self._report.add(outcomes, events)
            self._recent.extend(outcomes)
        self.counters.count(outcomes)

    def figures(self) -> Figures:
        with self._lock:
            report = self._report
            return Figures(
                fates=dict(report.fates),
                skipped=report.skipped.most_common(_SHOWN),
                notes=report.notes.most_common(_SHOWN),
                refused=dict(self._refused),
                recent=list(reversed(self._recent)),
            )

    def org_opened(self) -> None:
        """Notes that the org was opened: its count of calls starts at zero."""
        self._calls = {}

    def count_calls(self, calls: dict[str, int]) -> None:
        """Adds the org's calls by operation, given as totals since it was opened."""
        for operation, count in calls.items():
            self.counters.calls.labels(operation).inc(count - self._calls.get(operation, 0))
        self._calls = calls

    def text(self) -> bytes:
        """The Prometheus exposition format, version 0.0.4."""
        return generate_latest(self._registry)
