"""Runs the service: the Tracking API in this thread, delivery in another, until a signal stops both."""

import asyncio
import logging
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial

import uvicorn
from starlette.routing import Route

from sfmap.engine.delivery.deliver_all import RunOptions
from sfmap.engine.delivery.internal_error import internal_error
from sfmap.engine.errors import ExitCode, SfmapError
from sfmap.engine.http.address import listen, url_of
from sfmap.engine.http.connections import HEADER_SECONDS, Connections
from sfmap.engine.http.protocol import BoundedHttp
from sfmap.engine.journal.database import Database
from sfmap.engine.journal.dead_letter_store import DeadLetterRoom
from sfmap.engine.journal.ledger import furthest
from sfmap.engine.journal.lock import only_run
from sfmap.engine.journal.spool import Bounds, Spool
from sfmap.engine.project.project_file import Project, ServeEntry
from sfmap.engine.serve.acceptance import Acceptance
from sfmap.engine.serve.background import SPOOL, Background, DeliveryResources
from sfmap.engine.serve.configuration import Configuration, OrgAndMappings, configure, reconfigure
from sfmap.engine.serve.log import Forwarding, Log
from sfmap.engine.serve.metrics import Metrics
from sfmap.engine.serve.operator_page import Page
from sfmap.engine.serve.tracking_api import TrackingApi, make_app

_STOP_SECONDS = 10
_MOST_CONNECTIONS = 1_000
"""Further connections are answered 503: a request may hold some megabytes until its events are on disk."""
_SWITCH_SECONDS = 0.0002
"""How often the interpreter switches threads: requests must not wait while a window is mapped."""


class DeliveryEnded(SfmapError):
    """Delivery ended because of a bug in sfmap; the service's supervisor should restart it."""

    exit_code = ExitCode.INTERNAL_ERROR


