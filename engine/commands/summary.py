"""Ends `sfmap run` and `sfmap retry`: with the summary, or with why they ended early and how to continue."""

import sys
from typing import NoReturn

import orjson

from sfmap.engine.api.run_report import RunReport
from sfmap.engine.commands.status_line import StatusLine
from sfmap.engine.commands.terminal import say
from sfmap.engine.delivery.waiter import StopRequested
from sfmap.engine.errors import ExitCode, SfmapError


def print_summary(status: StatusLine, as_data: bool, report: RunReport) -> None:
    """Prints the summary as text, and as JSON on stdout if that is wanted, in place of the status line."""
    status.clear()
    say(str(report))
    if report.failed:
        say("Failed records are kept: sfmap dead-letters lists them, sfmap retry delivers them again.")
    if as_data:
        data = orjson.dumps(report.as_dict(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        sys.stdout.buffer.write(data)


def finish(report: RunReport, again: str) -> NoReturn:
    """Exits; `again` says how to continue a run that ended early."""
    if report.error:
        _end_early(report.error, report, again)
    sys.exit(ExitCode.EVENTS_FAILED if report.failed else ExitCode.DONE)


def _end_early(error: SfmapError, report: RunReport, again: str) -> NoReturn:
    """Prints why the run ended and how to continue, and exits."""
    done = f"Every event up to {report.events:,} has its outcome" if report.events else "No event was delivered"
    held = f", except {report.held:,} records that wait for a write in doubt" if report.held else ""
    where = f"{done}{held}. {again}"
    say(f"\n{error} {where}" if isinstance(error, StopRequested) else f"\nError: {error}\n{where}")
    sys.exit(error.exit_code)
