"""The `sfmap` command: reads arguments, calls the engine, prints. Data goes to stdout, words to stderr.

Exit codes: 0 all well; 1 some events failed; 2 wrong usage or a broken mapping; 3 the org could not be used;
130 stopped by Ctrl-C.
"""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import click
import orjson

from sfmap.engine.delivery.deliver import StopRequested
from sfmap.engine.delivery.report import Report
from sfmap.engine.load import compile_mappings, mapping_sources
from sfmap.engine.lock import ProjectBusy, only_run
from sfmap.engine.mapping.compile import CompiledMapping
from sfmap.engine.mapping.mapper import Mapper
from sfmap.engine.mapping.record import Rejected
from sfmap.engine.org.local.process import LocalOrgFailed
from sfmap.engine.org.port import OrgError
from sfmap.engine.preview import json_line, soap_envelopes
from sfmap.engine.project import NoSuchOrg, Project, load_project
from sfmap.engine.run import CannotWrite, Interruption, deliver_all
from sfmap.engine.secrets import SecretMissing
from sfmap.engine.sources.ndjson import STANDARD_INPUT, NdjsonSource
from sfmap.engine.sources.port import EventSource, Received, SourceFailed
from sfmap.engine.spec.diagnostics import Mistakes
from sfmap.engine.spec.files import CannotRead
from sfmap.engine.wiring import open_org

EVENTS_FAILED = 1
BROKEN = 2
ORG_UNUSABLE = 3
INTERRUPTED = 130

_events = click.argument("events", nargs=-1, type=click.Path(exists=True, dir_okay=False, allow_dash=True))
_mappings = click.option(
    "--mappings",
    "folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder of mappings, instead of the project's or the shipped ones.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sfmap")
def main() -> None:
    """Customer events into Salesforce, by mappings in YAML."""


