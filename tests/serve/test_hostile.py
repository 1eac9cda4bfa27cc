"""Any request is answered properly, and the service continues."""

import http.client
import json
import socket
from urllib.parse import urlsplit

import orjson
from hypothesis import given
from hypothesis import strategies as st

from ..service import KEY, Service
from ..strategies import JSON

PATHS = st.one_of(
    st.sampled_from(
        [
            "/v1/identify",
            "/v1/batch",
            "/v1/import",
            "/webhooks/segment",
            "/webhooks/x",
            "/try",
            "/retry",
            "/discard",
            "/undo",
        ]
    ),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40).map(lambda text: f"/{text}"),
)
HEADERS = st.dictionaries(
    st.sampled_from(
        "Authorization Content-Type Content-Encoding Host Origin X-Signature Expect Cookie Accept-Encoding".split()
    ),
    st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=30),
    max_size=4,
)
BODIES = st.one_of(st.binary(max_size=300), JSON.map(lambda value: _json(value)))
METHODS = st.sampled_from(["GET", "POST", "OPTIONS", "PUT", "DELETE", "HEAD", "PATCH"])


def _json(value: object) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:
        return b"null"


@given(METHODS, PATHS, HEADERS, BODIES)
def test_any_request_is_answered_without_a_500(
    running: Service, method: str, path: str, headers: dict[str, str], body: bytes
) -> None:
    connection = http.client.HTTPConnection(urlsplit(running.url).netloc, timeout=10)
    try:
        connection.putrequest(method, path, skip_host="Host" in headers)
        for name, value in headers.items():
            connection.putheader(name, value.encode("latin-1"))
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        assert connection.getresponse().status < 500
    finally:
        connection.close()


@given(st.lists(JSON, max_size=3), st.dictionaries(st.text(max_size=9), JSON, max_size=4), JSON, JSON)
def test_any_batch_is_accepted_or_refused(
    running: Service, events: list[object], common: dict[str, object], sent_at: object, timestamp: object
) -> None:
    good = {"type": "identify", "timestamp": timestamp, "traits": common, "messageId": sent_at}
    body = _json({**common, "writeKey": KEY, "sentAt": sent_at, "batch": [good, *events]})
    assert running.ask("/v1/batch", body).status in (200, 400, 401)


def lists(levels: int) -> str:
    return "[" * levels + "]" * levels


TEXTS = st.one_of(
    st.integers(0, 1_100).map(lists),
    st.sampled_from(
        ["NaN", "-Infinity", "1e400", "9" * 30, "9" * 5_000, '"\\ud800"', '{"\\u0000":1,"":2}', "[", '"']
    ),
    JSON.map(json.dumps),
)


@given(TEXTS, TEXTS, TEXTS)
def test_any_json_text_is_accepted_or_refused(
    running: Service, context: str, integrations: str, trait: str
) -> None:
    """What was taken is delivered by the end of the service, however it was merged."""
    event = (
        f'{{"type":"identify","integrations":{{"Salesforce":true}},"traits":{{"email":"any@b.co","x":{trait}}}}}'
    )
    common = f'"context":{{"x":{context}}},"integrations":{{"x":{integrations}}}'
    answer = running.ask("/v1/batch", f'{{"writeKey":"{KEY}",{common},"batch":[{event}]}}'.encode())
    assert answer.status in (200, 400)
    assert answer.status == 200 or orjson.loads(answer.body)["message"]


@given(st.binary(max_size=200))
def test_invalid_http_ends_only_its_own_connection(running: Service, sent: bytes) -> None:
    parts = urlsplit(running.url)
    with socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=10) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)


def test_a_missing_body_does_not_delay_other_requests(running: Service) -> None:
    parts = urlsplit(running.url)
    with socket.create_connection((str(parts.hostname), int(parts.port or 0))) as slow:
        slow.sendall(b"POST /v1/batch HTTP/1.1\r\nHost: x\r\nContent-Length: 400000\r\n\r\n{")
        for _ in range(20):
            assert running.ask("/healthz").status == 200


def test_endless_headers_close_the_connection(running: Service) -> None:
    """uvicorn itself would gather hundreds of megabytes of headers or trailers before it asks who sends them."""
    parts = urlsplit(running.url)
    trailers = b"POST /v1/page HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n0\r\n"
    for head in (b"GET /%s" % (b"x" * 60_000), b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nX: ", trailers):
        with socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=10) as connection:
            connection.sendall(head)
            sent = 0
            try:
                while sent < 4_000_000:
                    sent += connection.send(b"x: %s\r\n" % (b"y" * 60_000))
            except OSError:
                pass
            assert sent < 4_000_000
    assert running.ask("/healthz").status == 200
