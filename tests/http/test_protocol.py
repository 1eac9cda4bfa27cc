"""A client that still sends gets its answer, is not listened to for ever, and costs nobody else anything."""

import asyncio
import socket
import threading
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sfmap.engine.http import protocol
from sfmap.engine.http.address import listen
from sfmap.engine.http.protocol import BoundedHttp

MEGABYTE = b"x" * 1024 * 1024
MANY = 24
"""Megabytes: more than the buffers of both ends hold, so that who does not read on stops the client."""


async def refuse_at_once(_request: Request) -> Response:
    return PlainTextResponse("no", 413)


async def refuse_in_the_middle(request: Request) -> Response:
    """With so much unread that uvicorn has stopped reading."""
    async for chunk in request.stream():
        if chunk:
            break
    return PlainTextResponse("no", 413)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    listening = listen("127.0.0.1", 0)
    routes = [
        Route("/at_once", refuse_at_once, methods=["POST"]),
        Route("/in_the_middle", refuse_in_the_middle, methods=["POST"]),
    ]
    config = uvicorn.Config(Starlette(routes=routes), log_config=None, lifespan="off", http=BoundedHttp)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=asyncio.run, args=(server.serve(sockets=[listening]),))
    thread.start()
    yield listening.getsockname()[1]
    server.should_exit = True
    thread.join()


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=30)


def head(path: str, *headers: str) -> bytes:
    return "\r\n".join([f"POST /{path} HTTP/1.1", "Host: x", *headers, "", ""]).encode()


def read_to_the_end(connection: socket.socket) -> bytes:
    parts = []
    while part := connection.recv(65_536):
        parts.append(part)
    return b"".join(parts)


@pytest.mark.parametrize("path", ["at_once", "in_the_middle", "nowhere"])
@pytest.mark.parametrize("is_chunked", [False, True])
def test_the_answer_arrives_though_the_body_was_not_wanted(port: int, path: str, is_chunked: bool) -> None:
    length = "Transfer-Encoding: chunked" if is_chunked else f"Content-Length: {MANY * len(MEGABYTE)}"
    with connect(port) as connection:
        connection.sendall(head(path, length, "Connection: close"))
        for _ in range(MANY):
            connection.sendall(b"%x\r\n%s\r\n" % (len(MEGABYTE), MEGABYTE) if is_chunked else MEGABYTE)
        if is_chunked:
            connection.sendall(b"0\r\n\r\n")
        answer = read_to_the_end(connection)
    assert answer.startswith(b"HTTP/1.1 404 " if path == "nowhere" else b"HTTP/1.1 413 ")


def test_the_connection_goes_on_where_it_is_to_be_kept(port: int) -> None:
    with connect(port) as connection:
        for _ in range(2):
            connection.sendall(head("at_once", f"Content-Length: {MANY * len(MEGABYTE)}"))
            for _ in range(MANY):
                connection.sendall(MEGABYTE)
            assert connection.recv(65_536).startswith(b"HTTP/1.1 413 ")


def test_what_is_no_http_is_told_so(port: int) -> None:
    with connect(port) as connection:
        connection.sendall(b"nonsense\r\n\r\n")
        connection.sendall(MEGABYTE[:50_000])
        connection.shutdown(socket.SHUT_WR)
        assert read_to_the_end(connection).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("headers", [(), ("Connection: close",)])
def test_nobody_is_listened_to_for_ever(
    port: int, headers: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "MOST_DISCARDED", 10_000_000)
    body = MEGABYTE * 200
    with connect(port) as connection, pytest.raises((BrokenPipeError, ConnectionResetError)):
        connection.sendall(head("at_once", f"Content-Length: {len(body)}", *headers) + body)


def test_a_client_that_waits_to_be_asked_for_the_body_is_answered(port: int) -> None:
    with connect(port) as connection:
        connection.sendall(head("at_once", "Content-Length: 9", "Expect: 100-continue", "Connection: close"))
        assert read_to_the_end(connection).startswith(b"HTTP/1.1 413 ")
