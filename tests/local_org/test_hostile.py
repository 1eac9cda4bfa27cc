"""Malicious and malformed requests are refused, and the org continues."""

import gzip
import resource
import socket
import time
import zlib
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest
import requests

from sfmap.engine.http.connections import MOST_IDLE
from sfmap.engine.local_org.calls.http_requests import LARGEST_REQUEST
from sfmap.engine.local_org.process import LocalOrg

from .conftest import ENVELOPE, Client, post

BOMB = '<!DOCTYPE b [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;">]>'
EXTERNAL = '<!DOCTYPE b [<!ENTITY c SYSTEM "file:///etc/hostname">]>'
LOGIN = ENVELOPE.format(headers="", body="<login><username>&c;</username></login>")

REFUSED = [
    ("not xml", b"nonsense", {}, "not well-formed"),
    ("empty", b"", {}, "not well-formed"),
    ("entity bomb", (BOMB + LOGIN).encode(), {}, "document type declaration"),
    ("external entity", (EXTERNAL + LOGIN).encode(), {}, "document type declaration"),
    ("deep", b"<a>" * 5_000 + b"</a>" * 5_000, {}, "not well-formed"),
    ("no envelope", b"<a/>", {}, "not a SOAP envelope"),
    ("two operations", ENVELOPE.format(headers="", body="<a/><b/>").encode(), {}, "not a SOAP envelope"),
    ("no session", ENVELOPE.format(headers="", body="<query/>").encode(), {}, "INVALID_SESSION_ID"),
    ("no gzip", b"<a/>", {"Content-Encoding": "gzip"}, "is not valid gzip"),
    ("large", b" " * (LARGEST_REQUEST + 1), {}, "larger than 50 MB"),
    ("gzip bomb", gzip.compress(bytes(LARGEST_REQUEST + 1)), {"Content-Encoding": "gzip"}, "larger than 50 MB"),
    ("truncated gzip", gzip.compress(LOGIN.encode())[:-20], {"Content-Encoding": "gzip"}, "cut short"),
]


@pytest.mark.parametrize(
    ("data", "headers", "words"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_invalid_requests_are_refused(
    local: LocalOrg, client: Client, data: bytes, headers: dict[str, str], words: str
) -> None:
    reply = post(client.url, data, **headers)
    assert reply.status_code == 500
    assert words in reply.text
    assert "ha" * 8 not in reply.text
    assert client.query("SELECT LastName FROM Lead WHERE LastName = 'nobody'") == []


def test_an_unknown_operation_is_refused(client: Client) -> None:
    assert "has no operation dropEverything" in client.call("<dropEverything/>")


def test_differences_between_clients_are_accepted(local: LocalOrg, client: Client) -> None:
    soql = "<!-- a comment --><x:queryString>SELECT Id FROM Lead LIMIT 0</x:queryString>"
    body = f'<x:query xmlns:x="urn:other">{soql}</x:query>'
    session = f"<SessionHeader><sessionId>{client.session_id}</sessionId></SessionHeader>"
    packed = zlib.compressobj(wbits=31)
    data = packed.compress(ENVELOPE.format(headers=session, body=body).encode()) + packed.flush()
    for path in ("/services/Soap/u/31.0", "/services/Soap/u/64.0/", "/services/Soap/u/64.0/00D000000000001/"):
        reply = post(local.url + path, data, **{"Content-Encoding": "gzip", "SOAPAction": "anything"})
        assert reply.status_code == 200, reply.text
        assert "<done>true</done>" in reply.text


@pytest.mark.parametrize("path", ["services/data/v64.0/sobjects/Lead", "services/oauth2/token", "faults"])
def test_large_bodies_are_refused_at_every_endpoint(local: LocalOrg, client: Client, path: str) -> None:
    large = b" " * (LARGEST_REQUEST + 1)
    reply = requests.request("PUT" if path == "faults" else "POST", f"{local.url}/{path}", data=large, timeout=60)
    assert reply.status_code == (400 if "token" in path else 413)
    assert client.query("SELECT LastName FROM Lead WHERE LastName = 'nobody'") == []


IDLE = 2_000


def test_idle_connections_are_closed(local: LocalOrg, client: Client) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, IDLE * 2) if hard > 0 else IDLE * 2, hard))
    address = urlsplit(local.url)
    try:
        with ExitStack() as open_ones:
            silent = [
                open_ones.enter_context(socket.create_connection((str(address.hostname), address.port or 0), 10))
                for _ in range(IDLE)
            ]
            silent[0].sendall(b"POST /services/Soap/u/64.0 HTTP/1.1\r\nHo")  # and never goes on
            assert client.query("SELECT LastName FROM Lead WHERE LastName = 'nobody'") == []
            until = time.monotonic() + 60
            while sum(map(is_closed, silent)) < IDLE - MOST_IDLE:
                assert time.monotonic() < until
                time.sleep(0.1)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def is_closed(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


def test_a_slow_body_does_not_block_other_requests(local: LocalOrg, client: Client) -> None:
    """It may take a minute; others are served meanwhile."""
    address = urlsplit(local.url)
    with socket.create_connection((str(address.hostname), address.port or 0), 10) as slow:
        slow.sendall(b"POST /services/Soap/u/64.0 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900\r\n\r\n<a")
        assert client.query("SELECT LastName FROM Lead WHERE LastName = 'nobody'") == []
