"""`sfmap test`: renders the sample events and compares them with their snapshots."""

import sys
from pathlib import Path

import click

from sfmap.engine.commands.terminal import explained
from sfmap.engine.errors import ExitCode
from sfmap.engine.project.project_file import project_folder


@click.command()
@click.option("--update", is_flag=True, help="Accept the current results as the new snapshots.")
@click.argument("paths", nargs=-1)
def test(update: bool, paths: tuple[str, ...]) -> None:
    """Render the sample events in tests/events, or those in PATHS, and compare them with their snapshots.

    A path is a file or folder of events, or one event of a file: tests/events/samples.ndjson::group
    """
    # pytest is slow to import, and only this command needs it.
    from sfmap.engine.testing.pytest_run import run_cases

    missing = [path for path in paths if not Path(path.partition("::")[0]).exists()]
    if missing:
        raise click.UsageError(f"{missing[0]} does not exist.")
    with explained():
        code = run_cases(project_folder().resolve(), paths, update)
    sys.exit(code if code in (ExitCode.DONE, ExitCode.EVENTS_FAILED) else ExitCode.BROKEN)
