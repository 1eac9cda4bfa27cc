"""`sfmap backfill` and `sfmap-backfill`: make records of years of events, on Spark."""

import os
import shlex
import sys
from pathlib import Path

import click

from sfmap.engine.api.project import Project
from sfmap.engine.backfill.backfilling import BackfillOptions
from sfmap.engine.backfill.backfilling import backfill as make_records
from sfmap.engine.commands.arguments import input_format_option, mappings_option, org_option
from sfmap.engine.commands.exit import run
from sfmap.engine.commands.terminal import explained, say
from sfmap.engine.errors import ExitCode
from sfmap.engine.messages.hints import command_line_in, option
from sfmap.engine.wiring.source_opening import SourceOptions

_MEGABYTE = 1024 * 1024


@click.command()
@click.argument("events", nargs=-1, required=True)
@click.option(
    "--out", required=True, metavar="DIR", help="A new folder for the records, or a URL that Spark can write."
)
@click.option(
    "--project", type=click.Path(path_type=Path), metavar="DIR", help="The project's folder (default: as for run)."
)
@mappings_option
@org_option
@input_format_option
@click.option(
    "--master", default="local[*]", show_default=True, help="Where Spark runs, unless spark-submit says it."
)
@click.option(
    "--partitions", type=click.IntRange(1), metavar="N", help="Files of each output (default: one per 32 MB read)."
)
@click.option(
    "--split", type=click.IntRange(1), default=32, show_default=True, metavar="MB", help="What one task reads."
)
def backfill(
    events: tuple[str, ...],
    out: str,
    project: Path | None,
    folder: Path | None,
    org_name: str | None,
    input_format: str | None,
    master: str,
    partitions: int | None,
    split: int,
) -> None:
    """Make records of EVENTS with Spark: files, folders, patterns, URLs, or a source of sfmap.yaml.

    Events of one record are folded into one write. sfmap run --records DIR delivers the records.
    """
    with explained():
        opened = Project(project, mappings=folder)
        source = opened.open_events(events, SourceOptions(format=input_format or "", say=say))
        source.check()
        summary = make_records(
            opened.file,
            opened.chosen_mappings(org_name),
            source,
            BackfillOptions(
                out=out,
                org=org_name,
                master=master,
                partitions=partitions,
                split_size=split * _MEGABYTE,
                say=say,
            ),
        )
        org = opened.file.org_option(org_name)
    say(f"{summary}\nTo deliver them:")
    here = Path() if project is None else project
    mappings = option("--mappings", folder and _seen_from(here, str(folder)))
    if project is not None:
        say(f"  cd {shlex.quote(str(project))}")
    say(f"  {command_line_in(here, 'run', '--records', _seen_from(here, out), *mappings, *org)}")
    sys.exit(ExitCode.EVENTS_FAILED if summary.rejected else ExitCode.DONE)


def _seen_from(folder: Path, path: str) -> str:
    """The path for a command that runs in the folder."""
    return path if "://" in path or os.path.isabs(path) else os.path.relpath(path, folder)


def main() -> None:
    """Runs the command by itself, which spark-submit does."""
    run(backfill)


if __name__ == "__main__":  # for spark-submit, which takes a file
    main()
