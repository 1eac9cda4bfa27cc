"""Requests that mean harm, or are broken: a clean refusal, and the org lives on."""

import gzip
import zlib

import pytest

from sfmap.engine.org.local.process import LocalOrg
from sfmap.engine.org.local.server import LARGEST_REQUEST

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
    ("no envelope", b"<a/>", {}, "no SOAP envelope"),
    ("two operations", ENVELOPE.format(headers="", body="<a/><b/>").encode(), {}, "no SOAP envelope"),
    ("no session", ENVELOPE.format(headers="", body="<query/>").encode(), {}, "INVALID_SESSION_ID"),
    ("no gzip", b"<a/>", {"Content-Encoding": "gzip"}, "it is not"),
    ("large", b" " * (LARGEST_REQUEST + 1), {}, "larger than 50 MB"),
    ("gzip bomb", gzip.compress(bytes(LARGEST_REQUEST + 1)), {"Content-Encoding": "gzip"}, "larger than 50 MB"),
    ("truncated gzip", gzip.compress(LOGIN.encode())[:-20], {"Content-Encoding": "gzip"}, "not well-formed"),
]


@pytest.mark.parametrize(
    ("data", "headers", "words"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_refused(local: LocalOrg, client: Client, data: bytes, headers: dict[str, str], words: str) -> None:
    reply = post(client.url, data, **headers)
    assert reply.status_code == 500
    assert words in reply.text
    assert "ha" * 8 not in reply.text
    assert client.query("SELECT LastName FROM Lead WHERE LastName = 'nobody'") == []


def test_an_operation_that_is_none(client: Client) -> None:
    assert "has no operation dropEverything" in client.call("<dropEverything/>")


def test_what_clients_differ_in_does_not_matter(local: LocalOrg, client: Client) -> None:
    soql = "<!-- a comment --><x:queryString>SELECT Id FROM Lead LIMIT 0</x:queryString>"
    body = f'<x:query xmlns:x="urn:other">{soql}</x:query>'
    session = f"<SessionHeader><sessionId>{client.session_id}</sessionId></SessionHeader>"
    packed = zlib.compressobj(wbits=31)
    data = packed.compress(ENVELOPE.format(headers=session, body=body).encode()) + packed.flush()
    for path in ("/services/Soap/u/31.0", "/services/Soap/u/64.0/", "/services/Soap/u/64.0/00D000000000001/"):
        reply = post(local.url + path, data, **{"Content-Encoding": "gzip", "SOAPAction": "anything"})
        assert reply.status_code == 200, reply.text
        assert "<done>true</done>" in reply.text
