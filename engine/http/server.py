"""A web server at one address: uvicorn with bounded requests and watched connections."""

import asyncio
import signal
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette

from sfmap.engine.http.address import url_of
from sfmap.engine.http.connections import HEADER_SECONDS, Connections
from sfmap.engine.http.protocol import BoundedHttp


class WebServer:
    """Serves an app on a socket that is already listening: connections made before it serves wait for it."""

    def __init__(
        self,
        app: Starlette,
        listening: socket.socket,
        *,
        host: str,
        stop_seconds: int,
        most_connections: int | None = None,
        connections: Connections | None = None,
        takes_signals: bool = True,
        tls: ssl.SSLContext | None = None,
        proxy_headers: bool = True,
    ) -> None:
        """`host` is the name for the address, `stop_seconds` how long requests may take to end.

        Connections beyond the most are answered with 503. With `proxy_headers`, client and scheme of a request are
        those that a proxy on this machine names.
        """
        self._listening = listening
        self._host = host
        self._scheme = "https" if tls else "http"
        self._connections = connections or Connections()
        config = uvicorn.Config(
            app,
            http=BoundedHttp,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            limit_concurrency=most_connections,
            timeout_keep_alive=HEADER_SECONDS,
            timeout_graceful_shutdown=stop_seconds,
            proxy_headers=proxy_headers,
            ssl_context_factory=(lambda *_: tls) if tls else None,
        )
        self._server = uvicorn.Server(config) if takes_signals else _DeafServer(config)
        app.state.is_stopping = lambda: self._server.should_exit

    @property
    def url(self) -> str:
        _, port, *_ = self._listening.getsockname()
        return url_of(self._host, port, self._scheme)

    @property
    def is_stopping(self) -> bool:
        return self._server.should_exit

    def stop_on_signals(self) -> None:
        """Makes signals stop the server even before it serves. Call it from the main thread."""
        for number in uvicorn.server.HANDLED_SIGNALS:
            signal.signal(number, self._server.handle_exit)

    def stop(self) -> None:
        """Asks `serve` to stop. Any thread may call it."""
        self._server.should_exit = True

    async def serve(self) -> None:
        """Serves until a signal arrives, or `stop` is called."""
        watching = asyncio.create_task(self._connections.watch(self._server))
        await self._server.serve(sockets=[self._listening])
        watching.cancel()


class _DeafServer(uvicorn.Server):
    """A server that handles no signals, since another one in the process does."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def end_on_signals() -> None:
    """Lets the next signal end the process at once."""
    for number in uvicorn.server.HANDLED_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
