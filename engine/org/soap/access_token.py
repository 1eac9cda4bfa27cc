"""Fetches an access token from the org's OAuth endpoint, and explains refusals."""

import binascii
import time
from collections.abc import Mapping
from dataclasses import dataclass

import requests

from sfmap.engine.mapping.values.values import full_record_id
from sfmap.engine.org.port import OrgError, OrgUnavailable, SignInRefused
from sfmap.engine.org.soap.failures import FailedCall, error_from
from sfmap.engine.org.soap.org_settings import SoapSettings
from sfmap.engine.org.soap.sign_in import ClientCredentials, JwtBearer, OAuth, Secret
from sfmap.engine.org.soap.transport import NotTheApiError, Transport

_PATH = "/services/oauth2/token"
_JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_JWT_LIFETIME = 180
"""In seconds; the org refuses assertions with a longer lifetime."""
FIRST_VERSION_WITH_JWT_TOKENS = 68
"""The first version whose SOAP API takes JWT access tokens; earlier ones report an invalid session."""


@dataclass(frozen=True, slots=True)
class AccessToken:
    access_token: Secret
    instance_url: str
    organization_id: str = ""
    """18 characters; empty if the org does not report it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Meaning:
    """The explanation of an OAuth error."""

    error: str
    words: str = ""
    """Words that the org's description must contain."""
    message: str
    hint: str


_APP = "Setup > External Client App Manager (or App Manager) > your app"
_MEANINGS = (
    _Meaning(
        error="invalid_client_id",
        message="the org knows no such client id",
        hint=f"Copy the consumer key from {_APP}.",
    ),
    _Meaning(
        error="invalid_client",
        message="the client secret is wrong",
        hint=f"Copy the consumer secret from {_APP}.",
    ),
    _Meaning(
        error="invalid_grant",
        words="not supported on this domain",
        message="this address does not accept client credentials",
        hint="Set login_url to the org's My Domain, such as https://acme.my.salesforce.com.",
    ),
    _Meaning(
        error="invalid_grant",
        words="no client credentials user",
        message="the app has no user to run as",
        hint=f"Choose a Run As user under {_APP} > Policies > Client Credentials Flow.",
    ),
    _Meaning(
        error="invalid_grant",
        words="hasn't approved",
        message="the user has not approved the app",
        hint=f"Set {_APP} > Policies > Permitted Users to pre-authorized, and give the app to the user's profile"
        " or permission set.",
    ),
    _Meaning(
        error="invalid_grant",
        words="audience",
        message="the assertion is for another login host",
        hint="Set sandbox: true for a sandbox; for production leave it out.",
    ),
    _Meaning(
        error="invalid_grant",
        words="expired access/refresh token",
        message="the refresh token has been revoked or has expired",
        hint="Approve the app again, and put the new refresh token in place of the old one.",
    ),
    _Meaning(
        error="invalid_grant",
        words="invalid assertion",
        message="the private key is not the one of the app's certificate, or this machine's clock is wrong",
        hint=f"Upload the key's certificate at {_APP} > Settings > OAuth > Use digital signatures.",
    ),
    _Meaning(
        error="invalid_app_access",
        message="the user may not use the app",
        hint=f"Give the user's profile or permission set to the app: {_APP} > Policies.",
    ),
    _Meaning(
        error="inactive_user",
        message="the user is inactive",
        hint="Activate the user in Setup > Users.",
    ),
    _Meaning(
        error="inactive_org",
        message="the org is locked or closed",
        hint="Ask Salesforce's support.",
    ),
    _Meaning(
        error="unsupported_grant_type",
        message="the app does not allow this way of signing in",
        hint=f"Switch the flow on under {_APP} > Settings > OAuth.",
    ),
    _Meaning(
        error="invalid_grant",
        message="the org refuses the grant",
        hint="Check user name, app and login_url; see docs/orgs.md.",
    ),
)


_HEALS = (
    ("invalid_grant", "token request is already being processed"),
    ("invalid_grant", "expired authorization code"),
    ("invalid_grant", "login rate exceeded"),
    ("unknown_error", "retry your request"),
    ("server_error", ""),
    ("temporarily_unavailable", ""),
)
"""Errors that do not mean wrong credentials, such as after two simultaneous requests for one token."""


