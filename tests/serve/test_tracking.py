"""The Tracking API: which requests are accepted or refused, and how events are stored."""

import gzip
import hashlib
import hmac
import re
import urllib.request
from base64 import b64encode

import orjson
import pytest

from ..folder import REPOSITORY
from ..service import KEY, SECRETS, Service

LEAD = {"userId": "ann@b.co", "traits": {"name": "Ann Lee"}, "integrations": {"Salesforce": True}}
BASIC = {"Authorization": f"Basic {b64encode(f'{KEY}:'.encode()).decode()}"}
SUCCESS = b'{"success":true}'


@pytest.mark.parametrize("path", ["identify", "group", "track", "page", "screen", "alias", *"igtpsa"])
def test_every_path_accepts_events(running: Service, path: str) -> None:
    answer = running.ask(f"/v1/{path}", {"userId": "x", "event": "E", "groupId": "g"}, **BASIC)
    assert (answer.status, answer.body) == (200, SUCCESS)
    assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("path", ["batch", "import", "b"])
@pytest.mark.parametrize("kind", ["application/json", "text/plain;charset=UTF-8"])
def test_batches_are_accepted_plain_and_compressed(running: Service, path: str, kind: str) -> None:
    body = orjson.dumps({"writeKey": KEY, "batch": [{"type": "page"}, {"type": "track", "event": "E"}]})
    assert running.ask(f"/v1/{path}", body, Content_Type=kind).body == SUCCESS
    assert running.ask(f"/v1/{path}", gzip.compress(body), Content_Encoding="gzip").body == SUCCESS


LARGE = {"type": "identify", "traits": {"x": "y" * 33_000}}


def deep(key: str, levels: int, **more: object) -> bytes:
    """With lists in lists under the key: deeper than any library writes."""
    beginning = orjson.dumps({"writeKey": KEY, **more})[:-1]
    return b'%s,"%s":{"x":%s%s}}' % (beginning, key.encode(), b"[" * levels, b"]" * levels)


PAGE_EVENT = {"type": "page"}
KEYS = {str(number): 1 for number in range(1_200)}
REFUSED: list[tuple[str, object, int, str]] = [
    ("identify", b"{", 400, "not JSON"),
    ("identify", b"[]", 400, "not a JSON object"),
    ("identify", b'\xff{"a":1}', 400, "not UTF-8"),
    ("identify", {**LARGE, "writeKey": KEY}, 400, "larger than 32 kB"),
    ("identify", {"writeKey": KEY, "traits": {str(n): 1 for n in range(3_000)}}, 400, "2,000 keys"),
    ("batch", {"writeKey": KEY, "batch": [{"type": "page"}, LARGE]}, 400, "Event 1 of the batch is larger"),
    ("batch", {"writeKey": KEY}, 400, "no list named batch"),
    ("batch", {"writeKey": KEY, "batch": [1]}, 400, "Event 0 of the batch is not"),
    ("batch", {"writeKey": KEY, "batch": [{"type": "page"}] * 2_501}, 400, "more than 2,500"),
    ("batch", b" " * 600_000, 413, "larger than 500 kB"),
    ("identify", deep("traits", 63), 400, "The event is nested more than 64 levels"),
    ("identify", deep("traits", 300), 400, "The event is nested more than 64 levels"),
    ("identify", deep("traits", 960), 400, "nested more than 512 levels"),
    ("identify", b'{"traits": %s' % (b"[" * 100_000), 400, "nested more than 512 levels"),
    ("identify", b'{"traits": {"x": NaN}}', 400, "NaN is not a JSON number"),
    # What a batch says for all is each event's own.
    *(
        ("batch", deep(key, levels, batch=[PAGE_EVENT]), 400, words)
        for key in ("context", "integrations")
        for levels, words in ((63, "Event 0 of the batch"), (300, "Event 0 of the batch"), (960, "512 levels"))
    ),
    (
        "batch",
        {"writeKey": KEY, "context": {"a": KEYS}, "batch": [{**PAGE_EVENT, "context": {"b": KEYS}}]},
        400,
        "Event 0 of the batch, with the batch's common fields, has more than 2,000 keys",
    ),
    (
        "batch",
        {"writeKey": KEY, "context": {"x": "y" * 66_000}, "batch": [PAGE_EVENT]},
        400,
        "Event 0 of the batch, with the batch's common fields, is larger than 64 kB",
    ),
    ("identify", {"userId": "x"}, 401, "not known"),
    ("identify", {"userId": "x", "writeKey": "another"}, 401, "not known"),
    ("identify", {"userId": "x", "writeKey": 7}, 401, "not known"),
]


