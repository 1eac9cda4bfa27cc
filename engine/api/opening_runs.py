"""Opens what a run works with, and closes it when the run ends."""

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import TypedDict

import orjson

from sfmap.engine.api.dead_letter_lines import DeadLetters
from sfmap.engine.api.run_report import Outcomes, RunReport
from sfmap.engine.delivery.deliver_all import RunOptions
from sfmap.engine.delivery.progress import OnProgress
from sfmap.engine.delivery.report import Report
from sfmap.engine.delivery.write_pace import Connections
from sfmap.engine.errors import SfmapError
from sfmap.engine.files.output import NO_RESULTS, Output
from sfmap.engine.journal.ledger import Ledger
from sfmap.engine.journal.project_state import Lease, State
from sfmap.engine.language.model import BulkMode
from sfmap.engine.planning.saving_org import SavedFile, SavingOrg
from sfmap.engine.project.project_file import ProjectFile
from sfmap.engine.wiring.org_opening import OpenOrg, open_org, open_printed_session
from sfmap.engine.wiring.state_opening import open_state


class RunKeywords(TypedDict, total=False):
    """The further keywords of `Project.run` and `Project.retry`."""

    session: str | None
    """A session as the Salesforce CLI prints it, instead of an org of sfmap.yaml."""
    connections: Connections
    """Writes at once, up to 25; "auto" unless given: as many as the org bears."""
    bulk: BulkMode | None
    """Whether records travel by bulk jobs, for all mappings; as sfmap.yaml and they say unless given."""
    max_calls: int | None
    """The run ends before the API call after this one."""
    results_file: str | None
    """A file for the outcomes; a run that is continued adds to it."""
    report_file: str | None
    """A file for the counts of the report, as JSON."""
    save_old: str | None
    """A file for the values that are overwritten, which are read before each write."""
    keep_outcomes: bool
    """Whether outcomes are kept without a results file, too: in a temporary file. True unless given."""
    should_stop: Callable[[], bool]
    """Asked at least before every API call: True ends the run after the calls in flight, with `StopRequested`."""
    on_message: Callable[[str], object]
    """Gets messages such as "The org answers again.", which are logged as `sfmap` unless given."""
    on_progress: OnProgress
    """Gets the `Progress` after each commit to the journal."""
    on_report: Callable[[RunReport], object]
    """Gets the report before the run counts as finished: if it raises, the same call tells the report again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """The keywords of a run, with their defaults."""

    org: str | None = None
    skip_delivered: bool = False
    session: str | None = None
    connections: Connections = "auto"
    bulk: BulkMode | None = None
    max_calls: int | None = None
    results_file: str | None = None
    report_file: str | None = None
    save_old: str | None = None
    keep_outcomes: bool = True
    should_stop: Callable[[], bool] = lambda: False
    on_message: Callable[[str], object] = logging.getLogger("sfmap").info
    on_progress: OnProgress = lambda progress: None
    on_report: Callable[[RunReport], object] = lambda report: None

    @property
    def output_files(self) -> tuple[str | None, ...]:
        return (self.report_file, self.results_file, self.save_old)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRun:
    """What a run works with until it ends."""

    command: str
    """What others are shown that want to deliver to the same org."""
    state: State
    opened: OpenOrg
    options: RunOptions
    outcomes: Outcomes
    dead_letters: DeadLetters
    results: Output | None
    report: Output | None
    """The file for the summary."""
    on_report: Callable[[RunReport], object]

    def lease(self, key: str) -> AbstractContextManager[Lease]:
        """The right to deliver to the org; a service gives way. Raises `LeaseTaken` or `JournalFailed`."""
        return self.state.lease(key, self.command, wait=self.options.waiter().check_stop)

    def report_of(self, summary: Report, error: SfmapError | None, key: str | None = None) -> RunReport:
        """The report; `key` is that of the org in the journal, if it has let the run in."""
        letters = replace(self.dead_letters, key=key)
        return RunReport(summary=summary, outcomes=self.outcomes, dead_letters=letters, error=error)

    def end(self, report: RunReport, ledger: Ledger | None = None) -> RunReport:
        """Writes and tells the report.

        Only then the run counts as finished: one that is killed before its report was told has work left.
        """
        if self.results:
            self.outcomes.end_at(self.results.written())
        if self.report:
            self.report.continue_from(NO_RESULTS)
            self.report.write(
                orjson.dumps(report.as_dict(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
            )
        self.on_report(report)
        if ledger and report.finished:
            ledger.finish()
        return report


@contextmanager
def open_run(command: str, project: ProjectFile, settings: RunSettings) -> Iterator[OpenRun]:
    """Opens the state of the project, the output files and the org.

    `command` is shown to others that find the project locked.
    """
    with (
        open_state(project) as state,
        state.deliver_alone(command),
        _output(settings.report_file) as report,
        _results(settings) as (outcomes, results),
        _saved(settings.save_old) as saved,
        _org(project, settings, state) as opened,
    ):
        if saved and settings.bulk in ("auto", "always"):
            settings.on_message("The old values are read before each write, so no bulk jobs are used.")
        yield OpenRun(
            command=command,
            state=state,
            opened=replace(opened, org=SavingOrg(opened.org, saved)) if saved else opened,
            options=replace(
                run_options(project, settings.org, settings.connections, settings.on_message),
                should_stop=settings.should_stop,
                skip_delivered=settings.skip_delivered,
                bulk_asked="never" if saved else settings.bulk,
                on_progress=settings.on_progress,
            ),
            outcomes=outcomes,
            dead_letters=DeadLetters(project=project, org=settings.org),
            results=results,
            report=report,
            on_report=settings.on_report,
        )


def run_options(
    project: ProjectFile, org_name: str | None, connections: Connections, say: Callable[[str], object]
) -> RunOptions:
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
        bulk=entry.bulk or usual.bulk,
        remember_days=project.repeats,
        say=say,
    )


def _org(project: ProjectFile, settings: RunSettings, state: State) -> AbstractContextManager[OpenOrg]:
    if settings.session is not None:
        return nullcontext(open_printed_session(settings.session, settings.max_calls, state.check_leases))
    return open_org(project, project.org(settings.org), settings.max_calls, state.check_leases)


def _saved(name: str | None) -> AbstractContextManager[SavedFile | None]:
    return nullcontext() if name is None else SavedFile(name)


def _output(name: str | None) -> AbstractContextManager[Output | None]:
    return nullcontext() if name is None else Output(name)


@contextmanager
def _results(settings: RunSettings) -> Iterator[tuple[Outcomes, Output | None]]:
    """Where outcomes are written, if anywhere."""
    if settings.results_file is not None:
        outcomes = Outcomes(settings.results_file)
    elif settings.keep_outcomes:
        outcomes = Outcomes.in_a_temporary_file()
    else:
        yield Outcomes(""), None
        return
    with Output(outcomes.file) as results:
        yield outcomes, results
