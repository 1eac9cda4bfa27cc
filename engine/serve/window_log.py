"""What the log says about a window: counts with their reasons, and for programs the ids of its records."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from sfmap.engine.delivery.outcome import FATES, Outcome
from sfmap.engine.messages.counts import counted
from sfmap.engine.serve.reason_labels import failed_label, note_label, skipped_label

_MOST_REASONS = 3
_MOST_RECORDS = 100
"""Those that are named in one line; the failed ones first."""
_LONGEST_ID = 100
_LABELS: Mapping[str, Callable[[str], str]] = {"failed": failed_label, "skipped": skipped_label}


def window_message(outcomes: Sequence[Outcome], events: int, seconds: float) -> str:
    """The window in a sentence, such as `Delivered 3 events in 0.2 s: 2 created, 1 skipped (not opted in).`"""
    counts = Counter(outcome.fate for outcome in outcomes)
    parts = (f"{counts[fate]:,} {fate}{_reasons(outcomes, fate)}" for fate in FATES if counts[fate])
    return f"Delivered {counted(events, 'event')} in {seconds:.1f} s: {', '.join(parts) or 'nothing yet'}."


def window_facts(outcomes: Sequence[Outcome], events: int, seconds: float) -> dict[str, object]:
    """The same for programs. Texts that a client has chosen are left out, but for the ids of its messages."""
    named = sorted(outcomes, key=lambda outcome: outcome.fate != "failed")[:_MOST_RECORDS]
    return {
        "events": events,
        "seconds": round(seconds, 3),
        "outcomes": dict(Counter(outcome.fate for outcome in outcomes)),
        **{fate: found for fate in _LABELS if (found := dict(_counted(outcomes, fate)))},
        "notes": dict(Counter(note_label(note) for outcome in outcomes for note in outcome.notes)),
        "records": [_record(outcome) for outcome in named],
        "records_left_out": len(outcomes) - len(named),
    }


def _record(outcome: Outcome) -> dict[str, object]:
    said = {
        "event": f"{outcome.file}:{outcome.line}",
        "messageId": outcome.message_id and outcome.message_id[:_LONGEST_ID],
        "outcome": outcome.fate,
        "mapping": outcome.mapping,
        "object": outcome.object_name,
        "id": outcome.id,
        "reason": _LABELS[outcome.fate](outcome.reason) if outcome.fate in _LABELS else None,
    }
    return {key: value for key, value in said.items() if value}


def _counted(outcomes: Iterable[Outcome], fate: str) -> Counter[str]:
    return Counter(_LABELS[fate](outcome.reason) for outcome in outcomes if outcome.fate == fate)


def _reasons(outcomes: Sequence[Outcome], fate: str) -> str:
    if fate not in _LABELS:
        return ""
    found = _counted(outcomes, fate)
    more = f", {len(found) - _MOST_REASONS} more reasons" if len(found) > _MOST_REASONS else ""
    return f" ({', '.join(label for label, _ in found.most_common(_MOST_REASONS))}{more})"