@pytest.mark.parametrize(("path", "body", "status", "words"), REFUSED)
def test_invalid_requests_are_refused_with_a_reason(
    running: Service, path: str, body: object, status: int, words: str
) -> None:
    answer = running.ask(f"/v1/{path}", body)
    said = orjson.loads(answer.body)
    assert (answer.status, said["success"]) == (status, False)
    assert words in said["message"]


def test_compression_bombs_and_deep_events_are_refused(running: Service) -> None:
    bomb = gzip.compress(b" " * 100_000_000)
    assert running.ask("/v1/batch", bomb, Content_Encoding="gzip").status == 413
    assert running.ask("/v1/batch", b"no gzip", Content_Encoding="gzip").status == 400
    deep = b'{"writeKey": "%s", "traits": {"a": %s1%s}}' % (KEY.encode(), b"[" * 200, b"]" * 200)
    assert b"64 levels" in running.ask("/v1/identify", deep).body


def test_settings_name_this_server(running: Service) -> None:
    settings = orjson.loads(running.ask(f"/v1/projects/{KEY}/settings").body)
    assert settings["integrations"]["Segment.io"]["apiHost"] == running.url.removeprefix("http://") + "/v1"
    assert running.ask("/v1/projects/another/settings").status == 404


def test_every_metric_is_in_the_documentation(running: Service) -> None:
    text = (REPOSITORY / "docs" / "serve.md").read_text().replace("`_bytes`", "`sfmap_spool_bytes`")
    text = text.replace("`_age_seconds`", "`sfmap_spool_age_seconds`")
    names = re.findall(r"^# HELP (\w+) ", running.ask("/metrics").body.decode(), re.MULTILINE)
    assert len(names) > 10
    assert [name for name in names if not name.endswith("_created") and f"`{name}`" not in text] == []


def signature_of(body: bytes) -> str:
    return hmac.new(SECRETS["SEGMENT_SECRET"].encode(), body, hashlib.sha1).hexdigest()


def test_webhooks_are_accepted_with_their_secret(running: Service) -> None:
    body = orjson.dumps({"type": "page", "messageId": "m", "receivedAt": "2026-01-01T00:00:00.000Z"})
    signature = signature_of(body)
    assert running.ask("/webhooks/segment", body, X_Signature=signature).status == 200
    assert running.ask("/webhooks/segment", body, X_Signature=signature[:-1] + "x").status == 401
    assert running.ask("/webhooks/segment", body).status == 401
    bearer = f"Bearer {SECRETS['RUDDER_SECRET']}"
    assert running.ask("/webhooks/rudder", body, Authorization=bearer).status == 200
    assert running.ask("/webhooks/rudder", body, Authorization="Bearer x").status == 401
    assert running.ask("/webhooks/website", body, Authorization=f"Bearer {KEY}").status == 401
    # Segment tells of people to be forgotten, too.
    body = b'{"type":"delete","userId":"x"}'
    assert running.ask("/webhooks/segment", body, X_Signature=signature_of(body)).status == 200


def test_a_batch_of_a_webhook_is_signed_by_its_first_event(running: Service) -> None:
    before = running.metric('sfmap_accepted_total{source="segment"}')
    first = '{"type":"page","messageId":"\u00e9 ]}","traits":{"a":[1.50, {}]}}'.encode()
    for body in (b"[%s]" % first, b'[%s,{"type":"page"}]' % first):
        assert running.ask("/webhooks/segment", body, X_Signature=signature_of(first)).status == 200
        assert running.ask("/webhooks/segment", body, X_Signature=signature_of(body)).status == 200
        assert running.ask("/webhooks/segment", body, X_Signature=signature_of(b"{}")).status == 401
    assert running.metric('sfmap_accepted_total{source="segment"}') == before + 6
    for body in (b"[", b"[]", b"[%s" % first, b"[" * 100_000, b"[\xff"):
        assert running.ask("/webhooks/segment", body, X_Signature=signature_of(first)).status in (400, 401)


