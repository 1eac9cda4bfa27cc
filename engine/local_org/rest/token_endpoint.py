"""Issues tokens: sessions for client credentials, JWTs, refresh tokens, codes and, if allowed, passwords."""

import base64
import binascii
import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files

import jwt
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from sfmap.engine.local_org.calls import credentials
from sfmap.engine.local_org.calls.sessions import ApiSession, ApiSessions
from sfmap.engine.local_org.rest.identity import identity_url

SCOPE = "refresh_token api web"
_JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_LONGEST_JWT = 180 + 30
"""The maximum lifetime of an assertion in seconds, plus a tolerance for clock differences."""
_MILLISECONDS = 10**11
"""An expiry above this is in milliseconds, as Salesforce's command line sends it; the real org takes it."""


class TokenRefused(Exception):
    """An OAuth error and its description."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description


@dataclass(frozen=True)
class SentForm:
    """What a client has sent to an OAuth endpoint."""

    fields: Mapping[str, str]
    authorization: str
    """The header."""

    @cached_property
    def app(self) -> tuple[str, str | None]:
        """Client id and secret, from the header or the form. Raises `TokenRefused`."""
        scheme, _, encoded = self.authorization.partition(" ")
        if scheme.lower() != "basic":
            return self.fields.get("client_id", ""), self.fields.get("client_secret")
        try:
            client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise TokenRefused("invalid_client", "invalid client credentials") from None
        return client_id, secret


def token(sessions: ApiSessions, sent: SentForm, base_url: str, *, allows_passwords: bool) -> Mapping[str, str]:
    """The response to a form posted to the token endpoint. Raises `TokenRefused`."""
    grant = sent.fields.get("grant_type", "")
    match grant:
        case "client_credentials":
            check_app(sent, needs_secret=True)
        case "password":
            _check_password(sent, allowed=allows_passwords)
        case "refresh_token":
            check_app(sent, needs_secret=False)
            if sent.fields.get("refresh_token") != credentials.REFRESH_TOKEN:
                raise TokenRefused("invalid_grant", "expired access/refresh token")
        case "authorization_code":
            check_app(sent, needs_secret=False)
            _check_code(sessions, sent)
            granted = _granted(sessions.open(grant), base_url)
            return {**granted, "refresh_token": credentials.REFRESH_TOKEN}
        case _ if grant == _JWT_GRANT:
            _check_assertion(sent.fields.get("assertion", ""))
        case _:
            raise TokenRefused("unsupported_grant_type", "grant type not supported")
    return _granted(sessions.open(grant), base_url)


def _granted(session: ApiSession, base_url: str) -> Mapping[str, str]:
    return {
        "access_token": session.id,
        "signature": base64.b64encode(b"local").decode(),
        "scope": SCOPE,
        "instance_url": base_url,
        "id": identity_url(base_url),
        "token_type": "Bearer",
        "issued_at": str(int(time.time() * 1000)),
        "token_format": "opaque",
    }


def check_app(sent: SentForm, needs_secret: bool) -> None:
    """Raises `TokenRefused` if it is not an app of the org, or its secret is wrong."""
    client_id, secret = sent.app
    if client_id not in credentials.APPS:
        raise TokenRefused("invalid_client_id", "client identifier invalid")
    known = credentials.APPS[client_id]
    is_wanted = needs_secret or bool(secret)
    if is_wanted and (not known or secret != known):
        raise TokenRefused("invalid_client", "invalid client credentials")


def _check_password(sent: SentForm, *, allowed: bool) -> None:
    check_app(sent, needs_secret=True)
    name, password = sent.fields.get("username", ""), sent.fields.get("password", "")
    is_right = password == credentials.PASSWORD + credentials.SECURITY_TOKEN
    # The org does not say which it is, nor that the grant is switched off.
    if not allowed or name.casefold() != credentials.USERNAME or not is_right:
        raise TokenRefused("invalid_grant", "authentication failure")


def _check_code(sessions: ApiSessions, sent: SentForm) -> None:
    known = sessions.exchange(sent.fields.get("code", ""))
    if known is None:
        raise TokenRefused("invalid_grant", "invalid authorization code")
    if known.client_id != sent.app[0]:
        raise TokenRefused("invalid_client_id", "client identifier does not match authorization code")
    if known.redirect_uri != sent.fields.get("redirect_uri", ""):
        raise TokenRefused("redirect_uri_mismatch", "redirect_uri must match configuration")
    digest = hashlib.sha256(sent.fields.get("code_verifier", "").encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    if known.challenge and known.challenge != challenge:
        raise TokenRefused("invalid_grant", "invalid code verifier")


def _check_assertion(assertion: str) -> None:
    try:
        claims = jwt.decode(
            assertion,
            _public_key(),
            algorithms=["RS256"],
            options={"verify_aud": False, "require": ["iss", "sub", "aud", "exp"]},
        )
    except jwt.ExpiredSignatureError:
        raise TokenRefused("invalid_grant", "expired authorization code") from None
    except (jwt.PyJWTError, TypeError, ValueError, OverflowError, RecursionError):  # claims of other types
        raise TokenRefused("invalid_grant", "invalid assertion") from None
    if not all(isinstance(claims[name], str) for name in ("iss", "sub")):
        raise TokenRefused("invalid_grant", "invalid assertion")
    if claims["iss"] not in credentials.APPS:
        raise TokenRefused("invalid_client_id", "client identifier invalid")
    expiry = int(claims["exp"])
    if (expiry // 1000 if expiry > _MILLISECONDS else expiry) > time.time() + _LONGEST_JWT:
        raise TokenRefused("invalid_grant", "expiration too far in the future")
    if claims["sub"].casefold() != credentials.USERNAME:
        raise TokenRefused("invalid_grant", "user hasn't approved this consumer")


@cache
def _public_key() -> str:
    pem = (files("sfmap.engine.local_org.calls") / credentials.KEY_FILE).read_bytes()
    key = load_pem_private_key(pem, None).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
