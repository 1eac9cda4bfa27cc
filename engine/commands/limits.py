"""`sfmap limits`: prints how many API calls are left."""

from dataclasses import asdict

import click
import orjson

from sfmap.engine.commands.arguments import org_option
from sfmap.engine.commands.terminal import explained, say
from sfmap.engine.journal.organizations import remember_organization
from sfmap.engine.project.project_file import load_project, project_folder
from sfmap.engine.wiring.org_opening import open_org
from sfmap.engine.wiring.state_opening import open_journal


@click.command()
@org_option
@click.option("--json", "as_data", is_flag=True, help="Print JSON.")
def limits(org_name: str | None, as_data: bool) -> None:
    """Print the org's daily limit of API calls and how many are left. This uses one call."""
    with explained():
        project = load_project(project_folder())
        with open_org(project, project.org(org_name)) as opened:
            usage = opened.org.limits()
            with open_journal(project) as journal:
                remember_organization(journal, opened.entry, opened.key())
    if usage is None:
        say("The org did not report its limit.")
    elif as_data:
        click.echo(orjson.dumps({**asdict(usage), "left": usage.limit - usage.used}))
    else:
        click.echo(f"{usage.limit - usage.used:,} of {usage.limit:,} API calls are left for the current 24 hours.")
