"""The `sfmap` command: reads arguments, calls the engine, prints. Data goes to stdout, words to stderr.

Exit codes: 0 all well; 1 some events failed; 2 wrong usage or a broken mapping; 3 the org could not be used;
130 stopped by Ctrl-C.
"""

import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from itertools import chain
from pathlib import Path
from typing import NoReturn

import click
import orjson

from sfmap.engine.checking import (
    Checked,
    check_project,
    coverage_json,
    coverage_text,
    github_annotation,
    mapped_objects,
)
from sfmap.engine.comparison import differences
from sfmap.engine.delivery.patience import StopRequested
from sfmap.engine.delivery.report import Report
from sfmap.engine.describing import NoSuchObject, describe, describe_one, description_lines
from sfmap.engine.journal.database import Database, JournalFailed
from sfmap.engine.journal.dead_letters import dead_letters
from sfmap.engine.journal.ledger import NO_RESULTS, Ledger
from sfmap.engine.letters import DeadLetterSource, letter_event, letter_json, letter_line
from sfmap.engine.load import chosen_mappings, compile_mappings
from sfmap.engine.lock import ProjectBusy, only_run
from sfmap.engine.mapping.compile import CompiledMapping
from sfmap.engine.mapping.coverage import cover
from sfmap.engine.mapping.mapper import Mapper
from sfmap.engine.mapping.record import Rejected
from sfmap.engine.org.local.process import LocalOrgFailed
from sfmap.engine.org.port import OrgError
from sfmap.engine.output import CannotWrite, Output
from sfmap.engine.preview import explained_lines, explained_text, json_line, soap_envelopes
from sfmap.engine.project import LOCAL, NoSuchOrg, Project, load_project
from sfmap.engine.revision import NoRevision, mapper_at
from sfmap.engine.run import Interruption, Manner, deliver_all, resume, source_name
from sfmap.engine.secrets import SecretMissing
from sfmap.engine.sources.ndjson import STANDARD_INPUT, NdjsonSource
from sfmap.engine.sources.port import START, EventSource, Received, SourceFailed
from sfmap.engine.spec.diagnostics import Diagnostic, Mistakes, Part, render_all
from sfmap.engine.spec.files import CannotRead
from sfmap.engine.spec.schema import json_schema
from sfmap.engine.testing.cases import rendered
from sfmap.engine.wiring import OpenOrg, open_org, open_ready, org_key

EVENTS_FAILED = 1
BROKEN = 2
ORG_UNUSABLE = 3
INTERRUPTED = 130

_EVENTS_FILE = click.Path(exists=True, dir_okay=False, allow_dash=True)
_events = click.argument("events", nargs=-1, type=_EVENTS_FILE)
_mappings = click.option(
    "--mappings",
    "folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder of mappings, instead of the project's or the shipped ones.",
)


_org = click.option("--org", "org_name", metavar="NAME", help="An org of sfmap.yaml (default: the local org).")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sfmap")
def main() -> None:
    """Customer events into Salesforce, by mappings in YAML."""


_report = click.option("--report", "report_file", metavar="FILE", help="Write the summary as JSON to this file.")
_results = click.option(
    "--results", "results_file", metavar="FILE", help="Write a JSON line for each event to this file."
)
_as_json = click.option("--json", "as_data", is_flag=True, help="Print the summary as JSON on stdout.")
_connections = click.option(
    "--connections", type=click.IntRange(1, 25), default=4, show_default=True, help="API calls at once, up to 25."
)
_max_calls = click.option(
    "--max-calls", type=click.IntRange(1), metavar="N", help="Stop before the API call after N."
)


