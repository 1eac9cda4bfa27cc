"""The local org over HTTP: a Starlette app that hands SOAP requests to the service."""

import asyncio
import zlib
from collections.abc import AsyncIterator
from importlib.resources import files
from ipaddress import ip_address

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sfmap.engine.org.local.connections import Connections
from sfmap.engine.org.local.control import Control
from sfmap.engine.org.local.envelope import fault_answer, parse
from sfmap.engine.org.local.faults import Fault, unexpected
from sfmap.engine.org.local.page import Page
from sfmap.engine.org.local.rest import Resources, base_url
from sfmap.engine.org.local.service import Service
from sfmap.engine.org.local.struck import Struck

LARGEST_REQUEST = 50 * 1024 * 1024
"""In bytes, packed or unpacked; the API's own limit is 50 MB."""
_BODY_SECONDS = 60.0


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _Unreadable(Exception):
    """A body that is too large, or is not what its headers say; the message goes to the client."""


def make_app(service: Service, host: str, connections: Connections, control: Control) -> Starlette:
    """The web application of one local org that listens at `host`."""
    struck = Struck(connections)

    async def soap(request: Request) -> Response:
        try:
            data = await _body(request)
        except _Unreadable as error:
            return _xml(500, fault_answer(unexpected("UNKNOWN_EXCEPTION", str(error))))
        except ClientDisconnect:
            return Response(status_code=400)
        try:
            asked = await run_in_threadpool(parse, data)
        except Fault as fault:
            return _xml(500, fault_answer(fault))
        strike = control.plan.strike(asked.operation)

        async def answer() -> Response:
            version = request.path_params["version"]
            reply = await run_in_threadpool(service.answer, asked, base_url(request), version, strike)
            return _xml(reply.status, reply.body)

        if strike is None:
            return await answer()
        return await struck.play(strike, request, answer, lambda: service.miss(asked, strike))

    async def wsdl(request: Request) -> Response:
        if "wsdl" not in request.query_params:
            return PlainTextResponse("This is a SOAP endpoint; its WSDL is at ?wsdl\n", 405)
        text = (files(__package__) / "partner.wsdl").read_text("utf-8")
        return _xml(200, text.replace("{address}", f"{base_url(request)}{request.url.path}").encode())

    path = "/services/Soap/u/{version}"
    rests = ("", "/", "/{org_id}", "/{org_id}/")
    routes = [Route(f"{path}{rest}", soap, methods=["POST"]) for rest in rests]
    routes += [Route(f"{path}{rest}", wsdl, methods=["GET"]) for rest in rests]
    # The credentials are no secret, so no web page may reach the org by a name that it has made mean loopback.
    names = ["127.0.0.1", "localhost"] if is_loopback(host) else ["*"]
    here = Middleware(TrustedHostMiddleware, allowed_hosts=names, www_redirect=False)
    return Starlette(
        routes=[*Page(service).routes(), *control.routes(), *routes, *Resources(service).routes()],
        middleware=[here],
    )


async def _body(request: Request) -> bytes:
    """The body, unpacked if it is packed, and never more of it than the limit."""
    unpack = (
        zlib.decompressobj(zlib.MAX_WBITS | 16) if "gzip" in request.headers.get("content-encoding", "") else None
    )
    received = 0
    parts: list[bytes] = []
    size = 0
    async for chunk in _timed(request):
        received += len(chunk)
        try:
            part = unpack.decompress(chunk, LARGEST_REQUEST - size + 1) if unpack else chunk
        except zlib.error:
            raise _Unreadable("The request says it is gzip, and it is not.") from None
        size += len(part)
        if max(received, size) > LARGEST_REQUEST:
            raise _Unreadable("The request is larger than 50 MB.")
        parts.append(part)
    return b"".join(parts)


async def _timed(request: Request) -> AsyncIterator[bytes]:
    """The body's chunks; a client that is too slow with them is given up."""
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            async for chunk in request.stream():
                yield chunk
    except TimeoutError:
        raise _Unreadable(f"The request did not come within {_BODY_SECONDS:g} seconds.") from None


def _xml(status: int, body: bytes) -> Response:
    return Response(body, status, media_type="text/xml; charset=UTF-8")
