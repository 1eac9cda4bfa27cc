"""Serves the local org over HTTP until it is told to stop."""

import asyncio
import gc
import json
import signal
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

import uvicorn

from sfmap.engine.http.address import CannotServe, listen, url_of
from sfmap.engine.http.connections import HEADER_SECONDS, Connections
from sfmap.engine.http.protocol import BoundedHttp
from sfmap.engine.org.local.control import Control
from sfmap.engine.org.local.fault_plan import load_fault_plan
from sfmap.engine.org.local.schema_file import load_schema
from sfmap.engine.org.local.server import make_app
from sfmap.engine.org.local.service import Service
from sfmap.engine.org.local.sessions import SESSION_SECONDS, Sessions
from sfmap.engine.org.local.store import LoggedCall, Store, StoreFailed
from sfmap.engine.private import private_file

_STOP_SECONDS = 3
_COLLECT_AFTER = 50_000
"""Objects: a call has thousands, none of them in cycles, and to look for those after every 700 takes time."""


@dataclass(frozen=True, slots=True)
class Options:
    database: Path
    schema: Path | None = None
    host: str = "127.0.0.1"
    port: int = 0
    """0 for any that is free."""
    daily_limit: int = 100_000
    session_seconds: int = SESSION_SECONDS
    faults: Path | None = None
    """Faults on demand."""
    log: Path | None = None
    """A file that gets a line of JSON for each call."""


def _open_log(path: Path) -> TextIO:
    private_file(path)
    return path.open("a", encoding="utf-8", buffering=1)


def serve(options: Options, ready: Callable[[str, uvicorn.Server], None]) -> None:
    """Serves until the server that `ready` is given, with the URL, should exit, or a signal to stop comes.

    Of the main thread, since signals are.

    Raises `CannotServe`, and for the schema file `Mistakes` or `CannotRead`.
    """
    schema = load_schema(options.schema)
    control = Control(load_fault_plan(options.faults))
    listening = listen(options.host, options.port)
    try:
        store = Store(options.database, schema)
        log = _open_log(options.log) if options.log else None
    except (StoreFailed, OSError) as error:
        raise CannotServe(str(error)) from None

    def write(call: LoggedCall) -> None:
        if log:
            log.write(json.dumps(asdict(call)) + "\n")

    service = Service(store, schema, options.daily_limit, Sessions(options.session_seconds), write)
    gc.set_threshold(_COLLECT_AFTER)
    connections = Connections()
    server = uvicorn.Server(
        uvicorn.Config(
            make_app(service, options.host, connections, control),
            log_config=None,
            access_log=False,
            lifespan="off",
            http=BoundedHttp,
            timeout_keep_alive=HEADER_SECONDS,
            timeout_graceful_shutdown=_STOP_SECONDS,
        )
    )

    async def serving() -> None:
        watching = asyncio.create_task(connections.watch(server))
        await server.serve(sockets=[listening])
        watching.cancel()

    # Before anybody can know that there is something to stop: a Ctrl-C as the event loop begins would be lost.
    for number in uvicorn.server.HANDLED_SIGNALS:
        signal.signal(number, server.handle_exit)
    # The socket listens already: a connection made now waits until the server takes it.
    ready(url_of(options.host, listening.getsockname()[1]), server)
    asyncio.run(serving())
    store.close()
