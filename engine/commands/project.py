"""`sfmap init`, `sfmap test` and `sfmap schema`."""

import contextlib
import io
import sys
from pathlib import Path

import click
import orjson

from sfmap.engine.commands.terminal import explained, say
from sfmap.engine.errors import ExitCode
from sfmap.engine.files.output import CannotWrite
from sfmap.engine.language.json_schema import json_schema
from sfmap.engine.project.project_file import project_folder
from sfmap.engine.project.scaffolding import make_project


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
def init(folder: Path) -> None:
    """Create a project in DIR: mappings, sample events with snapshots, and a CI workflow."""
    from sfmap.engine.testing.pytest_run import run_cases

    with explained(), contextlib.redirect_stdout(io.StringIO()):
        try:
            made = make_project(folder, lambda made: run_cases(made, (), update=True))
        except OSError as error:
            raise CannotWrite(f"cannot write {error.filename}: {error.strerror}") from None
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
    from sfmap.engine.testing.pytest_run import run_cases

    missing = [path for path in paths if not Path(path.partition("::")[0]).exists()]
    if missing:
        raise click.UsageError(f"{missing[0]} does not exist.")
    with explained():
        code = run_cases(project_folder().resolve(), paths, update)
    sys.exit(code if code in (ExitCode.DONE, ExitCode.EVENTS_FAILED) else ExitCode.BROKEN)


@click.command()
def schema() -> None:
    """Print the JSON Schema of mapping files, for editors."""
    click.echo(orjson.dumps(json_schema(), option=orjson.OPT_INDENT_2))
