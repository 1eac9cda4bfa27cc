"""`sfmap serve` taking single events, each on disk before it is answered, against a server that stores nothing.

The other is the same server with an app that parses the body and answers 200. Both are asked over 32 connections
that stay open, in turns. No org can be reached meanwhile, so that nothing is delivered beside them.
"""

import asyncio
import re
import subprocess
import sys
import tempfile
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter

import orjson
from samples import lines
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sfmap.engine.http.address import listen
from sfmap.engine.http.server import WebServer

_CONNECTIONS, _ROUNDS = 32, 3
_SFMAP = str(Path(sys.executable).parent / "sfmap")
_KEY = "key-of-the-website"
_PROJECT = """\
serve: {sources: {website: {write_key: "${KEY}"}}}
orgs:
  away: {login_url: "http://127.0.0.1:9", username: nobody, password: "${PASSWORD}"}
"""
_HEAD = (
    "POST /v1/identify HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    f"Authorization: Basic {b64encode(f'{_KEY}:'.encode()).decode()}\r\nContent-Length: {{}}\r\n\r\n"
)


def main(number: int = 10_000) -> tuple[float, float]:
    """Requests a second, by `sfmap serve` and by the server that stores nothing; medians of rounds."""
    requests = [_HEAD.format(len(line)).encode() + line for line in lines(number)]
    ours, bare = [], []
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "sfmap.yaml").write_text(_PROJECT)
        serve = [_SFMAP, "serve", "--port", "0", "--org", "away"]
        with _running(serve, name) as durable, _running([sys.executable, __file__, "bare"], name) as other:
            for _ in range(_ROUNDS):
                ours.append(number / _seconds(durable, requests))
                bare.append(number / _seconds(other, requests))
    return median(ours), median(bare)


@contextmanager
def _running(command: Sequence[str], folder: str) -> Iterator[int]:
    """The port of a server that says its URL on standard error."""
    environment = {"KEY": _KEY, "PASSWORD": "x"}
    with subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stderr
        try:
            said = ""
            while not (found := re.search(r"http://127\.0\.0\.1:(\d+)/v1", said)):
                line = process.stderr.readline()
                assert line, said
                said += line
            yield int(found[1])
        finally:
            process.kill()


def _seconds(port: int, requests: Sequence[bytes]) -> float:
    started = perf_counter()
    asyncio.run(_send(port, requests))
    return perf_counter() - started


async def _send(port: int, requests: Sequence[bytes]) -> None:
    waiting = iter(requests)

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in waiting:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 "), head
            length = re.search(rb"content-length: (\d+)", head)
            assert length
            await reader.readexactly(int(length[1]))
        writer.close()

    await asyncio.gather(*(client() for _ in range(_CONNECTIONS)))


async def _answer(request: Request) -> Response:
    orjson.loads(await request.body())
    return Response(b'{"success":true}', media_type="application/json")


def serve_bare() -> None:
    listening = listen("127.0.0.1", 0)
    app = Starlette(routes=[Route("/v1/identify", _answer, methods=["POST"])])
    sys.stderr.write(f"http://127.0.0.1:{listening.getsockname()[1]}/v1/\n")
    sys.stderr.flush()
    asyncio.run(WebServer(app, listening, host="127.0.0.1", stop_seconds=1).serve())


if __name__ == "__main__":
    if sys.argv[1:] == ["bare"]:
        serve_bare()
    else:
        durable, bare = main(*map(int, sys.argv[1:]))
        sys.stdout.write(f"{durable:,.0f}/s / {bare:,.0f}/s = {durable / bare:.2f} x\n")
