"""The counters of the service for Prometheus, whose labels come from fixed sets or from sfmap.yaml."""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram

from sfmap.engine.delivery.outcome import Outcome
from sfmap.engine.serve.reason_labels import OTHERS, failed_label, note_label, skipped_label

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)
_STATUSES = (400, 401, 413, 415, 503)
"""They begin at zero, so that the first refusal is an increase."""
_MOST_CODES = 50
"""Status codes of the org that are counted apart; further ones count as others."""


class ServiceCounters:
    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, meaning: str, *labels: str) -> Counter:
            return Counter(name, meaning, labels, registry=registry)

        self.accepted = counter("sfmap_accepted", "Events that are on disk, by source", "source")
        self.refused = counter("sfmap_refused", "Requests that were not accepted, by status", "status")
        meaning = "Outcomes of records, and of events without one"
        self._outcomes = counter("sfmap_outcomes", meaning, "outcome", "mapping", "object")
        self._failures = counter("sfmap_failures", "Records that failed, by reason", "reason")
        self._skipped = counter("sfmap_skipped", "Events that were skipped, by reason", "reason")
        self._notes = counter("sfmap_notes", "Values that were cut, cleaned or left out, by reason", "reason")
        self.calls = counter("sfmap_api_calls", "API calls, by operation", "operation")
        self.latency = Histogram(
            "sfmap_delivery_seconds", "From acceptance to outcome", buckets=_SECONDS, registry=registry
        )
        self._sources: dict[str, Counter] = {}
        self._codes: set[str] = set()
        for status in _STATUSES:
            self.refused.labels(str(status))

    def accept(self, source: str, events: int) -> None:
        """Counts events that are on disk."""
        counter = self._sources.get(source)
        if counter is None:
            counter = self._sources[source] = self.accepted.labels(source)
        counter.inc(events)

    def count(self, outcomes: Sequence[Outcome]) -> None:
        """Counts the outcomes of a window."""
        for outcome in outcomes:
            self._outcomes.labels(outcome.fate, outcome.mapping, outcome.object_name).inc()
            if outcome.fate == "skipped":
                self._skipped.labels(skipped_label(outcome.reason)).inc()
            elif outcome.fate == "failed":
                self._failures.labels(self._bounded(failed_label(outcome.reason))).inc()
            for note in outcome.notes:
                self._notes.labels(note_label(note)).inc()

    def _bounded(self, label: str) -> str:
        if label not in self._codes and len(self._codes) >= _MOST_CODES:
            return OTHERS
        self._codes.add(label)
        return label
