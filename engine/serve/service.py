"""Runs the service: the Tracking API in this thread, delivery in another, until a signal stops both."""

import asyncio
import logging
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from socket import socket

from starlette.routing import Route

from sfmap.engine.delivery.deliver_all import RunOptions
from sfmap.engine.delivery.internal_error import internal_error
from sfmap.engine.errors import ExitCode, SfmapError
from sfmap.engine.http.address import listen
from sfmap.engine.http.server import WebServer, end_on_signals
from sfmap.engine.journal.dead_letter_store import DeadLetterRoom
from sfmap.engine.journal.history_writing import HistoryBounds
from sfmap.engine.journal.project_state import State
from sfmap.engine.journal.spool import Bounds, Spool
from sfmap.engine.messages.counts import counted
from sfmap.engine.project.project_file import ProjectFile
from sfmap.engine.project.serve_entry import ServeEntry
from sfmap.engine.serve.acceptance import Acceptance
from sfmap.engine.serve.background import Background
from sfmap.engine.serve.configuration import Configuration, OrgAndMappings, configure, reconfigure
from sfmap.engine.serve.delivery_requests import ALL
from sfmap.engine.serve.discards import Discards
from sfmap.engine.serve.event_history import EventHistory
from sfmap.engine.serve.log import ForwardingHandler, Log
from sfmap.engine.serve.metrics import Metrics
from sfmap.engine.serve.operations import Operations, ServiceParts
from sfmap.engine.serve.operator_page import OperatorPage
from sfmap.engine.serve.presence import present
from sfmap.engine.serve.service_manager import told_to_manager
from sfmap.engine.serve.standing import ServedOrg
from sfmap.engine.serve.tracking_api import TrackingApi, make_app
from sfmap.engine.wiring.org_opening import known_key
from sfmap.engine.wiring.state_opening import open_state

_STOP_SECONDS = 10
_MOST_CONNECTIONS = 1_000
"""Further connections are answered 503: a request may hold some megabytes until its events are on disk."""
_SWITCH_SECONDS = 0.0002
"""How often the interpreter switches threads: requests must not wait while a window is mapped."""
RELOAD = signal.Signals.__members__.get("SIGHUP")
_RETRY = signal.Signals.__members__.get("SIGUSR1")


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
    """Seconds that the first event of a window waits for others."""
    page: bool
    node: str
    """The name of this process among those that share its state; empty for its machine and number."""
    delivery: RunOptions