def test_an_event_without_a_type_does_not_block_its_batch(service: Service) -> None:
    service.start()
    batch = [{"type": "identify", **LEAD}, {"userId": "x"}, {"type": "sing"}]
    assert service.ask("/v1/batch", {"writeKey": KEY, "batch": batch}).status == 200
    service.wait_until_delivered()
    fates = ("created", "failed", "skipped")
    assert [service.metric(f'sfmap_outcomes_total{{outcome="{fate}"}}') for fate in fates] == [1, 1, 1]
    letters = service.folder.sfmap("dead-letters", "--json").stdout
    assert orjson.loads(letters)["reason"] == "the event has no type (identify, group, track, ...)"


def test_an_event_becomes_a_lead_within_a_second(service: Service) -> None:
    service.start()
    service.ask("/v1/identify", {**LEAD, "messageId": "first"}, **BASIC)  # the first one signs in
    service.wait_until_delivered()
    before = service.metric("sfmap_delivery_seconds_sum")
    assert service.ask("/v1/identify", {**LEAD, "userId": "bob@b.co"}, **BASIC).status == 200
    service.wait_until_delivered()
    assert service.metric("sfmap_delivery_seconds_sum") - before < 1
    assert service.folder.rows("SELECT Email, LastName FROM Lead ORDER BY Email") == [
        ("ann@b.co", "Lee"),
        ("bob@b.co", "Lee"),
    ]
    assert service.metric('sfmap_accepted_total{source="website"}') == 2
    assert service.metric('sfmap_outcomes_total{outcome="created"}') == 2
    assert not re.search(r"ann@|Lee|key-of", service.log())


def test_missing_ids_and_times_are_filled_in(service: Service) -> None:
    """Seen in dead letters, which are events as they were stored."""
    service.start()
    late = {
        "type": "identify", "timestamp": "2026-01-01T00:00:00Z", "integrations": {"Salesforce": True},
    }  # fmt: skip
    body = {"writeKey": KEY, "sentAt": "2026-01-01T00:00:10Z", "context": {"ip": "203.0.113.7"}, "batch": [late]}
    assert service.ask("/v1/batch", body).status == 200
    assert service.ask("/v1/import", body).status == 200
    service.wait_until_delivered()
    letters = service.folder.sfmap("dead-letters", "--json").stdout
    skewed, imported = (orjson.loads(line)["raw"] for line in letters.splitlines())
    assert skewed["messageId"] != imported["messageId"]
    assert skewed["context"] == {"ip": "203.0.113.7"}
    assert skewed["originalTimestamp"] == "2026-01-01T00:00:00Z"
    assert skewed["timestamp"][:10] == skewed["receivedAt"][:10] != "2026-01-01"
    assert imported["timestamp"] == "2026-01-01T00:00:00.000Z"


def stored(service: Service, path: str, body: dict[str, object]) -> list[dict[str, object]]:
    """The events as they are in the spool: seen in dead letters, since none of them has what a Lead needs."""
    assert service.ask(f"/v1/{path}", {"writeKey": KEY, **body}).status == 200
    service.wait_until_delivered()
    lines = service.folder.sfmap("dead-letters", "--json").stdout.splitlines()
    return [orjson.loads(line)["raw"] for line in lines]


OPTED_IN = {"Salesforce": True}


def test_common_fields_of_a_batch_are_copied_into_its_events(service: Service) -> None:
    service.start()
    common = {"integrations": OPTED_IN, "context": {"ip": "203.0.113.7", "page": {"path": "/"}}}
    own = {"type": "identify", "integrations": {"Mixpanel": False}, "context": {"page": {"title": "Home"}}}
    (event,) = stored(service, "batch", {**common, "batch": [own]})
    assert event["integrations"] == {"Salesforce": True, "Mixpanel": False}
    assert event["context"] == {"ip": "203.0.113.7", "page": {"title": "Home"}}


