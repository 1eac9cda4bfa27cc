"""Runs the workbench on loopback until a signal arrives."""

import asyncio
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from sfmap.engine.files.private_files import private_folder
from sfmap.engine.http.address import is_of_this_machine, listen
from sfmap.engine.http.change_stream import ChangeStream
from sfmap.engine.http.pages import LOOK, SAFE, Link, static, templates
from sfmap.engine.http.server import WebServer
from sfmap.engine.project.project_file import ProjectFile
from sfmap.engine.sources.reading import json_bytes
from sfmap.engine.workbench.json_api import JsonApi
from sfmap.engine.workbench.workbench_api import Workbench

ADDRESS_FILE = "workbench.json"
_HOST = "127.0.0.1"
_STOP_SECONDS = 2
_LOOK_EVERY = 0.5
"""Seconds after which the files are looked at for changes by other programs."""
_PAGES = "sfmap.engine.workbench.pages"


@dataclass(frozen=True, slots=True, kw_only=True)
class DevOptions:
    """The options of `sfmap dev`."""

    folder: Path
    port: int
    org_name: str | None
    log: Callable[[BaseException], object]
    """Called with errors that nobody expected."""


def serve_workbench(options: DevOptions, ready: Callable[[str], object]) -> None:
    """Serves until a signal arrives; calls `ready` with the address. Raises `CannotServe`."""
    token = secrets.token_urlsafe(24)
    changes = ChangeStream(lambda: server.is_stopping)
    workbench = Workbench(options.folder.resolve(), options.org_name, changes)
    api = JsonApi(token, options.log)
    routes = [
        Route("/", _page, methods=["GET"]),
        static("look", LOOK),
        static("workbench", files(_PAGES)),
        *workbench.routes(api),
        api.stream("/api/stream", changes),
    ]
    listening = listen(_HOST, options.port)
    server = WebServer(Starlette(routes=routes), listening, host=_HOST, stop_seconds=_STOP_SECONDS)
    server.stop_on_signals()
    with _told(options.folder, server.url):
        ready(f"{server.url}/?token={token}")
        asyncio.run(_serve(server, workbench))


@contextmanager
def _told(folder: Path, url: str) -> Iterator[None]:
    """Lets the page of the project's service link to this one; it is not told the token."""
    file = ProjectFile(folder).state / ADDRESS_FILE
    with suppress(OSError):
        private_folder(file.parent)
        file.write_bytes(json_bytes({"url": url}))
    try:
        yield
    finally:
        with suppress(OSError):
            if file.read_bytes() == json_bytes({"url": url}):
                file.unlink()


async def _serve(server: WebServer, workbench: Workbench) -> None:
    watching = asyncio.create_task(_watch(workbench))
    await server.serve()
    watching.cancel()


async def _watch(workbench: Workbench) -> None:
    while True:
        await asyncio.sleep(_LOOK_EVERY)
        if workbench.changes.has_readers:
            await asyncio.to_thread(workbench.watch)


async def _page(request: Request) -> Response:
    """The page, which has no data of the project: its script asks for that with the token of the address."""
    if not is_of_this_machine(request.headers):
        return PlainTextResponse("There is nothing here.\n", 404, SAFE)
    links = [Link("Workbench", "/", is_current=True)]
    return HTMLResponse(templates(_PAGES).get_template("index.html").render(links=links), headers=SAFE)
