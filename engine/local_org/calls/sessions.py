"""The local org's sessions, in memory; equal sign-ins share one, as in Salesforce."""

import secrets
import time
from dataclasses import dataclass, field

from sfmap.engine.local_org.faults.org_faults import no_session
from sfmap.engine.local_org.records.ids import new_id
from sfmap.engine.local_org.soql.query_runs import FoundRows

SESSION_SECONDS = 7_200
_CODE_SECONDS = 15 * 60
_MOST_CODES = 1_000
ORGANIZATION_ID = new_id("00D", 1)
USER_ID = new_id("005", 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """What an authorization code stands for, until it is exchanged for a token."""

    client_id: str
    redirect_uri: str
    challenge: str
    """The code challenge of PKCE (S256); empty without."""
    expires: float
    """On the monotonic clock."""


@dataclass(frozen=True, slots=True)
class Lifetime:
    """When a session was opened, and when it ends, in seconds since 1970."""

    issued: int
    expires: int


@dataclass
class ApiSession:
    id: str
    last_used: float
    issued: int = field(default_factory=lambda: int(time.time()))
    """In seconds since 1970."""
    cursors: dict[str, FoundRows] = field(default_factory=dict)
    """The queries whose pages are still being fetched, by locator, oldest first."""
    opened: int = 0
    """The number of cursors opened so far."""


class ApiSessions:
    def __init__(self, seconds: int = SESSION_SECONDS) -> None:
        self._seconds = seconds
        self._sessions: dict[str, ApiSession] = {}
        self._closed: dict[str, ApiSession] = {}
        self._by_sign_in: dict[str, str] = {}
        self._authorizations: dict[str, Authorization] = {}
        """By authorization code, oldest first."""

    def authorize(self, *, client_id: str, redirect_uri: str, challenge: str) -> str:
        """A new authorization code for the app; the oldest is dropped if there are too many."""
        while len(self._authorizations) >= _MOST_CODES:
            del self._authorizations[next(iter(self._authorizations))]
        code = secrets.token_urlsafe(32)
        self._authorizations[code] = Authorization(
            client_id=client_id,
            redirect_uri=redirect_uri,
            challenge=challenge,
            expires=time.monotonic() + _CODE_SECONDS,
        )
        return code

    def exchange(self, code: str) -> Authorization | None:
        """What the code stands for, once; None for a code that is unknown or has expired."""
        known = self._authorizations.pop(code, None)
        return known if known and time.monotonic() < known.expires else None

    def open(self, sign_in: str) -> ApiSession:
        """The session for this sign-in, opened if there is none."""
        known = self._sessions.get(self._by_sign_in.get(sign_in, ""))
        if known and time.monotonic() - known.last_used <= self._seconds:
            return known
        session = ApiSession(f"{ORGANIZATION_ID[:15]}!{secrets.token_urlsafe(48)}", time.monotonic())
        self._sessions[session.id] = session
        self._by_sign_in[sign_in] = session.id
        return session

    def find(self, session_id: str, *, was_accepted: bool = False) -> ApiSession:
        """The session, marked as used. Raises `Fault` if there is none, or it has been idle for too long.

        A call that was accepted before it is executed may have a session that was closed meanwhile.
        """
        if was_accepted and session_id in self._closed:
            return self._closed[session_id]
        session = self._sessions.get(session_id)
        now = time.monotonic()
        if session is None or now - session.last_used > self._seconds:
            self.close(session_id)
            raise no_session()
        session.last_used = now
        return session

    def peek(self, session_id: str) -> Lifetime | None:
        """The lifetime of a session that is open, which does not count as use."""
        session = self._sessions.get(session_id)
        left = self._seconds - (time.monotonic() - session.last_used) if session else -1
        return Lifetime(session.issued, int(time.time() + left)) if session and left >= 0 else None

    def close(self, session_id: str) -> None:
        if session := self._sessions.pop(session_id, None):
            self._closed[session_id] = session
