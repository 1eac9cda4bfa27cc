"""`sfmap check`: checks the project file and every mapping."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import orjson

from sfmap.engine.api.project import Project
from sfmap.engine.commands.arguments import event_names, mappings_option
from sfmap.engine.commands.terminal import counted_mistakes, explained, mistakes_text, say
from sfmap.engine.errors import ExitCode
from sfmap.engine.inspect.annotations import github_annotation, sarif
from sfmap.engine.inspect.coverage import Coverage, cover, coverage_json, coverage_text
from sfmap.engine.inspect.partition_check import PartitionCheck, check_partitions
from sfmap.engine.inspect.project_check import ProjectCheck
from sfmap.engine.mapping.values.record import Event
from sfmap.engine.messages.counts import counted
from sfmap.engine.sources.event_source import EventSource
from sfmap.engine.wiring.source_opening import SourceOptions


@click.command()
@mappings_option
@click.option("--org", "org_name", metavar="NAME", help="Also check against this org of sfmap.yaml.")
@click.option("--coverage", metavar="EVENTS", multiple=True, help="Show what these events leave unused.")
@click.option("--source", metavar="NAME", help="Show how many partitions of this topic are safe, and why.")
@click.option("--json", "as_data", is_flag=True, help="Print the diagnostics as JSON on stdout.")
@click.option(
    "--format",
    "as_format",
    type=click.Choice(["github", "sarif"]),
    help="Print annotations for GitHub Actions, or SARIF for code scanning.",
)
@click.option("--compiled", is_flag=True, help="Print the Python code generated for each mapping.")
def check(
    folder: Path | None,
    org_name: str | None,
    coverage: tuple[str, ...],
    source: str | None,
    as_data: bool,
    as_format: str | None,
    compiled: bool,
) -> None:
    """Check the project file and every mapping, and show all errors and warnings.

    Fields are checked against the standard objects, or with --org against the objects of that org.
    """
    if sum((as_data, bool(as_format), compiled)) > 1:
        raise click.UsageError("--json, --format and --compiled exclude each other.")
    if as_format and coverage:
        raise click.UsageError("--coverage works with text or --json output, not with --format.")
    unread: list[str] = []
    partitions: PartitionCheck | None = None
    with explained():
        project = Project(mappings=folder)
        checked = project.checked(org_name)
        covered: tuple[Coverage, ...] = ()
        if coverage and not checked.is_broken:
            covered = cover(
                checked.mappings,
                _events(project.open_events(event_names(coverage), SourceOptions(say=say)), unread),
            )
        if source is not None and not checked.is_broken:
            partitions = check_partitions(project.file, source, checked.mappings)
    if as_data:
        click.echo(_as_json(checked, covered, partitions))
    elif as_format == "github":
        click.echo("".join(f"{github_annotation(one)}\n" for one in checked.diagnostics), nl=False)
    elif as_format == "sarif":
        click.echo(orjson.dumps(sarif(checked.diagnostics), option=orjson.OPT_INDENT_2))
    else:
        _say_found(checked)
        click.echo("".join(f"{line}\n" for line in coverage_text(covered)), nl=False)
        if compiled:
            click.echo("\n".join(one.code for one in checked.mappings), nl=False)
        click.echo("".join(f"{line}\n" for line in (partitions.lines() if partitions else ())), nl=False)
    if unread:
        say("\n".join(unread))
    failed = ExitCode.EVENTS_FAILED if unread else ExitCode.DONE
    is_broken = checked.is_broken or (partitions is not None and partitions.is_refused)
    sys.exit(ExitCode.BROKEN if is_broken else failed)


def _as_json(checked: ProjectCheck, covered: Sequence[Coverage], partitions: PartitionCheck | None) -> bytes:
    data = {
        "diagnostics": [one.as_json() for one in checked.diagnostics],
        "coverage": coverage_json(covered),
        **({"partitions": partitions.as_json()} if partitions else {}),
    }
    return orjson.dumps(data, option=orjson.OPT_INDENT_2)


def _events(source: EventSource, unread: list[str]) -> Iterator[Event]:
    """The events; adds position and problem of unreadable lines to `unread`."""
    for received in source:
        if received.event is None:
            unread.append(f"{received.place}: {received.problem}")
        else:
            yield received.event


def _say_found(checked: ProjectCheck) -> None:
    if checked.diagnostics:
        say(mistakes_text(checked.diagnostics))
    if checked.is_broken:
        say(f"\n{counted_mistakes(checked.diagnostics)}.")
        return
    for compiled in checked.mappings:
        mapping = compiled.mapping
        takes = ", ".join(dict.fromkeys(pattern.type for pattern in mapping.events))
        warnings = sum(one.file == mapping.source.file for one in checked.diagnostics)
        found = counted(warnings, "warning") if warnings else "no errors"
        say(f"{mapping.source.file}: {takes} → {mapping.object}, {counted(len(mapping.rules), 'field')}: {found}")