PAST = "2019-01-01T00:00:00.000Z"
TIMES = [
    ("import", {"timestamp": PAST, "originalTimestamp": PAST, "sentAt": "2019-01-01T00:00:01.000Z"}, PAST, PAST),
    ("batch", {"timestamp": "yesterday"}, "receivedAt", "yesterday"),
    ("batch", {"timestamp": 1546300800}, "receivedAt", 1546300800),
    ("batch", {"timestamp": PAST}, PAST, None),
]


@pytest.mark.parametrize(("path", "times", "timestamp", "original"), TIMES)
def test_timestamps_are_kept_or_replaced(
    service: Service, path: str, times: dict[str, object], timestamp: str, original: object
) -> None:
    service.start()
    (event,) = stored(service, path, {"batch": [{"type": "identify", "integrations": OPTED_IN, **times}]})
    assert event["timestamp"] == event.get(timestamp, timestamp)
    assert event.get("originalTimestamp") == original


def test_unpaired_surrogates_and_huge_numbers_are_accepted(service: Service) -> None:
    service.start()
    event = b'{"type":"identify","integrations":{"Salesforce":true},"traits":{"a":"x\\ud83d","b":1%s}}' % (
        b"0" * 30
    )
    body = b'\xef\xbb\xbf{"writeKey":"%s","batch":[%s]}' % (KEY.encode(), event)
    assert service.ask("/v1/batch", body).status == 200
    (found,) = stored(service, "batch", {"batch": []})
    assert found["traits"] == {"a": "x\ufffd", "b": 1e30}


def test_common_fields_do_not_count_towards_the_event_size(running: Service) -> None:
    """What a batch says once, and what is filled in, is not the event's own."""
    large = {"type": "track", "event": "E", "properties": {"x": "y" * 32_600}}
    body = {"writeKey": KEY, "context": {"z": "z" * 500}, "batch": [large]}
    assert running.ask("/v1/batch", body).status == 200


def test_a_batch_that_grows_too_large_is_refused(running: Service) -> None:
    """A long context in each of many empty events."""
    body = orjson.dumps({"writeKey": KEY, "context": {"z": "z" * 30_000}, "batch": [{}] * 2_500})
    answer = running.ask("/v1/batch", gzip.compress(body), Content_Encoding="gzip")
    assert (answer.status, orjson.loads(answer.body)["message"]) == (
        400,
        "The batch is too large once its common fields are copied into each event.",
    )


PAGE = orjson.dumps({"writeKey": KEY, "type": "page"})
PACKED = gzip.compress(PAGE)
# Named, since each worker collects them for itself and packed bytes hold the time.
ENCODINGS: dict[str, tuple[str, bytes, int]] = {
    "in capitals": ("GZIP", PACKED, 200),
    "its old name": ("x-gzip", PACKED, 200),
    "none": ("identity", PAGE, 200),
    "two members": ("gzip", gzip.compress(PAGE[:9]) + gzip.compress(PAGE[9:]), 200),
    "cut short": ("gzip", PACKED[:-6], 400),
    "empty": ("gzip", b"", 400),
    "another one": ("br", PAGE, 415),
}


@pytest.mark.parametrize(("encoding", "body", "status"), ENCODINGS.values(), ids=ENCODINGS)
def test_content_encodings_are_accepted_or_refused(
    running: Service, encoding: str, body: bytes, status: int
) -> None:
    assert running.ask("/v1/page", body, Content_Encoding=encoding).status == status


def test_another_method_is_answered_with_405(running: Service) -> None:
    answer = running.ask("/v1/identify")
    assert (answer.status, orjson.loads(answer.body)["message"]) == (405, "This address takes POST.")


def test_analytics_js_sends_no_metrics_to_segment(running: Service) -> None:
    settings = orjson.loads(running.ask(f"/v1/projects/{KEY}/settings").body)
    here = running.url.removeprefix("http://") + "/v1"
    assert settings["metrics"] == {"host": here, "sampleRate": 0}


def test_the_bearer_scheme_is_case_insensitive(running: Service) -> None:
    bearer = f"bearer {SECRETS['RUDDER_SECRET']}"
    assert running.ask("/webhooks/rudder", b'{"type":"page"}', Authorization=bearer).status == 200


FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Host": "evil.example"},
    {"Host": "[", "Origin": "http://localhost:3000"},
]


def test_only_this_machine_may_send_without_sources(service: Service) -> None:
    """Otherwise any page that somebody here looks at could write into the org."""
    (service.folder.path / "sfmap.yaml").unlink()
    service.start()
    body = {"writeKey": "any", "type": "page"}
    for headers in FOREIGN:
        assert service.ask("/v1/page", body, **headers).status == 401
    assert service.ask("/v1/page", body, Origin="http://localhost:3000").status == 200
    assert service.ask("/v1/page", body).status == 200


def test_refused_requests_are_logged_and_shown(service: Service) -> None:
    service.start()
    for _ in range(3):
        service.ask("/webhooks/segment", b"{}", X_Signature="0")
    service.ask("/webhooks/x%0Ay", b"{}")
    service.ask("/v1/track", {"writeKey": "mistyped"})
    assert service.log().count("Refused with 401 at /webhooks/segment: ") == 1
    assert service.log().count("Refused with 401 at /webhooks/...: ") == 1
    assert service.log().count("Refused with 401 at /v1/track: This write key is not known.") == 1
    assert "mistyped" not in service.log()
    page = service.ask("/counts").body.decode()
    assert '<td class="number">3</td><td>/webhooks/segment</td><td>401</td>' in page


def test_left_out_values_are_counted_and_shown(service: Service) -> None:
    service.start()
    traits = {"email": "a@b.co", "favouriteArtist": "x"}
    assert service.ask("/v1/identify", {"writeKey": KEY, "traits": traits, "integrations": OPTED_IN}).status == 200
    service.wait_until_delivered()
    assert service.metric("sfmap_notes_total") == 1
    assert "left out: Lead has no field favouriteArtist__c" in service.ask("/counts").body.decode()
    assert "To the local org" in service.ask("/counts").body.decode()
    assert "Delivering to the local org" in service.ask("/").body.decode()


@pytest.mark.parametrize(
    ("asked", "allowed"),
    [
        ("authorization,content-type,rsa-recovered,sentat", "authorization,content-type,rsa-recovered,sentat"),
        (None, "Authorization, Content-Type, Content-Encoding, AnonymousId, X-Retry-Count"),
        ("<script>", "Authorization, Content-Type, Content-Encoding, AnonymousId, X-Retry-Count"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/identify", "/api/s/identify", "/sourceConfig/"])
def test_a_preflight_allows_the_headers_that_are_asked_for(
    running: Service, path: str, asked: str | None, allowed: str
) -> None:
    headers = {"Access-Control-Request-Headers": asked} if asked else {}
    request = urllib.request.Request(f"{running.url}{path}", headers=headers, method="OPTIONS")
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 204
        assert answer.headers["Access-Control-Allow-Headers"] == allowed
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/nothing", {}),
        ("/v1/pixel/track", None),
        ("/api/s/nothing", {}),
        (f"/analytics.js/v1/{KEY}/analytics.min.js", None),
        ("/analytics-next/bundles/..%2fpackage.json", None),
        (f"/analytics-next/bundles/{'a' * 300}.js", None),
        ("/v1/projects/unknown/settings", None),
        ("/sourceConfig?writeKey=unknown", None),
    ],
)
def test_what_is_not_here_is_not_found(running: Service, path: str, body: object) -> None:
    answer = running.ask(path, body)
    assert (answer.status, orjson.loads(answer.body)["success"]) == (404, False)


@pytest.mark.parametrize(("query", "headers"), [(f"?writeKey={KEY}", {}), ("", BASIC)])
def test_the_configuration_of_rudderstack_is_for_a_known_key(
    running: Service, query: str, headers: dict[str, str]
) -> None:
    answer = running.ask(f"/sourceConfig{query}", **headers)
    assert answer.status == 200
    assert orjson.loads(answer.body)["source"]["enabled"] is True


def test_a_folder_without_analytics_js_is_refused(service: Service) -> None:
    (service.folder.path / "sfmap.yaml").write_text("serve: {analytics_js: nowhere}\n")
    assert "nowhere has no standalone.js. Run npm install @segment/analytics-next" in service.refused()
