"""Who may use the operator's pages: programs and people on this machine, with forms of these pages only."""

import hmac
import secrets
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

from sfmap.engine.http.address import is_forwarded, is_loopback
from sfmap.engine.http.bodies import UnreadableBody, read_body
from sfmap.engine.http.pages import SAFE

_LARGEST_FORM = 256 * 1024

Answered = Callable[[Mapping[str, str]], Response]
"""Answers to the parameters of an address, or to those of a form."""


class PageGuard:
    """Checks the host name of every request, and the token of every form."""

    def __init__(self, host: str) -> None:
        """`host` is the address that the pages are at."""
        self.token = secrets.token_urlsafe()
        """Included in the pages' own forms, so that no other page can submit them."""
        self._names = {"127.0.0.1", "localhost", "::1", host} if is_loopback(host) else set()

    def allows(self, request: Request) -> bool:
        """Whether a page may be shown: only to requests from this machine, at its own address.

        Requests through a proxy, or by a host name that a web page has pointed at loopback, are refused.
        """
        return not self._names or (request.url.hostname in self._names and not is_forwarded(request.headers))

    def page(self, show: Answered) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            if not self.allows(request):
                return _nothing_here()
            return await run_in_threadpool(show, request.query_params)

        return answer

    def form(self, act: Answered) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            if not self.allows(request):
                return _nothing_here()
            try:
                body = await read_body(request, _LARGEST_FORM)
            except UnreadableBody as error:
                return PlainTextResponse(f"{error}\n", 400, SAFE)
            except ClientDisconnect:
                return Response(status_code=400)
            form = dict(parse_qsl(body.decode("utf-8", "replace")))
            if not hmac.compare_digest(form.get("token", "").encode(), self.token.encode()):
                return PlainTextResponse("This form has expired; load the page again.\n", 403, SAFE)
            return await run_in_threadpool(act, form)

        return answer

    def stream(self, answer: Callable[[Request], Any]) -> Callable[[Request], Any]:
        async def guarded(request: Request) -> Response:
            if not self.allows(request):
                return _nothing_here()
            found: Response = await answer(request)
            return found

        return guarded


def _nothing_here() -> Response:
    return PlainTextResponse("There is nothing here.\n", 404, SAFE)
