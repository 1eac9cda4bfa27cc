"""The local org over HTTP: a Starlette app that hands SOAP requests to the service."""

import zlib
from importlib.resources import files
from ipaddress import ip_address

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sfmap.engine.org.local.envelope import fault_answer
from sfmap.engine.org.local.faults import unexpected
from sfmap.engine.org.local.page import Page
from sfmap.engine.org.local.rest import Resources, base_url
from sfmap.engine.org.local.service import Service

LARGEST_REQUEST = 50 * 1024 * 1024
"""In bytes, packed or unpacked; the API's own limit is 50 MB."""


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _Unreadable(Exception):
    """A body that is too large, or is not what its headers say; the message goes to the client."""


def make_app(service: Service, host: str) -> Starlette:
    """The web application of one local org that listens at `host`."""

    async def soap(request: Request) -> Response:
        try:
            data = await _body(request)
        except _Unreadable as error:
            return _xml(500, fault_answer(unexpected("UNKNOWN_EXCEPTION", str(error))))
        except ClientDisconnect:
            return Response(status_code=400)
        reply = await run_in_threadpool(service.answer, data, base_url(request), request.path_params["version"])
        return _xml(reply.status, reply.body)

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
    return Starlette(routes=[*Page(service).routes(), *routes, *Resources(service).routes()], middleware=[here])


async def _body(request: Request) -> bytes:
    """The body, unpacked if it is packed, and never more of it than the limit."""
    unpack = (
        zlib.decompressobj(zlib.MAX_WBITS | 16) if "gzip" in request.headers.get("content-encoding", "") else None
    )
    received = 0
    parts: list[bytes] = []
    size = 0
    async for chunk in request.stream():
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


def _xml(status: int, body: bytes) -> Response:
    return Response(body, status, media_type="text/xml; charset=UTF-8")
