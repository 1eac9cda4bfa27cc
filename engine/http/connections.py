"""A server's TCP connections: closes silent ones, and resets them for fault injection."""

import asyncio
import socket
import struct
import sys
import time
from collections.abc import Iterator
from typing import Protocol

import uvicorn

from sfmap.engine.http.address import listen

MOST_IDLE = 512
HEADER_SECONDS = 30
"""How long a client may take to send complete headers, or stay silent between two requests."""
_LOOK_EVERY = 1.0
_OPEN_FILES = 4_096
_RESET = struct.pack("ii", 1, 0)
"""Linger for zero seconds: closing then resets the connection, as a crash would."""


class _Cycle(Protocol):
    response_complete: bool


class _Connection(Protocol):
    """The part of uvicorn's protocol class that is used here."""

    client: tuple[str, int] | None
    transport: asyncio.Transport
    cycle: _Cycle | None


class Connections:
    """The connections of the server that `watch` is given."""

    def __init__(self) -> None:
        self._server: uvicorn.Server | None = None
        self._idle: dict[_Connection, tuple[_Cycle | None, float]] = {}
        """Idle connections: the last request of each, and when it was first seen idle."""

    async def watch(self, server: uvicorn.Server) -> None:
        """Closes silent connections until it is cancelled; if there are many, the longest silent first."""
        self._server = server
        _allow_many_files()
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            now = time.monotonic()
            self._idle = {
                connection: (connection.cycle, self._idle_since(connection, now))
                for connection in self._open()
                if _is_idle(connection)
            }
            longest_first = sorted(self._idle.items(), key=lambda one: one[1][1])
            too_many = max(0, len(longest_first) - MOST_IDLE)
            for place, (connection, (_, since)) in enumerate(longest_first):
                # One that is new may have sent a request that is not read yet: it counts from the next look on.
                is_surplus = place < too_many and since < now
                if is_surplus or now - since > HEADER_SECONDS:
                    connection.transport.abort()

    def _idle_since(self, connection: _Connection, now: float) -> float:
        cycle, since = self._idle.get(connection, (None, now))
        return since if cycle is connection.cycle else now

    def reset(self, client: tuple[str, int] | None) -> None:
        """Resets the client's connection without a response."""
        for connection in self._open():
            if connection.client == client:
                _reset(connection)

    async def close_port(self, seconds: float) -> None:
        """Refuses new connections for a while, and resets the open ones."""
        server = self._server
        if server is None or not server.servers:
            return
        address = server.servers[0].sockets[0].getsockname()
        for listening in server.servers:
            listening.close()
        server.servers = []
        for connection in self._open():
            _reset(connection)
        await asyncio.sleep(seconds)
        if not server.should_exit:
            await server.startup(sockets=[listen(address[0], address[1])])

    def _open(self) -> Iterator[_Connection]:
        yield from list(self._server.server_state.connections) if self._server else ()  # type: ignore[misc]


def _is_idle(connection: _Connection) -> bool:
    """Whether the connection has no request, or one whose headers are not complete."""
    return connection.cycle is None or connection.cycle.response_complete


def _reset(connection: _Connection) -> None:
    client: socket.socket = connection.transport.get_extra_info("socket")
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    connection.transport.abort()


def _allow_many_files() -> None:
    """Raises the limit of open files: between two checks more connections may arrive than the usual 1,024."""
    if sys.platform == "win32":  # which has no such limit
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
