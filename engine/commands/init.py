"""`sfmap init`: creates a project."""

import contextlib
import io
import shlex
from pathlib import Path

import click

from sfmap.engine.commands.terminal import explained, say
from sfmap.engine.files.output import CannotWrite
from sfmap.engine.inspect.project_schema import SchemaRequest, write_schema
from sfmap.engine.messages.hints import command_line_in
from sfmap.engine.project.project_file import load_project
from sfmap.engine.project.scaffolding import make_project


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
def init(folder: Path) -> None:
    """Create a project in DIR: mappings, sample events with snapshots, and a CI workflow."""
    from sfmap.engine.testing.pytest_run import run_cases

    def make_others(made: Path) -> None:
        write_schema(load_project(made), SchemaRequest(samples=("tests/events",)))
        run_cases(made, (), update=True)

    with explained(), contextlib.redirect_stdout(io.StringIO()):
        try:
            made = make_project(folder, make_others)
        except OSError as error:
            raise CannotWrite(f"cannot write {error.filename}: {error.strerror}") from None
    say("".join(f"  {folder / name}\n" for name in made) + "Next:")
    if not folder.samefile(Path()):
        say(f"  cd {shlex.quote(str(folder))}")
    say(f"  {command_line_in(folder, 'check')}\n  {command_line_in(folder, 'test')}")
