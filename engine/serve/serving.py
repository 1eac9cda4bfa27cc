"""Runs the service: the Tracking API in this thread, delivery in another, until a signal stops both."""

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from sfmap.engine.http.address import CannotServe, is_loopback, listen
from sfmap.engine.http.connections import Connections
from sfmap.engine.journal.database import Database
from sfmap.engine.journal.ledger import furthest
from sfmap.engine.journal.spool import Bounds, Spool
from sfmap.engine.load import chosen_mappings, compile_mappings
from sfmap.engine.lock import only_run
from sfmap.engine.mapping.mapper import Mapper
from sfmap.engine.project import Project, ServeEntry, load_project
from sfmap.engine.run import Manner
from sfmap.engine.serve.acceptance import Acceptance
from sfmap.engine.serve.access import Access, KeySource, WebhookSource
from sfmap.engine.serve.app import TrackingApi, make_app
from sfmap.engine.serve.background import SPOOL, Background, Means
from sfmap.engine.serve.log import Forwarding, Log
from sfmap.engine.serve.metrics import Metrics
from sfmap.engine.serve.page import Page
from sfmap.engine.wiring import open_org

_KEEP_ALIVE_SECONDS = 60
_STOP_SECONDS = 10
_MOST_CONNECTIONS = 1_000
"""More are answered 503: each may hold half a megabyte."""
_SWITCH_SECONDS = 0.0002
"""How soon a thread gives way to another: requests must not wait for a window to be mapped."""


@dataclass(frozen=True, slots=True)
class Options:
    host: str
    port: int
    """0 for any that is free."""
    org: str | None
    mappings: Path | None
    linger: float
    page: bool
    manner: Manner


def serve(options: Options, log: Log, ready: Callable[[str], object]) -> None:
    """Serves the project in this folder until a signal comes; `ready` is told the URL. Of the main thread.

    Raises `CannotServe`, `ProjectBusy`, `JournalFailed`, `SecretMissing`, `NoSuchOrg`, `Mistakes` or `CannotRead`.
    """
    project = load_project(Path())
    entry = project.org(options.org)
    access = _access(project, options.host)
    mapper = _mapper(options)
    with ExitStack() as stack:
        stack.enter_context(only_run(project.state))
        listening = _listen(options)
        journal = stack.enter_context(closing(Database(project.journal)))
        spool = Spool(project.spool, _bounds(project.serve), furthest(journal, SPOOL))
        stack.callback(spool.close)
        metrics = Metrics(spool)
        means = Means(
            spool,
            journal,
            lambda inner: inner.enter_context(open_org(project, entry)),
            lambda: _mapper(options),
            options.manner,
            options.linger,
        )
        background = Background(means, mapper, metrics, log)
        api = TrackingApi(Acceptance(spool), access, spool, metrics, log, background.is_alive)
        page = Page(spool, journal, background, metrics, options.host).routes() if options.page else []
        server = _server(make_app([*api.routes(), *page]))
        _take_signals(server, background)
        logging.getLogger("uvicorn").addHandler(Forwarding(log))
        background.start()
        stack.callback(background.stop)
        ready(f"http://{options.host}:{listening.getsockname()[1]}")
        sys.setswitchinterval(_SWITCH_SECONDS)
        asyncio.run(_serving(server, listening))
        log("info", f"Stopping after the calls in flight; {spool.events:,} events wait in the spool.")


def _mapper(options: Options) -> Mapper:
    return Mapper(compile_mappings(*chosen_mappings(load_project(Path()), options.mappings, options.org)))


def _bounds(entry: ServeEntry) -> Bounds:
    return Bounds(int(entry.spool_megabytes * 1024 * 1024), entry.spool_days * 86_400)


def _access(project: Project, host: str) -> Access:
    sources = project.serve.sources
    if not sources and not is_loopback(host):
        raise CannotServe(
            "name the sources that may send events, each with its write key, in sfmap.yaml under serve, sources:"
            " without them anybody who reaches this address could"
        )
    return Access(
        [
            WebhookSource(source.name, "segment" if source.webhook == "segment" else "rudderstack", secret)
            if source.webhook
            else KeySource(source.name, secret)
            for source, secret in ((source, project.secret_of(source)) for source in sources)
        ]
    )


def _listen(options: Options) -> socket.socket:
    try:
        return listen(options.host, options.port)
    except (OSError, OverflowError) as error:
        raise CannotServe(f"cannot listen at {options.host}:{options.port}: {error}") from None


def _server(app: object) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            app,  # type: ignore[arg-type]
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            limit_concurrency=_MOST_CONNECTIONS,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=_STOP_SECONDS,
        )
    )


def _take_signals(server: uvicorn.Server, background: Background) -> None:
    """Before anybody can know that there is something to stop."""
    for number in uvicorn.server.HANDLED_SIGNALS:
        signal.signal(number, server.handle_exit)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, lambda *_: background.reload())


async def _serving(server: uvicorn.Server, listening: socket.socket) -> None:
    watching = asyncio.create_task(Connections().watch(server))
    await server.serve(sockets=[listening])
    watching.cancel()
