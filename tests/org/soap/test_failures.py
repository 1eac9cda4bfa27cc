"""How a call can fail: which error it becomes, with no secret in it."""

import socket
import ssl
import traceback
from collections.abc import Callable
from dataclasses import replace
from typing import TypedDict

import pytest
import requests
from syrupy.assertion import SnapshotAssertion
from urllib3 import HTTPSConnectionPool
from urllib3.exceptions import MaxRetryError
from urllib3.exceptions import SSLError as Urllib3SSLError

from sfmap.engine.org.port import (
    CallRefused,
    LimitReached,
    OrgError,
    OrgOutOfReach,
    OrgUnavailable,
    RecordWrite,
    SignInRefused,
    TooManyCalls,
)
from sfmap.engine.org.soap import PasswordLogin, Secret, SoapOrg, SoapSettings
from sfmap.engine.org.soap.failure_meanings import FAULTS, FaultMeaning
from sfmap.engine.org.soap.failures import FailedCall, error_from

from .conftest import USUAL, Canned, CannedServer

ONE = [RecordWrite({"LastName": "Ada"})]
HTML = "<!DOCTYPE html><html><body><h1>Down for maintenance</h1><br></body></html>"
CUT = '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body><createRes'
NO_BODY = '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"/>'
EMPTY_BODY = (
    '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Header/><e:Body></e:Body></e:Envelope>'
)
NOWHERE = {"Location": "http://["}
ENTITY = f'<!DOCTYPE Envelope [<!ENTITY x "y">]>{EMPTY_BODY}'
EXTERNAL = f'<!DOCTYPE Envelope SYSTEM "file:///etc/hostname">{EMPTY_BODY}'
SOAP_12 = EMPTY_BODY.replace(
    "http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"
)
NO_FAULT = EMPTY_BODY.replace("></e:Body>", "><a/></e:Body>")
PLAIN_FAULT = EMPTY_BODY.replace(
    "></e:Body>", "><e:Fault><faultcode>e:Server</faultcode><faultstring>oops</faultstring></e:Fault></e:Body>"
)

# What is answered: the error, its code, whether the create may have been applied, and words of the message.
ANSWERS = {
    "HTML 503": (Canned(HTML, 503, "text/html"), OrgUnavailable, "", True, "maintenance (HTTP 503, text/html)"),
    "HTML 200": (Canned(HTML, 200, "text/html"), OrgUnavailable, "", True, "not the API, such as a web page"),
    "HTML 500": (Canned(HTML, 500, "text/html"), OrgUnavailable, "", True, "not the API (HTTP 500, text/html)"),
    "gateway": (Canned("bad gateway", 502, "text/plain"), OrgUnavailable, "", True, "HTTP 502"),
    "forbidden": (Canned(HTML, 403, "text/html"), OrgOutOfReach, "", False, "HTTP 403"),
    "not found": (Canned("", 404), OrgOutOfReach, "", False, "no API at this address"),
    "too large": (Canned(HTML, 413, "text/html"), CallRefused, "", False, "too large (HTTP 413"),
    "too many": (Canned("", 429), OrgUnavailable, "", False, "fewer calls"),
    "teapot": (Canned("", 418), OrgUnavailable, "", False, "not the API (HTTP 418"),
    "redirect": (
        Canned("", 302, headers={"Location": "https://elsewhere.example/x"}),
        OrgOutOfReach,
        "",
        False,
        "redirects the call (HTTP 302 to elsewhere.example)",
    ),
    "redirect to nowhere": (
        Canned("", 307, headers={"Location": "http://["}),
        OrgOutOfReach,
        "",
        False,
        "to nowhere",
    ),
    "empty 200": (Canned("", 200), OrgUnavailable, "", True, "HTTP 200"),
    "empty 500": (Canned("", 500), OrgUnavailable, "", True, "HTTP 500"),
    "truncated XML": (Canned(CUT), OrgUnavailable, "", True, "incomplete or malformed"),
    "truncated XML 500": (Canned(CUT, 500), OrgUnavailable, "", True, "incomplete or malformed"),
    "truncated HTTP": (Canned(CUT, accident="truncate"), OrgUnavailable, "", True, "while answering the"),
    "no body": (Canned(NO_BODY), OrgUnavailable, "", True, "no SOAP body"),
    "empty body": (Canned(EMPTY_BODY), OrgUnavailable, "", True, "no SOAP body"),
    "an entity": (Canned(ENTITY), OrgUnavailable, "", True, "XML that cannot be read"),
    "an external DTD": (Canned(EXTERNAL), OrgUnavailable, "", True, "XML that cannot be read"),
    "SOAP 1.2": (Canned(SOAP_12), OrgUnavailable, "", True, "no SOAP body"),
    "500 without fault": (Canned(NO_FAULT, 500), OrgUnavailable, "", True, "an error status, but no fault"),
    "a fault without code": (Canned(PLAIN_FAULT, 500), CallRefused, "", True, "refused the create call: oops"),
    "reset": (Canned(accident="reset"), OrgUnavailable, "", True, "broke the connection"),
    "close": (Canned(accident="close"), OrgUnavailable, "", True, "closed the connection without answering"),
}