@main.command()
@_events
@_mappings
@_org
@_report
@_results
@_as_json
@_connections
@_max_calls
@click.option("--restart", is_flag=True, help="Begin at the first event even if the last run did not finish.")
@click.option("--skip-delivered", is_flag=True, help="Leave out events whose messageId was delivered before.")
@click.option(
    "--org-from-stdin", is_flag=True, help="Deliver with the session that sf org display --json prints into this."
)
def run(
    events: tuple[str, ...],
    folder: Path | None,
    org_name: str | None,
    report_file: str | None,
    results_file: str | None,
    as_data: bool,
    connections: int,
    max_calls: int | None,
    restart: bool,
    skip_delivered: bool,
    org_from_stdin: bool,
) -> None:
    """Deliver EVENTS to an org: files of JSON lines, or - for standard input.

    Each event is mapped; its record is looked up, then created or updated. Running the same events again updates
    the records of the first run. A run that did not finish is gone on with by the same command.
    """
    if org_from_stdin and (org_name or not events or STANDARD_INPUT in events):
        raise click.UsageError("--org-from-stdin takes standard input: name files of events, and no --org.")
    source = _source(events)
    _check_outputs(events, report_file, results_file)
    with _explained():
        project = load_project(Path())
        mapper = Mapper(_compiled(project, folder, org_name))
        with (
            only_run(project.state),
            _output(report_file) as report_output,
            _output(results_file) as results,
            closing(Database(project.journal)) as journal,
            _opened(project, org_name, org_from_stdin, max_calls) as opened,
            _stop_signal() as stop,
        ):
            ledger = Ledger(journal, opened.key, source_name(source))
            resumed = resume(ledger, source, restart)
            _say(f"Delivering to {opened.where}.")
            if resumed.words:
                _say(resumed.words)
            if results:
                results.go_on(resumed.results)
            manner = replace(
                _manner(project, org_name, connections, stop), skip_delivered=skip_delivered or source.is_stream
            )
            with _progress(replace(source, start=resumed.start)) as watched:
                report, interruption = deliver_all(
                    watched, resumed.start, mapper, opened.org, ledger, manner, results
                )
            again = "Send the rest again." if source.is_stream else "The same command goes on from there."
            _finish(report, interruption, report_output, as_data, again)


@main.command(name="dead-letters")
@_org
@click.option("--reason", default="", metavar="TEXT", help="Only those whose reason has this text.")
@click.option("--json", "as_data", is_flag=True, help="Print a JSON line for each, with its event.")
@click.option("--export", "as_events", is_flag=True, help="Print the events alone, as they came: one a line.")
def list_dead_letters(org_name: str | None, reason: str, as_data: bool, as_events: bool) -> None:
    """List what failed and waits for `sfmap retry`: number, place, reason."""
    with _explained():
        project = load_project(Path())
        with closing(Database(project.journal)) as journal:
            letters = dead_letters(journal, org_key(project, project.org(org_name)), reason)
            write = letter_event if as_events else letter_json if as_data else letter_line
            first = next(letters, None)
            for letter in chain([first] if first else [], letters):
                sys.stdout.buffer.write(write(letter))
    if first is None:
        _say("There is no such dead letter." if reason else "There are no dead letters.")


@main.command()
@click.argument("number", type=click.IntRange(1), required=False)
@_mappings
@_org
@_report
@_results
@_as_json
@_connections
@_max_calls
@click.option("--reason", default="", metavar="TEXT", help="Only those whose reason has this text.")
def retry(
    number: int | None,
    folder: Path | None,
    org_name: str | None,
    report_file: str | None,
    results_file: str | None,
    as_data: bool,
    connections: int,
    max_calls: int | None,
    reason: str,
) -> None:
    """Deliver dead letters again, by today's mappings: all of them, those of a reason, or the one of NUMBER.

    Those that are delivered are dead letters no more.
    """
    _check_outputs((), report_file, results_file)
    with _explained():
        project = load_project(Path())
        mapper = Mapper(_compiled(project, folder, org_name))
        with (
            only_run(project.state),
            _output(report_file) as report_output,
            _output(results_file) as results,
            closing(Database(project.journal)) as journal,
            open_org(project, project.org(org_name), max_calls) as opened,
            _stop_signal() as stop,
        ):
            source = DeadLetterSource(journal, opened.key, reason, number or 0)
            ledger = Ledger(journal, opened.key, source.name)
            ledger.begin("")
            _say(f"Delivering dead letters to {opened.where}.")
            if results:
                results.go_on(NO_RESULTS)
            manner = _manner(project, org_name, connections, stop)
            report, interruption = deliver_all(source, START, mapper, opened.org, ledger, manner, results)
            if (number or reason) and not (report.events or interruption):
                raise click.UsageError("There is no such dead letter: sfmap dead-letters lists them.")
            _finish(report, interruption, report_output, as_data, "The others are dead letters still.")


