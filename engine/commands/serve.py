"""`sfmap serve`: accepts events over HTTP and delivers them in the background."""

import sys
from functools import partial
from pathlib import Path
from typing import Literal

import click

from sfmap.engine.api.opening_runs import run_options
from sfmap.engine.commands.arguments import connections_option, mappings_option, org_option
from sfmap.engine.commands.terminal import counted_mistakes, explained, say, say_error
from sfmap.engine.delivery.write_pace import Connections
from sfmap.engine.errors import SfmapError
from sfmap.engine.http.address import is_loopback
from sfmap.engine.project.project_file import ProjectFile, load_project, project_folder
from sfmap.engine.serve.configuration import OrgAndMappings
from sfmap.engine.serve.log import Log, make_log
from sfmap.engine.serve.service import Address, DeliveryEnded, ServeOptions
from sfmap.engine.serve.service import serve as serve_events
from sfmap.engine.serve.topic_service import serve_to_topic
from sfmap.engine.wiring.topic_opening import open_topic, topic_entry
from sfmap.engine.yaml_files.diagnostics import Mistakes


def _bounded(_context: click.Context, _parameter: click.Parameter, seconds: float) -> float:
    if not 0 <= seconds <= 3600:
        raise click.BadParameter("must be between 0 and 3600 seconds.")
    return seconds


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8080, show_default=True, help="0 for any free port.")
@click.option("--admin-port", type=int, help="A separate port for the page, /metrics and health.")
@click.option("--admin-host", help="The address of that port.  [default: 127.0.0.1]")
@org_option
@mappings_option
@click.option(
    "--linger", default=0.2, callback=_bounded, show_default=True, help="Seconds that an event waits for others."
)
@connections_option
@click.option("--page/--no-page", default=None, help="The page at /; by default only on a loopback address.")
@click.option(
    "--node",
    default="",
    metavar="NAME",
    help="The name of this process, where several share their state.  [default: its machine and process number]",
)
@click.option("--to", "topic", metavar="NAME", help="Only accept, and send events to this topic of sfmap.yaml.")
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Log format.",
)
def serve(
    host: str,
    port: int,
    admin_port: int | None,
    admin_host: str | None,
    org_name: str | None,
    folder: Path | None,
    linger: float,
    connections: Connections,
    page: bool | None,
    node: str,
    topic: str | None,
    log_format: Literal["text", "json"],
) -> None:
    """Accept events through Segment's HTTP Tracking API, and deliver them to an org.

    An event is on disk before it is acknowledged, or with --to in the topic. SIGHUP reloads the project, SIGUSR1
    delivers dead letters again; SIGTERM and Ctrl-C stop gracefully, and waiting events are delivered after the
    next start.
    """
    log = make_log(log_format == "json")
    with explained(partial(_log_error, log) if log_format == "json" else say_error):
        project = load_project(project_folder())
        delivery = run_options(project, org_name, connections, say)
        operators = _operators(admin_host, admin_port)
        is_own = is_loopback((operators or Address(host, port)).host)
        if page and not is_own:
            log("warning", "Anyone who can reach this address can see events on the page.")
        options = ServeOptions(
            events=Address(host, port),
            operators=operators,
            used=OrgAndMappings(project.org(org_name).name, folder),
            linger=linger,
            page=is_own if page is None else page,
            node=node,
            delivery=delivery,
        )
        try:
            _serve(project, options, topic, log)
        except DeliveryEnded as error:
            log("error", f"{str(error).capitalize()}.")
            sys.exit(error.exit_code)


def _serve(project: ProjectFile, options: ServeOptions, topic: str | None, log: Log) -> None:
    if topic is None:
        serve_events(project, options, log)
    else:
        serve_to_topic(project, open_topic(project, *topic_entry(project, topic)), options, log)


def _log_error(log: Log, error: SfmapError) -> None:
    """Logs why the service does not start."""
    if isinstance(error, Mistakes):
        found = [one.as_json() for one in error.diagnostics]
        log(
            "error",
            f"The project has errors: {counted_mistakes(error.diagnostics)}.",
            lambda: {"diagnostics": found},
        )
    else:
        log("error", str(error), lambda: {"exit_code": int(error.exit_code)})


def _operators(host: str | None, port: int | None) -> Address | None:
    if port is not None:
        return Address(host or "127.0.0.1", port)
    if host is not None:
        raise click.UsageError("--admin-host needs --admin-port: give the port of that address.")
    return None
