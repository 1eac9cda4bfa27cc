"""The session with an org: signs in, renews the session, and never retries a refused password."""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from threading import Lock

from sfmap.engine.mapping.values.values import full_record_id
from sfmap.engine.org.port import SignInRefused
from sfmap.engine.org.soap.access_token import AccessToken, check_token, fetch_token
from sfmap.engine.org.soap.connection import CallContent, CallHeaders, Connection, SoapAnswer
from sfmap.engine.org.soap.failures import refusal
from sfmap.engine.org.soap.org_settings import SoapSettings, refused_server, soap_endpoint
from sfmap.engine.org.soap.result_elements import currency, first, is_true, organization_id
from sfmap.engine.org.soap.sign_in import AskedSession, PasswordLogin, ReadySession, Secret
from sfmap.engine.org.soap.transport import Transport

LIFETIME = 30 * 60.0
"""Seconds until a session is renewed and the object model described again."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Session:
    id: Secret
    url: str
    started: float
    organization_id: str = ""
    """18 characters; empty if the sign-in did not report it."""
    currency: str | None = None
    """Empty if the org has several; None if the sign-in did not report it."""

    @property
    def headers(self) -> CallHeaders:
        return {"SessionHeader": {"sessionId": self.id}}


class Sessions:
    """The session that all calls share. It is never signed out: the org may share it with other logins."""

    def __init__(
        self, settings: SoapSettings, connection: Connection, transport: Transport, *, clock: Callable[[], float]
    ) -> None:
        self._settings = settings
        self._connection = connection
        self._transport = transport
        self._clock = clock
        self._lock = Lock()
        self._session: Session | None = None
        self._refused: SignInRefused | None = None

    def current(self) -> Session:
        with self._lock:
            session = self._session
            return session if session and self.is_current(session) else self._sign_in()

    def is_current(self, session: Session) -> bool:
        """Whether calls use this session; it waits for no sign-in."""
        return session is self._session and self._clock() - session.started < LIFETIME

    def renew(self, stale: Session) -> Session:
        """A session other than `stale`, perhaps opened by another thread; a `ReadySession` cannot be renewed."""
        if isinstance(self._settings.sign_in, ReadySession):
            raise SignInRefused(
                f"{self._settings.host} reports that the session has ended.",
                code="INVALID_SESSION_ID",
                hint="Get a new one: sf org display --json and sf org auth show-access-token --json print it."
                " Or let sfmap ask for it: auth: cli, see docs/orgs.md.",
            )
        with self._lock:
            if self._session is None or self._session is stale:
                return self._sign_in()
            return self._session

    def _sign_in(self) -> Session:
        if self._refused is not None:
            raise copy(self._refused)
        try:
            self._session = self._new_session()
        except SignInRefused as refused:
            self._refused = copy(refused)
            raise
        return self._session

    def _new_session(self) -> Session:
        sign_in = self._settings.sign_in
        if isinstance(sign_in, PasswordLogin):
            return self._session_from(self._log_in(sign_in))
        if isinstance(sign_in, ReadySession | AskedSession):
            ready = self._ready(sign_in)
            token = AccessToken(ready.access_token, ready.instance_url)
        else:
            token = fetch_token(self._settings, sign_in, self._transport)
        check_token(token.access_token, self._settings.api_version)
        url = soap_endpoint(token.instance_url or self._settings.login_url, self._settings.api_version)
        self._check_server(url)
        told = token.organization_id or _organization_of(token.access_token)
        return Session(id=token.access_token, url=url, started=self._clock(), organization_id=told)

    def _ready(self, sign_in: ReadySession | AskedSession) -> ReadySession:
        if isinstance(sign_in, ReadySession):
            return sign_in
        return sign_in.first if self._session is None else sign_in.ask()

    def _log_in(self, sign_in: PasswordLogin) -> SoapAnswer:
        password = Secret(sign_in.password.text + sign_in.security_token.text)
        content: CallContent = {"username": sign_in.username, "password": password}
        return self._connection.call("login", self._settings.endpoint, content, {})

    def _session_from(self, answer: SoapAnswer) -> Session:
        result = answer.results[0] if answer.results else None
        call = self._connection.named("login", self._settings.endpoint, {})
        if result is None or not first(result, "sessionId"):
            raise refusal("", "an answer without a session", call)
        if is_true(first(result, "passwordExpired")):
            raise refusal("INVALID_OPERATION_WITH_EXPIRED_PASSWORD", "", call)
        url = first(result, "serverUrl") or self._settings.endpoint
        self._check_server(url)
        session_id = Secret(first(result, "sessionId"))
        return Session(
            id=session_id,
            url=url,
            started=self._clock(),
            organization_id=organization_id(result) or _organization_of(session_id),
            currency=currency(result),
        )

    def _check_server(self, url: str) -> None:
        if why := refused_server(self._settings.login_url, url):
            raise SignInRefused(
                f"{self._settings.host} redirected all calls to {why}, so nothing was sent there.",
                hint="Check login_url; Salesforce itself never does this. If you trust that address, set"
                " login_url to it.",
            )


def _organization_of(session_id: Secret) -> str:
    """The organization at the start of a session id; a JWT does not have one."""
    before, mark, _ = session_id.text.partition("!")
    return (mark and full_record_id(before)) or ""
