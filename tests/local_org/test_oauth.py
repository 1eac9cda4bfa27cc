"""OAuth: each grant, introspection, revocation, an app authorized in a browser, and who is signed in."""

import base64
import hashlib
import json
import math
import re
import time
from collections.abc import Iterator, Mapping
from importlib.resources import files
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests

from sfmap.engine.local_org.calls import credentials
from sfmap.engine.local_org.calls.sessions import ApiSessions
from sfmap.engine.local_org.process import LocalOrg, start_local_org

APP = {"client_id": credentials.CLIENT_ID, "client_secret": credentials.CLIENT_SECRET}
CLI = {"client_id": credentials.CLI_CLIENT_ID}
USER = {
    "username": credentials.USERNAME,
    "password": credentials.PASSWORD + credentials.SECURITY_TOKEN,
}
KEY = (files("sfmap.engine.local_org.calls") / credentials.KEY_FILE).read_text("utf-8")
ORGANIZATION, PERSON = "00D000000000001EAA", "005000000000001AAA"


@pytest.fixture(scope="module")
def lenient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalOrg]:
    """An org with the password grant switched on."""
    with start_local_org(tmp_path_factory.mktemp("lenient") / "org.db", password_grant=True) as running:
        yield running


def post(local: LocalOrg, endpoint: str, **form: str) -> requests.Response:
    return requests.post(f"{local.url}/services/oauth2/{endpoint}", form, timeout=30)


def get(local: LocalOrg, path: str, token: str = "", **query: str) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return requests.get(f"{local.url}{path}", query, headers=headers, timeout=30, allow_redirects=False)


def token_of(local: LocalOrg) -> str:
    return str(post(local, "token", grant_type="client_credentials", **APP).json()["access_token"])


def assertion(expires: int) -> str:
    claims = {
        "iss": credentials.CLIENT_ID,
        "sub": credentials.USERNAME,
        "aud": "https://login.salesforce.com",
        "exp": expires,
    }
    return jwt.encode(claims, KEY, algorithm="RS256")


JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
GRANTS: dict[str, tuple[Mapping[str, str], str]] = {
    "client credentials": ({"grant_type": "client_credentials", **APP}, ""),
    "client credentials without a secret": (
        {"grant_type": "client_credentials", "client_id": credentials.CLIENT_ID},
        "invalid_client: invalid client credentials",
    ),
    "an app without a secret has no client credentials": (
        {"grant_type": "client_credentials", **CLI, "client_secret": "x"},
        "invalid_client: invalid client credentials",
    ),
    "an app without a secret has no client credentials with an empty one": (
        {"grant_type": "client_credentials", **CLI, "client_secret": ""},
        "invalid_client: invalid client credentials",
    ),
    "refresh token": (
        {"grant_type": "refresh_token", **APP, "refresh_token": credentials.REFRESH_TOKEN},
        "",
    ),
    "refresh token of the command line": (
        {"grant_type": "refresh_token", **CLI, "refresh_token": credentials.REFRESH_TOKEN},
        "",
    ),
    "wrong refresh token": (
        {"grant_type": "refresh_token", **APP, "refresh_token": "x"},
        "invalid_grant: expired access/refresh token",
    ),
    "password": ({"grant_type": "password", **APP, **USER}, "invalid_grant: authentication failure"),
    "unknown": ({"grant_type": "magic", **APP}, "unsupported_grant_type: grant type not supported"),
    "unknown app": (
        {"grant_type": "client_credentials", "client_id": "x"},
        "invalid_client_id: client identifier invalid",
    ),
    "unknown code": (
        {"grant_type": "authorization_code", **APP, "code": "x", "redirect_uri": "http://localhost:1717/x"},
        "invalid_grant: invalid authorization code",
    ),
}


@pytest.mark.parametrize("case", GRANTS)
def test_grant(local: LocalOrg, case: str) -> None:
    check_grant(local, *GRANTS[case])


