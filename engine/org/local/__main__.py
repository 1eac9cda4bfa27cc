"""The local org as a process: `python -m sfmap.engine.org.local --db FILE`; it ends with its standard input."""

import argparse
import asyncio
import json
import socket
import sys
import threading
from contextlib import suppress
from pathlib import Path

import uvicorn

from sfmap.engine.org.local.schema import load_schema
from sfmap.engine.org.local.server import make_app
from sfmap.engine.org.local.service import Service
from sfmap.engine.org.local.store import Store, StoreFailed
from sfmap.engine.spec.diagnostics import Mistakes
from sfmap.engine.spec.files import CannotRead

BROKEN_SCHEMA = 2
UNUSABLE = 3


def main() -> int:
    options = _options()
    try:
        schema = load_schema(options.schema)
    except Mistakes as mistakes:
        print(mistakes, file=sys.stderr)  # noqa: T201
        return BROKEN_SCHEMA
    except CannotRead as error:
        print(f"Error: {error}", file=sys.stderr)  # noqa: T201
        return BROKEN_SCHEMA
    try:
        store = Store(options.db, schema)
        listening = socket.create_server(("127.0.0.1", options.port))
        # Else an answer waits 40 ms for the acknowledgement of its own headers; accepted connections inherit this.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except (StoreFailed, OSError, OverflowError) as error:  # overflow: no such port
        print(f"Error: {error}", file=sys.stderr)  # noqa: T201
        return UNUSABLE
    service = Service(store, schema, options.daily_limit)
    config = uvicorn.Config(make_app(service), log_config=None, access_log=False, lifespan="off")
    with suppress(KeyboardInterrupt):  # uvicorn raises it again once it has stopped
        asyncio.run(_serve(uvicorn.Server(config), listening))
    store.close()
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sfmap.engine.org.local", description=__doc__)
    parser.add_argument("--db", type=Path, required=True)
    parser.add_argument("--schema", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--daily-limit", type=int, default=100_000)
    return parser.parse_args()


async def _serve(server: uvicorn.Server, listening: socket.socket) -> None:
    """Serves until standard input ends, so that a parent that dies leaves no org behind."""

    def stop_with_standard_input() -> None:
        sys.stdin.buffer.read()
        server.should_exit = True

    threading.Thread(target=stop_with_standard_input, daemon=True).start()
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    # The socket listens already: a connection made now waits until the server takes it.
    print(json.dumps({"url": url}), flush=True)  # noqa: T201
    await server.serve(sockets=[listening])


if __name__ == "__main__":
    sys.exit(main())
