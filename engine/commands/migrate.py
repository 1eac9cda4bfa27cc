"""`sfmap migrate`: makes a project of the settings of another product."""

import shlex
from collections.abc import Callable
from pathlib import Path

import click

from sfmap.engine.commands.terminal import explained, say
from sfmap.engine.inspect.project_check import check_project
from sfmap.engine.messages.counts import counted
from sfmap.engine.messages.hints import command_line_in
from sfmap.engine.migrate.migrated_project import ORG, write_project
from sfmap.engine.migrate.migration import Migration
from sfmap.engine.migrate.rudderstack_config import migrate_rudderstack
from sfmap.engine.migrate.segment_settings import migrate_segment
from sfmap.engine.yaml_files.diagnostics import Mistakes
from sfmap.engine.yaml_files.files import CannotRead


@click.group()
def migrate() -> None:
    """Make a project of the settings of another product's destination for Salesforce."""


_file = click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
_to = click.option(
    "--to",
    "folder",
    metavar="DIR",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder of the new project.",
)


@migrate.command()
@_file
@_to
def segment(file: Path, folder: Path) -> None:
    """Read what Segment's Public API answers about a destination or its subscriptions, or a file of Terraform.

    A classic destination becomes the shipped mappings with its settings; each action becomes a mapping.
    """
    _migrate(file, folder, migrate_segment)


@migrate.command()
@_file
@_to
def rudderstack(file: Path, folder: Path) -> None:
    """Read the configuration of a workspace of RudderStack, or of one destination of it."""
    _migrate(file, folder, migrate_rudderstack)


def _migrate(file: Path, folder: Path, read: Callable[[str, str], Migration]) -> None:
    with explained():
        try:
            text = file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = (isinstance(error, OSError) and error.strerror) or "it is not text"
            raise CannotRead(f"cannot read {file}: {why}") from None
        migration = read(str(file), text)
        say(f"Wrote {', '.join(write_project(migration, folder))} to {folder}.")
        checked = check_project(folder, None, None)
        if checked.is_broken:
            raise Mistakes(checked.diagnostics)
    if migration.left:
        say(f"\n{counted(len(migration.left), 'thing')} could not be carried over:")
        say("\n".join(f"  - {one}" for one in migration.left))
    first = "fill in secrets.env" if migration.secrets else "name an org in sfmap.yaml (docs/orgs.md)"
    org = ("--org", ORG) if migration.secrets else ()
    say(f"\nNext, in {folder}: {first}, and then:")
    say(f"  cd {shlex.quote(str(folder))}\n  {command_line_in(folder, 'check', *org)}")