@main.command()
@_org
@click.option("--json", "as_data", is_flag=True, help="Print JSON.")
def limits(org_name: str | None, as_data: bool) -> None:
    """Print how many API calls the org allows in a day, and how many are left; this takes one of them."""
    with _explained():
        project = load_project(Path())
        with open_org(project, project.org(org_name)) as opened:
            usage = opened.org.limits()
    if usage is None:
        _say("The org does not say.")
    elif as_data:
        click.echo(orjson.dumps({**asdict(usage), "left": usage.limit - usage.used}))
    else:
        click.echo(f"{usage.limit - usage.used:,} of {usage.limit:,} API calls are left of the last 24 hours.")


def _manner(project: Project, org_name: str | None, connections: int, stop: threading.Event) -> Manner:
    entry = project.org(org_name)
    usual = Manner()
    patience = usual.patience if entry.patience is None else replace(usual.patience, outage=entry.patience)
    return replace(
        usual,
        patience=patience,
        call_limit=usual.call_limit if entry.call_limit is None else entry.call_limit,
        connections=connections,
        remember_days=project.repeats,
        should_stop=stop.is_set,
        say=_say,
    )


def _finish(
    report: Report, interruption: Interruption | None, output: Output | None, as_data: bool, again: str
) -> NoReturn:
    """Says and writes what the run came to, and exits; `again` says how to go on where it ended early."""
    _say(report.summary())
    if report.fates["failed"]:
        _say("What failed is kept: sfmap dead-letters lists it, sfmap retry delivers it again.")
    data = orjson.dumps(report.as_json(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    if output:
        output.go_on(NO_RESULTS)
        output.write(data)
    if as_data:
        sys.stdout.buffer.write(data)
    if interruption:
        _end_early(interruption, report, again)
    sys.exit(EVENTS_FAILED if report.fates["failed"] else 0)


@main.command()
@_events
@_mappings
@_org
@click.option(
    "--format",
    "as_format",
    type=click.Choice(["json", "soap"]),
    help="JSON lines (default), or the SOAP envelopes of creates.",
)
@click.option("--explain", is_flag=True, help="Show for each field which rule gave it its value, and why.")
def render(
    events: tuple[str, ...], folder: Path | None, org_name: str | None, as_format: str | None, explain: bool
) -> None:
    """Print what EVENTS would send: one JSON line for each record, or for why an event gives none.

    With --explain: the same in words, each field with its rule; with --format json as well, as JSON.
    """
    if explain and as_format == "soap":
        raise click.UsageError("--explain goes with --format json, or with no --format.")
    source = _source(events)
    failed = False
    out = sys.stdout.buffer
    with _explained():
        mapper = Mapper(_compiled(load_project(Path()), folder, org_name))
        told = explained_lines if as_format == "json" else explained_text
        written = soap_envelopes() if as_format == "soap" else json_line
        for received in source:
            mapped = mapper.map(received.event) if received.event is not None else (_unread(received),)
            failed = failed or any(isinstance(item, Rejected) for item in mapped)
            if explain and received.event is not None:
                out.writelines(told(mapper, received.number, received.event))
            else:
                out.writelines(written(received.number, item) for item in mapped)
    sys.exit(EVENTS_FAILED if failed else 0)


@main.command()
@_mappings
@click.option("--org", "org_name", metavar="NAME", help="Check against what this org of sfmap.yaml has.")
@click.option(
    "--coverage", metavar="EVENTS", type=_EVENTS_FILE, multiple=True, help="Show what these events leave unused."
)
@click.option("--json", "as_data", is_flag=True, help="Print the mistakes as JSON on stdout.")
@click.option("--format", "as_format", type=click.Choice(["github"]), help="Print annotations for GitHub Actions.")
@click.option("--compiled", is_flag=True, help="Print the Python function that each mapping becomes.")
def check(
    folder: Path | None,
    org_name: str | None,
    coverage: tuple[str, ...],
    as_data: bool,
    as_format: str | None,
    compiled: bool,
) -> None:
    """Check the project file and every mapping, and show all their mistakes.

    Fields are checked against the standard objects, or with --org against all that the org has.
    """
    with _explained():
        checked = check_project(Path(), folder, org_name)
        events = (received.event for received in _source(coverage) if received.event) if coverage else ()
        covered = cover(checked.mappings, events) if coverage and not checked.is_broken else ()
    if as_data:
        data = {"diagnostics": [one.as_json() for one in checked.diagnostics], "coverage": coverage_json(covered)}
        click.echo(orjson.dumps(data, option=orjson.OPT_INDENT_2))
    elif as_format == "github":
        click.echo("".join(f"{github_annotation(one)}\n" for one in checked.diagnostics), nl=False)
    else:
        _say_checked(checked)
        click.echo("".join(f"{line}\n" for line in coverage_text(covered)), nl=False)
        if compiled:
            click.echo("\n".join(one.straight.text for one in checked.mappings), nl=False)
    sys.exit(BROKEN if checked.is_broken else 0)


@main.command(name="describe")
@click.argument("name", metavar="OBJECT")
@_org
@click.option("--refresh", is_flag=True, help="Ask the org even if it was asked within the last half hour.")
@click.option("--json", "as_data", is_flag=True, help="Print JSON.")
def describe_object(name: str, org_name: str | None, refresh: bool, as_data: bool) -> None:
    """Print the fields of OBJECT as the org describes them: types, lengths, what can be written and looked up."""
    with _explained():
        project = load_project(Path())
        described, age = describe_one(project, project.org(org_name), name, refresh)
    if as_data:
        click.echo(orjson.dumps(asdict(described), option=orjson.OPT_INDENT_2))
        return
    click.echo("\n".join(description_lines(described)))
    _say(f"As the org said {int(age // 60)} minutes ago; --refresh asks again." if age else "As the org says now.")


@main.command()
def schema() -> None:
    """Print the JSON Schema of mapping files, for editors."""
    click.echo(orjson.dumps(json_schema(), option=orjson.OPT_INDENT_2))


@main.command()
@click.option("--update", is_flag=True, help="Accept what the mappings make of the events now.")
@click.argument("paths", nargs=-1)
def test(update: bool, paths: tuple[str, ...]) -> None:
    """Render the sample events in tests/events, or those in PATHS, and compare with their snapshots.

    A path is a file or folder of events, or one event of a file: tests/events/samples.ndjson::group
    """
    # pytest takes long to import, and nothing else needs it.
    from sfmap.engine.testing.run import NoSamples, run_cases

    missing = [path for path in paths if not Path(path.partition("::")[0]).exists()]
    if missing:
        raise click.UsageError(f"{missing[0]} does not exist.")
    try:
        code = run_cases(Path().absolute(), paths, update)
    except NoSamples as error:
        _say(f"Error: {error}")
        code = BROKEN
    sys.exit(code if code in (0, EVENTS_FAILED) else BROKEN)


@main.command()
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
def init(folder: Path) -> None:
    """Make a project in DIR: mappings, sample events with their snapshots, and a CI workflow."""
    from sfmap.engine.scaffolding import AlreadyThere, make_project

    try:
        made = make_project(folder)
    except AlreadyThere as error:
        _say(f"Error: {error}")
        sys.exit(BROKEN)
    except OSError as error:
        _say(f"Error: cannot write {error.filename}: {error.strerror}")
        sys.exit(BROKEN)
    _say("".join(f"  {folder / name}\n" for name in made) + f"Next: cd {folder}, then sfmap check and sfmap test.")


@main.command()
@_events
@click.option(
    "--from", "revision", default="HEAD", metavar="REV", help="A git revision (default: HEAD) or a folder."
)
@click.option("--json", "as_data", is_flag=True, help="Print a JSON line for each event that changed.")
@click.option("--exit-code", is_flag=True, help="Exit with 1 where anything changed.")
def diff(events: tuple[str, ...], revision: str, as_data: bool, exit_code: bool) -> None:
    """Show what today's mappings make of EVENTS that those of another revision or folder did not."""
    source = _source(events)
    with _explained():
        before = mapper_at(Path(), revision)
        after = Mapper(_compiled(load_project(Path()), None, None))
        compared = changed = unread = 0
        for received in source:
            if received.event is None:
                _say(f"line {received.line}: {received.problem}")
                unread += 1
                continue
            compared += 1
            found = differences(rendered(before, received.event), rendered(after, received.event))
            changed += bool(found)
            if found and as_data:
                line = {"event": received.number, "differences": [asdict(one) for one in found]}
                click.echo(orjson.dumps(line))
            elif found:
                click.echo("\n".join([f"event {received.number}", *(f"  {one}" for one in found)]))
        _say(f"{compared:,} events compared, {changed:,} changed.")
    sys.exit(EVENTS_FAILED if unread or (changed and exit_code) else 0)


@main.group()
def org() -> None:
    """The local org, as a server of its own."""


@org.command()
@click.option("--port", default=8700, show_default=True, help="0 for any free port.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Another address than this machine's own.")
@click.option("--db", "database", metavar="FILE", type=click.Path(path_type=Path), help="Default: .sfmap/org.db.")
@click.option("--schema", metavar="FILE", type=click.Path(path_type=Path), help="Custom fields and objects.")
@click.option("--log", metavar="FILE", type=click.Path(path_type=Path), help="A line of JSON for each API call.")
@click.option(
    "--faults", metavar="FILE", type=click.Path(path_type=Path), help="Faults to play, see docs/orgs.md."
)
@click.option("--daily-limit", default=100_000, show_default=True, help="API calls that the org allows in a day.")
@click.option("--session-minutes", default=120, show_default=True, help="How long an idle session lives.")
def start(
    port: int,
    host: str,
    database: Path | None,
    schema: Path | None,
    log: Path | None,
    faults: Path | None,
    daily_limit: int,
    session_minutes: int,
) -> None:
    """Serve the local org until Ctrl-C: SOAP, REST, OAuth, and a page to look at its records."""
    # The server's libraries are needed by nothing else.
    from sfmap.engine.local_org import serve_local_org
    from sfmap.engine.org.local.server import is_loopback
    from sfmap.engine.org.local.serving import CannotServe, Options

    if not is_loopback(host):
        _say(
            "Warning: whoever reaches this address can read and change the records; the credentials are no secret."
        )
    with _explained():
        project = load_project(Path())
        own = project.org(LOCAL).texts.get("schema")
        options = Options(
            database=database or project.database,
            schema=schema or (project.folder / own.text if own else None),
            host=host,
            port=port,
            daily_limit=daily_limit,
            session_seconds=session_minutes * 60,
            faults=faults,
            log=log,
        )
        try:
            serve_local_org(options, click.echo)
        except CannotServe as error:
            _say(f"Error: {error}")
            sys.exit(BROKEN)


@org.command()
@click.argument("objects", nargs=-1)
@_org
def clone(objects: tuple[str, ...], org_name: str | None) -> None:
    """Print an org's OBJECTS as a schema file, which makes the local org a copy of their shape.

    Without OBJECTS: those of the active mappings. Put it into a file, and name that under orgs, local, schema.
    """
    from sfmap.engine.cloning import schema_lines

    with _explained():
        project = load_project(Path())
        wanted = objects or mapped_objects(_compiled(project, None, org_name))
        described = describe(project, project.org(org_name), wanted, refresh=True).objects
    missing = [name for name in wanted if name not in described]
    if missing:
        raise click.UsageError(f"The org has no object {missing[0]}.")
    click.echo("\n".join(schema_lines(list(described.values()), org_name or project.default_org)))


def _say_checked(checked: Checked) -> None:
    if checked.diagnostics:
        _say(render_all(checked.diagnostics, _styled))
    if checked.is_broken:
        _say(f"\n{_counted(checked.diagnostics)}.")
        return
    for compiled in checked.mappings:
        mapping = compiled.mapping
        takes = ", ".join(dict.fromkeys(pattern.type for pattern in mapping.events))
        _say(f"{mapping.source.file}: {takes} → {mapping.object}, {len(mapping.rules)} fields: no mistakes")


def _counted(diagnostics: Sequence[Diagnostic]) -> str:
    count = sum(diagnostic.severity == "error" for diagnostic in diagnostics)
    return f"{count} mistake{'' if count == 1 else 's'}"


_LOOKS: dict[Part, dict[str, str | bool]] = {
    "place": {"bold": True},
    "error": {"fg": "red", "bold": True},
    "warning": {"fg": "yellow", "bold": True},
    "message": {"bold": True},
    "margin": {"fg": "blue"},
    "caret": {"fg": "red", "bold": True},
}


def _styled(text: str, part: Part) -> str:
    look = _LOOKS[part]
    return click.style(text, fg=str(look["fg"]) if "fg" in look else None, bold=bool(look.get("bold")))


def _unread(received: Received) -> Rejected:
    return Rejected("", f"line {received.line}: {received.problem}")


def _opened(
    project: Project, org_name: str | None, from_stdin: bool, max_calls: int | None
) -> AbstractContextManager[OpenOrg]:
    if from_stdin:
        return nullcontext(open_ready(sys.stdin.read(), max_calls))
    return open_org(project, project.org(org_name), max_calls)


def _compiled(project: Project, folder: Path | None, org_name: str | None) -> tuple[CompiledMapping, ...]:
    return compile_mappings(*chosen_mappings(project, folder, org_name))


def _source(events: tuple[str, ...]) -> NdjsonSource:
    if not events and sys.stdin.isatty():
        raise click.UsageError("Name a file of events, or pipe them in.")
    if events.count(STANDARD_INPUT) > 1:
        raise click.UsageError("Standard input (-) can be read only once.")
    return NdjsonSource(events or (STANDARD_INPUT,), sys.stdin.buffer)


def _output(name: str | None) -> AbstractContextManager[Output | None]:
    return nullcontext() if name is None else Output(name)


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
    """Words go to stderr, in colour on a terminal unless NO_COLOR (no-color.org) is set."""
    click.echo(text, err=True, color=False if os.environ.get("NO_COLOR") else None)


@contextmanager
def _explained() -> Iterator[None]:
    """What stands in the way of a command ends it with words that say what to do, not with a traceback."""
    try:
        yield
    except Mistakes as mistakes:
        _say(f"{render_all(mistakes.diagnostics, _styled)}\n\n{_counted(mistakes.diagnostics)}; nothing was done.")
        sys.exit(BROKEN)
    except (
        CannotRead,
        CannotWrite,
        JournalFailed,
        NoRevision,
        NoSuchObject,
        NoSuchOrg,
        ProjectBusy,
        SecretMissing,
        SourceFailed,
    ) as error:
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


def _end_early(interruption: Interruption, report: Report, again: str) -> NoReturn:
    """Says what ended the run and how to go on, and exits."""
    done = report.complete_to
    where = f"Every event up to {done:,} has its outcome." if done else "No event was delivered."
    where = f"{where} {again}"
    if isinstance(interruption, OrgError):
        _say(f"\nError: {_org_words(interruption)}\n{where}")
        sys.exit(ORG_UNUSABLE)
    if isinstance(interruption, StopRequested):
        _say(f"\nStopped. {where}")
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
        # Not by way of sys.stderr: the signal may have come in the middle of a line that is written there.
        os.write(2, b"\nStopping after the call in flight; Ctrl-C again stops at once.\n")
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
            self.bar.update(len(received.raw) + 1)


@contextmanager
def _progress(source: NdjsonSource) -> Iterator[EventSource]:
    size = source.size()
    if size is None or not sys.stderr.isatty():
        yield source
        return
    with click.progressbar(length=size, label="Events", file=sys.stderr) as bar:
        bar.update(source.start.offset)
        yield _Watched(source, bar)