def serve(project: ProjectFile, options: ServeOptions, log: Log) -> None:
    """Serves the project until a signal arrives. Call it from the main thread.

    Raises `CannotServe`, `ProjectBusy`, `JournalFailed`, `SecretMissing`, `NoSuchOrg`, `Mistakes`, `CannotRead` or
    `DeliveryEnded`.
    """
    ignore_signals()
    with ExitStack() as stack:
        state = stack.enter_context(open_state(project, options.node))
        configuration = configure(project, options.used, options.events.host, state.check_leases)
        stack.enter_context(state.deliver_alone("sfmap serve"))
        parts = _put_together(project, state, options, configuration, log, stack)
        logging.getLogger("uvicorn").addHandler(ForwardingHandler(log))
        threading.excepthook = partial(say_mistake, log)
        parts.events.stop_on_signals()  # before anyone can see that the service runs
        parts.background.start()
        stack.callback(parts.background.stop)
        sys.setswitchinterval(_SWITCH_SECONDS)
        asyncio.run(
            serving(parts.events, parts.operators, _signal_actions(parts, project, state, options, log), log)
        )
        ignore_signals()
        if parts.background.has_crashed:
            raise DeliveryEnded("delivery has ended, and the service with it; accepted events are in the spool")
        end_on_signals()  # a second signal ends it at once, which loses nothing
        log(
            "info",
            f"Stopping after the calls in flight; {counted(parts.spool.events, 'event')} waiting in the spool.",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    spool: Spool
    background: Background
    api: TrackingApi
    events: WebServer
    operators: WebServer | None


def _put_together(
    project: ProjectFile,
    state: State,
    options: ServeOptions,
    configuration: Configuration,
    log: Log,
    stack: ExitStack,
) -> _Parts:
    listening = _listening(options)
    parts = _service_parts(project, state, options, configuration, log, stack)
    api = TrackingApi(
        acceptance=Acceptance(parts.spool, parts.letters),
        access=configuration.access,
        metrics=parts.metrics,
        log=log,
        is_delivering=parts.background.is_alive,
        analytics_js=project.folder / library if (library := project.serve.analytics_js) else None,
    )
    page = OperatorPage(Operations(parts), (options.operators or options.events).host)
    for_operators = [*api.routes_for_operators(), *(page.routes() if options.page else ())]
    events, operators = servers(api.routes(), for_operators, options, listening)
    if parts.nodes:
        stack.enter_context(present(parts.nodes, parts.metrics, (parts.spool.look, parts.letters.look)))
    parts.background.on_committed = parts.letters.look
    parts.background.on_crash = events.stop
    return _Parts(spool=parts.spool, background=parts.background, api=api, events=events, operators=operators)


def _service_parts(
    project: ProjectFile,
    state: State,
    options: ServeOptions,
    configuration: Configuration,
    log: Log,
    stack: ExitStack,
) -> ServiceParts:
    nodes = state.nodes(options.used.org)
    spool = stack.enter_context(state.spool(options.used.org, _bounds(project.serve)))
    letters = DeadLetterRoom(state.journal, _megabytes(project.serve.dead_letter_megabytes))
    metrics = Metrics(spool, letters)
    history = _history(project, state, options, log, stack)
    org = ServedOrg(options.used.org, is_default=options.used.org == project.default_org)
    background = Background(
        spool=spool,
        state=state,
        nodes=nodes,
        options=options.delivery,
        linger=options.linger,
        mapper=configuration.mapper,
        open_org=configuration.open_org,
        revision=configuration.revision,
        metrics=metrics,
        history=history,
        log=log,
        org_option=project.org_option(options.used.org),
    )
    return ServiceParts(
        org=org,
        org_key=lambda: _org_key(project, state, options, background),
        spool=spool,
        letters=letters,
        journal=state.journal,
        background=background,
        metrics=metrics,
        history=history,
        discards=_discards(state, history, log, stack),
        nodes=nodes,
        state=project.state,
    )


def _discards(state: State, history: EventHistory | None, log: Log, stack: ExitStack) -> Discards:
    discards = Discards(state.journal, history.note_discarded if history else lambda letters: None, log)
    stack.callback(discards.stop)
    return discards


def _org_key(project: ProjectFile, state: State, options: ServeOptions, background: Background) -> str | None:
    """The org's key in the journal, without a call; None if nothing has signed in yet. Raises `SfmapError`."""
    opened = background.org
    return opened.key() if opened else known_key(project, project.org(options.used.org), state.journal)


def _listening(options: ServeOptions) -> tuple[socket, socket | None]:
    """The sockets for events and for operators. Raises `CannotServe`."""
    events_at = listen(options.events.host, options.events.port)
    return events_at, listen(options.operators.host, options.operators.port) if options.operators else None


def _history(
    project: ProjectFile, state: State, options: ServeOptions, log: Log, stack: ExitStack
) -> EventHistory | None:
    """The history, which is written from now on; None if it is off."""
    entry = project.serve.history
    if entry is None:
        return None
    bounds = HistoryBounds(days=entry.days, size=_megabytes(entry.megabytes))
    history = EventHistory(state, options.used.org, bounds, log)
    history.start()
    stack.callback(history.stop)
    return history


def servers(
    for_events: list[Route],
    for_operators: list[Route],
    options: ServeOptions,
    listening: tuple[socket, socket | None],
) -> tuple[WebServer, WebServer | None]:
    """The server of events and that of operators, unless one address is for both."""
    events_at, operators_at = listening
    if not operators_at or not options.operators:
        return _server([*for_events, *for_operators], events_at, options.events.host), None
    operators = _server(for_operators, operators_at, options.operators.host, takes_signals=False)
    return _server(for_events, events_at, options.events.host), operators


def _server(routes: list[Route], listening: socket, host: str, *, takes_signals: bool = True) -> WebServer:
    return WebServer(
        make_app(routes),
        listening,
        host=host,
        stop_seconds=_STOP_SECONDS,
        most_connections=_MOST_CONNECTIONS,
        takes_signals=takes_signals,
    )


def _signal_actions(
    parts: _Parts, project: ProjectFile, state: State, options: ServeOptions, log: Log
) -> Mapping[signal.Signals, Callable[[], object]]:
    """What each signal makes the service do; Windows has neither of them."""

    def read_again() -> None:
        found = reconfigure(project, options.used, options.events.host, state.check_leases, log)
        if found:
            parts.api.access = found.access
            parts.background.requests.take(found.mapper, found.open_org, found.revision)
            log("info", "Reloaded the project: mappings, sources and keys.")

    actions = {RELOAD: read_again, _RETRY: lambda: parts.background.requests.retry(ALL)}
    return {number: action for number, action in actions.items() if number}


def ignore_signals() -> None:
    """Ignores signals while no handler is set: by default they would end the process."""
    for number in (RELOAD, _RETRY):
        if number:
            signal.signal(number, signal.SIG_IGN)


def _bounds(entry: ServeEntry) -> Bounds:
    return Bounds(_megabytes(entry.spool_megabytes), entry.spool_days * 86_400)


def _megabytes(count: float) -> int:
    return int(count * 1024 * 1024)


def say_mistake(log: Log, happened: threading.ExceptHookArgs) -> None:
    what = internal_error(happened.exc_value) if happened.exc_value else happened.exc_type.__name__
    log("error", f"This is a bug in sfmap: {what}.")


def _logged(action: Callable[[], object], log: Log) -> Callable[[], None]:
    """The action, with an error of it in the log."""

    def logged() -> None:
        try:
            action()
        except Exception as error:  # noqa: BLE001 - it would be lost otherwise
            log("error", f"This is a bug in sfmap: {internal_error(error)}. The previous configuration stays.")

    return logged


async def serving(
    events: WebServer,
    operators: WebServer | None,
    actions: Mapping[signal.Signals, Callable[[], object]],
    log: Log,
) -> None:
    """Serves, and runs the actions of signals one after the other on a thread of their own."""
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1, "signals") as thread:
        for number, action in actions.items():
            loop.add_signal_handler(number, thread.submit, _logged(action, log))
        log("info", f"Accepting events at {events.url}/v1/")
        if operators:
            log("info", f"The page, /metrics and health are at {operators.url}/")
        async with told_to_manager(f"Accepting events at {events.url}/v1/"):
            beside = asyncio.create_task(operators.serve()) if operators else None
            await events.serve()
        if operators and beside:
            operators.stop()
            await beside
