"""Collections over REST: several records in one request, each with its own result."""

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
import requests

from .conftest import Rest

MISSING = "00Q00000000zzzz"
LEAD = {"attributes": {"type": "Lead"}, "LastName": "Ann", "Company": "x"}
ISSUE = {"attributes": {"type": "Issue__c"}}
_numbers = count()

Json = Any


def codes(answer: requests.Response) -> list[str]:
    """For each record its error's code, or nothing."""
    assert answer.status_code == 200, answer.text
    results = answer.json()
    assert all(one["success"] == (not one["errors"]) for one in results)
    assert all(set(error) == {"statusCode", "message", "fields"} for one in results for error in one["errors"])
    return [one["errors"][0]["statusCode"] if one["errors"] else "" for one in results]


def made(rest: Rest, number: int, **fields: object) -> list[str]:
    answer = rest.post("/composite/sobjects", {"records": [{**LEAD, **fields}] * number})
    assert codes(answer) == [""] * number
    return [one["id"] for one in answer.json()]


def count_leads(rest: Rest) -> int:
    number: int = rest.get("/query?q=SELECT COUNT() FROM Lead").json()["totalSize"]
    return number


def test_records_are_created_in_order_whatever_their_types(rest: Rest) -> None:
    key = f"c-{next(_numbers)}"
    records = [LEAD, {**ISSUE, "Key__c": key}, {**LEAD, "LastName": ""}, {**LEAD, "LastName": "Bob"}]
    answer = rest.post("/composite/sobjects", {"allOrNone": False, "records": records})
    assert codes(answer) == ["", "", "REQUIRED_FIELD_MISSING", ""]
    assert [set(one) for one in answer.json()] == [
        {"id", "success", "errors"},
        {"id", "success", "errors"},
        {"success", "errors"},
        {"id", "success", "errors"},
    ]
    assert rest.get(f"/sobjects/Issue__c/{answer.json()[1]['id']}").json()["Key__c"] == key


