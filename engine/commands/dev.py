"""`sfmap dev`: edits mappings in a browser, or watches them in a terminal."""

import webbrowser
from contextlib import suppress

import click

from sfmap.engine.commands.terminal import explained, say, styled
from sfmap.engine.delivery.internal_error import internal_error
from sfmap.engine.project.project_file import project_folder, read_project
from sfmap.engine.workbench.dev_server import DevOptions, serve_workbench
from sfmap.engine.workbench.terminal_watch import watch_project


@click.command()
@click.option("--port", default=8090, show_default=True, help="0 for any free port.")
@click.option("--org", "org_name", metavar="NAME", help="Check against this org of sfmap.yaml.")
@click.option("--open", "opens", is_flag=True, help="Open the address in a browser.")
@click.option("--watch", "watches", is_flag=True, help="Print to this terminal after each save, without a page.")
def dev(port: int, org_name: str | None, opens: bool, watches: bool) -> None:
    """Edit mappings in a browser: mistakes, and what becomes of sample events, while you type.

    The page is served to this machine only. It writes the project's files, and nothing is ever sent to an org.
    With --watch, use an editor of your own: the mistakes and the changed records are printed after each save.
    """
    if watches and opens:
        raise click.UsageError("--watch has no page to open.")
    with explained():
        folder = project_folder()
        project, _ = read_project(folder)
        project.org(org_name)
        if watches:
            say("Watching sfmap.yaml, mappings and tests/events. Ctrl-C stops it.")
            with suppress(KeyboardInterrupt):
                watch_project(folder, org_name, say, styled)
            return

        def ready(url: str) -> None:
            say(f"The workbench is at {url}\nCtrl-C stops it.")
            if opens:
                webbrowser.open(url)

        serve_workbench(DevOptions(folder=folder, port=port, org_name=org_name, log=_say_mistake), ready)


def _say_mistake(error: BaseException) -> None:
    say(f"Error: this is a bug in sfmap: {internal_error(error)}. Please report it.")