@dataclass(frozen=True, slots=True)
class Address:
    host: str
    port: int
    """0 for any free port."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """The options of `sfmap serve`."""

    events: Address
    operators: Address | None
    """The address of the page, metrics and health; None for the address that takes events."""
    used: OrgAndMappings
    linger: float
    page: bool
    delivery: RunOptions


def serve(project: Project, options: ServeOptions, log: Log) -> None:
    """Serves the project until a signal arrives. Call it from the main thread.

    Raises `CannotServe`, `ProjectBusy`, `JournalFailed`, `SecretMissing`, `NoSuchOrg`, `Mistakes`, `CannotRead` or
    `DeliveryEnded`.
    """
    _ignore_signals()
    configuration = configure(project, options.used, options.events.host)
    with ExitStack() as stack:
        stack.enter_context(only_run(project.state, "sfmap serve"))
        parts = _put_together(project, options, configuration, log, stack)
        logging.getLogger("uvicorn").addHandler(Forwarding(log))
        threading.excepthook = partial(_say_mistake, log)
        for number in uvicorn.server.HANDLED_SIGNALS:  # before anyone can see that the service runs
            signal.signal(number, parts.events.server.handle_exit)
        parts.background.start()
        stack.callback(parts.background.stop)
        sys.setswitchinterval(_SWITCH_SECONDS)
        asyncio.run(_serving(parts, _answers(parts, project, options, log), log))
        _ignore_signals()
        if parts.background.has_ended:
            raise DeliveryEnded("delivery has ended, and the service with it; accepted events are in the spool")
        for number in uvicorn.server.HANDLED_SIGNALS:  # a second signal ends it at once, which loses nothing
            signal.signal(number, signal.SIG_DFL)
        log("info", f"Stopping after the calls in flight; {parts.spool.events:,} events are waiting in the spool.")


@dataclass(frozen=True, slots=True)
class _Site:
    """A server at one address."""

    server: uvicorn.Server
    listening: socket.socket

    @property
    def url(self) -> str:
        host, port, *_ = self.listening.getsockname()
        return url_of(host, port)

    async def serve(self) -> None:
        watching = asyncio.create_task(Connections().watch(self.server))
        await self.server.serve(sockets=[self.listening])
        watching.cancel()


@dataclass(frozen=True, slots=True)
class _Parts:
    spool: Spool
    background: Background
    api: TrackingApi
    events: _Site
    operators: _Site | None


def _put_together(
    project: Project, options: ServeOptions, configuration: Configuration, log: Log, stack: ExitStack
) -> _Parts:
    events_at = listen(options.events.host, options.events.port)
    operators_at = listen(options.operators.host, options.operators.port) if options.operators else None
    journal = stack.enter_context(closing(Database(project.journal)))
    spool = stack.enter_context(closing(Spool(project.spool, _bounds(project.serve), furthest(journal, SPOOL))))
    letters = DeadLetterRoom(journal, _megabytes(project.serve.dead_letter_megabytes))
    metrics = Metrics(spool, letters)
    resources = DeliveryResources(spool=spool, journal=journal, options=options.delivery, linger=options.linger)
    background = Background(resources, configuration.mapper, configuration.open_org, metrics, log)
    api = TrackingApi(Acceptance(spool, letters), configuration.access, metrics, log, background.is_alive)
    host = (options.operators or options.events).host
    page = Page(spool, letters, journal, background, metrics, host).routes() if options.page else []
    for_operators = [*api.routes_for_operators(), *page]
    operators = _Site(_SilentServer(_config(for_operators)), operators_at) if operators_at else None
    server = uvicorn.Server(_config([*api.routes(), *([] if operators else for_operators)]))
    background.on_committed = letters.look
    background.on_mistake = lambda: setattr(server, "should_exit", True)
    return _Parts(spool, background, api, _Site(server, events_at), operators)


def _answers(
    parts: _Parts, project: Project, options: ServeOptions, log: Log
) -> Mapping[str, Callable[[], object]]:
    """The action for each signal, by name."""

    def read_again() -> None:
        found = reconfigure(project, options.used, options.events.host, log)
        if found:
            parts.api.access = found.access
            parts.background.take(found.mapper, found.open_org)
            log("info", "Reloaded the project: mappings, sources and keys.")

    return {"SIGHUP": read_again, "SIGUSR1": lambda: parts.background.retry(0)}


def _ignore_signals() -> None:
    """Ignores signals while no handler is set: by default they would end the process."""
    for name in ("SIGHUP", "SIGUSR1"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)


def _bounds(entry: ServeEntry) -> Bounds:
    return Bounds(_megabytes(entry.spool_megabytes), entry.spool_days * 86_400)


def _megabytes(count: float) -> int:
    return int(count * 1024 * 1024)


def _say_mistake(log: Log, happened: threading.ExceptHookArgs) -> None:
    what = internal_error(happened.exc_value) if happened.exc_value else happened.exc_type.__name__
    log("error", f"This is a bug in sfmap: {what}.")


class _SilentServer(uvicorn.Server):
    """Installs no signal handlers: the main server does, and both end together."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _config(routes: list[Route]) -> uvicorn.Config:
    return uvicorn.Config(
        make_app(routes),
        log_config=None,
        ws="none",
        access_log=False,
        lifespan="off",
        server_header=False,
        limit_concurrency=_MOST_CONNECTIONS,
        http=BoundedHttp,
        timeout_keep_alive=HEADER_SECONDS,
        timeout_graceful_shutdown=_STOP_SECONDS,
    )


def _told(answer: Callable[[], object], log: Log) -> Callable[[], None]:
    def told() -> None:
        try:
            answer()
        except Exception as error:  # noqa: BLE001 - it would be lost otherwise
            log("error", f"This is a bug in sfmap: {internal_error(error)}. The previous configuration stays.")

    return told


async def _serving(parts: _Parts, answers: Mapping[str, Callable[[], object]], log: Log) -> None:
    """Serves, and runs the actions of signals one after the other on a thread of their own."""
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1, "signals") as thread:
        for name, answer in answers.items():
            if hasattr(signal, name):
                loop.add_signal_handler(getattr(signal, name), thread.submit, _told(answer, log))
        log("info", f"Accepting events at {parts.events.url}/v1/")
        if parts.operators is None:
            await parts.events.serve()
            return
        log("info", f"The page, /metrics and health are at {parts.operators.url}/")
        beside = asyncio.create_task(parts.operators.serve())
        await parts.events.serve()
        parts.operators.server.should_exit = True
        await beside