@main.command()
@_events
@_mappings
@click.option("--org", "org_name", metavar="NAME", help="An org of sfmap.yaml (default: the local org).")
@click.option("--report", "report_file", metavar="FILE", help="Write the summary as JSON to this file.")
@click.option("--results", "results_file", metavar="FILE", help="Write a JSON line for each event to this file.")
@click.option("--json", "as_data", is_flag=True, help="Print the summary as JSON on stdout.")
def run(
    events: tuple[str, ...],
    folder: Path | None,
    org_name: str | None,
    report_file: str | None,
    results_file: str | None,
    as_data: bool,
) -> None:
    """Deliver EVENTS to an org: files of JSON lines, or - for standard input.

    Each event is mapped; its record is looked up, then created or updated. Running the same events again updates
    the records of the first run.
    """
    source = _source(events)
    _check_outputs(events, report_file, results_file)
    with _explained():
        project = load_project(Path())
        mapper = Mapper(_compiled(project, folder))
        with (
            only_run(project.state),
            _output(report_file) as write_report,
            _output(results_file) as write_results,
            open_org(project, project.org(org_name)) as opened,
            _stop_signal() as stop,
        ):
            _say(f"Delivering to {opened.where}.")
            with _progress(source) as watched:
                report, interruption = deliver_all(watched, mapper, opened.org, write_results, stop.is_set)
            _say(report.summary())
            data = orjson.dumps(report.as_json(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
            if write_report:
                write_report(data)
    if as_data:
        sys.stdout.buffer.write(data)
    if interruption:
        _end_early(interruption, report)
    sys.exit(EVENTS_FAILED if report.fates["failed"] else 0)


@main.command()
@_events
@_mappings
@click.option(
    "--format",
    "as_format",
    type=click.Choice(["json", "soap"]),
    default="json",
    help="JSON lines (default), or the SOAP envelopes of creates.",
)
def render(events: tuple[str, ...], folder: Path | None, as_format: str) -> None:
    """Print what EVENTS would send: one JSON line for each record, or for why an event gives none."""
    source = _source(events)
    failed = False
    out = sys.stdout.buffer
    with _explained():
        mapper = Mapper(_compiled(load_project(Path()), folder))
        written = soap_envelopes() if as_format == "soap" else json_line
        for received in source:
            mapped = mapper.map(received.event) if received.event is not None else (_unread(received),)
            for item in mapped:
                failed = failed or isinstance(item, Rejected)
                out.write(written(received.number, item))
    sys.exit(EVENTS_FAILED if failed else 0)


@main.command()
@_mappings
def check(folder: Path | None) -> None:
    """Check the project file and every mapping, and show all their mistakes."""
    with _explained():
        project = load_project(Path())
        for compiled in _compiled(project, folder):
            mapping = compiled.mapping
            takes = ", ".join(dict.fromkeys(pattern.type for pattern in mapping.events))
            _say(f"{mapping.source.file}: {takes} → {mapping.object}, {len(mapping.rules)} fields: no mistakes")


def _unread(received: Received) -> Rejected:
    return Rejected("", f"line {received.line}: {received.problem}")


def _compiled(project: Project, folder: Path | None) -> tuple[CompiledMapping, ...]:
    """The active mappings; a folder from the command line is used whole, whatever the project says of others."""
    sources = mapping_sources(folder or project.mappings)
    if not folder:
        return compile_mappings(sources, project.use, project.settings)
    return compile_mappings(sources, (), [setting for setting in project.settings if setting[0].text in sources])


def _source(events: tuple[str, ...]) -> NdjsonSource:
    if not events and sys.stdin.isatty():
        raise click.UsageError("Name a file of events, or pipe them in.")
    if events.count(STANDARD_INPUT) > 1:
        raise click.UsageError("Standard input (-) can be read only once.")
    return NdjsonSource(events or (STANDARD_INPUT,), sys.stdin.buffer)


@contextmanager
def _output(name: str | None) -> Iterator[Callable[[bytes], object] | None]:
    """What writes to the named file, opened at once and unbuffered, so that what fails fails here."""
    if name is None:
        yield None
        return

    def write(data: bytes) -> None:
        left = memoryview(data)
        try:
            while left:
                left = left[file.write(left) :]
        except OSError as error:
            raise CannotWrite(f"cannot write {name}: {error.strerror}") from None

    try:
        file = open(name, "wb", buffering=0)  # noqa: SIM115 - closed below
    except OSError as error:
        raise CannotWrite(f"cannot write {name}: {error.strerror}") from None
    with file:
        yield write


def _check_outputs(events: tuple[str, ...], *outputs: str | None) -> None:
    """No output may overwrite the events or the other output."""
    taken = [Path(name) for name in events if name != STANDARD_INPUT]
    for name in filter(None, outputs):
        path = Path(name)
        if any(path.absolute() == other.absolute() or (path.exists() and path.samefile(other)) for other in taken):
            raise click.UsageError(f"{name} is named twice: it would be overwritten.")
        if path.is_file():
            taken.append(path)


def _say(text: str) -> None:
    click.echo(text, err=True)


@contextmanager
def _explained() -> Iterator[None]:
    """What stands in the way of a command ends it with words that say what to do, not with a traceback."""
    try:
        yield
    except Mistakes as mistakes:
        count = len(mistakes.diagnostics)
        _say(f"{mistakes}\n\n{count} mistake{'s' if count > 1 else ''}; nothing was done.")
        sys.exit(BROKEN)
    except (CannotRead, CannotWrite, NoSuchOrg, ProjectBusy, SecretMissing, SourceFailed) as error:
        _say(f"Error: {error}")
        sys.exit(BROKEN)
    except LocalOrgFailed as error:
        _say(str(error))
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        _say("Stopped.")
        sys.exit(INTERRUPTED)
    except OrgError as error:
        _say(f"Error: {_org_words(error)}")
        sys.exit(ORG_UNUSABLE)


def _org_words(error: OrgError) -> str:
    return f"{error.message} {error.advice}".rstrip()


def _end_early(interruption: Interruption, report: Report) -> NoReturn:
    """Says what ended the run and how to go on, and exits."""
    again = "Run the same command again: what is already in the org will be found and updated, not repeated."
    done = report.complete_to
    where = f"Every event up to {done:,} has its outcome." if done else "No event was delivered."
    if isinstance(interruption, OrgError):
        _say(f"\nError: {_org_words(interruption)}\n{where} {again if done else ''}".rstrip())
        sys.exit(ORG_UNUSABLE)
    if isinstance(interruption, StopRequested):
        _say(f"\nStopped. {where} {again}")
        sys.exit(INTERRUPTED)
    _say(f"\nError: {interruption}\n{where}")
    sys.exit(BROKEN)


@contextmanager
def _stop_signal() -> Iterator[threading.Event]:
    """Set by the first Ctrl-C or SIGTERM; a second one ends the command at once."""
    stop = threading.Event()
    previous = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def handle(number: int, _frame: object) -> None:
        stop.set()
        _say("\nStopping after the call in flight; Ctrl-C again stops at once.")
        signal.signal(number, previous[signal.Signals(number)])

    for number in previous:
        signal.signal(number, handle)
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


@dataclass(frozen=True, slots=True)
class _Watched:
    """A source that moves a progress bar as its events are taken."""

    source: NdjsonSource
    bar: "click._termui_impl.ProgressBar[int]"

    def __iter__(self) -> Iterator[Received]:
        for received in self.source:
            yield received
            self.bar.update(received.size)


@contextmanager
def _progress(source: NdjsonSource) -> Iterator[EventSource]:
    size = source.size()
    if size is None or not sys.stderr.isatty():
        yield source
        return
    with click.progressbar(length=size, label="Events", file=sys.stderr) as bar:
        yield _Watched(source, bar)
