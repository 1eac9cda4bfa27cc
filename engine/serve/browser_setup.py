"""What browser SDKs fetch before they send: settings that make them send everything here, and analytics.js."""

import re
from collections.abc import Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from sfmap.engine.http.address import CannotServe
from sfmap.engine.serve.access import Access, NotAllowed

ALL_ORIGINS = {"Access-Control-Allow-Origin": "*"}
_SCRIPT = "standalone.js"
"""The script of the package that Segment serves as analytics.min.js."""
_PART = re.compile(r"(?=.{1,200}$)[\w-]+(\.[\w-]+)*\.js", re.ASCII)
_OFF = {"enabled": False}

Refuse = Callable[[str, int, str], Response]


class BrowserSetup:
    """Answers for a known write key; `library` is the folder of `@segment/analytics-next` for a page's snippet."""

    def __init__(self, access: Callable[[], Access], refuse: Refuse, library: Path | None) -> None:
        """Raises `CannotServe` if the folder does not hold the library."""
        if library and not (library / _SCRIPT).is_file():
            raise CannotServe(
                f"serve, analytics_js: {library} has no {_SCRIPT}.",
                "Run npm install @segment/analytics-next, and name node_modules/@segment/analytics-next/dist/umd.",
            )
        self._access = access
        self._refuse = refuse
        self._library = library

    def routes(self) -> list[Route]:
        return [
            Route("/v1/projects/{write_key}/settings", self._settings, methods=["GET"]),
            Route("/sourceConfig", self._source_config, methods=["GET"]),
            Route("/sourceConfig/", self._source_config, methods=["GET"]),
            Route("/analytics.js/v1/{write_key}/analytics.min.js", self._script, methods=["GET"]),
            Route("/analytics-next/bundles/{file}", self._part, methods=["GET"]),
        ]

    def _check(self, request: Request, write_key: str) -> None:
        """Raises `NotAllowed`. Any page may fetch these: its events are checked when they arrive."""
        headers = {name: value for name, value in request.headers.items() if name != "origin"}
        self._access().source_of(headers, write_key)

    async def _settings(self, request: Request) -> Response:
        """The settings of analytics.js, and of Customer.io's fork of it."""
        write_key = request.path_params["write_key"]
        try:
            self._check(request, write_key)
        except NotAllowed as error:
            return self._refuse("/v1/projects/.../settings", 404, str(error))
        url = request.base_url
        host = f"{url.netloc}/v1"
        here = {"apiKey": write_key, "apiHost": host, "protocol": url.scheme, "addBundledMetadata": True}
        settings = {
            "integrations": {
                "Segment.io": {**here, "unbundledIntegrations": []},
                "Customer.io Data Pipelines": {**here, "unbundledIntegrations": []},
            },
            # Otherwise it reports its own metrics to Segment.
            "metrics": {"host": host, "sampleRate": 0},
        }
        return JSONResponse(settings, headers=ALL_ORIGINS)

    async def _source_config(self, request: Request) -> Response:
        """The configuration of RudderStack's SDK: no destinations in the browser, and no reports of its own."""
        write_key = request.query_params.get("writeKey", "")
        try:
            self._check(request, write_key)
        except NotAllowed as error:
            return self._refuse("/sourceConfig", 404, str(error))
        source = {
            "id": "sfmap",
            "name": "sfmap",
            "workspaceId": "sfmap",
            "writeKey": write_key,
            "enabled": True,
            "config": {"statsCollection": {"errors": _OFF, "metrics": _OFF}},
            "connections": [],
            "destinations": [],
        }
        return JSONResponse({"source": source}, headers=ALL_ORIGINS)

    async def _script(self, request: Request) -> Response:
        """The script that Segment's snippet asks for."""
        try:
            self._check(request, request.path_params["write_key"])
        except NotAllowed as error:
            return self._refuse("/analytics.js/v1/.../analytics.min.js", 404, str(error))
        return self._file(_SCRIPT)

    async def _part(self, request: Request) -> Response:
        """A part of analytics.js that it loads when it needs it."""
        return self._file(request.path_params["file"])

    def _file(self, name: str) -> Response:
        if self._library is None:
            message = "analytics.js is not served here: name its folder in sfmap.yaml, under serve, analytics_js."
            return self._refuse("/analytics.js", 404, message)
        path = self._library / name
        if not (_PART.fullmatch(name) and path.is_file()):
            return self._refuse("/analytics-next/bundles/...", 404, "There is nothing here.")
        headers = {**ALL_ORIGINS, "Cache-Control": "max-age=300"}
        return FileResponse(path, headers=headers, media_type="text/javascript")
