"""The REST API that common clients use: the OAuth endpoints, and each resource by its path."""

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sfmap.engine.http.bodies import UnreadableBody, read_body
from sfmap.engine.local_org.calls.api_calls import ApiCalls
from sfmap.engine.local_org.calls.api_versions import FIRST_VERSION, LAST_VERSION
from sfmap.engine.local_org.calls.http_requests import LARGEST_REQUEST, base_url
from sfmap.engine.local_org.calls.sessions import ORGANIZATION_ID, USER_ID
from sfmap.engine.local_org.faults.org_faults import Fault
from sfmap.engine.local_org.records.exchanges import Exchange
from sfmap.engine.local_org.rest import rest_describes, rest_queries, rest_records
from sfmap.engine.local_org.rest.rest_call import RestCall, error_response, fault_response
from sfmap.engine.local_org.rest.token_endpoint import TokenRefused, token

_DATA = "/services/data"
_VERSION = f"{_DATA}/v{{version}}"
_OBJECT = f"{_VERSION}/sobjects/{{object}}"

Resource = Callable[[RestCall], Response]


class RestApi:
    """Answers REST requests on the store that SOAP uses too."""

    def __init__(self, calls: ApiCalls) -> None:
        self._calls = calls

    def routes(self) -> list[Route]:
        by_id_or_key = ["GET", "PATCH", "DELETE"]
        return [
            Route("/services/oauth2/token", self._token, methods=["POST"]),
            Route("/services/oauth2/userinfo", self._in_session(_user_info)),
            Route("/services/oauth2/revoke", self._revoke, methods=["POST"]),
            *_both(_DATA, _versions),
            *_both(_VERSION, self._in_session(_resources)),
            *_both(f"{_VERSION}/limits", self._in_session(_limits)),
            *_both(f"{_VERSION}/query", self._in_session(rest_queries.query)),
            *_both(f"{_VERSION}/queryAll", self._in_session(rest_queries.query_all)),
            Route(f"{_VERSION}/query/{{locator}}", self._in_session(rest_queries.query_more)),
            *_both(f"{_VERSION}/sobjects", self._in_session(rest_describes.describe_global)),
            *_both(f"{_OBJECT}/describe", self._in_session(rest_describes.describe_object)),
            *_both(_OBJECT, self._in_session(rest_records.create), "POST"),
            Route(f"{_OBJECT}/{{id}}", self._in_session(rest_records.record_by_id), methods=by_id_or_key),
            Route(
                f"{_OBJECT}/{{key}}/{{value:path}}",
                self._in_session(rest_records.record_by_key),
                methods=by_id_or_key,
            ),
        ]

    def _in_session(self, resource: Resource) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            try:
                body = await read_body(request, LARGEST_REQUEST)
            except UnreadableBody as error:
                return error_response(413, "REQUEST_NOT_READ", str(error))
            return await run_in_threadpool(self._answer, resource, request, body)

        return answer

    def _answer(self, resource: Resource, request: Request, body: bytes) -> Response:
        calls = self._calls
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        session_id = bearer if scheme.lower() in ("bearer", "oauth") else ""
        about = request.query_params.get("q") or request.url.path
        client = request.headers.get("user-agent", "")
        exchange = Exchange(url=str(request.url), client=client, request=body)
        try:
            with calls.call(session_id, f"REST {request.method}", about, exchange) as session:
                call = RestCall(
                    request=request,
                    body=body,
                    session=session,
                    store=calls.store,
                    schema=calls.schema,
                    daily_limit=calls.daily_limit,
                )
                response = resource(call)
                exchange.response = bytes(response.body)
                return response
        except Fault as fault:
            return fault_response(fault)

    async def _token(self, request: Request) -> Response:
        form = await _form(request)
        try:
            authorization = request.headers.get("authorization", "")
            return JSONResponse(dict(token(self._calls.sessions, form, authorization, base_url(request))))
        except TokenRefused as refused:
            return JSONResponse({"error": refused.error, "error_description": refused.description}, 400)

    async def _revoke(self, request: Request) -> Response:
        self._calls.sessions.close((await _form(request)).get("token", ""))
        return Response(status_code=200)


def _both(path: str, endpoint: Callable[[Request], Awaitable[Response]], method: str = "GET") -> list[Route]:
    """Routes for a path with and without a slash at its end."""
    return [Route(path, endpoint, methods=[method]), Route(f"{path}/", endpoint, methods=[method])]


async def _form(request: Request) -> dict[str, str]:
    """The fields of the form; empty if it cannot be read, which every sign-in refuses."""
    try:
        return dict(parse_qsl((await read_body(request, LARGEST_REQUEST)).decode("utf-8", "replace")))
    except UnreadableBody:
        return {}


async def _versions(_: Request) -> Response:
    return JSONResponse(
        [
            {"label": f"Version {number}", "url": f"{_DATA}/v{number}.0", "version": f"{number}.0"}
            for number in range(FIRST_VERSION, LAST_VERSION + 1)
        ]
    )


def _resources(call: RestCall) -> Response:
    names = ("limits", "query", "queryAll", "sobjects")
    return JSONResponse({name: f"{call.root}/{name}" for name in names})


def _limits(call: RestCall) -> Response:
    left = max(0, call.daily_limit - call.store.calls_today())
    return JSONResponse({"DailyApiRequests": {"Max": call.daily_limit, "Remaining": left}})


def _user_info(_call: RestCall) -> Response:
    return JSONResponse({"user_id": USER_ID, "organization_id": ORGANIZATION_ID, "active": True})
