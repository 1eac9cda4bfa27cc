"""JSON over HTTP for programs that know the workbench's token, and for pages of this machine only."""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from sfmap.engine.errors import SfmapError
from sfmap.engine.http.address import is_of_this_machine
from sfmap.engine.http.bodies import UnreadableBody, read_body
from sfmap.engine.http.change_stream import ChangeStream
from sfmap.engine.http.pages import SAFE
from sfmap.engine.sources.reading import NotJson, json_bytes, read_json

_LARGEST_BODY = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request whose sender may ask."""

    query: Mapping[str, str]
    body: Mapping[str, object] = field(default_factory=dict)
    if_match: str = ""

    def text(self, key: str) -> str:
        """A text of the query or the body. Raises `RequestRefused`."""
        found = self.query.get(key) if key in self.query else self.body.get(key)
        if not isinstance(found, str):
            raise RequestRefused(400, f"the request needs the text {key}")
        return found


class RequestRefused(SfmapError):
    """A request cannot be answered; status and message go to the client."""

    def __init__(self, status: int, message: str, more: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.more = more or {}


Handler = Callable[[Call], object]
"""Returns JSON. Raises `RequestRefused`, or another expected failure."""


class JsonApi:
    """Makes routes of handlers, each of which is called on a thread after the sender has been checked."""

    def __init__(self, token: str, log: Callable[[BaseException], object]) -> None:
        self._token = token
        self._log = log
        """Called with errors that nobody expected."""

    def route(self, path: str, **handlers: Handler) -> Route:
        """`path` with a handler for each method, such as `GET=show`."""

        async def answer(request: Request) -> Response:
            if refusal := self.refusal(request):
                return refusal
            try:
                call = await _call(request)
            except UnreadableBody as error:
                return _answer(413, {"error": str(error)})
            except NotJson as error:
                return _answer(400, {"error": f"the request is not JSON: {error}"})
            except ClientDisconnect:
                return Response(status_code=400)
            return await run_in_threadpool(self._answered, handlers[request.method], call)

        return Route(path, answer, methods=list(handlers))

    def stream(self, path: str, changes: ChangeStream) -> Route:
        """The stream of changes at that path."""

        async def answer(request: Request) -> Response:
            return self.refusal(request) or await changes.answer(request)

        return Route(path, answer, methods=["GET"])

    def refusal(self, request: Request) -> Response | None:
        """The answer to a sender that may not ask.

        That is a page of another site, also by a host name that it has pointed at loopback, or who has no token.
        """
        if not is_of_this_machine(request.headers):
            return _answer(404, {"error": "there is nothing here"})
        _, _, shown = request.headers.get("authorization", "").partition("Bearer ")
        if not shown and request.method == "GET":
            shown = request.query_params.get("token", "")
        if not hmac.compare_digest(shown.encode("utf-8", "replace"), self._token.encode()):
            return _answer(403, {"error": "open the address that sfmap dev has printed: it has a token"})
        return None

    def _answered(self, handler: Handler, call: Call) -> Response:
        try:
            return _answer(200, handler(call))
        except RequestRefused as refused:
            return _answer(refused.status, {"error": str(refused), **refused.more})
        except SfmapError as error:
            return _answer(422, {"error": str(error)})
        except Exception as error:  # noqa: BLE001 - a page cannot read a traceback
            self._log(error)
            return _answer(500, {"error": f"this is a bug in sfmap: {type(error).__name__}"})


async def _call(request: Request) -> Call:
    """Raises `UnreadableBody`, `NotJson` or `ClientDisconnect`."""
    if request.method == "GET":
        return Call(query=request.query_params)
    data = await read_body(request, _LARGEST_BODY)
    body = read_json(data) if data.strip() else {}
    if not isinstance(body, dict):
        raise NotJson("an object is needed")
    return Call(query=request.query_params, body=body, if_match=request.headers.get("if-match", "").strip('"'))


def _answer(status: int, content: object) -> Response:
    return Response(json_bytes(content), status, SAFE, "application/json")