@pytest.mark.parametrize(
    ("seconds", "unit", "refused"),
    [
        (180, 1, ""),
        (180, 1000, ""),
        (7200, 1, "invalid_grant: expiration too far in the future"),
        (7200, 1000, "invalid_grant: expiration too far in the future"),
        (-5, 1, "invalid_grant: expired authorization code"),
    ],
)
def test_a_jwt_expires_in_seconds_or_as_the_command_line_sends_it_in_milliseconds(
    local: LocalOrg, seconds: int, unit: int, refused: str
) -> None:
    form = {"grant_type": JWT, "assertion": assertion(int(time.time() + seconds) * unit)}
    check_grant(local, form, refused)


ODD_CLAIMS: list[dict[str, object]] = [
    {"iss": ["x"]},
    {"iss": {}},
    {"sub": ["x"]},
    {"sub": None},
    {"exp": 10**400},
    {"exp": math.inf},
    {"exp": ["x"]},
    {"nbf": 10**400},
    {"iat": math.inf},
]


@pytest.mark.parametrize("claims", ODD_CLAIMS)
def test_claims_of_other_types_are_refused(local: LocalOrg, claims: dict[str, object]) -> None:
    usual = {"iss": credentials.CLIENT_ID, "sub": credentials.USERNAME, "aud": "x", "exp": int(time.time() + 100)}
    sent = jwt.PyJWS().encode(json.dumps(usual | claims).encode(), KEY, algorithm="RS256")
    answer = post(local, "token", grant_type=JWT, assertion=sent)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def check_grant(local: LocalOrg, form: Mapping[str, str], refused: str) -> None:
    answer = post(local, "token", **form)
    said = answer.json()
    if refused:
        assert (answer.status_code, f"{said['error']}: {said['error_description']}") == (400, refused)
    else:
        assert said["id"] == f"{local.url}/id/{ORGANIZATION}/{PERSON}"
        assert said["instance_url"] == local.url
        assert get(local, "/services/data/v66.0", said["access_token"]).status_code == 200


@pytest.mark.parametrize(
    ("changed", "refused"),
    [
        ({}, None),
        ({"password": credentials.PASSWORD}, "invalid_grant"),
        ({"username": "someone@else"}, "invalid_grant"),
        ({"client_secret": "x"}, "invalid_client"),
    ],
)
def test_the_password_grant_where_it_is_switched_on(
    lenient: LocalOrg, changed: Mapping[str, str], refused: str | None
) -> None:
    form = {"grant_type": "password", **APP, **USER, **changed}
    assert post(lenient, "token", **form).json().get("error") == refused


REDIRECT = "http://localhost:1717/OauthRedirect"
VERIFIER = "some-long-random-verifier"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")


def code_of(local: LocalOrg, **asked: str) -> str:
    wanted = {
        "response_type": "code",
        **CLI,
        "redirect_uri": REDIRECT,
        "state": "s 1",
        "code_challenge": CHALLENGE,
    }
    answer = get(local, "/services/oauth2/authorize", **{**wanted, **asked})
    assert answer.status_code == 302
    target = urlsplit(answer.headers["Location"])
    assert f"{target.scheme}://{target.netloc}{target.path}" == REDIRECT
    query = parse_qs(target.query)
    assert query["state"] == ["s 1"]
    return query["code"][0]


def test_an_app_that_a_browser_has_authorized_gets_a_token_once(local: LocalOrg) -> None:
    code = code_of(local)
    form = {"grant_type": "authorization_code", **CLI, "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
    granted = post(local, "token", **form, code=code).json()
    assert granted["refresh_token"] == credentials.REFRESH_TOKEN
    assert get(local, "/services/data/v66.0", granted["access_token"]).status_code == 200
    assert post(local, "token", **form, code=code).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("changed", "refused"),
    [
        ({"code_verifier": "x"}, "invalid_grant"),
        ({"redirect_uri": "http://localhost:1717/other"}, "redirect_uri_mismatch"),
        (APP, "invalid_client_id"),
    ],
)
def test_a_code_is_only_for_the_app_that_asked(local: LocalOrg, changed: Mapping[str, str], refused: str) -> None:
    form = {"grant_type": "authorization_code", **CLI, "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
    assert post(local, "token", **{**form, **changed}, code=code_of(local)).json()["error"] == refused


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/x", "javascript:alert(1)", "//evil.example", "", "http://[", "http://localhost:1/#x"],
)
def test_a_browser_is_never_sent_to_another_machine(local: LocalOrg, target: str) -> None:
    asked = {"response_type": "code", **CLI, "redirect_uri": target}
    assert get(local, "/services/oauth2/authorize", **asked).status_code == 400


