"""The summary of a run: counts by outcome and reason, API calls, and how it ended."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import orjson

from sfmap.engine.delivery.outcome import FATES, Outcome
from sfmap.engine.org.port import ApiUsage

_MOST_DIFFERENT = 1_000
_LONGEST = 1_000
"""The most characters kept of a reason or note."""


@dataclass
class Report:
    """The summary of one run, updated with each window."""

    events: int = 0
    """The number of events that have an outcome or wait in the journal."""
    fates: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    """By reason."""
    failed: Counter[str] = field(default_factory=Counter)
    """By reason."""
    first_places: dict[str, str] = field(default_factory=dict)
    """The first occurrence of each reason to fail: file and line."""
    notes: Counter[str] = field(default_factory=Counter)
    """Notes on values cut or left out, by text."""
    calls: Mapping[str, int] = field(default_factory=dict)
    """API calls by operation."""
    usage: ApiUsage | None = None
    seconds: float = 0.0
    held: int = 0
    """The number of records that wait in the journal for a write in doubt or a bulk job."""
    held_for: str = "a write in doubt"
    """What they wait for."""
    batches: Mapping[str, str] = field(default_factory=dict)
    """By object and verb, the batch size after the org refused larger ones, and its reason."""
    connections: str = ""
    """How many writes at once the org bore, and why no more; empty if that was not found out."""
    parts: int = 1
    """The number of runs over the source so far, including this one."""
    _calls_before: Mapping[str, int] = field(default_factory=dict)
    _seconds_before: float = 0.0

    @classmethod
    def continued_from(cls, tally: bytes) -> "Report":
        """The report of a run that continues from the tally of an earlier one; empty for a first run."""
        if not tally:
            return cls()
        said = orjson.loads(tally)
        return cls(
            events=said["events"],
            fates=Counter(said["fates"]),
            skipped=Counter(said["skipped"]),
            failed=Counter(said["failed"]),
            first_places=said["first_places"],
            notes=Counter(said["notes"]),
            calls=said["calls"],
            seconds=said["seconds"],
            parts=said["parts"] + 1,
            _calls_before=said["calls"],
            _seconds_before=said["seconds"],
        )

    def tally(self) -> bytes:
        """The counts that a later run needs to report on the whole source."""
        return orjson.dumps(
            {
                "events": self.events,
                "fates": self.fates,
                "skipped": self.skipped,
                "failed": self.failed,
                "first_places": self.first_places,
                "notes": self.notes,
                "calls": self.calls,
                "seconds": self.seconds,
                "parts": self.parts,
            }
        )

    def spend(self, calls: Mapping[str, int], seconds: float) -> None:
        """Sets the calls, sorted by operation, and the seconds that this run has used so far."""
        # Calls are made side by side: the order of the first ones differs from run to run.
        self.calls = dict(sorted((Counter(self._calls_before) + Counter(calls)).items()))
        self.seconds = self._seconds_before + seconds

    def add(self, outcomes: Iterable[Outcome], events: int) -> None:
        """Adds the outcomes of a window, and the number of events read for it."""
        self.events += events
        for outcome in outcomes:
            self._add(outcome)

    def _add(self, outcome: Outcome) -> None:
        first, further = outcome.fate, "updated" if outcome.fate == "created" else outcome.fate
        self.fates[first] += 1
        self.fates[further] += outcome.events - 1
        if outcome.fate == "skipped":
            _count(self.skipped, outcome.reason)
        elif outcome.fate == "failed":
            reason = _count(self.failed, outcome.reason)
            self.first_places.setdefault(reason, f"{outcome.file}:{outcome.line}")
        for note in outcome.notes:
            _count(self.notes, note)

    def end(
        self,
        usage: ApiUsage | None,
        held: int = 0,
        held_for: str = "a write in doubt",
        batches: Mapping[str, str] | None = None,
        connections: str = "",
    ) -> None:
        """Adds what is known at the end of a run."""
        self.usage, self.batches, self.connections = usage, batches or {}, connections
        self.held, self.held_for = held, held_for

    def as_json(self) -> dict[str, object]:
        """The content of the report file."""
        counted: dict[str, object] = {fate: self.fates[fate] for fate in FATES if fate != "skipped"}
        return {
            "events": self.events,
            "skipped": dict(self.skipped),
            **counted,
            "failures": dict(self.failed),
            "notes": dict(self.notes),
            "held": self.held,
            "batches": dict(self.batches),
            "connections": self.connections or None,
            "runs": self.parts,
            "api_calls": dict(self.calls),
            "api_usage": {"used": self.usage.used, "limit": self.usage.limit} if self.usage else None,
            "seconds": round(self.seconds, 3),
        }


def _count(counter: Counter[str], text: str) -> str:
    """Counts a text, up to a limit of different texts, so that a long run cannot fill the memory."""
    text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    counted = text if text in counter or len(counter) < _MOST_DIFFERENT else "others"
    counter[counted] += 1
    return counted
