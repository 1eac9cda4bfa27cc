"""Single records over REST: what each request is answered, and what is refused."""

import re
from collections.abc import Callable
from itertools import count
from pathlib import Path
from urllib.parse import quote

import pytest
import requests

from sfmap.engine.local_org.process import LocalOrg, start_local_org

from .conftest import Rest, rest_client

MISSING = "00Q00000000zzzz"
_numbers = count()


def new_lead(rest: Rest, **fields: object) -> str:
    answer = rest.post("/sobjects/Lead", {"LastName": "Ann", "Company": "x", **fields})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def new_issue(rest: Rest) -> tuple[str, str]:
    """A new record's id and external id."""
    key = f"r-{next(_numbers)}"
    answer = rest.patch(f"/sobjects/Issue__c/Key__c/{key}", {})
    return answer.json()["id"], key


def code(answer: requests.Response) -> tuple[int, str]:
    """The status, and the error's code."""
    (error,) = answer.json()
    assert set(error) <= {"message", "errorCode", "fields"}, error
    return answer.status_code, error["errorCode"]


WRONG_TYPES = [
    ("LastName", ["Ann"], "string from START_ARRAY value ["),
    ("LastName", {"a": 1}, "string from START_OBJECT value {"),
    ("LastName", 7, "string from VALUE_NUMBER_INT value 7"),
    ("LastName", True, "string from VALUE_TRUE value true"),
    ("Phone", 1.5, "phone from VALUE_NUMBER_FLOAT value 1.5"),
    ("Vip__c", "yes", "boolean from VALUE_STRING value yes"),
    ("Vip__c", 1, "boolean from VALUE_NUMBER_INT value 1"),
    ("Vip__c", [], "boolean from START_ARRAY value ["),
    ("Score__c", "high", "double from VALUE_STRING value high"),
    ("Score__c", "", "double from VALUE_STRING value "),
    ("Score__c", False, "double from VALUE_FALSE value false"),
    ("NumberOfEmployees", 1.5, "int from VALUE_NUMBER_FLOAT value 1.5"),
    ("Seen__c", "2026-01-02 03:04:05", "datetime from VALUE_STRING value 2026-01-02 03:04:05"),
    ("Seen__c", "soon", "datetime from VALUE_STRING value soon"),
    ("Seen__c", 5, "datetime from VALUE_NUMBER_INT value 5"),
]


@pytest.mark.parametrize(("name", "value", "words"), WRONG_TYPES)
def test_a_value_of_another_type_is_refused(rest: Rest, name: str, value: object, words: str) -> None:
    sent = {"LastName": "Ann", "Company": "x", name: value}
    for answer in (
        rest.post("/sobjects/Lead", sent),
        rest.patch(f"/sobjects/Lead/{new_lead(rest)}", {name: value}),
    ):
        assert code(answer) == (400, "JSON_PARSER_ERROR")
        message = answer.json()[0]["message"]
        assert f"Cannot deserialize instance of {words} or request may be missing" in message
        assert re.search(r"at \[line:1, column:\d+\]$", message)


