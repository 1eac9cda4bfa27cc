"""What the service counts, for Prometheus and for its page."""

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from sfmap.engine.delivery.outcome import Outcome
from sfmap.engine.delivery.report import Report
from sfmap.engine.journal.dead_letter_store import DeadLetterRoom
from sfmap.engine.journal.spool import Spool
from sfmap.engine.org.port import ApiUsage
from sfmap.engine.serve.known_gauges import KnownGauges, count_build
from sfmap.engine.serve.reason_labels import OTHERS, failed_label, note_label, skipped_label

_RECENT = 100
_SHOWN = 10
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)


_MOST_CODES = 50
"""Status codes of the org that are counted apart; further ones count as others."""
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
        self.accepted = Counter(
            "sfmap_accepted", "Events that are on disk, by source", ["source"], registry=self._registry
        )
        self.refused = Counter(
            "sfmap_refused", "Requests that were not accepted, by status", ["status"], registry=self._registry
        )
        for status in (400, 401, 413, 415, 503):  # so that the first of them is an increase
            self.refused.labels(str(status))
        self.outcomes = Counter(
            "sfmap_outcomes",
            "Outcomes of records, and of events without one",
            ["outcome", "mapping", "object"],
            registry=self._registry,
        )
        self.failures = Counter(
            "sfmap_failures", "Records that failed, by reason", ["reason"], registry=self._registry
        )
        self.reasons = Counter(
            "sfmap_skipped", "Events that were skipped, by reason", ["reason"], registry=self._registry
        )
        self.notes = Counter(
            "sfmap_notes", "Values that were cut, cleaned or left out", ["reason"], registry=self._registry
        )
        self.calls = Counter("sfmap_api_calls", "API calls, by operation", ["operation"], registry=self._registry)
        self.latency = Histogram(
            "sfmap_delivery_seconds",
            "From acceptance to outcome",
            buckets=_SECONDS,
            registry=self._registry,
        )
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
        self._codes: set[str] = set()
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
        self.accepted.labels(source).inc(events)
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
        self.refused.labels(str(status)).inc()
        with self._lock:
            count, _ = self._refused.get((path, status), (0, ""))
            self._refused[path, status] = count + 1, message

    def end(self, outcomes: Sequence[Outcome], events: int) -> None:
        """Counts the outcomes of a window, and the number of events read for it."""
        with self._lock:
            self._report.add(outcomes, events)
            self._recent.extend(outcomes)
        for outcome in outcomes:
            self.outcomes.labels(outcome.fate, outcome.mapping, outcome.object_name).inc()
            if outcome.fate == "skipped":
                self.reasons.labels(skipped_label(outcome.reason)).inc()
            elif outcome.fate == "failed":
                self.failures.labels(self._bounded(failed_label(outcome.reason))).inc()
            for note in outcome.notes:
                self.notes.labels(note_label(note)).inc()

    def _bounded(self, label: str) -> str:
        if label not in self._codes and len(self._codes) >= _MOST_CODES:
            return OTHERS
        self._codes.add(label)
        return label

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
            self.calls.labels(operation).inc(count - self._calls.get(operation, 0))
        self._calls = calls

    def text(self) -> bytes:
        """The Prometheus exposition format, version 0.0.4."""
        return generate_latest(self._registry)
