"""Segment's HTTP Tracking API, and the endpoints for operators: health, readiness and metrics."""

import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from sfmap.engine.http.bodies import NotSupported, TooLarge, UnreadableBody, read_body
from sfmap.engine.journal.database import JournalFailed
from sfmap.engine.journal.spool import SpoolFull
from sfmap.engine.mapping.values.record import Event
from sfmap.engine.serve import tracking
from sfmap.engine.serve.accepting import Accepting, Counting, NotStored
from sfmap.engine.serve.access import Access, NotAllowed
from sfmap.engine.serve.browser_setup import ALL_ORIGINS, BrowserSetup
from sfmap.engine.serve.log import Log, SparingLog
from sfmap.engine.serve.tracking import NotAccepted

_SHORT = {"i": "identify", "g": "group", "t": "track", "p": "page", "s": "screen", "a": "alias", "b": "batch"}
"""The paths that analytics.js uses."""
_JITSU = "/api/s"
_JITSU_KEY = "X-Write-Key"
"""The header with the key; the one in the body is masked."""
_PREFLIGHT = {
    **ALL_ORIGINS,
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Max-Age": "86400",
    "Vary": "Access-Control-Request-Headers",
}
_USUAL_HEADERS = "Authorization, Content-Type, Content-Encoding, AnonymousId, X-Retry-Count"
_ASKED_BY_PAGES = ("/v1/{path:path}", f"{_JITSU}/{{path:path}}", "/sourceConfig", "/sourceConfig/")
"""The addresses that pages of other sites may call."""
_HEADER_NAMES = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~, -]{1,2000}")
_ACCEPTED = Response(b'{"success":true}', headers=ALL_ORIGINS, media_type="application/json")
"""One for all requests: a response that is sent does not change."""
_LATER = {"Retry-After": "30"}
_NONE: Mapping[str, str] = {}

Read = Callable[[Event, bytes, datetime], list[bytes]]
"""Makes events of what a body says, the body, and the time."""


