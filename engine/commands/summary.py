"""Ends `sfmap run` and `sfmap retry`: with the summary, or with why they ended early and how to continue."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

import orjson

from sfmap.engine.api.run_report import RunReport
from sfmap.engine.commands.status_line import StatusLine
from sfmap.engine.commands.terminal import error_text, say, say_message, styled, terminal_width
from sfmap.engine.delivery.summary_text import is_nearly_all_skipped, summary_text
from sfmap.engine.delivery.waiter import StopRequested
from sfmap.engine.errors import ExitCode, SfmapError
from sfmap.engine.messages.counts import counted
from sfmap.engine.messages.hints import command_line


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """The words of commands that continue what this one has done."""

    org: Sequence[str] | None
    """Of the org; None where no command can name it."""
    mappings: Sequence[str] = ()
    rendering: Sequence[str] = ()
    """What `sfmap render` takes to show the same events; empty if it cannot."""


def print_summary(status: StatusLine, as_data: bool, hints: Hints, report: RunReport) -> None:
    """Prints the summary as text, and as JSON on stdout if that is wanted, in place of the status line."""
    status.clear()
    say(summary_text(report.summary, terminal_width(), styled))
    if report.events and hints.rendering and is_nearly_all_skipped(report.summary):
        say(f"To see why for each event:\n  {command_line('render', '--explain', *hints.rendering)}")
    if report.failed:
        _say_what_failed(hints)
    if as_data:
        data = orjson.dumps(report.as_dict(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        sys.stdout.buffer.write(data)


def _say_what_failed(hints: Hints) -> None:
    if hints.org is None:
        say_message("Failed records are kept. To list and retry them, give this org an entry in sfmap.yaml.")
        return
    say(
        "Failed records are kept. To list them, and to deliver them again:\n"
        f"  {command_line('dead-letters', *hints.org)}\n"
        f"  {command_line('retry', *hints.org, *hints.mappings)}"
    )


def finish(report: RunReport, again: str) -> NoReturn:
    """Exits; `again` says how to continue a run that ended early."""
    if report.error:
        _end_early(report.error, report, again)
    sys.exit(ExitCode.EVENTS_FAILED if report.failed else ExitCode.DONE)


def _end_early(error: SfmapError, report: RunReport, again: str) -> NoReturn:
    """Prints why the run ended and how to continue, and exits."""
    done = f"Every event up to {report.events:,} has its outcome" if report.events else "No event was delivered"
    held = ""
    if report.held:
        waits = "waits" if report.held == 1 else "wait"
        held = f", except {counted(report.held, 'record')} that {waits} for {report.summary.held_for}"
    where = f"{done}{held}. {again}"
    say_message(f"\n{error} {where}" if isinstance(error, StopRequested) else f"\n{error_text(error)}\n{where}")
    sys.exit(error.exit_code)
