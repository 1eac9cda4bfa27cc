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

from sfmap.engine.files.private_files import private_file
from sfmap.engine.http.address import CannotServe, listen, url_of
from sfmap.engine.http.connections import HEADER_SECONDS, Connections
from sfmap.engine.http.protocol import BoundedHttp
from sfmap.engine.local_org.control import Control
from sfmap.engine.local_org.fault_plan import load_fault_plan
from sfmap.engine.local_org.http_app import make_app
from sfmap.engine.local_org.partner_api import Service
from sfmap.engine.local_org.schema_file import load_schema
from sfmap.engine.local_org.sessions import SESSION_SECONDS, Sessions
from sfmap.engine.local_org.store import LoggedCall, Store, StoreFailed

_STOP_SECONDS = 3
_COLLECT_AFTER = 50_000
"""Allocations between garbage collections: a call makes thousands of objects, none in cycles."""


@dataclass(frozen=True, slots=True)
class Options:
    database: Path
    schema: Path | None = None
    host: str = "127.0.0.1"
    port: int = 0
    """0 for any free port."""
    daily_limit: int = 100_000
    session_seconds: int = SESSION_SECONDS
    faults: Path | None = None
    """The fault plan."""
    log: Path | None = None
    """A file that receives a line of JSON for each call."""


def _open_log(path: Path) -> TextIO:
    private_file(path)
    return path.open("a", encoding="utf-8", buffering=1)


def serve(options: Options, ready: Callable[[str, uvicorn.Server], None]) -> None:
    """Serves until a signal arrives, or `should_exit` is set on the server passed to `ready` with the URL.

    Call it from the main thread, which receives signals.

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

    # Before the address is known to anyone: a Ctrl-C while the event loop starts would be lost.
    for number in uvicorn.server.HANDLED_SIGNALS:
        signal.signal(number, server.handle_exit)
    # The socket is already listening: a connection made now waits until the server accepts it.
    ready(url_of(options.host, listening.getsockname()[1]), server)
    asyncio.run(serving())
    store.close()
