"""The local org's OAuth token endpoint: opens sessions for client credentials, JWTs and refresh tokens."""

import base64
import binascii
import time
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import jwt
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from sfmap.engine.local_org.calls import credentials
from sfmap.engine.local_org.calls.sessions import ORGANIZATION_ID, USER_ID, ApiSession, ApiSessions

_JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_LONGEST_JWT = 180 + 30
"""The maximum lifetime of an assertion in seconds, plus a tolerance for clock differences."""


class TokenRefused(Exception):
    """An OAuth error and its description."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description


def token(sessions: ApiSessions, form: Mapping[str, str], authorization: str, base_url: str) -> Mapping[str, str]:
    """The response to a form posted to the token endpoint. Raises `TokenRefused`."""
    grant = form.get("grant_type", "")
    sent = {**form, **_basic(authorization)}
    if grant == "client_credentials":
        _check_client(sent, needs_secret=True)
    elif grant == _JWT_GRANT:
        _check_assertion(sent.get("assertion", ""))
    elif grant == "refresh_token":
        _check_client(sent, needs_secret=False)
        if sent.get("refresh_token") != credentials.REFRESH_TOKEN:
            raise TokenRefused("invalid_grant", "expired access/refresh token")
    else:
        raise TokenRefused("unsupported_grant_type", "grant type not supported")
    return _granted(sessions.open(grant), base_url)


def _granted(session: ApiSession, base_url: str) -> Mapping[str, str]:
    return {
        "access_token": session.id,
        "instance_url": base_url,
        "id": f"{base_url}/id/{ORGANIZATION_ID}/{USER_ID}",
        "token_type": "Bearer",
        "issued_at": str(int(time.time() * 1000)),
        "signature": base64.b64encode(b"local").decode(),
        "token_format": "opaque",
    }


def _basic(authorization: str) -> dict[str, str]:
    """Client id and secret from an Authorization header."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return {}
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise TokenRefused("invalid_client", "invalid client credentials") from None
    return {"client_id": client_id, "client_secret": secret}


def _check_client(sent: Mapping[str, str], needs_secret: bool) -> None:
    if sent.get("client_id") != credentials.CLIENT_ID:
        raise TokenRefused("invalid_client_id", "client identifier invalid")
    secret = sent.get("client_secret")
    if secret != credentials.CLIENT_SECRET and (needs_secret or secret is not None):
        raise TokenRefused("invalid_client", "invalid client credentials")


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
    except jwt.PyJWTError:
        raise TokenRefused("invalid_grant", "invalid assertion") from None
    if claims["iss"] != credentials.CLIENT_ID:
        raise TokenRefused("invalid_client_id", "client identifier invalid")
    if claims["exp"] - time.time() > _LONGEST_JWT:
        raise TokenRefused("invalid_grant", "expiration too far in the future")
    if str(claims["sub"]).casefold() != credentials.USERNAME:
        raise TokenRefused("invalid_grant", "user hasn't approved this consumer")


@cache
def _public_key() -> str:
    pem = (files("sfmap.engine.local_org.calls") / credentials.KEY_FILE).read_bytes()
    key = load_pem_private_key(pem, None).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