@pytest.mark.parametrize(("answer", "error", "code", "applied", "words"), ANSWERS.values(), ids=ANSWERS)
def test_an_invalid_answer_becomes_an_error(
    org: SoapOrg,
    canned: CannedServer,
    secrets: tuple[str, ...],
    answer: Canned,
    error: type[OrgError],
    code: str,
    applied: bool,
    words: str,
) -> None:
    canned.put("create", answer)

    caught = _failing(lambda: org.create("Lead", ONE), secrets)

    assert type(caught) is error
    assert (caught.code, caught.maybe_applied) == (code, applied)
    assert words in caught.message
    assert org.calls() == {"login": 1, "create": 1}


@pytest.mark.parametrize(("answer", "error", "code", "applied", "words"), ANSWERS.values(), ids=ANSWERS)
def test_a_failed_query_is_never_in_doubt(
    org: SoapOrg, canned: CannedServer, answer: Canned, error: type[OrgError], code: str, applied: bool, words: str
) -> None:
    canned.put("query", answer)

    with pytest.raises(OrgError) as caught:
        org.find("Lead", ("Email",), [("a",)])

    assert not caught.value.maybe_applied


# The code and words of a fault: the error, and whether a create may have been applied.
FAULT_ERRORS = [
    ("INVALID_LOGIN", "Invalid username, password, security token; or user locked out.", SignInRefused, False),
    ("SERVER_UNAVAILABLE", "server too busy", OrgUnavailable, False),
    ("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", LimitReached, False),
    ("REQUEST_LIMIT_EXCEEDED", "ConcurrentPerOrgLongTxn Limit exceeded", TooManyCalls, False),
    ("API_CURRENTLY_DISABLED", "API is temporarily disabled", OrgUnavailable, False),
    ("API_DISABLED_FOR_ORG", "API is not enabled for this Organization or Partner", SignInRefused, False),
    ("EXCEEDED_ID_LIMIT", "record limit reached.", CallRefused, False),
    ("INVALID_FIELD", "No such column 'X' on entity 'Lead'.", CallRefused, False),
    ("INVALID_TYPE", "sObject type 'X' is not supported.", CallRefused, False),
    ("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id", CallRefused, False),
    ("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record", OrgUnavailable, False),
    ("UNKNOWN_EXCEPTION", "An unexpected error occurred. ErrorId: 1-2", CallRefused, True),
]


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize(("code", "message", "error", "applied"), FAULT_ERRORS)
def test_a_fault_becomes_its_error(
    org: SoapOrg,
    canned: CannedServer,
    secrets: tuple[str, ...],
    status: int,
    code: str,
    message: str,
    error: type[OrgError],
    applied: bool,
) -> None:
    canned.put("create", canned.fault(code, message, status=status))

    caught = _failing(lambda: org.create("Lead", ONE), secrets)

    assert type(caught) is error
    assert (caught.code, caught.maybe_applied) == (code, applied)


@pytest.mark.parametrize("meaning", FAULTS, ids=lambda meaning: f"{meaning.code} {meaning.words}".strip())
def test_a_fault_has_a_message_and_advice(meaning: FaultMeaning, snapshot: SnapshotAssertion) -> None:
    operation = meaning.operation or ("login" if meaning.error is SignInRefused else "create")
    call = FailedCall(
        operation=operation, host="acme.my.salesforce.com", user="integration@acme.example", secrets=()
    )
    said = f"{meaning.words} the org's own words".strip()

    error = _fault_error(meaning.code, said, call)

    assert type(error) is meaning.error
    assert f"{error.message}\n-> {error.hint}" == snapshot


