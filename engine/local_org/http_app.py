"""The local org's HTTP interface: a Starlette app that passes SOAP requests to the service."""

from importlib.resources import files

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sfmap.engine.http.address import is_loopback
from sfmap.engine.http.bodies import UnreadableBody, read_body
from sfmap.engine.http.connections import Connections
from sfmap.engine.local_org.control import Control
from sfmap.engine.local_org.envelope import LARGEST_REQUEST, fault_answer, parse
from sfmap.engine.local_org.fault_player import Struck
from sfmap.engine.local_org.faults import Fault, unexpected
from sfmap.engine.local_org.partner_api import Service
from sfmap.engine.local_org.records_page import Page
from sfmap.engine.local_org.rest import Resources, base_url


def make_app(service: Service, host: str, connections: Connections, control: Control) -> Starlette:
    """The web application of one local org that listens on `host`."""
    struck = Struck(connections)

    async def soap(request: Request) -> Response:
        try:
            data = await read_body(request, LARGEST_REQUEST)
        except UnreadableBody as error:
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
    # The credentials are public, so no web page may reach the org by a host name that it points at loopback.
    names = ["127.0.0.1", "localhost"] if is_loopback(host) else ["*"]
    here = Middleware(TrustedHostMiddleware, allowed_hosts=names, www_redirect=False)
    return Starlette(
        routes=[*Page(service).routes(), *control.routes(), *routes, *Resources(service).routes()],
        middleware=[here],
    )


def _xml(status: int, body: bytes) -> Response:
    return Response(body, status, media_type="text/xml; charset=UTF-8")
