"""The OAuth endpoints: tokens are issued, revoked and introspected, and a browser authorizes an app."""

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from sfmap.engine.http.address import is_loopback
from sfmap.engine.http.bodies import UnreadableBody, read_body
from sfmap.engine.local_org.calls import credentials
from sfmap.engine.local_org.calls.http_requests import base_url
from sfmap.engine.local_org.calls.sessions import ApiSessions
from sfmap.engine.local_org.rest.identity import FRONT_DOOR, identity_url
from sfmap.engine.local_org.rest.sign_in_faults import SignInFaults
from sfmap.engine.local_org.rest.token_endpoint import SCOPE, SentForm, TokenRefused, check_app, token

_LARGEST_FORM = 64 * 1024
_PATH = "/services/oauth2"


@dataclass(frozen=True, slots=True)
class OAuthEndpoints:
    sessions: ApiSessions
    allows_passwords: bool = False
    """Whether the password grant is switched on; it is off in new orgs."""

    def routes(self, faults: SignInFaults) -> list[Route]:
        return [
            Route(f"{_PATH}/token", faults.played_on(self._token), methods=["POST"]),
            Route(f"{_PATH}/revoke", self._revoke, methods=["GET", "POST"]),
            Route(f"{_PATH}/introspect", self._introspect, methods=["POST"]),
            Route(f"{_PATH}/authorize", self._authorize, methods=["GET"]),
            Route(FRONT_DOOR, _front_door, methods=["GET"]),
        ]

    async def _token(self, request: Request) -> Response:
        sent = await _sent(request)
        try:
            granted = token(self.sessions, sent, base_url(request), allows_passwords=self.allows_passwords)
        except TokenRefused as refused:
            return _refused(refused)
        return JSONResponse(dict(granted), headers={"Cache-Control": "no-store"})

    async def _revoke(self, request: Request) -> Response:
        self.sessions.close((await _sent(request)).fields.get("token", ""))
        return Response(status_code=200)

    async def _introspect(self, request: Request) -> Response:
        sent = await _sent(request)
        try:
            check_app(sent, needs_secret=True)
        except TokenRefused as refused:
            return _refused(refused, 401)
        known = self.sessions.peek(sent.fields.get("token", ""))
        if known is None:
            return JSONResponse({"active": False})
        return JSONResponse(
            {
                "active": True,
                "scope": SCOPE,
                "client_id": credentials.CLIENT_ID,
                "username": credentials.USERNAME,
                "sub": identity_url(base_url(request)),
                "token_type": "access_token",
                "exp": known.expires,
                "iat": known.issued,
                "nbf": known.issued,
            }
        )

    async def _authorize(self, request: Request) -> Response:
        """Sends the browser back to the app with a code: nobody is asked, since the org has one user."""
        asked = request.query_params
        target = asked.get("redirect_uri", "")
        if not _is_on_this_machine(target):
            return PlainTextResponse(
                "Browsers are sent only to apps on this machine, without a fragment (#).\n", 400
            )
        state = {"state": asked["state"]} if "state" in asked else {}
        if asked.get("response_type") != "code":
            error = {"error": "unsupported_response_type", "error_description": "response type not supported"}
            return _sent_back(target, error | state)
        if asked.get("client_id") not in credentials.APPS:
            return PlainTextResponse("error=invalid_client_id&error_description=client identifier invalid\n", 400)
        code = self.sessions.authorize(
            client_id=asked["client_id"], redirect_uri=target, challenge=asked.get("code_challenge", "")
        )
        return _sent_back(target, {"code": code} | state)


async def _front_door(_request: Request) -> Response:
    """Opens the org's pages, whichever page of Salesforce is wanted."""
    return RedirectResponse("/", 302)


def _sent_back(target: str, result: dict[str, str]) -> Response:
    """Sends the browser back to the app with a result, after what the query of its address has."""
    return RedirectResponse(f"{target}{'&' if '?' in target else '?'}{urlencode(result)}", 302)


def _is_on_this_machine(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and is_loopback(parts.hostname or "") and "#" not in url


def _refused(refused: TokenRefused, status: int = 400) -> Response:
    return JSONResponse({"error": refused.error, "error_description": refused.description}, status)


async def _sent(request: Request) -> SentForm:
    """The fields of the address and of the form; empty if that cannot be read, which every sign-in refuses."""
    try:
        body = (await read_body(request, _LARGEST_FORM)).decode("utf-8", "replace")
    except (UnreadableBody, ClientDisconnect):
        body = ""
    fields = {**request.query_params, **dict(parse_qsl(body))}
    return SentForm(fields, request.headers.get("authorization", ""))