@pytest.mark.parametrize("name", ANSWERS)
def test_an_invalid_answer_has_a_message_and_advice(
    org: SoapOrg, canned: CannedServer, name: str, snapshot: SnapshotAssertion
) -> None:
    canned.put("create", ANSWERS[name][0])

    with pytest.raises(OrgError) as caught:
        org.create("Lead", ONE)

    message = f"{caught.value.message}\n-> {caught.value.hint}"
    assert message.replace(canned.url.removeprefix("http://"), "acme.my.salesforce.com") == snapshot


def test_a_refused_connection_is_not_counted(secrets: tuple[str, ...]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    org = SoapOrg(replace(USUAL, login_url=f"http://127.0.0.1:{port}"))

    caught = _failing(lambda: org.create("Lead", ONE), secrets)

    assert type(caught) is OrgUnavailable
    assert caught.message.startswith(f"cannot connect to 127.0.0.1:{port}: connection refused")
    assert not caught.maybe_applied
    assert org.calls() == {}


def test_a_refused_connection_after_the_sign_in_is_not_in_doubt(org: SoapOrg, canned: CannedServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    canned.put("login", canned.signed_in(server=f"http://127.0.0.1:{port}"))

    with pytest.raises(OrgUnavailable, match="connection refused") as caught:
        org.create("Lead", ONE)

    assert not caught.value.maybe_applied
    assert org.calls() == {"login": 1}


def test_an_earlier_exception_does_not_change_the_error(org: SoapOrg, canned: CannedServer) -> None:
    canned.put("create", Canned(accident="close"))
    refused = SoapOrg(replace(USUAL, login_url="http://127.0.0.1:1"))

    try:
        refused.object_names()
    except OrgUnavailable:
        with pytest.raises(OrgUnavailable) as caught:
            org.create("Lead", ONE)

    assert caught.value.maybe_applied


def test_an_unknown_host_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)

    with pytest.raises(OrgUnavailable, match=r"cannot connect to no\.such\.invalid: there is no such host name"):
        SoapOrg(replace(USUAL, login_url="https://no.such.invalid")).object_names()


def test_a_server_without_tls_is_reported(canned: CannedServer) -> None:
    with pytest.raises(OrgUnavailable, match="the TLS handshake failed"):
        SoapOrg(replace(USUAL, login_url=canned.url.replace("http:", "https:"))).object_names()


def test_an_untrusted_certificate_is_reported() -> None:
    reason = Urllib3SSLError(ssl.SSLCertVerificationError("self-signed"))
    failure = requests.exceptions.SSLError(MaxRetryError(HTTPSConnectionPool("acme.example"), "/", reason))

    error = error_from(failure, FailedCall(operation="create", host="acme.example", user="ada", secrets=()))

    assert "certificate is not trusted" in error.message
    assert not error.maybe_applied


@pytest.mark.parametrize("operation", ["create", "login"])
def test_a_timeout_is_reported(canned: CannedServer, secrets: tuple[str, ...], operation: str) -> None:
    canned.put(operation, Canned(accident="hang"))
    org = SoapOrg(replace(USUAL, login_url=canned.url, read_timeout=0.2))

    caught = _failing(lambda: org.create("Lead", ONE), secrets)

    assert type(caught) is OrgUnavailable
    assert f"did not answer the {operation} call in time" in caught.message
    assert caught.maybe_applied is (operation == "create")
    assert org.calls()[operation] == 1


def test_an_answer_that_is_too_large_is_refused(
    org: SoapOrg, canned: CannedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sfmap.engine.org.soap.transport.LONGEST_ANSWER", 1_000)
    canned.put("create", canned.results("create", "<id>x</id>" * 1_000))

    with pytest.raises(OrgUnavailable, match="too large or unreadable") as caught:
        org.create("Lead", ONE)

    assert caught.value.maybe_applied


@pytest.mark.parametrize("operation", ["login", "create"])
def test_secrets_in_a_fault_are_hidden(
    org: SoapOrg, canned: CannedServer, secrets: tuple[str, ...], operation: str
) -> None:
    echo = f"bad credentials {' '.join(secrets)} {secrets[0]}{secrets[1]}"
    canned.put(operation, canned.fault("SOME_CODE", echo))
    held = secrets if operation == "create" else secrets[:2]

    caught = _failing(lambda: org.create("Lead", ONE), held)

    assert "bad credentials ***" in caught.message


def test_a_truncated_login_answer_reveals_no_secret(
    org: SoapOrg, canned: CannedServer, secrets: tuple[str, ...]
) -> None:
    canned.put("login", Canned(canned.signed_in().body.partition("</sessionId>")[0]))

    _failing(org.object_names, secrets)


def test_settings_show_no_secrets(settings: SoapSettings, secrets: tuple[str, ...]) -> None:
    assert not any(secret in f"{settings!r} {settings}" for secret in secrets)
    assert f"{Secret('x')!r} {Secret('x')}" == "*** ***"


def test_no_secret_is_logged(
    org: SoapOrg, canned: CannedServer, secrets: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    canned.put("create", canned.fault("UNKNOWN_EXCEPTION", "boom"))

    _failing(lambda: org.create("Lead", ONE), secrets)

    assert not any(secret in caplog.text for secret in secrets)


class Changes(TypedDict, total=False):
    login_url: str
    api_version: str


# The login URL or other setting that is wrong: words of the message.
WRONG_SETTINGS: list[tuple[Changes, str]] = [
    ({"login_url": "http://login.salesforce.com"}, "not encrypted"),
    ({"login_url": "http://127.0.0.1.evil.example"}, "not encrypted"),
    ({"login_url": "ftp://login.salesforce.com"}, "not encrypted"),
    ({"login_url": "login.salesforce.com"}, "not just a scheme and a host"),
    ({"login_url": "https://login.salesforce.com/services/Soap/u/64.0"}, "not just a scheme and a host"),
    ({"login_url": "https://ada:hunter22@login.salesforce.com"}, "not just a scheme and a host"),
    ({"login_url": "https://login.salesforce.com?pw=hunter22"}, "not just a scheme and a host"),
    ({"login_url": "https://"}, "not just a scheme and a host"),
    ({"login_url": "https://[::1"}, "not just a scheme and a host"),
    ({"login_url": ""}, "not just a scheme and a host"),
    ({"api_version": "65.0"}, "removed login"),
    ({"api_version": "64"}, "not an API version"),
    ({"api_version": "30.0"}, "not an API version"),
    ({"api_version": "latest"}, "not an API version"),
]
WRONG_LOGINS = [
    ("", "hunter22", "No user name is set"),
    ("a@b.co", "", "No password is set"),
    ("a@b.co", "hunter22\x00", "a control character"),
]


@pytest.mark.parametrize(("username", "password", "words"), WRONG_LOGINS)
def test_invalid_logins_are_refused(username: str, password: str, words: str) -> None:
    with pytest.raises(SignInRefused, match=words) as caught:
        PasswordLogin(username, Secret(password))
    assert caught.value.hint
    assert "hunter22" not in str(caught.value)


@pytest.mark.parametrize(("changed", "words"), WRONG_SETTINGS)
def test_invalid_settings_are_refused(changed: Changes, words: str) -> None:
    with pytest.raises(SignInRefused, match=words) as caught:
        replace(USUAL, **changed)

    assert caught.value.hint
    assert "hunter22" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://test.salesforce.com/",
        "http://localhost:8080",
        "http://127.8.9.1:1",
        "http://[::1]:80",
        "HTTPS://a.b",
    ],
)
def test_valid_login_urls_are_accepted(url: str) -> None:
    assert replace(USUAL, login_url=url).endpoint.endswith("/services/Soap/u/64.0")
    assert "//services" not in replace(USUAL, login_url=url).endpoint


def _failing(call: Callable[[], object], secrets: tuple[str, ...]) -> OrgError:
    """The error that the call raises, once it is sure that neither it nor its traceback holds a secret."""
    with pytest.raises(OrgError) as caught:
        call()
    error = caught.value
    shown = [str(error), repr(error), repr(vars(error)), *_engine_frames(error)]
    assert not [secret for secret in secrets if any(secret in text for text in shown)]
    return error


def _engine_frames(error: OrgError) -> list[str]:
    trace = traceback.TracebackException.from_exception(error, capture_locals=True)
    traces = [trace, *filter(None, (trace.__cause__, trace.__context__))]
    return [
        f"{frame.line} {frame.locals}" for one in traces for frame in one.stack if "/engine/" in frame.filename
    ]


def _fault_error(code: str, said: str, call: FailedCall) -> OrgError:
    from zeep.exceptions import Fault

    return error_from(Fault(f"{code}: {said}", f"sf:{code}"), call)
