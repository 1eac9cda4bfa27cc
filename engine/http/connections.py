"""A server's TCP connections: those that say nothing are let go, and faults break them off."""

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
"""How long a client may take until its request's headers are complete, or be silent between two requests."""
_LOOK_EVERY = 1.0
_OPEN_FILES = 4_096
_RESET = struct.pack("ii", 1, 0)
"""To linger for no time: closing then resets the connection, as a crash would."""


class _Cycle(Protocol):
    response_complete: bool


class _Connection(Protocol):
    """The part of uvicorn's protocol class in use."""

    client: tuple[str, int] | None
    transport: asyncio.Transport
    cycle: _Cycle | None


class Connections:
    """The connections of one server, which `watch` is given."""

    def __init__(self) -> None:
        self._server: uvicorn.Server | None = None
        self._idle: dict[_Connection, tuple[_Cycle | None, float]] = {}
        """What has no request under way: the last one that it had, and when that was first seen."""

    async def watch(self, server: uvicorn.Server) -> None:
        """Lets go of silent connections until it is cancelled; where there are many, the longest silent first."""
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
                if place < too_many or now - since > HEADER_SECONDS:
                    connection.transport.abort()

    def _idle_since(self, connection: _Connection, now: float) -> float:
        cycle, since = self._idle.get(connection, (None, now))
        return since if cycle is connection.cycle else now

    def reset(self, client: tuple[str, int] | None) -> None:
        """Breaks the client's connection off, without a word."""
        for connection in self._open():
            if connection.client == client:
                _reset(connection)

    async def close_port(self, seconds: float) -> None:
        """Refuses every connection for a while, and breaks off those that there are."""
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
    """Whether it has no request under way, or one whose headers are not complete."""
    return connection.cycle is None or connection.cycle.response_complete


def _reset(connection: _Connection) -> None:
    client: socket.socket = connection.transport.get_extra_info("socket")
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    connection.transport.abort()


def _allow_many_files() -> None:
    """So many connections may come between two looks that the usual 1,024 open files are not enough."""
    if sys.platform == "win32":  # which has no such limit
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
