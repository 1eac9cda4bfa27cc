"""The HTTP side of the REST API: requests become calls of its resources, hit by the faults of the plan."""

import gzip
import re
import sqlite3
from collections.abc import Sequence

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sfmap.engine.http.bodies import UnreadableBody, read_body
from sfmap.engine.local_org.calls.api_calls import ApiCalls
from sfmap.engine.local_org.calls.http_requests import base_url
from sfmap.engine.local_org.faults.fault_plan import InjectedFault
from sfmap.engine.local_org.faults.fault_player import FaultPlayer
from sfmap.engine.local_org.faults.faults_endpoint import FaultsEndpoint
from sfmap.engine.local_org.faults.org_faults import Fault, database_failed
from sfmap.engine.local_org.records.exchanges import Exchange
from sfmap.engine.local_org.rest.discovery import versions
from sfmap.engine.local_org.rest.rest_call import RestCall, error_response, fault_response, not_found, whole
from sfmap.engine.local_org.rest.rest_router import RestResource, RestRouter

_DATA = "/services/data"
_UNKNOWN = RestResource(path="", resource=lambda _call: not_found(), operation="")
_FIRST_ERROR = 400
_LONGEST_URI = 16_384
_ERROR_CODE = re.compile(rb'"(?:errorCode|statusCode)":"(\w+)"')
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


class RestApi:
    """Answers REST requests on the store that SOAP uses too."""

    def __init__(
        self, calls: ApiCalls, faults: FaultsEndpoint, player: FaultPlayer, *, resources: Sequence[RestResource]
    ) -> None:
        self._calls = calls
        self._faults = faults
        self._player = player
        self._router = RestRouter(resources)

    def routes(self) -> list[Route]:
        return [
            Route(_DATA, _versions),
            Route(f"{_DATA}/", _versions),
            Route("/services/{path:path}", self._call, methods=_METHODS),
            Route("/id/{path:path}", self._call, methods=_METHODS),
        ]

    async def _call(self, request: Request) -> Response:
        if len(request.url.path) + len(request.url.query) > _LONGEST_URI:
            return error_response(414, "URI_TOO_LONG", f"The URI is longer than {_LONGEST_URI} characters")
        asked = request.query_params.get("_HttpMethod", "") if request.method == "POST" else ""
        method = asked.upper() or request.method
        try:
            resource = self._resource(method, request.scope["path"])
            body = await read_body(request, resource.largest)
        except Fault as fault:
            return fault_response(fault)
        except UnreadableBody as error:
            return error_response(413, "REQUEST_NOT_READ", str(error))
        except ClientDisconnect:
            return Response(status_code=400)
        operation = resource.operation_of(body)
        injected = self._faults.plan.fault_for(operation) if operation else None
        exchange = Exchange(url=str(request.url), client=request.headers.get("user-agent", ""), request=body)

        async def answer() -> Response:
            return await run_in_threadpool(self._answer, request, method, resource, exchange, injected)

        if injected is None:
            return await answer()

        def miss() -> None:
            self._calls.miss(f"REST {method}", _about(request), exchange=exchange, injected=injected)

        return await self._player.play(injected, request, answer, miss)

    def _resource(self, method: str, path: str) -> RestResource:
        """The resource; one that is unknown is refused in the session, if it has a version. Raises `Fault`."""
        try:
            return self._router.find(method, path)[0]
        except Fault:
            if path.startswith(f"{_DATA}/"):
                return _UNKNOWN
            raise

    def _answer(
        self,
        request: Request,
        method: str,
        resource: RestResource,
        exchange: Exchange,
        injected: InjectedFault | None,
    ) -> Response:
        media_type = request.headers.get("content-type", "")
        try:
            response = self._executed(request, method, exchange, injected)
        except sqlite3.Error as error:
            return resource.refused(database_failed(error), media_type)
        except Fault as fault:
            response = resource.refused(fault, media_type)
        with self._calls.look() as store:
            used = f"api-usage={store.calls_today()}/{self._calls.daily_limit}"
        response.headers["Sforce-Limit-Info"] = used
        return response

    def _executed(
        self, request: Request, method: str, exchange: Exchange, injected: InjectedFault | None
    ) -> Response:
        calls = self._calls
        with calls.call(_session_id(request), f"REST {method}", _about(request), exchange, injected) as session:
            call = RestCall(
                method=method,
                path=request.scope["path"],
                params={},
                query=dict(request.query_params),
                headers=dict(request.headers),
                body=exchange.request,
                base_url=base_url(request),
                session=session,
                store=calls.store,
                schema=calls.schema,
                daily_limit=calls.daily_limit,
                injected=injected,
                send=lambda inner: whole(self._router.answer(inner)),
            )
            response = self._router.answer(call)
            exchange.response, exchange.outcome = _readable(response), _outcome(response)
            exchange.records = exchange.response.count(b'"success":')
        return whole(response)


def _session_id(request: Request) -> str:
    """The session of the request: the first Bulk API has a header of its own, the identity URL a parameter."""
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() in ("bearer", "oauth"):
        return bearer.strip()
    return request.headers.get("x-sfdc-session") or request.query_params.get("oauth_token", "")


def _about(request: Request) -> str:
    return request.query_params.get("q") or str(request.scope["path"])


def _readable(response: Response) -> bytes:
    body = bytes(response.body)
    return gzip.decompress(body) if response.headers.get("content-encoding") == "gzip" else body


def _outcome(response: Response) -> str:
    """What the log says about a call: its error, or the number of refused records of a collection."""
    body = bytes(response.body)
    if response.status_code >= _FIRST_ERROR:
        code = _ERROR_CODE.search(body)
        return code[1].decode() if code else str(response.status_code)
    refused = body.count(b'"success":false')
    return f"{refused} refused" if refused else "ok"


async def _versions(_: Request) -> Response:
    return JSONResponse(versions())