RIGHT_TYPES = [
    ("LastName", "Änn 🚀", "Änn 🚀"),
    ("LastName", "A\x00n\x1fn\ufffe", "Ann"),
    ("Vip__c", True, True),
    ("Vip__c", "TRUE", True),
    ("Score__c", 12.5, 12.5),
    ("Score__c", "12.5", 12.5),
    ("NumberOfEmployees", 3.0, 3),
    ("Seen__c", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000+0000"),
    ("Seen__c", "2026-01-02T03:04:05.678+01:00", "2026-01-02T02:04:05.678+0000"),
    ("Phone", "", None),
    ("Phone", None, None),
]


@pytest.mark.parametrize(("name", "value", "stored"), RIGHT_TYPES)
def test_a_value_is_stored(rest: Rest, name: str, value: object, stored: object) -> None:
    made = new_lead(rest, Phone="1")
    assert rest.patch(f"/sobjects/Lead/{made}", {name: value}).status_code == 204
    found = rest.get(f"/sobjects/Lead/{made}?fields={name}").json()
    assert (found[name], found["attributes"]["url"]) == (stored, f"/services/data/v66.0/sobjects/Lead/{made}")


BAD_BODIES: list[tuple[str | bytes, str]] = [
    ("", "JSON_PARSER_ERROR"),
    ("{", "JSON_PARSER_ERROR"),
    ('{"LastName":"Ann"', "JSON_PARSER_ERROR"),
    ("[]", "JSON_PARSER_ERROR"),
    ('"text"', "JSON_PARSER_ERROR"),
    ("null", "JSON_PARSER_ERROR"),
    (b'{"LastName":"\xff"}', "JSON_PARSER_ERROR"),
    ('{"a":' * 2_000 + "1" + "}" * 2_000, "JSON_PARSER_ERROR"),
    ('{"LastName":NaN}', "JSON_PARSER_ERROR"),
    ('{"Nope__c":"x"}', "INVALID_FIELD"),
    ('{"Nope__r":{"Key__c":"x"}}', "INVALID_FIELD"),
    ('{"LastName__r":{"Key__c":"x"}}', "INVALID_FIELD"),
    ('{"Owner":{"Nope__c":"x"}}', "INVALID_FIELD"),
    ('{"Owner":{"Username":["x"]}}', "JSON_PARSER_ERROR"),
    (f'{{"Id":"{MISSING}","LastName":"Ann"}}', "INVALID_FIELD"),
]


@pytest.mark.parametrize(("body", "expected"), BAD_BODIES)
def test_a_bad_body_is_refused(rest: Rest, body: str | bytes, expected: str) -> None:
    for answer in (
        rest.post("/sobjects/Lead", body, **{"Content-Type": "application/json"}),
        rest.patch(f"/sobjects/Lead/{new_lead(rest)}", body, **{"Content-Type": "application/json"}),
    ):
        assert code(answer) == (400, expected), body


MEDIA_TYPES = [
    ("application/json", 201),
    ("application/json; charset=UTF-8", 201),
    ("text/plain", 415),
    ("application/x-www-form-urlencoded", 415),
]


@pytest.mark.parametrize(("media_type", "status"), MEDIA_TYPES)
def test_only_json_is_read(rest: Rest, media_type: str, status: int) -> None:
    answer = rest.post("/sobjects/Lead", '{"LastName":"A","Company":"x"}', **{"Content-Type": media_type})
    assert answer.status_code == status, answer.text
    if status == 415:
        assert code(answer) == (415, "UNSUPPORTED_MEDIA_TYPE")


def test_a_create_tells_where_the_record_is(rest: Rest) -> None:
    answer = rest.post("/sobjects/Lead", {"LastName": "Ann", "Company": "x"})
    made = answer.json()["id"]
    assert answer.json() == {"id": made, "success": True, "errors": []}
    assert answer.headers["Location"] == f"/services/data/v66.0/sobjects/Lead/{made}"


UPSERTS = [
    ("66.0", 201, {"created": True}, 200, {"created": False}),
    ("46.0", 201, {"created": True}, 200, {"created": False}),
    ("45.0", 201, {}, 204, None),
]


@pytest.mark.parametrize(("version", "first", "told", "second", "told_then"), UPSERTS)
def test_upserts_answer_as_their_version(
    rest_org: LocalOrg,
    version: str,
    first: int,
    told: dict[str, bool],
    second: int,
    told_then: dict[str, bool] | None,
) -> None:
    rest = rest_client(rest_org, version)
    path = f"/sobjects/Issue__c/Key__c/v-{version}"
    created, updated = rest.patch(path, {}), rest.patch(path, {})
    assert (created.status_code, updated.status_code) == (first, second)
    made = created.json()["id"]
    assert created.json() == {"id": made, "success": True, "errors": [], **told}
    expected = None if told_then is None else {"id": made, "success": True, "errors": [], **told_then}
    assert (updated.json() if updated.content else None) == expected


def test_several_matches_are_answered_with_their_addresses(rest: Rest) -> None:
    mail = f"several{next(_numbers)}@x.test"
    made = [new_lead(rest, Email=mail) for _ in range(2)]
    urls = [f"/services/data/v66.0/sobjects/Lead/{one}" for one in made]
    path = f"/sobjects/Lead/Email/{mail}"
    answers = [rest.patch(path, {"City": "Rome"}), rest.get(path), rest.delete(path)]
    assert [(answer.status_code, answer.json()) for answer in answers] == [(300, urls)] * 3
    assert [rest.get(f"/sobjects/Lead/{one}").json()["City"] for one in made] == [None, None]


KEYS: list[tuple[str, Callable[[Rest], requests.Response], int, str]] = [
    (
        "update only",
        lambda rest: rest.patch("/sobjects/Issue__c/Key__c/none?updateOnly=true", {}),
        404,
        "NOT_FOUND",
    ),
    ("key in body", lambda rest: rest.patch("/sobjects/Issue__c/Key__c/k", {"Key__c": "k"}), 400, "INVALID_FIELD"),
    ("Id in body", lambda rest: rest.patch("/sobjects/Issue__c/Key__c/k", {"Id": MISSING}), 400, "INVALID_FIELD"),
    ("no key", lambda rest: rest.patch("/sobjects/Lead/City/Rome", {}), 404, "NOT_FOUND"),
    ("unknown key", lambda rest: rest.patch("/sobjects/Lead/Nope__c/1", {}), 404, "NOT_FOUND"),
    ("unknown key", lambda rest: rest.post("/sobjects/Lead/Nope__c", {}), 404, "NOT_FOUND"),
    ("patch of Id", lambda rest: rest.patch("/sobjects/Lead/Id", {}), 405, "METHOD_NOT_ALLOWED"),
    ("too long", lambda rest: rest.patch(f"/sobjects/Issue__c/Key__c/{'k' * 21}", {}), 400, "STRING_TOO_LONG"),
    ("post of Id", lambda rest: rest.post("/sobjects/Lead/Id", {"Id": MISSING}), 400, "INVALID_FIELD"),
]


@pytest.mark.parametrize(("_name", "send", "status", "expected"), KEYS)
def test_an_upsert_is_refused(
    rest: Rest, _name: str, send: Callable[[Rest], requests.Response], status: int, expected: str
) -> None:
    assert code(send(rest)) == (status, expected)


def test_an_upsert_takes_its_key_from_the_body_of_a_post(rest: Rest) -> None:
    key = f"p-{next(_numbers)}"
    answers = [rest.post("/sobjects/Issue__c/Key__c", {"Key__c": key}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    assert answers[0].json()["id"] == answers[1].json()["id"]
    assert rest.post("/sobjects/Lead/Id", {"LastName": "Ann", "Company": "x"}).json()["created"] is True


READS = [
    ("/sobjects/Lead/{}?fields=LastName,Nope__c", 400, "INVALID_FIELD"),
    ("/sobjects/Lead/{}?fields=LastName,", 400, "INVALID_FIELD"),
    (f"/sobjects/Lead/{MISSING}", 404, "NOT_FOUND"),
    ("/sobjects/Lead/nothing", 404, "NOT_FOUND"),
    ("/sobjects/Contact/{}", 404, "NOT_FOUND"),
    ("/sobjects/Nope__c/{}", 404, "NOT_FOUND"),
    ("/sobjects/Lead/{}/nothing/further", 404, "NOT_FOUND"),
]


@pytest.mark.parametrize(("path", "status", "expected"), READS)
def test_a_read_is_refused(rest: Rest, path: str, status: int, expected: str) -> None:
    assert code(rest.get(path.format(new_lead(rest)))) == (status, expected)


def test_only_named_fields_are_read_in_any_casing(rest: Rest) -> None:
    made = new_lead(rest)
    found = rest.get(f"/sobjects/lead/{made[:15]}?fields=lastname,%20Company").json()
    assert {name: found[name] for name in found if name != "attributes"} == {
        "LastName": "Ann",
        "Company": "x",
        "Id": made,
    }


def test_an_address_is_read_with_its_parts(rest: Rest) -> None:
    places = {"BillingCity": "Rome", "BillingPostalCode": "00100"}
    made = rest.post("/sobjects/Account", {"Name": "x", **places}).json()["id"]
    found = rest.get(f"/sobjects/Account/{made}?fields=BillingAddress,ShippingAddress").json()
    assert found["ShippingAddress"] is None
    assert {name: value for name, value in found["BillingAddress"].items() if value} == {
        "city": "Rome",
        "postalCode": "00100",
    }
    assert "geocodeAccuracy" in found["BillingAddress"]


def test_a_deleted_record_is_told_from_one_that_never_was(rest: Rest) -> None:
    made = new_lead(rest)
    assert rest.delete(f"/sobjects/Lead/{made}").status_code == 204
    path = f"/sobjects/Lead/{made}"
    answers = [rest.get(path), rest.patch(path, {"City": "Rome"}), rest.delete(path)]
    assert [code(answer) for answer in answers] == [(404, "ENTITY_IS_DELETED")] * 3


def test_a_record_is_read_and_deleted_by_its_key(rest: Rest) -> None:
    made, key = new_issue(rest)
    assert rest.get(f"/sobjects/Issue__c/Key__c/{key.upper()}").json()["Id"] == made
    assert rest.delete(f"/sobjects/Issue__c/Key__c/{key}").status_code == 204
    assert code(rest.get(f"/sobjects/Issue__c/Key__c/{key}")) == (404, "NOT_FOUND")


def test_a_key_may_hold_slashes_and_other_characters(rest: Rest) -> None:
    for key in ("a/b", "ü ?#&", "%2F", "x/"):
        answer = rest.patch(f"/sobjects/Issue__c/Key__c/{quote(key, safe='')}", {})
        assert answer.status_code == 201, answer.text
        assert rest.get(f"/sobjects/Issue__c/{answer.json()['id']}").json()["Key__c"] == key


def test_a_post_acts_as_the_method_that_it_names(rest: Rest) -> None:
    made = new_lead(rest)
    assert rest.post(f"/sobjects/Lead/{made}?_HttpMethod=PATCH", {"City": "Rome"}).status_code == 204
    assert rest.get(f"/sobjects/Lead/{made}").json()["City"] == "Rome"


def test_a_parent_is_named_by_a_field_that_identifies_it(rest: Rest) -> None:
    parent = rest.post("/sobjects/Account", {"Name": "Initech"}).json()["id"]
    made = rest.post(
        "/sobjects/Contact", {"LastName": "Ann", "Account": {"attributes": {"type": "Account"}, "Id": parent}}
    )
    assert rest.get(f"/sobjects/Contact/{made.json()['id']}").json()["AccountId"] == parent


UNKNOWN: list[tuple[str, str, int, str]] = [
    ("GET", "/nothing", 404, "NOT_FOUND"),
    ("GET", "/services/nothing", 404, "NOT_FOUND"),
    ("GET", "/services/data/v99.0/limits", 404, "NOT_FOUND"),
    ("GET", "/services/data/v1.0/limits", 404, "NOT_FOUND"),
    ("GET", "/services/data/vX/limits", 404, "NOT_FOUND"),
    ("GET", "/services/data/v66/limits", 404, "NOT_FOUND"),
    ("GET", "/services/data/v66.5/limits", 404, "NOT_FOUND"),
    ("GET", "/services/data/v066.0/limits", 404, "NOT_FOUND"),
    ("PUT", "/sobjects/Lead", 405, "METHOD_NOT_ALLOWED"),
    ("DELETE", "/query", 405, "METHOD_NOT_ALLOWED"),
    ("POST", "/sobjects/Lead?_HttpMethod=TRACE", 405, "METHOD_NOT_ALLOWED"),
]


@pytest.mark.parametrize(("method", "path", "status", "expected"), UNKNOWN)
def test_what_does_not_exist_is_answered_in_json(
    rest: Rest, method: str, path: str, status: int, expected: str
) -> None:
    assert code(rest.send(method, path)) == (status, expected)


def test_a_session_is_asked_for_first(rest_org: LocalOrg) -> None:
    stranger = Rest(rest_org.url, "nobody")
    for path in ("/sobjects/Lead/nothing", "/nothing", "/services/data/v99.0/limits"):
        assert code(stranger.get(path)) == (401, "INVALID_SESSION_ID")


def test_several_slashes_at_the_start_count_as_one(rest_org: LocalOrg, rest: Rest) -> None:
    headers = {"Authorization": f"Bearer {rest.token}"}
    answer = requests.get(f"{rest_org.url}//services/data/v66.0/limits", headers=headers, timeout=10)
    assert answer.status_code == 200


def test_every_answer_tells_the_use_of_the_api(rest: Rest) -> None:
    def used(answer: requests.Response) -> int:
        usage, limit = answer.headers["Sforce-Limit-Info"].removeprefix("api-usage=").split("/")
        assert limit == "100000"
        return int(usage)

    before = used(rest.get("/limits"))
    assert used(rest.get("/nothing")) == before + 1
    assert used(rest.post("/sobjects/Lead", {})) == before + 2
    assert used(rest.delete(f"/sobjects/Lead/{new_lead(rest)}")) == before + 4


DESCRIBED = ["/sobjects", "/sobjects/Lead/describe"]


@pytest.mark.parametrize("path", DESCRIBED)
def test_a_describe_is_not_sent_again(rest: Rest, path: str) -> None:
    since = rest.get(path).headers["Last-Modified"]
    again = rest.get(path, **{"If-Modified-Since": since})
    assert (again.status_code, again.content) == (304, b"")
    for other in ("Thu, 01 Jan 2015 00:00:00 GMT", "yesterday"):
        assert rest.get(path, **{"If-Modified-Since": other}).status_code == 200


RULES = """\
objects:
  Lead:
    duplicate_rules:
      Same mail: {fields: Email, action: warn}
"""
HEADERS = [("allowSave=true", 201), ("allowSave = TRUE, includeRecordDetails=true", 201), ("allowSave=false", 400)]


def test_duplicates_are_saved_if_the_header_allows_them(tmp_path: Path) -> None:
    (tmp_path / "schema.yaml").write_text(RULES)
    lead = {"LastName": "Ann", "Company": "x", "Email": "a@b.co"}
    with start_local_org(tmp_path / "org.db", tmp_path / "schema.yaml") as local:
        rest = rest_client(local)
        rest.post("/sobjects/Lead", lead)
        assert code(rest.post("/sobjects/Lead", lead)) == (400, "DUPLICATES_DETECTED")
        for header, status in HEADERS:
            answer = rest.post("/sobjects/Lead", lead, **{"Sforce-Duplicate-Rule-Header": header})
            assert answer.status_code == status, header


def test_a_uri_has_a_limit(rest: Rest) -> None:
    assert code(rest.get(f"/query?q=SELECT Id FROM Lead WHERE City = '{'x' * 17_000}'")) == (414, "URI_TOO_LONG")


VERSIONS = [
    ("POST", "/composite/sobjects", "41.0", 42),
    ("PATCH", "/composite/sobjects/Issue__c/Key__c", "45.0", 46),
    ("POST", "/composite", "37.0", 38),
    ("POST", "/composite/batch", "33.0", 34),
    ("POST", "/composite/graph", "49.0", 50),
]


@pytest.mark.parametrize(("method", "path", "before", "since"), VERSIONS)
def test_a_resource_is_new_in_some_version(
    rest_org: LocalOrg, method: str, path: str, before: str, since: int
) -> None:
    assert code(rest_client(rest_org, before).send(method, path, {})) == (404, "NOT_FOUND")
    assert rest_client(rest_org, f"{since}.0").send(method, path, {}).status_code == 400
