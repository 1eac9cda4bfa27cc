"""The summary of a run, as JSON and as text: counts by outcome and reason, API calls, and how it ended."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import orjson

from sfmap.engine.delivery.outcome import FATES, Outcome
from sfmap.engine.org.port import ApiUsage

_MOST_DIFFERENT = 1_000
_MOST_SHOWN = 8
_NEARLY_ALL = 0.9
_ADVICE = (
    (
        "not opted in",
        "To deliver them anyway, set in sfmap.yaml: settings: {MAPPING: {opt_in: null}}",
    ),
    (
        "when is not true",
        "Check the mapping's key when, and try one of these events with: sfmap render --explain",
    ),
    ("no mapping takes", "Check the mappings' key event; sfmap check lists which events they take."),
)
"""By a part of the reason for a skip, what to do if it is not intended."""
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
    """The number of records that wait in the journal for a write in doubt."""
    batches: Mapping[str, str] = field(default_factory=dict)
    """By object and verb, the batch size after the org refused larger ones, and its reason."""
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
        """Sets the calls and seconds that this run has used so far."""
        self.calls = dict(Counter(self._calls_before) + Counter(calls))
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

    def end(self, usage: ApiUsage | None, held: int, batches: Mapping[str, str]) -> None:
        """Adds what is known at the end of a run."""
        self.usage, self.held, self.batches = usage, held, batches

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
            "runs": self.parts,
            "api_calls": dict(self.calls),
            "api_usage": {"used": self.usage.used, "limit": self.usage.limit} if self.usage else None,
            "seconds": round(self.seconds, 3),
        }

    def summary(self, records: Sequence[str] | None = None) -> str:
        """The summary as text; `records` are lines about records in place of those about what was written."""
        return "\n".join(self._lines(records))

    def _advice(self) -> Iterator[str]:
        """Hints if nearly all events are skipped for one reason."""
        for reason, count in self.skipped.most_common(1):
            if count > _NEARLY_ALL * self.events:
                yield from (f"  {advice}" for said, advice in _ADVICE if said in reason)

    def _lines(self, records: Sequence[str] | None) -> Iterator[str]:
        events = "event" if self.events == 1 else "events"
        runs = f", in {self.parts} runs" if self.parts > 1 else ""
        yield f"  read       {self.events:>9,}  {events} in {self.seconds:.1f} s{runs}"
        yield from records or ()
        for fate in FATES if records is None else ("skipped", "failed"):
            if self.fates[fate] or fate in ("created", "updated"):
                reasons = {"skipped": self.skipped, "failed": self.failed}.get(fate, Counter())
                yield from self._counted(fate, self.fates[fate], reasons)
        if self.notes:
            yield from self._counted("noted", self.notes.total(), self.notes)
        if self.held:
            yield f"  held       {self.held:>9,}  until it is certain what the org did: see docs/reliability.md"
        for what, how in self.batches.items():
            yield f"  batches               {what}: {how}"
        made = ", ".join(f"{operation} {count:,}" for operation, count in self.calls.items())
        yield f"  API calls  {sum(self.calls.values()):>9,}  {made}".rstrip()
        if self.usage:
            left = max(0, self.usage.limit - self.usage.used)
            yield f"  left today {left:>9,}  of {self.usage.limit:,}, as reported by the org"
        yield from self._advice()

    def _counted(self, name: str, count: int, reasons: Counter[str]) -> Iterator[str]:
        """The line for a count, with a single reason beside it or several below."""
        only = self._with_place(*reasons) if len(reasons) == 1 else ""
        yield f"  {name:<10} {count:>9,}  {only}".rstrip()
        if len(reasons) < 2:
            return
        for reason, times in reasons.most_common(_MOST_SHOWN):
            yield f"  {'':10} {times:>9,} × {self._with_place(reason)}"
        if len(reasons) > _MOST_SHOWN:
            yield f"  {'':10} {'':9}   and {len(reasons) - _MOST_SHOWN} more: see --report or --results"

    def _with_place(self, reason: str) -> str:
        place = self.first_places.get(reason)
        return f"{reason} (first at {place})" if place else reason


def _count(counter: Counter[str], text: str) -> str:
    """Counts a text, up to a limit of different texts, so that a long run cannot fill the memory."""
    text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    counted = text if text in counter or len(counter) < _MOST_DIFFERENT else "others"
    counter[counted] += 1
    return counted
