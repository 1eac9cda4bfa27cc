"""Sign-in by OAuth and with an existing session: the requests, and the errors."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sfmap.engine.org.port import OrgUnavailable, SignInRefused
from sfmap.engine.org.soap import Secret, SoapOrg, SoapSettings
from sfmap.engine.org.soap.sign_in import ClientCredentials, JwtBearer, ReadySession, RefreshToken, SignIn

from .conftest import CannedServer, Clock

TOKEN = "00D5f000000abcd!OAUTH.token"
JWT_TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()

WAYS: dict[str, SignIn] = {
    "client credentials": ClientCredentials("the-app", Secret("app-secret")),
    "jwt": JwtBearer("the-app", "integration@acme.example", Secret(PEM)),
    "refresh token": RefreshToken("the-app", Secret("refresh-me"), Secret("app-secret")),
}


@dataclass
class TokenServer:
    """Answers at the OAuth endpoint, and notes the forms that came."""

    api: CannedServer
    forms: list[dict[str, str]] = field(default_factory=list)
    status: int = 200
    answer: object = None
    url: str = ""

    def reply(self, body: bytes) -> tuple[int, bytes]:
        self.forms.append({name: values[0] for name, values in parse_qs(body.decode()).items()})
        usual = {"access_token": TOKEN, "instance_url": self.api.url, "token_type": "Bearer"}
        return self.status, json.dumps(self.answer or usual).encode()


@pytest.fixture
def tokens(canned: CannedServer) -> Iterator[TokenServer]:
    known = TokenServer(canned)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/services/oauth2/token"
            status, body = known.reply(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    known.url = f"http://127.0.0.1:{server.server_port}"
    canned.put("describeGlobal", canned.results("describeGlobal", "<sobjects><name>Lead</name></sobjects>"))
    yield known
    server.shutdown()
    server.server_close()


def settings(tokens: TokenServer, way: SignIn, api_version: str = "68.0") -> SoapSettings:
    return SoapSettings(tokens.url, way, api_version)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_the_token_is_used_as_the_session(tokens: TokenServer, way: SignIn) -> None:
    org = SoapOrg(settings(tokens, way))
    assert org.object_names() == {"Lead"}
    ((operation, envelope),) = tokens.api.requests
    assert operation == "describeGlobal"
    assert f"<p:sessionId>{TOKEN}</p:sessionId>" in envelope
    assert "login" not in org.calls()
    (form,) = tokens.forms
    assert form["grant_type"] in ("client_credentials", "refresh_token") or "jwt-bearer" in form["grant_type"]


def test_the_assertion_is_signed_and_short_lived(tokens: TokenServer) -> None:
    way = replace(settings(tokens, WAYS["jwt"]), audience="https://test.salesforce.com")
    SoapOrg(way).object_names()
    claims = jwt.decode(
        tokens.forms[0]["assertion"],
        KEY.public_key(),
        algorithms=["RS256"],
        audience="https://test.salesforce.com",
    )
    assert (claims["iss"], claims["sub"]) == ("the-app", "integration@acme.example")
    assert 0 < claims["exp"] - time.time() <= 180


def test_an_expired_token_is_renewed_once(tokens: TokenServer) -> None:
    org = SoapOrg(settings(tokens, WAYS["refresh token"]))
    org.object_names()
    tokens.api.ended = TOKEN
    tokens.answer = {"access_token": f"{TOKEN}.two", "instance_url": tokens.api.url}
    tokens.api.put("query", tokens.api.results("query", "<done>true</done><size>0</size>"))
    assert org.find("Lead", ("Email",), [("a@b.co",)]) == []
    assert len(tokens.forms) == 2


def test_a_token_is_renewed_after_half_an_hour(tokens: TokenServer, clock: Clock) -> None:
    org = SoapOrg(settings(tokens, WAYS["client credentials"]), clock=clock)
    org.object_names()
    clock.now += 30 * 60
    org.object_names()
    assert len(tokens.forms) == 2
    assert tokens.api.seen()["describeGlobal"] == 2


REFUSALS = [
    ("invalid_client_id", "client identifier invalid", "no such client id", "consumer key"),
    ("invalid_client", "invalid client credentials", "client secret is wrong", "consumer secret"),
    ("invalid_grant", "request not supported on this domain", "does not accept client credentials", "My Domain"),
    ("invalid_grant", "no client credentials user enabled", "no user to run as", "Run As"),
    ("invalid_grant", "user hasn't approved this consumer", "has not approved the app", "pre-authorized"),
    ("invalid_grant", "audience is invalid", "another login host", "sandbox: true"),
    ("invalid_grant", "expired access/refresh token", "revoked or has expired", "Approve the app again"),
    ("invalid_grant", "invalid assertion", "private key is not", "certificate"),
    ("invalid_grant", "authentication failure", "refuses the grant", "docs/orgs.md"),
    ("invalid_app_access", "user is not admin approved", "may not use the app", "permission set"),
    ("inactive_user", "user is inactive", "user is inactive", "Activate"),
    ("unsupported_grant_type", "grant type not supported", "does not allow this way", "Switch the flow on"),
]


@pytest.mark.parametrize(("error", "description", "words", "hint"), REFUSALS)
def test_a_refusal_says_what_to_do(
    tokens: TokenServer, error: str, description: str, words: str, hint: str
) -> None:
    tokens.status, tokens.answer = 400, {"error": error, "error_description": description}
    org = SoapOrg(settings(tokens, WAYS["client credentials"]))
    for _ in range(2):
        with pytest.raises(SignInRefused) as refused:
            org.object_names()
        assert words in refused.value.message
        assert hint in refused.value.hint
        assert "app-secret" not in f"{refused.value!r} {refused.value.hint}"
    assert len(tokens.forms) == 1, "a refused sign-in is tried once"


HEALING = [
    ("invalid_grant", "token request is already being processed"),
    ("invalid_grant", "expired authorization code"),
    ("unknown_error", "retry your request"),
    ("temporarily_unavailable", "the server is busy"),
]


@pytest.mark.parametrize(("error", "description"), HEALING)
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_transient_token_error_is_retried(
    tokens: TokenServer, way: SignIn, error: str, description: str
) -> None:
    tokens.status, tokens.answer = 400, {"error": error, "error_description": description}
    org = SoapOrg(settings(tokens, way))
    with pytest.raises(OrgUnavailable, match=description) as caught:
        org.object_names()
    assert caught.value.hint
    tokens.status, tokens.answer = 200, None
    assert org.object_names() == {"Lead"}


@pytest.mark.parametrize("token", ["", None, 5, ["00D!x"]])
def test_an_answer_without_a_token_is_an_error(tokens: TokenServer, token: object) -> None:
    tokens.answer = {"access_token": token, "instance_url": tokens.api.url}
    with pytest.raises(OrgUnavailable, match="gave no token"):
        SoapOrg(settings(tokens, WAYS["client credentials"])).object_names()
    assert tokens.api.requests == []


def test_an_unreachable_token_endpoint_is_not_a_refusal(tokens: TokenServer) -> None:
    tokens.status, tokens.answer = 503, ["<html>"]
    with pytest.raises(OrgUnavailable, match="HTTP 503"):
        SoapOrg(settings(tokens, WAYS["client credentials"])).object_names()
    nowhere = SoapSettings("http://127.0.0.1:1", WAYS["client credentials"], "68.0")
    with pytest.raises(OrgUnavailable, match=r"cannot connect to .*: connection refused"):
        SoapOrg(nowhere).object_names()


def test_a_jwt_token_needs_a_newer_api_version(tokens: TokenServer) -> None:
    tokens.answer = {"access_token": JWT_TOKEN, "instance_url": tokens.api.url}
    with pytest.raises(SignInRefused, match=r"accepts these from 68\.0 on") as refused:
        SoapOrg(settings(tokens, WAYS["client credentials"], "67.0")).object_names()
    assert JWT_TOKEN not in str(refused.value)
    assert SoapOrg(settings(tokens, WAYS["client credentials"], "68.0")).object_names() == {"Lead"}


def test_a_token_for_another_server_is_not_sent_there(tokens: TokenServer) -> None:
    tokens.answer = {"access_token": TOKEN, "instance_url": "http://evil.example"}
    with pytest.raises(SignInRefused, match="nothing was sent"):
        SoapOrg(settings(tokens, WAYS["client credentials"])).object_names()


def test_an_invalid_private_key_is_refused(tokens: TokenServer) -> None:
    way = JwtBearer(
        "the-app", "a@b.co", Secret("-----BEGIN PRIVATE KEY-----\nhunter22\n-----END PRIVATE KEY-----")
    )
    with pytest.raises(SignInRefused, match="not contain a readable private RSA key") as refused:
        SoapOrg(settings(tokens, way)).object_names()
    assert "hunter22" not in str(refused.value)
    assert tokens.forms == []


def test_a_ready_session_is_used_and_never_renewed(tokens: TokenServer) -> None:
    way = ReadySession(Secret(TOKEN), tokens.api.url)
    org = SoapOrg(SoapSettings(tokens.api.url, way, "68.0"))
    assert org.object_names() == {"Lead"}
    tokens.api.ended = TOKEN
    with pytest.raises(SignInRefused, match="the session has ended") as refused:
        org.find("Lead", ("Email",), [("a@b.co",)])
    assert "sf org display" in refused.value.hint
    assert tokens.forms == []


@pytest.mark.parametrize(
    "identity",
    [
        "https://login.salesforce.com/id/00D5f000000abcdEAA/0055f000000abcdAAA",
        "/id/00D5f000000abcd/x",
        "nonsense",
        "",
    ],
)
def test_the_organization_is_read_from_the_token(tokens: TokenServer, identity: str) -> None:
    tokens.answer = {"access_token": TOKEN, "instance_url": tokens.api.url, "id": identity}
    org = SoapOrg(settings(tokens, WAYS["client credentials"]))
    assert org.organization_id() == "00D5f000000abcdEAA"
    assert org.calls() == {}
