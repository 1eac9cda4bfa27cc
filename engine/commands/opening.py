"""Opens what `sfmap run` and `sfmap retry` work with, and closes it when they end."""

import gc
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass, replace

from sfmap.engine.commands.terminal import say
from sfmap.engine.delivery.deliver_all import RunOptions
from sfmap.engine.files.output import Output
from sfmap.engine.journal.database import Database
from sfmap.engine.journal.lock import only_run
from sfmap.engine.project.project_file import ProjectFile
from sfmap.engine.wiring.org_opening import OpenOrg, open_org, open_printed_session

_COLLECT_AFTER = 50_000
"""Allocations between garbage collections: with the default of 700 they take a sixth of a run."""


def collect_rarely() -> None:
    """Makes garbage collections rare, for commands that handle many events."""
    gc.set_threshold(_COLLECT_AFTER)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunArguments:
    """The arguments that `sfmap run` and `sfmap retry` share."""

    org_name: str | None
    report_file: str | None
    results_file: str | None
    as_data: bool
    connections: int
    max_calls: int | None
    org_from_stdin: bool = False
    skip_delivered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRun:
    """What a run works with until it ends."""

    journal: Database
    opened: OpenOrg
    options: RunOptions
    results: Output | None
    report: Output | None
    """The file for the summary."""
    as_data: bool
    """Whether the summary is printed as JSON."""


@contextmanager
def open_run(command: str, project: ProjectFile, arguments: RunArguments) -> Iterator[OpenRun]:
    """Locks the project, and opens the output files, the journal and the org.

    The first Ctrl-C or SIGTERM asks the run to stop. `command` is shown to others that find the project locked.
    """
    with (
        only_run(project.state, command),
        _output(arguments.report_file) as report,
        _output(arguments.results_file) as results,
        closing(Database(project.journal)) as journal,
        _org(project, arguments) as opened,
        _stop_signal() as stop,
    ):
        options = run_options(project, arguments.org_name, arguments.connections)
        yield OpenRun(
            journal=journal,
            opened=opened,
            options=replace(options, should_stop=stop.is_set, skip_delivered=arguments.skip_delivered),
            results=results,
            report=report,
            as_data=arguments.as_data,
        )


def run_options(project: ProjectFile, org_name: str | None, connections: int) -> RunOptions:
    """The project's settings for delivery to the org."""
    entry = project.org(org_name)
    usual = RunOptions()
    patience = usual.patience if entry.patience is None else replace(usual.patience, outage=entry.patience)
    return replace(
        usual,
        patience=patience,
        call_limit=usual.call_limit if entry.call_limit is None else entry.call_limit,
        connections=connections,
        batch_size=entry.batch_size or usual.batch_size,
        remember_days=project.repeats,
        say=say,
    )


def _org(project: ProjectFile, arguments: RunArguments) -> AbstractContextManager[OpenOrg]:
    if arguments.org_from_stdin:
        return nullcontext(open_printed_session(sys.stdin.read() if sys.stdin else "", arguments.max_calls))
    return open_org(project, project.org(arguments.org_name), arguments.max_calls)


def _output(name: str | None) -> AbstractContextManager[Output | None]:
    return nullcontext() if name is None else Output(name)


@contextmanager
def _stop_signal() -> Iterator[threading.Event]:
    """An event set by the first Ctrl-C or SIGTERM; a second one ends the command at once."""
    stop = threading.Event()
    previous = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def handle(number: int, _frame: object) -> None:
        stop.set()
        # Not through sys.stderr: the signal may have arrived while a line is being written there.
        os.write(2, b"\nStopping after the call in flight; Ctrl-C again stops at once.\n")
        signal.signal(number, previous[signal.Signals(number)])

    for number in previous:
        signal.signal(number, handle)
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
