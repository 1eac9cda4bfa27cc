"""What all pages share: headers that isolate them from other sites, static files, and the frame of a page."""

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from jinja2 import ChoiceLoader, Environment, PackageLoader, PrefixLoader
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

_ISOLATED = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:;"
        " font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
SAFE = {**_ISOLATED, "Cache-Control": "no-store"}
"""The headers of every page."""
_TYPES = {
    "css": "text/css",
    "js": "text/javascript",
    "svg": "image/svg+xml",
    "woff2": "font/woff2",
    "txt": "text/plain",
}
LOOK = files("sfmap.engine.http.look")
"""The files that all pages share; they belong at `/static/look/`."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link of the header to a page."""

    text: str
    href: str
    is_current: bool = False


def templates(package: str) -> Environment:
    """The templates of a package. Every page extends `look/frame.html`."""
    shared = PrefixLoader({"look": PackageLoader("sfmap.engine.http.look", ".")})
    loader = ChoiceLoader([shared, PackageLoader(package, ".")])
    return Environment(loader=loader, autoescape=True, trim_blocks=True)


def static(name: str, folder: Traversable) -> Route:
    """Serves the files of a package's folder at `/static/NAME/`: its style sheets, modules and pictures."""

    async def answer(request: Request) -> Response:
        file = folder / request.path_params["file"]
        suffix = file.name.rpartition(".")[2]
        if suffix not in _TYPES or not file.is_file():
            return PlainTextResponse("There is no such file here.\n", 404, SAFE)
        content = file.read_bytes()
        etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
        headers = {**_ISOLATED, "Cache-Control": "no-cache", "ETag": etag}
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=headers)
        return Response(content, media_type=_TYPES[suffix], headers=headers)

    return Route(f"/static/{name}/{{file}}", answer, methods=["GET"])
