"""Ends `sfmap run` and `sfmap retry`: with the summary, or with why they ended early and how to continue."""

import sys
from typing import NoReturn

import orjson

from sfmap.engine.commands.opening import OpenRun
from sfmap.engine.commands.terminal import say
from sfmap.engine.delivery.report import Report
from sfmap.engine.delivery.waiter import StopRequested
from sfmap.engine.errors import ExitCode, SfmapError
from sfmap.engine.files.output import NO_RESULTS
from sfmap.engine.journal.ledger import Ledger
from sfmap.engine.wiring.org_opening import sign_in


def sign_in_or_finish(run: OpenRun, again: str) -> str:
    """Signs in to the org, and returns its key in the journal; ends the run if the org lets nobody in."""
    try:
        return sign_in(run.opened, run.journal, run.options.waiter())
    except SfmapError as error:
        finish(run, Report(calls=dict(run.opened.org.calls())), error, again)


def finish(
    run: OpenRun, report: Report, interruption: SfmapError | None, again: str, ledger: Ledger | None = None
) -> NoReturn:
    """Prints and writes the summary of the run, and exits; `again` says how to continue a run that ended early.

    Only then the run counts as finished: one that is killed before its summary was printed has work left.
    """
    say(report.summary())
    if report.fates["failed"]:
        say("Failed records are kept: sfmap dead-letters lists them, sfmap retry delivers them again.")
    data = orjson.dumps(report.as_json(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    if run.report:
        run.report.continue_from(NO_RESULTS)
        run.report.write(data)
    if run.as_data:
        sys.stdout.buffer.write(data)
    if interruption:
        _end_early(interruption, report, again)
    if ledger:
        ledger.finish()
    sys.exit(ExitCode.EVENTS_FAILED if report.fates["failed"] else ExitCode.DONE)


def _end_early(interruption: SfmapError, report: Report, again: str) -> NoReturn:
    """Prints why the run ended and how to continue, and exits."""
    done = f"Every event up to {report.events:,} has its outcome" if report.events else "No event was delivered"
    held = f", except {report.held:,} records that wait for a write in doubt" if report.held else ""
    where = f"{done}{held}. {again}"
    is_stopped = isinstance(interruption, StopRequested)
    say(f"\n{interruption} {where}" if is_stopped else f"\nError: {interruption}\n{where}")
    sys.exit(interruption.exit_code)
