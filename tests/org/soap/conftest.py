"""A server on loopback that answers each operation with prepared bodies, valid or broken."""

import gzip
import re
import socket
import struct
import threading
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sfmap.engine.org.soap import PasswordLogin, Secret, SoapOrg, SoapSettings

PASSWORD = "correct-horse-battery"
TOKEN = "TOKENtokenTOKEN"
SESSION_ID = "00D5f000000abcd!SESSION.one"
USUAL = SoapSettings(
    "https://login.salesforce.com", PasswordLogin("integration@acme.example", Secret(PASSWORD), Secret(TOKEN))
)

_OPERATION = re.compile(rb"<soap-env:Body><p:(\w+)")
_ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns="urn:partner.soap.sforce.com" xmlns:sf="urn:sobject.partner.soap.sforce.com" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">{header}<soapenv:Body>{body}</soapenv:Body>'
    "</soapenv:Envelope>"
)
_LIMITS = (
    "<soapenv:Header><LimitInfoHeader><limitInfo><current>{used}</current><limit>15000</limit>"
    "<type>API REQUESTS</type></limitInfo></LimitInfoHeader></soapenv:Header>"
)
_FAULT = (
    '<soapenv:Fault xmlns:f="urn:fault.partner.soap.sforce.com"><faultcode>f:{code}</faultcode>'
    '<faultstring>{code}: {message}</faultstring><detail><f:XFault xsi:type="f:XFault">'
    "<f:exceptionCode>{code}</f:exceptionCode><f:exceptionMessage>{message}</f:exceptionMessage>"
    "</f:XFault></detail></soapenv:Fault>"
)


@dataclass(frozen=True)
class Canned:
    """One raw HTTP answer; `accident` breaks it: reset, close, hang or truncate."""

    body: str = ""
    status: int = 200
    kind: str = "text/xml; charset=UTF-8"
    headers: dict[str, str] = field(default_factory=dict)
    accident: str = ""


class CannedServer:
    """Answers each operation with what was put there; the last answer of an operation stays."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str]] = []
        """Operation and envelope."""
        self.packed: list[int] = []
        """The sizes of the requests that came as gzip."""
        self.released = threading.Event()
        self.ended = ""
        """A session id that is answered with INVALID_SESSION_ID."""
        self._answers: dict[str, deque[Canned]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.put("login", self.signed_in())
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    def put(self, operation: str, *answers: Canned) -> None:
        self._answers[operation] = deque(answers)

    def answer(self, request: bytes, encoding: str | None) -> Canned:
        if encoding == "gzip":
            self.packed.append(len(request))
            request = gzip.decompress(request)
        found = _OPERATION.search(request)
        assert found or b"grant_type=" in request, request
        operation = found[1].decode() if found else "token"
        self.requests.append((operation, request.decode()))
        if self.ended and f">{self.ended}<".encode() in request:
            return self.fault("INVALID_SESSION_ID", "Session not found")
        waiting = self._answers[operation]
        return waiting.popleft() if len(waiting) > 1 else waiting[0]

    def seen(self) -> Counter[str]:
        return Counter(operation for operation, _ in self.requests)

    def envelope(self, body: str, *, header: str = "", status: int = 200) -> Canned:
        return Canned(_ENVELOPE.format(header=header, body=body), status)

    def results(self, operation: str, *results: str, used: int = 7) -> Canned:
        inner = "".join(f"<result>{result}</result>" for result in results)
        body = f"<{operation}Response>{inner}</{operation}Response>"
        return self.envelope(body, header=_LIMITS.format(used=used))

    def fault(self, code: str, message: str, *, status: int = 500) -> Canned:
        return self.envelope(_FAULT.format(code=code, message=message), status=status)

    def signed_in(self, session_id: str = SESSION_ID, *, server: str = "", expired: bool = False) -> Canned:
        return self.envelope(
            f"<loginResponse><result><passwordExpired>{str(expired).lower()}</passwordExpired>"
            f"<serverUrl>{server or self.url}/services/Soap/u/64.0/00D5f000000abcd</serverUrl>"
            f"<sessionId>{session_id}</sessionId></result></loginResponse>"
        )


def _handler(canned: CannedServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            request = self.rfile.read(int(self.headers["Content-Length"]))
            answer = canned.answer(request, self.headers["Content-Encoding"])
            if answer.accident == "hang":
                canned.released.wait(20)
            if answer.accident in ("reset", "close", "hang"):
                self._drop(reset=answer.accident == "reset")
                return
            self._send(answer)

        def _drop(self, *, reset: bool) -> None:
            if reset:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()

        def _send(self, answer: Canned) -> None:
            content = answer.body.encode()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.kind)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content) + 100 * (answer.accident == "truncate")))
            self.end_headers()
            self.wfile.write(content)
            self.close_connection = answer.accident == "truncate"

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


class Clock:
    """A clock that stands still until it is set forward."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def canned() -> Iterator[CannedServer]:
    server = CannedServer()
    yield server
    server.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settings(canned: CannedServer) -> SoapSettings:
    return replace(USUAL, login_url=canned.url)


@pytest.fixture
def org(settings: SoapSettings, clock: Clock) -> SoapOrg:
    return SoapOrg(settings, clock=clock)


@pytest.fixture
def secrets() -> tuple[str, ...]:
    return (PASSWORD, TOKEN, SESSION_ID)