class TrackingApi:
    """Takes events and answers once they are on disk."""

    def __init__(
        self,
        *,
        acceptance: Accepting,
        access: Access,
        metrics: Counting,
        log: Log,
        is_delivering: Callable[[], bool],
        analytics_js: Path | None = None,
    ) -> None:
        """Raises `CannotServe` if `analytics_js`, the folder of the library for pages, has not the library."""
        self._acceptance = acceptance
        self.access = access
        """Replaced when the project is read again."""
        self._metrics = metrics
        self._log = SparingLog(log)
        self._is_delivering = is_delivering
        self._browser_setup = BrowserSetup(lambda: self.access, self._refused, analytics_js)

    def routes(self) -> list[Route]:
        reads: dict[str, Read] = {
            **{event_type: _single(event_type) for event_type in tracking.TYPES},
            "batch": lambda said, _, now: tracking.batch(said, now),
            "import": lambda said, _, now: tracking.batch(said, now, is_import=True),
        }
        paths = {**{name: name for name in reads}, **_SHORT}
        return [
            *(
                Route(f"/v1/{path}", self._tracking(path, reads[name]), methods=["POST"])
                for path, name in paths.items()
            ),
            Route("/v1/m", _ignored, methods=["POST"]),
            *(
                Route(f"{_JITSU}/{name}", self._tracking(name, reads[name], _JITSU), methods=["POST"])
                for name in tracking.TYPES
            ),
            *(Route(path, _preflight, methods=["OPTIONS"]) for path in _ASKED_BY_PAGES),
            *self._browser_setup.routes(),
            Route("/webhooks/{source}", self._webhook, methods=["POST"]),
        ]

    def routes_for_operators(self) -> list[Route]:
        return [
            Route("/healthz", self._health, methods=["GET"]),
            Route("/readyz", self._readiness, methods=["GET"]),
            Route("/metrics", self._metrics_text, methods=["GET"]),
        ]

    def _tracking(self, path: str, read: Read, root: str = "/v1") -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            return await self._answer(f"{root}/{path}", request, lambda body: self._read(request, body, read))

        return answer

    def _read(self, request: Request, body: bytes, read: Read) -> tuple[str, list[bytes]]:
        said = tracking.read_request(body)
        source = self.access.source_of(request.headers, request.headers.get(_JITSU_KEY) or said.get("writeKey"))
        return source, read(said, body, datetime.now(UTC))

    async def _webhook(self, request: Request) -> Response:
        name = request.path_params["source"]
        access = self.access

        def read(body: bytes) -> tuple[str, list[bytes]]:
            access.check_webhook(name, request.headers, body)
            return name, tracking.forwarded(body, datetime.now(UTC))

        return await self._answer(f"/webhooks/{name if access.has_webhook(name) else '...'}", request, read)

    async def _answer(
        self, path: str, request: Request, read: Callable[[bytes], tuple[str, list[bytes]]]
    ) -> Response:
        """Answers success once the events are on disk; otherwise why not, and whether to retry."""
        try:
            source, events = read(await read_body(request, tracking.LARGEST_BATCH))
            await self._acceptance.accept(source, events)
        except TooLarge as error:
            return self._refused(path, 413, str(error))
        except NotSupported as error:
            return self._refused(path, 415, str(error))
        except (NotAccepted, UnreadableBody) as error:
            return self._refused(path, 400, str(error))
        except NotAllowed as error:
            return self._refused(path, 401, str(error))
        except SpoolFull as error:
            # Not 429: Segment's webhooks do not retry after it.
            return self._refused(path, 503, f"There is no room for more events: {error}. Try again later.", _LATER)
        except (JournalFailed, NotStored) as error:
            self._log("error", "store", str(error))
            return self._refused(path, 503, "The events cannot be stored now. Try again later.", _LATER)
        except ClientDisconnect:
            return Response(status_code=400)
        self._metrics.accept(source, len(events))
        return _ACCEPTED

    def _refused(self, path: str, status: int, message: str, headers: Mapping[str, str] = _NONE) -> Response:
        self._metrics.refuse(path, status, message)
        self._log("warning", f"{path} {status}", f"Refused with {status} at {path}: {message}")
        return JSONResponse({"success": False, "message": message}, status, {**ALL_ORIGINS, **headers})

    async def _health(self, _request: Request) -> Response:
        if not self._is_delivering():
            return PlainTextResponse("delivery has ended; start the service again\n", 503)
        return PlainTextResponse("ok\n")

    async def _readiness(self, _request: Request) -> Response:
        """Whether events are accepted."""
        try:
            self._acceptance.check()
        except (SpoolFull, JournalFailed, NotStored) as error:
            return PlainTextResponse(f"{error}\n", 503)
        if self._metrics.state_trouble:
            return PlainTextResponse(f"{self._metrics.state_trouble}\n", 503)
        return PlainTextResponse(f"accepting; {self._metrics.standing}\n")

    async def _metrics_text(self, _request: Request) -> Response:
        return Response(self._metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


def make_app(routes: list[Route]) -> Starlette:
    return Starlette(routes=routes, exception_handlers={404: _unknown, 405: _not_this_way})


def _single(event_type: str) -> Read:
    return lambda said, body, now: tracking.single(said, event_type, body, now)


async def _ignored(_request: Request) -> Response:
    """Accepts and drops the metrics that analytics.js reports about itself."""
    return _ACCEPTED


async def _preflight(request: Request) -> Response:
    """Allows every header: SDKs add their own, and the write key is what decides."""
    asked = request.headers.get("access-control-request-headers", "")
    allowed = asked if _HEADER_NAMES.fullmatch(asked) else _USUAL_HEADERS
    return Response(status_code=204, headers={**_PREFLIGHT, "Access-Control-Allow-Headers": allowed})


async def _unknown(_request: Request, _error: Exception) -> Response:
    return JSONResponse({"success": False, "message": "There is nothing here."}, 404, ALL_ORIGINS)


async def _not_this_way(request: Request, error: Exception) -> Response:
    allowed = (getattr(error, "headers", None) or {}).get("Allow", "POST")
    if allowed == "OPTIONS":  # which every address takes
        return await _unknown(request, error)
    message = f"This address takes {allowed}."
    return JSONResponse({"success": False, "message": message}, 405, {**ALL_ORIGINS, "Allow": allowed})