def fetch_token(settings: SoapSettings, sign_in: OAuth, transport: Transport) -> AccessToken:
    """A new token. Raises `SignInRefused`, `OrgOutOfReach`, or `OrgUnavailable` if a retry may succeed."""
    url = f"{settings.login_url.rstrip('/')}{_PATH}"
    form = _form(settings, sign_in)
    failure: OrgError | None = None
    try:
        status, answer = transport.post_form(url, form)
    except (NotTheApiError, requests.RequestException) as error:
        failure = error_from(
            error, FailedCall(operation="token", host=settings.host, user=sign_in.user, secrets=sign_in.secrets)
        )
    if failure:  # raised outside the handler, so that no frame with the form and its secrets is attached
        raise failure
    token = _text(answer, "access_token")
    if status != 200 or not token:
        raise _refusal(settings, status, answer)
    return AccessToken(Secret(token), _text(answer, "instance_url"), _organization_id(_text(answer, "id")))


def _text(answer: Mapping[str, object], key: str) -> str:
    value = answer.get(key)
    return value if isinstance(value, str) else ""


def _organization_id(identity_url: str) -> str:
    """The organization in a URL such as https://login.salesforce.com/id/<organization>/<user>."""
    _, _, path = identity_url.partition("/id/")
    return full_record_id(path.partition("/")[0]) or ""


def check_token(token: Secret, api_version: str) -> None:
    """Raises `SignInRefused` for a token that this version of the SOAP API does not accept."""
    parts = token.text.split(".")
    is_jwt = len(parts) == 3 and token.text.startswith("eyJ")
    if is_jwt and int(api_version.partition(".")[0]) < FIRST_VERSION_WITH_JWT_TOKENS:
        raise SignInRefused(
            f"The access token is a JWT, and the SOAP API accepts these from {FIRST_VERSION_WITH_JWT_TOKENS}.0 on;"
            f" with {api_version} the org would report an invalid session.",
            hint=f'Set api_version to "{FIRST_VERSION_WITH_JWT_TOKENS}.0", or let the app issue opaque tokens:'
            f" {_APP} > Settings > OAuth > Issue JSON Web Token-based access tokens: off.",
        )


def _form(settings: SoapSettings, sign_in: OAuth) -> Mapping[str, str]:
    if isinstance(sign_in, ClientCredentials):
        return {
            "grant_type": "client_credentials",
            "client_id": sign_in.client_id,
            "client_secret": sign_in.client_secret.text,
        }
    if isinstance(sign_in, JwtBearer):
        return {"grant_type": _JWT_GRANT, "assertion": _assertion(settings, sign_in)}
    form = {
        "grant_type": "refresh_token",
        "client_id": sign_in.client_id,
        "refresh_token": sign_in.refresh_token.text,
    }
    return {**form, "client_secret": sign_in.client_secret.text} if sign_in.client_secret.text else form


def _assertion(settings: SoapSettings, sign_in: JwtBearer) -> str:
    import jwt  # with its cryptography, it takes a tenth of the time that a run takes to start

    claims = {
        "iss": sign_in.client_id,
        "sub": sign_in.username,
        "aud": settings.audience,
        "exp": int(time.time()) + _JWT_LIFETIME,
    }
    try:
        return jwt.encode(claims, sign_in.private_key.text, algorithm="RS256")
    except (ValueError, TypeError, jwt.PyJWTError, binascii.Error):
        pass  # the library's message may quote the key
    raise SignInRefused(
        "The key file does not contain a readable private RSA key.",
        hint="It must be a PEM file without a passphrase, beginning with -----BEGIN PRIVATE KEY-----.",
    )


def _refusal(settings: SoapSettings, status: int, answer: Mapping[str, object]) -> SignInRefused | OrgUnavailable:
    error, said = str(answer.get("error", "")), str(answer.get("error_description", ""))
    if any(known == error and words in said.casefold() for known, words in _HEALS):
        return OrgUnavailable(
            f"{settings.host} gave no token: {said or error}.",
            code=error,
            hint="Try again in a minute; if it persists, check this machine's clock.",
        )
    for meaning in _MEANINGS:
        if meaning.error == error and meaning.words in said:
            words = f"{settings.host} refuses the sign-in: {meaning.message} ({error}: {said})."
            return SignInRefused(words, code=error, hint=meaning.hint)
    if status >= 500 or status == 429 or not error:
        return OrgUnavailable(
            f"{settings.host} gave no token: HTTP {status} {error} {said}".rstrip() + ".",
            code=error,
            hint="Try again in a few minutes; if it persists, check login_url.",
        )
    return SignInRefused(f"{settings.host} refuses the sign-in: {said} ({error}).", code=error, hint="")
