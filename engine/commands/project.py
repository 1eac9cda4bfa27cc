"""`sfmap init`, `sfmap test` and `sfmap schema`."""

import contextlib
import io
import sys
from pathlib import Path

import click
import orjson

from sfmap.engine.commands.terminal import BROKEN, EVENTS_FAILED, say
from sfmap.engine.language.json_schema import json_schema
from sfmap.engine.project.project_file import project_folder
from sfmap.engine.project.scaffolding import AlreadyThere, make_project


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
def init(folder: Path) -> None:
    """Create a project in DIR: mappings, sample events with snapshots, and a CI workflow."""
    from sfmap.engine.testing.pytest_run import run_cases

    try:
        with contextlib.redirect_stdout(io.StringIO()):
            made = make_project(folder, lambda made: run_cases(made, (), update=True))
    except AlreadyThere as error:
        say(f"Error: {error}")
        sys.exit(BROKEN)
    except OSError as error:
        say(f"Error: cannot write {error.filename}: {error.strerror}")
        sys.exit(BROKEN)
    first = "" if folder.samefile(Path()) else f"cd {folder}, then "
    say("".join(f"  {folder / name}\n" for name in made) + f"Next: {first}sfmap check and sfmap test.")


@click.command()
@click.option("--update", is_flag=True, help="Accept the current results as the new snapshots.")
@click.argument("paths", nargs=-1)
def test(update: bool, paths: tuple[str, ...]) -> None:
    """Render the sample events in tests/events, or those in PATHS, and compare them with their snapshots.

    A path is a file or folder of events, or one event of a file: tests/events/samples.ndjson::group
    """
    # pytest is slow to import, and only this command needs it.
    from sfmap.engine.testing.pytest_run import NoSamples, run_cases

    missing = [path for path in paths if not Path(path.partition("::")[0]).exists()]
    if missing:
        raise click.UsageError(f"{missing[0]} does not exist.")
    try:
        code = run_cases(project_folder().resolve(), paths, update)
    except NoSamples as error:
        say(f"Error: {error}")
        code = BROKEN
    sys.exit(code if code in (0, EVENTS_FAILED) else BROKEN)


@click.command()
def schema() -> None:
    """Print the JSON Schema of mapping files, for editors."""
    click.echo(orjson.dumps(json_schema(), option=orjson.OPT_INDENT_2))