ROLLED_BACK = "ALL_OR_NONE_OPERATION_ROLLED_BACK"
REFUSED: list[tuple[Json, str]] = [
    ({**LEAD, "LastName": None}, "REQUIRED_FIELD_MISSING"),
    ({**LEAD, "LastName": ["Ann"]}, "JSON_PARSER_ERROR"),
    ({**LEAD, "Nope__c": 1}, "INVALID_FIELD"),
    ({**LEAD, "Nope__r": {"Key__c": "x"}}, "INVALID_FIELD"),
    ({**LEAD, "Owner": {"Nope__c": "x"}}, "INVALID_FIELD"),
    ({**LEAD, "Id": MISSING}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
    ({**LEAD, "Email": "nobody"}, "INVALID_EMAIL_ADDRESS"),
    ({**LEAD, "OwnerId": "INVALID_OWNER"}, "MALFORMED_ID"),
    ({"LastName": "Ann"}, "INVALID_TYPE"),
    ({"attributes": {"type": "Nope__c"}}, "INVALID_TYPE"),
    ({"attributes": {"type": 7}}, "INVALID_TYPE"),
    ({"attributes": "Lead"}, "INVALID_TYPE"),
    (["Ann"], "JSON_PARSER_ERROR"),
    (None, "JSON_PARSER_ERROR"),
]


@pytest.mark.parametrize(("record", "expected"), REFUSED)
def test_a_refused_record_leaves_the_others_or_takes_them_back(rest: Rest, record: Json, expected: str) -> None:
    before = count_leads(rest)
    records = [LEAD, record, LEAD]
    whole = rest.post("/composite/sobjects", {"allOrNone": True, "records": records})
    assert (codes(whole), count_leads(rest)) == ([ROLLED_BACK, expected, ROLLED_BACK], before)
    parts = rest.post("/composite/sobjects", {"records": records})
    assert (codes(parts), count_leads(rest)) == (["", expected, ""], before + 2)


BAD_REQUESTS: list[tuple[str, str, Json, str]] = [
    ("POST", "", [], "JSON_PARSER_ERROR"),
    ("POST", "", {}, "JSON_PARSER_ERROR"),
    ("POST", "", {"records": {}}, "JSON_PARSER_ERROR"),
    ("POST", "", {"records": [], "allOrNone": "yes"}, "JSON_PARSER_ERROR"),
    ("POST", "", {"records": [LEAD] * 201}, "EXCEEDED_ID_LIMIT"),
    ("POST", "", {"records": [LEAD, ISSUE] * 6}, "LIMIT_EXCEEDED"),
    ("PATCH", "", {"records": [LEAD] * 201}, "EXCEEDED_ID_LIMIT"),
    ("PATCH", "/Issue__c/Key__c", {"records": [ISSUE] * 201}, "EXCEEDED_ID_LIMIT"),
    ("PATCH", "/Lead/City", {"records": [LEAD]}, "INVALID_FIELD"),
    ("DELETE", f"?ids={','.join([MISSING] * 201)}", None, "EXCEEDED_ID_LIMIT"),
    ("DELETE", "", None, "MISSING_ARGUMENT"),
    ("POST", "/Lead", {"ids": [MISSING], "fields": ["Nope__c"]}, "INVALID_FIELD"),
    ("POST", "/Lead", {"ids": [MISSING]}, "MISSING_ARGUMENT"),
    ("POST", "/Lead", {"ids": MISSING, "fields": ["Id"]}, "JSON_PARSER_ERROR"),
    ("POST", "/Lead", {"ids": [7], "fields": ["Id"]}, "JSON_PARSER_ERROR"),
    ("POST", "/Lead", {"ids": [MISSING] * 2_001, "fields": ["Id"]}, "EXCEEDED_ID_LIMIT"),
    ("GET", f"/Lead?ids={MISSING}&fields=Id,Nope__c", None, "INVALID_FIELD"),
    ("GET", "/Lead?fields=Id", None, "MISSING_ARGUMENT"),
]


@pytest.mark.parametrize(("method", "path", "body", "expected"), BAD_REQUESTS)
def test_a_malformed_request_is_refused_whole(
    rest: Rest, method: str, path: str, body: Json, expected: str
) -> None:
    before = count_leads(rest)
    answer = rest.send(method, f"/composite/sobjects{path}", body)
    (error,) = answer.json()
    assert (answer.status_code, error["errorCode"]) == (400, expected)
    assert count_leads(rest) == before


def test_two_hundred_records_are_taken(rest: Rest) -> None:
    assert len(made(rest, 200)) == 200


def test_records_are_updated_by_an_id_in_either_case(rest: Rest) -> None:
    first, second, third = made(rest, 3)
    kind = {"attributes": {"type": "Lead"}}
    records = [
        {**kind, "id": first, "City": "Rome"},
        {**kind, "Id": second[:15], "City": "Rome"},
        {**kind, "City": "Rome"},
        {**kind, "id": MISSING, "City": "Rome"},
        {**kind, "id": first, "City": "Oslo"},
        {**kind, "id": third, "City": "", "Phone": None},
    ]
    answer = rest.patch("/composite/sobjects", {"records": records})
    assert codes(answer) == ["", "", "MISSING_ARGUMENT", "INVALID_CROSS_REFERENCE_KEY", "DUPLICATE_VALUE", ""]
    found = rest.get(f"/composite/sobjects/Lead?ids={first},{second},{third}&fields=City").json()
    assert [one["City"] for one in found] == ["Rome", "Rome", None]


def test_records_are_upserted_by_key(rest: Rest) -> None:
    keys = [f"u-{next(_numbers)}" for _ in range(3)]
    rest.post("/composite/sobjects", {"records": [{**ISSUE, "Key__c": keys[0]}]})
    records: list[Json] = [{**ISSUE, "Key__c": key} for key in (keys[0], keys[1], keys[2], keys[2])]
    answer = rest.patch("/composite/sobjects/Issue__c/Key__c", {"records": [*records, ISSUE, LEAD]})
    assert codes(answer) == ["", "", "DUPLICATE_VALUE", "DUPLICATE_VALUE", "MISSING_ARGUMENT", "INVALID_TYPE"]
    assert [one["created"] for one in answer.json()[:2]] == [False, True]


def test_a_roll_back_of_an_upsert_tells_what_would_have_been_created(rest: Rest) -> None:
    records: list[Json] = [{**ISSUE, "Key__c": f"a-{next(_numbers)}"} for _ in range(3)]
    records[1]["OwnerId"] = "INVALID_OWNER"
    answer = rest.patch("/composite/sobjects/Issue__c/Key__c", {"allOrNone": True, "records": records})
    assert codes(answer) == [ROLLED_BACK, "MALFORMED_ID", ROLLED_BACK]
    assert [(one["created"], one.get("id")) for one in answer.json()] == [(True, None)] * 3


DELETES = [
    ("", ["", "ENTITY_IS_DELETED", "MALFORMED_ID", "DUPLICATE_VALUE", ""], [None, None]),
    (
        "&allOrNone=true",
        [ROLLED_BACK, "ENTITY_IS_DELETED", "MALFORMED_ID", "DUPLICATE_VALUE", ROLLED_BACK],
        ["Ann", "Ann"],
    ),
]


@pytest.mark.parametrize(("whole", "expected", "left"), DELETES)
def test_records_are_deleted(rest: Rest, whole: str, expected: list[str], left: list[str | None]) -> None:
    first, second, gone = made(rest, 3)
    rest.delete(f"/sobjects/Lead/{gone}")
    answer = rest.delete(f"/composite/sobjects?ids={first},{gone},nothing,{first},{second}{whole}")
    assert codes(answer) == expected
    found = rest.post("/composite/sobjects/Lead", {"ids": [first, second], "fields": ["LastName"]}).json()
    assert [one and one["LastName"] for one in found] == left


RETRIEVES: list[tuple[str, Callable[[Rest, list[str]], requests.Response]]] = [
    ("GET", lambda rest, ids: rest.get(f"/composite/sobjects/Lead?ids={','.join(ids)}&fields=Id,LastName")),
    ("POST", lambda rest, ids: rest.post("/composite/sobjects/Lead", {"ids": ids, "fields": ["LastName"]})),
]


@pytest.mark.parametrize(("_method", "ask"), RETRIEVES)
def test_records_are_retrieved_in_order(
    rest: Rest, _method: str, ask: Callable[[Rest, list[str]], requests.Response]
) -> None:
    first, second, gone = made(rest, 3)
    rest.delete(f"/sobjects/Lead/{gone}")
    found = ask(rest, [second, MISSING, first, gone, "nothing", first]).json()
    assert [one and one["Id"] for one in found] == [second, None, first, None, None, first]
    assert found[0]["attributes"] == {"type": "Lead", "url": f"/services/data/v66.0/sobjects/Lead/{second}"}
    assert set(found[0]) == {"attributes", "LastName", "Id"}
