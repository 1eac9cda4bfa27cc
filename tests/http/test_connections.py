"""Connections are closed when they are silent, not when they are old."""

import asyncio
import http.client
import socket
import threading
from collections.abc import Iterator
from select import select

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sfmap.engine.http import connections
from sfmap.engine.http.address import listen


async def hello(_request: object) -> Response:
    return PlainTextResponse("hello")


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Of a server that has two seconds' patience."""
    monkeypatch.setattr(connections, "HEADER_SECONDS", 2)
    listening = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=[Route("/", hello)]), log_config=None, lifespan="off"))

    async def serving() -> None:
        watching = asyncio.create_task(connections.Connections().watch(server))
        await server.serve(sockets=[listening])
        watching.cancel()

    thread = threading.Thread(target=asyncio.run, args=(serving(),))
    thread.start()
    yield listening.getsockname()[1]
    server.should_exit = True
    thread.join()


def test_silent_connections_are_closed_and_used_ones_kept(port: int) -> None:
    silent = socket.create_connection(("127.0.0.1", port))
    silent.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
    in_use = http.client.HTTPConnection("127.0.0.1", port)
    in_use.connect()
    used = in_use.sock
    while not select([silent], [], [], 0.1)[0]:
        in_use.request("GET", "/")
        assert in_use.getresponse().read() == b"hello"
    assert silent.recv(1) == b""
    in_use.request("GET", "/")
    assert in_use.getresponse().read() == b"hello"
    assert in_use.sock is used