def test_a_code_follows_the_query_of_the_address(local: LocalOrg) -> None:
    asked = {**CLI, "redirect_uri": f"{REDIRECT}?x=1"}
    for kind, name in (("code", "code"), ("token", "error")):
        answer = get(local, "/services/oauth2/authorize", **asked, response_type=kind)
        query = parse_qs(urlsplit(answer.headers["Location"]).query)
        assert (query["x"], len(query[name])) == (["1"], 1)


def test_a_code_expires_and_only_the_last_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = ApiSessions()
    codes = [sessions.authorize(client_id="a", redirect_uri="b", challenge="") for _ in range(1_001)]
    assert [sessions.exchange(codes[place]) is None for place in (0, 1, 1, 2)] == [True, False, True, False]
    later = time.monotonic() + 15 * 60
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert sessions.exchange(codes[3]) is None


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_revoked_token_is_no_longer_active(local: LocalOrg, method: str) -> None:
    token = token_of(local)
    active = post(local, "introspect", token=token, **APP).json()
    assert (active["active"], active["username"]) == (True, credentials.USERNAME)
    assert active["iat"] <= time.time() <= active["exp"]
    url, sent = f"{local.url}/services/oauth2/revoke", {"token": token}
    answer = requests.get(url, sent, timeout=30) if method == "GET" else requests.post(url, sent, timeout=30)
    assert answer.status_code == 200
    assert post(local, "introspect", token=token, **APP).json() == {"active": False}
    assert get(local, "/services/data/v66.0", token).status_code == 401


def test_only_an_app_with_its_secret_introspects(local: LocalOrg) -> None:
    refused = post(local, "introspect", token=token_of(local), client_id=credentials.CLIENT_ID)
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")


IDENTITY = f"/id/{ORGANIZATION}/{PERSON}"


@pytest.mark.parametrize("path", [IDENTITY, "/services/oauth2/userinfo"])
@pytest.mark.parametrize("token", ["", "00D!x"])
def test_nobody_is_identified_without_a_session(local: LocalOrg, path: str, token: str) -> None:
    answer = get(local, path, token)
    assert (answer.status_code, answer.text) == (403, "Bad_OAuth_Token")


def test_the_identity_is_the_signed_in_user(local: LocalOrg) -> None:
    token = token_of(local)
    found = get(local, IDENTITY, token).json()
    assert (found["user_id"], found["organization_id"]) == (PERSON, ORGANIZATION)
    assert found["urls"]["rest"] == f"{local.url}/services/data/v{{version}}/"
    assert get(local, IDENTITY, oauth_token=token, version="66.0").json()["urls"]["partner"] == (
        f"{local.url}/services/Soap/u/66.0/{ORGANIZATION[:15]}"
    )
    assert get(local, f"/id/{ORGANIZATION[:15]}/{PERSON[:15]}", token).status_code == 200
    assert get(local, f"/id/{ORGANIZATION}/005000000000009AAA", token).status_code == 404
    claims = get(local, "/services/oauth2/userinfo", token).json()
    assert claims["sub"] == found["id"] == get(local, "/services/data/v66.0", token).json()["identity"]
    assert claims["preferred_username"] == credentials.USERNAME


def test_a_browser_opens_the_org_by_its_front_door(local: LocalOrg) -> None:
    found = get(local, "/services/oauth2/singleaccess", token_of(local), redirect_uri="/lightning/setup").json()
    assert found == {"frontdoor_uri": f"{local.url}/secur/frontdoor.jsp?startURL=%2Flightning%2Fsetup"}
    assert requests.get(found["frontdoor_uri"], timeout=30).url == f"{local.url}/"


def test_the_page_of_a_call_does_not_show_the_token_of_its_address(local: LocalOrg) -> None:
    token = token_of(local)
    assert get(local, IDENTITY, oauth_token=token, version="66.0").status_code == 200
    found = re.search(r"/calls/(\d+)", get(local, "/calls").text)
    assert found
    page = get(local, found[0]).text
    assert "version=66.0" in page
    assert token.partition("!")[2] not in page
