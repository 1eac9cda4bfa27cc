"""The local org's HTTP interface: pages, SOAP and REST as one Starlette app."""

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
from sfmap.engine.local_org.api_calls import ApiCalls
from sfmap.engine.local_org.envelope import LARGEST_REQUEST, fault_answer, parse
from sfmap.engine.local_org.exchanges import Exchange
from sfmap.engine.local_org.fault_player import FaultPlayer
from sfmap.engine.local_org.faults import Fault, unexpected
from sfmap.engine.local_org.faults_endpoint import FaultsEndpoint
from sfmap.engine.local_org.org_pages import OrgPages
from sfmap.engine.local_org.partner_api import PartnerApi
from sfmap.engine.local_org.rest import RestApi
from sfmap.engine.local_org.rest_call import base_url


def make_app(calls: ApiCalls, host: str, connections: Connections, faults: FaultsEndpoint) -> Starlette:
    """The web application of one local org that listens on `host`."""
    soap = _SoapEndpoint(PartnerApi(calls), faults, FaultPlayer(connections))
    # The credentials are public, so no web page may reach the org by a host name that it points at loopback.
    names = ["127.0.0.1", "localhost"] if is_loopback(host) else ["*"]
    here = Middleware(TrustedHostMiddleware, allowed_hosts=names, www_redirect=False)
    return Starlette(
        routes=[*OrgPages(calls, faults).routes(), *faults.routes(), *soap.routes(), *RestApi(calls).routes()],
        middleware=[here],
    )


class _SoapEndpoint:
    def __init__(self, api: PartnerApi, faults: FaultsEndpoint, player: FaultPlayer) -> None:
        self._api = api
        self._faults = faults
        self._player = player

    def routes(self) -> list[Route]:
        paths = [f"/services/Soap/u/{{version}}{rest}" for rest in ("", "/", "/{org_id}", "/{org_id}/")]
        return [
            *(Route(path, self._call, methods=["POST"]) for path in paths),
            *(Route(path, _wsdl, methods=["GET"]) for path in paths),
        ]

    async def _call(self, request: Request) -> Response:
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
        injected = self._faults.plan.fault_for(asked.operation)
        exchange = Exchange(url=str(request.url), client=request.headers.get("user-agent", ""), request=data)

        async def answer() -> Response:
            version = request.path_params["version"]
            given = (asked, base_url(request), version, exchange, injected)
            reply = await run_in_threadpool(self._api.answer, *given)
            return _xml(reply.status, reply.body)

        if injected is None:
            return await answer()

        def miss() -> None:
            self._api.miss(asked, exchange, injected)

        return await self._player.play(injected, request, answer, miss)


async def _wsdl(request: Request) -> Response:
    if "wsdl" not in request.query_params:
        return PlainTextResponse("This is a SOAP endpoint; its WSDL is at ?wsdl\n", 405)
    text = (files(__package__) / "partner.wsdl").read_text("utf-8")
    return _xml(200, text.replace("{address}", f"{base_url(request)}{request.url.path}").encode())


def _xml(status: int, body: bytes) -> Response:
    return Response(body, status, media_type="text/xml; charset=UTF-8")
