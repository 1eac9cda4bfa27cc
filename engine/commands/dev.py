"""`sfmap dev`: edits mappings in a browser, with what they make of sample events."""

import webbrowser

import click

from sfmap.engine.commands.terminal import explained, say
from sfmap.engine.project.project_file import project_folder, read_project
from sfmap.engine.workbench.dev_server import DevOptions, serve_workbench


@click.command()
@click.option("--port", default=8090, show_default=True, help="0 for any free port.")
@click.option("--org", "org_name", metavar="NAME", help="Check against this org of sfmap.yaml.")
@click.option("--open", "opens", is_flag=True, help="Open the address in a browser.")
def dev(port: int, org_name: str | None, opens: bool) -> None:
    """Edit mappings in a browser: mistakes, and what becomes of sample events, while you type.

    The page is served to this machine only. It writes the project's files, and nothing is ever sent to an org.
    """
    with explained():
        folder = project_folder()
        project, _ = read_project(folder)
        project.org(org_name)

        def ready(url: str) -> None:
            say(f"The workbench is at {url}\nCtrl-C stops it.")
            if opens:
                webbrowser.open(url)

        serve_workbench(DevOptions(folder=folder, port=port, org_name=org_name), ready)
