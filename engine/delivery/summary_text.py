"""The summary of a run as text: a line for each count, with its reasons, and what to change if all was skipped."""

import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence

from sfmap.engine.delivery.outcome import FATES
from sfmap.engine.delivery.report import Report
from sfmap.engine.yaml_files.diagnostics import Part, Style, plain

_MOST_SHOWN = 8
_MOST_ADVICE = 3
_NEARLY_ALL = 0.9
_BESIDE = 24
"""The column of what is said beside a count."""
_NARROWEST = 20
_LOOKS: dict[str, Part] = {"failed": "error", "held": "warning"}
_ADVICE = (
    ("not opted in", "To deliver them anyway, set in sfmap.yaml: settings: {MAPPING: {opt_in: null}}"),
    ("when is not true", "Check the mapping's key when: it says which events are taken."),
    ("no mapping takes", "Check the mappings' key event: it says which events they take."),
    ("no items", "Check the mapping's key for_each: it names the list whose items become records."),
    (
        "the same messageId came before",
        "They were delivered before. To deliver them again, leave out --skip-delivered, or set repeats: 0 in"
        " sfmap.yaml.",
    ),
    ("timestamp_guard", "They are older than what was written. To write them anyway, take timestamp_guard out."),
    ("was found", "These mappings change only records that exist. To create the others: operation: upsert"),
    ("unless_found", "To make records of them anyway, take unless_found out of the mapping."),
)
"""By a part of the reason for a skip, what to do if it is not intended."""


def summary_text(
    report: Report, width: int | None = None, style: Style = plain, *, records: Sequence[str] | None = None
) -> str:
    """The summary in lines of at most `width` columns; without it, in lines that are not broken.

    `records` are lines about records in place of those about what was written.
    """
    return "\n".join(line for row in _rows(report, records) for line in _styled(_broken(row, width), style))


def is_nearly_all_skipped(report: Report) -> bool:
    return report.fates["skipped"] > _NEARLY_ALL * report.events


def _styled(lines: list[str], style: Style) -> list[str]:
    """The lines of a row; its name and count are styled by what they say."""
    first, *further = lines
    look = _LOOKS.get(first[2:12].rstrip())
    return [f"{first[:2]}{style(first[2:22], look)}{first[22:]}", *further] if look else lines


def _broken(row: str, width: int | None) -> list[str]:
    """A row, continued under what stands beside the count."""
    if width is None or len(row) <= width:
        return [row]
    margin = min(_BESIDE, max(0, width - _NARROWEST))
    indent = " " * (margin if row[2:12].strip() or row[12:].lstrip()[:1].isdigit() else 2)
    return textwrap.wrap(row, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _rows(report: Report, records: Sequence[str] | None) -> Iterator[str]:
    events = "event" if report.events == 1 else "events"
    runs = f", in {report.parts} runs" if report.parts > 1 else ""
    yield f"  read       {report.events:>9,}  {events} in {report.seconds:.1f} s{runs}"
    yield from records or ()
    for fate in FATES if records is None else ("skipped", "failed"):
        if report.fates[fate] or fate in ("created", "updated"):
            reasons = {"skipped": report.skipped, "failed": report.failed}.get(fate, Counter())
            yield from _counted(report, fate, report.fates[fate], reasons)
    if report.notes:
        yield from _counted(report, "noted", report.notes.total(), report.notes)
    if report.held:
        yield f"  held       {report.held:>9,}  waiting for {report.held_for}: see docs/reliability.md"
    for what, how in report.batches.items():
        yield f"  batches               {what}: {how}"
    if report.connections:
        yield f"  connections           {report.connections}"
    made = ", ".join(f"{operation} {count:,}" for operation, count in report.calls.items())
    yield f"  API calls  {sum(report.calls.values()):>9,}  {made}".rstrip()
    if report.usage:
        left = max(0, report.usage.limit - report.usage.used)
        yield f"  left today {left:>9,}  of {report.usage.limit:,}, as reported by the org"
    yield from _advice(report)


def _counted(report: Report, name: str, count: int, reasons: Counter[str]) -> Iterator[str]:
    """The row for a count, with a single reason beside it or several below."""
    only = _with_place(report, *reasons) if len(reasons) == 1 else ""
    yield f"  {name:<10} {count:>9,}  {only}".rstrip()
    if len(reasons) < 2:
        return
    for reason, times in reasons.most_common(_MOST_SHOWN):
        yield f"  {'':10} {times:>9,} × {_with_place(report, reason)}"
    if len(reasons) > _MOST_SHOWN:
        yield f"  {'':10} {'':9}   and {len(reasons) - _MOST_SHOWN} more: see --report or --results"


def _with_place(report: Report, reason: str) -> str:
    place = report.first_places.get(reason)
    return f"{reason} (first at {place})" if place else reason


def _advice(report: Report) -> Iterator[str]:
    """What to do if nearly all events are skipped."""
    if not report.events or not is_nearly_all_skipped(report):
        return
    said = dict.fromkeys(
        next((advice for part, advice in _ADVICE if part in reason), "")
        for reason, _ in report.skipped.most_common(_MOST_ADVICE)
    )
    yield from (f"  {advice}" for advice in said if advice)
