"""The HTTP endpoint of the partner SOAP API, and its WSDL."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sfmap.engine.http.bodies import UnreadableBody, read_body
from sfmap.engine.local_org.calls.api_versions import version_number
from sfmap.engine.local_org.calls.http_requests import LARGEST_REQUEST, base_url
from sfmap.engine.local_org.faults.fault_player import FaultPlayer
from sfmap.engine.local_org.faults.faults_endpoint import FaultsEndpoint
from sfmap.engine.local_org.faults.org_faults import Fault, unexpected
from sfmap.engine.local_org.records.exchanges import Exchange
from sfmap.engine.local_org.soap.envelope import fault_answer, parse
from sfmap.engine.local_org.soap.partner_api import PartnerApi
from sfmap.engine.local_org.soap.served_wsdl import served_wsdl


class SoapEndpoint:
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
    try:
        version = version_number(request.path_params["version"])
    except Fault as fault:
        return _xml(500, fault_answer(fault))
    return _xml(200, served_wsdl(version, f"{base_url(request)}{request.url.path}").encode())


def _xml(status: int, body: bytes) -> Response:
    return Response(body, status, media_type="text/xml; charset=UTF-8")
