"""`sfmap state`: upgrades the journal and the spool."""

import click

from sfmap.engine.commands.arguments import org_option
from sfmap.engine.commands.terminal import explained, say
from sfmap.engine.project.project_file import load_project, project_folder
from sfmap.engine.wiring.state_upgrade import upgrade_state


@click.group()
def state() -> None:
    """Take care of the journal and the spool, in the project's folder or in PostgreSQL."""


@state.command()
@org_option
def upgrade(org_name: str | None) -> None:
    """Upgrade the state of an earlier version of sfmap, after copying it.

    If `state` in sfmap.yaml names a database, what waits in the project's folder is moved there; accepted events
    will be delivered to the org.
    """
    with explained():
        for done in upgrade_state(load_project(project_folder()), org_name):
            say(done)
