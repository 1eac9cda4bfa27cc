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

from sfmap.engine.delivery.mistake import mistake_of_ours
from sfmap.engine.http.address import listen, url_of
from sfmap.engine.http.connections import HEADER_SECONDS, Connections
from sfmap.engine.http.protocol import BoundedHttp
from sfmap.engine.journal.database import Database
from sfmap.engine.journal.dead_letters import DeadLetterRoom
from sfmap.engine.journal.ledger import furthest
from sfmap.engine.journal.spool import Bounds, Spool
from sfmap.engine.lock import only_run
from sfmap.engine.project import Project, ServeEntry
from sfmap.engine.run import Manner
from sfmap.engine.serve.acceptance import Acceptance
from sfmap.engine.serve.app import TrackingApi, make_app
from sfmap.engine.serve.background import SPOOL, Background, Means
from sfmap.engine.serve.configuration import Choice, Configuration, configure, configure_anew
from sfmap.engine.serve.log import Forwarding, Log
from sfmap.engine.serve.metrics import Metrics
from sfmap.engine.serve.page import Page

_STOP_SECONDS = 10
_MOST_CONNECTIONS = 1_000
"""More are answered 503: a request may hold some megabytes, until its events are on disk."""
_SWITCH_SECONDS = 0.0002
"""How soon a thread gives way to another: requests must not wait for a window to be mapped."""


class DeliveryEnded(Exception):
    """Delivery has come upon a mistake in sfmap; whatever started the service should start it again."""


@dataclass(frozen=True, slots=True)
class Address:
    host: str
    port: int
    """0 for any that is free."""


@dataclass(frozen=True, slots=True)
class Options:
    events: Address
    operators: Address | None
    """Where the page, metrics and health are; None for where events are taken."""
    choice: Choice
    linger: float
    page: bool
    manner: Manner


def serve(project: Project, options: Options, log: Log) -> None:
    """Serves the project until a signal comes. Of the main thread.

    Raises `CannotServe`, `ProjectBusy`, `JournalFailed`, `SecretMissing`, `NoSuchOrg`, `Mistakes`, `CannotRead` or
    `DeliveryEnded`.
    """
    _ignore_signals()
    configuration = configure(project, options.choice, options.events.host)
    with ExitStack() as stack:
        stack.enter_context(only_run(project.state, "sfmap serve"))
        parts = _put_together(project, options, configuration, log, stack)
        logging.getLogger("uvicorn").addHandler(Forwarding(log))
        threading.excepthook = partial(_say_mistake, log)
        for number in uvicorn.server.HANDLED_SIGNALS:  # before anybody can know that there is something to stop
            signal.signal(number, parts.events.server.handle_exit)
        parts.background.start()
        stack.callback(parts.background.stop)
        sys.setswitchinterval(_SWITCH_SECONDS)
        asyncio.run(_serving(parts, _answers(parts, project, options, log), log))
        _ignore_signals()
        if parts.background.has_ended:
            raise DeliveryEnded("delivery has ended, and with it the service; what was accepted is in the spool")
        for number in uvicorn.server.HANDLED_SIGNALS:  # the next one ends it at once, which loses nothing
            signal.signal(number, signal.SIG_DFL)
        log("info", f"Stopping after the calls in flight; {parts.spool.events:,} events wait in the spool.")


@dataclass(frozen=True, slots=True)
class _Site:
    """What is served at one address."""

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
    project: Project, options: Options, configuration: Configuration, log: Log, stack: ExitStack
) -> _Parts:
    events_at = listen(options.events.host, options.events.port)
    operators_at = listen(options.operators.host, options.operators.port) if options.operators else None
    journal = stack.enter_context(closing(Database(project.journal)))
    spool = stack.enter_context(closing(Spool(project.spool, _bounds(project.serve), furthest(journal, SPOOL))))
    letters = DeadLetterRoom(journal, _megabytes(project.serve.dead_letter_megabytes))
    metrics = Metrics(spool, letters)
    means = Means(spool, journal, options.manner, options.linger)
    background = Background(means, configuration.mapper, configuration.open_org, metrics, log)
    api = TrackingApi(Acceptance(spool, letters), configuration.access, metrics, log, background.is_alive)
    host = (options.operators or options.events).host
    page = Page(spool, letters, journal, background, metrics, host).routes() if options.page else []
    for_operators = [*api.routes_for_operators(), *page]
    operators = _Site(_SilentServer(_config(for_operators)), operators_at) if operators_at else None
    server = uvicorn.Server(_config([*api.routes(), *([] if operators else for_operators)]))
    background.on_committed = letters.look
    background.on_mistake = lambda: setattr(server, "should_exit", True)
    return _Parts(spool, background, api, _Site(server, events_at), operators)


def _answers(parts: _Parts, project: Project, options: Options, log: Log) -> Mapping[str, Callable[[], object]]:
    """What is done at a signal of that name."""

    def read_again() -> None:
        found = configure_anew(project, options.choice, options.events.host, log)
        if found:
            parts.api.access = found.access
            parts.background.take(found.mapper, found.open_org)
            log("info", "The project was read again: mappings, sources and their keys.")

    return {"SIGHUP": read_again, "SIGUSR1": lambda: parts.background.retry(0)}


def _ignore_signals() -> None:
    """Before and after there is somebody to answer them: they would end the service."""
    for name in ("SIGHUP", "SIGUSR1"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)


def _bounds(entry: ServeEntry) -> Bounds:
    return Bounds(_megabytes(entry.spool_megabytes), entry.spool_days * 86_400)


def _megabytes(count: float) -> int:
    return int(count * 1024 * 1024)


def _say_mistake(log: Log, happened: threading.ExceptHookArgs) -> None:
    what = mistake_of_ours(happened.exc_value) if happened.exc_value else happened.exc_type.__name__
    log("error", f"This is a mistake in sfmap: {what}.")


class _SilentServer(uvicorn.Server):
    """Leaves signals to the other one, which it ends with."""

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
        except Exception as error:  # noqa: BLE001 - nobody else would hear of it
            log("error", f"This is a mistake in sfmap: {mistake_of_ours(error)}. What was read before goes on.")

    return told


async def _serving(parts: _Parts, answers: Mapping[str, Callable[[], object]], log: Log) -> None:
    """What signals ask for is done on a thread of its own, one after the other."""
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
