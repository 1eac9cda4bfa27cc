"""The session with an org: signing in, renewing in time, and never knocking twice with a refused password."""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from threading import Lock

from sfmap.engine.org.port import SignInRefused
from sfmap.engine.org.soap.connection import Answer, Connection, Content, Headers
from sfmap.engine.org.soap.errors import refusal
from sfmap.engine.org.soap.results import first, is_true
from sfmap.engine.org.soap.settings import Secret, SoapSettings, is_loopback, is_safe

LIFETIME = 30 * 60.0
"""Seconds until a session is renewed and the object model described again."""


@dataclass(frozen=True, slots=True, eq=False)
class Session:
    id: Secret
    url: str
    started: float

    @property
    def headers(self) -> Headers:
        return {"SessionHeader": {"sessionId": self.id}}


class Sessions:
    """The one session that all calls share. It is never signed out: the org gives equal logins the same one."""

    def __init__(self, settings: SoapSettings, connection: Connection, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._connection = connection
        self._clock = clock
        self._lock = Lock()
        self._session: Session | None = None
        self._refused: SignInRefused | None = None

    def current(self) -> Session:
        with self._lock:
            session = self._session
            if session is None or self._clock() - session.started >= LIFETIME:
                session = self._sign_in()
            return session

    def renew(self, stale: Session) -> Session:
        """A session other than `stale`; another thread may already have got it."""
        with self._lock:
            if self._session is None or self._session is stale:
                return self._sign_in()
            return self._session

    def _sign_in(self) -> Session:
        if self._refused is not None:
            raise copy(self._refused)
        try:
            self._session = self._session_from(self._log_in())
        except SignInRefused as refused:
            self._refused = copy(refused)
            raise
        return self._session

    def _log_in(self) -> Answer:
        settings = self._settings
        password = Secret(settings.password.text + settings.security_token.text)
        content: Content = {"username": settings.username, "password": password}
        return self._connection.call("login", settings.endpoint, content, {})

    def _session_from(self, answer: Answer) -> Session:
        result = answer.results[0] if answer.results else None
        call = self._connection.named("login", self._settings.endpoint, {})
        if result is None or not first(result, "sessionId"):
            raise refusal("", "an answer without a session", call)
        if is_true(first(result, "passwordExpired")):
            raise refusal("INVALID_OPERATION_WITH_EXPIRED_PASSWORD", "", call)
        url = first(result, "serverUrl") or self._settings.endpoint
        self._check_server(url)
        return Session(Secret(first(result, "sessionId")), url, self._clock())

    def _check_server(self, url: str) -> None:
        safe = is_safe(url) and (not is_loopback(url) or is_loopback(self._settings.login_url))
        if not safe:
            raise SignInRefused(
                f"{self._settings.host} sent all calls on to an address that is not encrypted or not its own, "
                "so nothing was sent there.",
                advice="Check login_url; an org of Salesforce never does this.",
            )
