"""The local org's HTTP interface: pages, SOAP and REST as one Starlette app."""

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from sfmap.engine.http.address import host_of
from sfmap.engine.http.connections import Connections
from sfmap.engine.local_org.bulk.bulk_resources import bulk_resources
from sfmap.engine.local_org.bulk.job_runner import JobRunner
from sfmap.engine.local_org.calls.api_calls import ApiCalls
from sfmap.engine.local_org.faults.fault_player import FaultPlayer
from sfmap.engine.local_org.faults.faults_endpoint import FaultsEndpoint
from sfmap.engine.local_org.pages.org_pages import OrgPages
from sfmap.engine.local_org.rest.oauth_endpoints import OAuthEndpoints
from sfmap.engine.local_org.rest.rest_api import RestApi
from sfmap.engine.local_org.rest.rest_resources import REST_RESOURCES
from sfmap.engine.local_org.rest.sign_in_faults import SignInFaults
from sfmap.engine.local_org.soap.partner_api import PartnerApi
from sfmap.engine.local_org.soap.soap_endpoint import SoapEndpoint


def make_app(
    calls: ApiCalls,
    oauth: OAuthEndpoints,
    connections: Connections,
    faults: FaultsEndpoint,
    runner: JobRunner,
    *,
    names: Sequence[str] | None,
) -> Starlette:
    """The web application of one local org that has these host names; None for any."""
    player = FaultPlayer(connections)
    soap = SoapEndpoint(PartnerApi(calls), faults, player)
    rest = RestApi(calls, faults, player, resources=[*REST_RESOURCES, *bulk_resources(runner)])
    here = [] if names is None else [Middleware(_OwnHosts, names=names)]
    return Starlette(
        routes=[
            *OrgPages(calls, faults).routes(),
            *faults.routes(),
            *soap.routes(),
            *oauth.routes(SignInFaults(calls, faults, player)),
            *rest.routes(),
        ],
        middleware=[Middleware(_SingleSlash), *here],
    )


class _SingleSlash:
    """Takes `//services` for `/services`: clients append paths to an address that ends in a slash."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith("//"):
            scope = {**scope, "path": f"/{scope['path'].lstrip('/')}"}
        await self._app(scope, receive, send)


class _OwnHosts:
    """Refuses requests that name another host: a page may have pointed its own name at this machine."""

    def __init__(self, app: ASGIApp, names: Sequence[str]) -> None:
        self._app = app
        self._names = frozenset(name.lower() for name in names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and host_of(f"//{Headers(scope=scope).get('host', '')}") not in self._names:
            await PlainTextResponse("Invalid host header\n", 400)(scope, receive, send)
        else:
            await self._app(scope, receive, send)
