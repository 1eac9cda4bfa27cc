"""A client that is still sending gets its answer, and an endless body is cut off."""

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
def test_an_answer_before_the_end_of_the_body_arrives(port: int, path: str, is_chunked: bool) -> None:
    length = "Transfer-Encoding: chunked" if is_chunked else f"Content-Length: {MANY * len(MEGABYTE)}"
    with connect(port) as connection:
        connection.sendall(head(path, length, "Connection: close"))
        for _ in range(MANY):
            connection.sendall(b"%x\r\n%s\r\n" % (len(MEGABYTE), MEGABYTE) if is_chunked else MEGABYTE)
        if is_chunked:
            connection.sendall(b"0\r\n\r\n")
        answer = read_to_the_end(connection)
    assert answer.startswith(b"HTTP/1.1 404 " if path == "nowhere" else b"HTTP/1.1 413 ")


def test_the_connection_is_kept_after_an_early_answer(port: int) -> None:
    with connect(port) as connection:
        for _ in range(2):
            connection.sendall(head("at_once", f"Content-Length: {MANY * len(MEGABYTE)}"))
            for _ in range(MANY):
                connection.sendall(MEGABYTE)
            assert connection.recv(65_536).startswith(b"HTTP/1.1 413 ")


def test_invalid_http_is_answered_with_400(port: int) -> None:
    with connect(port) as connection:
        connection.sendall(b"nonsense\r\n\r\n")
        connection.sendall(MEGABYTE[:50_000])
        connection.shutdown(socket.SHUT_WR)
        assert read_to_the_end(connection).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("headers", [(), ("Connection: close",)])
def test_an_endless_body_closes_the_connection(
    port: int, headers: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "MOST_DISCARDED", 10_000_000)
    body = MEGABYTE * 200
    with connect(port) as connection, pytest.raises((BrokenPipeError, ConnectionResetError)):
        connection.sendall(head("at_once", f"Content-Length: {len(body)}", *headers) + body)


def test_expect_100_continue_is_answered(port: int) -> None:
    with connect(port) as connection:
        connection.sendall(head("at_once", "Content-Length: 9", "Expect: 100-continue", "Connection: close"))
        assert read_to_the_end(connection).startswith(b"HTTP/1.1 413 ")
