"""Composite, batch, graph and tree requests: several in one, that refer to each other or are undone together."""

from typing import Any

import pytest
import requests

from .conftest import Rest

ROOT = "/services/data/v66.0"
LEAD = {"LastName": "Ann", "Company": "x"}
Json = Any


def part(reference: str, method: str, path: str, body: Json = None, **more: Json) -> Json:
    url = path if path.startswith("/services") else f"{ROOT}{path}"
    return {"referenceId": reference, "method": method, "url": url, "body": body, **more}


def composite(rest: Rest, *parts: Json, **more: Json) -> list[Json]:
    answer = rest.post("/composite", {"compositeRequest": parts, **more})
    assert answer.status_code == 200, answer.text
    results: list[Json] = answer.json()["compositeResponse"]
    assert all(set(one) == {"body", "httpHeaders", "httpStatusCode", "referenceId"} for one in results)
    assert [one["referenceId"] for one in results] == [one["referenceId"] for one in parts]
    return results


def leads(rest: Rest) -> int:
    number: int = rest.get("/query?q=SELECT COUNT() FROM Lead").json()["totalSize"]
    return number


def statuses(results: list[Json]) -> list[int]:
    return [one["httpStatusCode"] for one in results]


def test_the_kinds_of_composite_requests_are_listed(rest: Rest) -> None:
    names = ("batch", "graph", "sobjects", "tree")
    assert rest.get("/composite").json() == {name: f"{ROOT}/composite/{name}" for name in names}


def test_requests_refer_to_earlier_responses(rest: Rest) -> None:
    results = composite(
        rest,
        part("account", "POST", "/sobjects/Account", {"Name": "Initech"}),
        part("ann", "POST", "/sobjects/Contact", {"LastName": "Ann", "AccountId": "@{account.id}"}),
        part("read", "GET", "/sobjects/Contact/@{ann.id}?fields=LastName,AccountId"),
        part("found", "GET", "/query?q=SELECT+Id,Name+FROM+Account+WHERE+Id='@{account.id}'"),
        part("bob", "POST", "/sobjects/Contact", {"LastName": "of @{found.records[0].Name} (@{found.totalSize})"}),
        part("both", "GET", "/composite/sobjects/Contact?ids=@{ann.id},@{bob.id}&fields=LastName"),
        part("carl", "POST", "/sobjects/Contact", {"LastName": "@{both[1].LastName}"}),
        part("again", "GET", "/sobjects/Contact/@{carl.id}"),
        part("gone", "DELETE", "/sobjects/Contact/@{carl.id}"),
    )
    assert statuses(results) == [201, 201, 200, 200, 201, 200, 201, 200, 204]
    account, ann, read, *_, again, gone = (one["body"] for one in results)
    assert (read["LastName"], read["AccountId"]) == ("Ann", account["id"])
    assert again["LastName"] == "of Initech (1)"
    assert results[1]["httpHeaders"] == {"Location": f"{ROOT}/sobjects/Contact/{ann['id']}"}
    assert gone is None


def test_a_failure_leaves_the_others_or_takes_all_back(rest: Rest) -> None:
    before = leads(rest)
    parts = [
        part("first", "POST", "/sobjects/Lead", LEAD),
        part("wrong", "POST", "/sobjects/Lead", {"LastName": "Bob"}),
        part("after", "PATCH", "/sobjects/Lead/@{wrong.id}", {"City": "Rome"}),
        part("last", "POST", "/sobjects/Lead", LEAD),
    ]
    results = composite(rest, *parts)
    assert (statuses(results), leads(rest)) == ([201, 400, 400, 201], before + 2)
    assert results[2]["body"] == [
        {
            "errorCode": "PROCESSING_HALTED",
            "message": "Invalid reference specified. No value for wrong.id found in wrong",
        }
    ]
    results = composite(rest, *parts, allOrNone=True)
    assert (statuses(results), leads(rest)) == ([400] * 4, before + 2)
    assert [one["body"][0]["errorCode"] for one in results] == [
        "PROCESSING_HALTED",
        "REQUIRED_FIELD_MISSING",
        "PROCESSING_HALTED",
        "PROCESSING_HALTED",
    ]


def nested(depth: int) -> Json:
    value: Json = "x"
    for _ in range(depth):
        value = {"a": value}
    return value


PARTS: list[tuple[Json, int, str]] = [
    (part("a", "POST", "/sobjects/Lead", {**LEAD, "LastName": [1]}), 400, "JSON_PARSER_ERROR"),
    (part("a", "POST", "/sobjects/Lead", "text"), 400, "JSON_PARSER_ERROR"),
    (part("a", "POST", "/sobjects/Lead", nested(90)), 400, "INVALID_FIELD"),
    (part("a", "POST", "/sobjects/Lead", nested(900)), 400, "PROCESSING_HALTED"),
    (part("a", "GET", "/nothing"), 404, "NOT_FOUND"),
    (part("a", "PUT", "/sobjects/Lead"), 405, "METHOD_NOT_ALLOWED"),
    (part("a", "GET", "/services/data/v99.0/limits"), 404, "NOT_FOUND"),
    (part("a", "POST", "/composite", {"compositeRequest": []}), 400, "INVALID_INPUT"),
    (part("a", "POST", "/composite/batch", {"batchRequests": []}), 400, "INVALID_INPUT"),
    (part("a", "GET", "/services/oauth2/userinfo"), 400, "INVALID_INPUT"),
    ({**part("a", "GET", ""), "url": "http://["}, 400, "INVALID_INPUT"),
    (part("a", "GET", "/sobjects/Lead/@{nobody.id}"), 400, "PROCESSING_HALTED"),
    (part("a", "GET", "/query?q=SELECT+Nope__c+FROM+Lead"), 400, "INVALID_FIELD"),
]


@pytest.mark.parametrize(("sent", "status", "code"), PARTS)
def test_a_wrong_part_fails_alone(rest: Rest, sent: Json, status: int, code: str) -> None:
    wrong, right = composite(rest, sent, part("b", "GET", "/sobjects/Lead/describe"))
    assert (wrong["httpStatusCode"], wrong["body"][0]["errorCode"]) == (status, code)
    assert right["httpStatusCode"] == 200


READ = part("a", "GET", "/limits")
QUERIES = [part(f"a{n}", "GET", "/query?q=SELECT+Id+FROM+Lead") for n in range(6)]
MALFORMED: list[tuple[str, Json, str]] = [
    ("/composite", {}, "JSON_PARSER_ERROR"),
    ("/composite", {"compositeRequest": []}, "JSON_PARSER_ERROR"),
    ("/composite", {"compositeRequest": [1]}, "JSON_PARSER_ERROR"),
    ("/composite", {"compositeRequest": [{**READ, "url": None}]}, "JSON_PARSER_ERROR"),
    ("/composite", {"compositeRequest": [{**READ, "referenceId": None}]}, "JSON_PARSER_ERROR"),
    ("/composite", {"compositeRequest": [{**READ, "referenceId": "a b"}]}, "INVALID_INPUT"),
    ("/composite", {"compositeRequest": [READ, READ]}, "INVALID_INPUT"),
    ("/composite", {"compositeRequest": [READ], "allOrNone": "yes"}, "JSON_PARSER_ERROR"),
    ("/composite", {"compositeRequest": [{**READ, "referenceId": f"a{n}"} for n in range(26)]}, "LIMIT_EXCEEDED"),
    ("/composite", {"compositeRequest": QUERIES}, "LIMIT_EXCEEDED"),
    ("/composite/batch", {"batchRequests": []}, "JSON_PARSER_ERROR"),
    ("/composite/batch", {"batchRequests": [{"method": "GET"}]}, "JSON_PARSER_ERROR"),
    ("/composite/batch", {"batchRequests": [{"method": "GET", "url": "v66.0/limits"}] * 26}, "LIMIT_EXCEEDED"),
    ("/composite/graph", {"graphs": [{"graphId": "1"}]}, "JSON_PARSER_ERROR"),
    ("/composite/graph", {"graphs": [{"graphId": "1", "compositeRequest": [READ]}] * 2}, "INVALID_INPUT"),
    ("/composite/graph", {"graphs": [{"graphId": "1", "compositeRequest": [READ]}] * 76}, "LIMIT_EXCEEDED"),
]


@pytest.mark.parametrize(("path", "body", "code"), MALFORMED)
def test_a_malformed_request_is_refused_whole(rest: Rest, path: str, body: Json, code: str) -> None:
    answer = rest.post(path, body)
    (error,) = answer.json()
    assert (answer.status_code, error["errorCode"]) == (400, code)


def batch(rest: Rest, *parts: Json, halts: bool = False) -> Json:
    answer = rest.post("/composite/batch", {"batchRequests": parts, "haltOnError": halts})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_batch_does_each_request_for_itself(rest: Rest) -> None:
    before = leads(rest)
    parts = [
        {"method": "POST", "url": "v66.0/sobjects/Lead", "richInput": LEAD},
        {"method": "POST", "url": f"{ROOT}/sobjects/Lead", "richInput": {"LastName": "Bob"}},
        {"method": "GET", "url": "v66.0/query?q=SELECT+COUNT()+FROM+Lead"},
    ]
    answer = batch(rest, *parts)
    assert [one["statusCode"] for one in answer["results"]] == [201, 400, 200]
    assert (answer["hasErrors"], answer["results"][2]["result"]["totalSize"]) == (True, before + 1)
    halted = batch(rest, *parts, halts=True)
    assert [one["statusCode"] for one in halted["results"]] == [201, 400, 412]
    assert halted["results"][2]["result"][0]["errorCode"] == "BATCH_PROCESSING_HALTED"
    assert batch(rest, parts[0], {"method": "GET", "url": "v66.0/limits"})["hasErrors"] is False


def test_each_graph_is_done_as_a_whole(rest: Rest) -> None:
    before = leads(rest)
    right, wrong = part("a", "POST", "/sobjects/Lead", LEAD), part("b", "POST", "/sobjects/Lead", {})
    graphs = [
        {"graphId": "1", "compositeRequest": [right, {**right, "referenceId": "b"}]},
        {"graphId": "2", "compositeRequest": [right, wrong]},
    ]
    answer = rest.post("/composite/graph", {"graphs": graphs}).json()["graphs"]
    assert [(one["graphId"], one["isSuccessful"]) for one in answer] == [("1", True), ("2", False)]
    assert [statuses(one["graphResponse"]["compositeResponse"]) for one in answer] == [[201, 201], [400, 400]]
    assert leads(rest) == before + 2


def node(kind: str, reference: str, **members: Json) -> Json:
    return {"attributes": {"type": kind, "referenceId": reference}, **members}


def tree(rest: Rest, kind: str, *records: Json) -> requests.Response:
    return rest.post(f"/composite/tree/{kind}", {"records": records})


def test_a_tree_is_created_with_the_children_of_its_records(rest: Rest) -> None:
    contacts = {"records": [node("Contact", "c1", LastName="Ann"), node("Contact", "c2", LastName="Bob")]}
    parents = [node("Account", "a1", Name="Initech", Contacts=contacts), node("Account", "a2", Name="Acme")]
    answer = tree(rest, "Account", *parents)
    assert (answer.status_code, answer.json()["hasErrors"]) == (201, False)
    ids = {one["referenceId"]: one["id"] for one in answer.json()["results"]}
    assert list(ids) == ["a1", "a2", "c1", "c2"]
    owners = [rest.get(f"/sobjects/Contact/{ids[one]}").json()["AccountId"] for one in ("c1", "c2")]
    assert owners == [ids["a1"]] * 2


def deep(levels: int) -> Json:
    below = {"ChildAccounts": {"records": [deep(levels - 1)]}} if levels > 1 else {}
    return node("Account", f"a{levels}", Name="x", **below)


REFUSED: list[tuple[list[Json], dict[str, str]]] = [
    ([node("Lead", "a", **LEAD), node("Lead", "b", LastName="Bob")], {"b": "REQUIRED_FIELD_MISSING"}),
    ([node("Lead", "a", **LEAD), node("Lead", "b", **LEAD, Nope__c=1)], {"b": "INVALID_FIELD"}),
    ([node("Lead", "a", **{**LEAD, "LastName": []})], {"a": "JSON_PARSER_ERROR"}),
    ([node("Contact", "a", LastName="Ann")], {"a": "INVALID_INPUT"}),
    ([node("Lead", "a", **LEAD)] * 2, {"a": "INVALID_INPUT"}),
    ([node("Lead", "a", **LEAD, Tasks=[])], {"a": "JSON_PARSER_ERROR"}),
    ([node("Lead", "a", **LEAD, Tasks={"records": 7})], {"a": "JSON_PARSER_ERROR"}),
]


@pytest.mark.parametrize(("records", "expected"), REFUSED)
def test_a_tree_with_a_refused_record_creates_nothing(
    rest: Rest, records: list[Json], expected: dict[str, str]
) -> None:
    before = leads(rest)
    answer = tree(rest, "Lead", *records)
    results = answer.json()["results"]
    assert (answer.status_code, answer.json()["hasErrors"], leads(rest)) == (400, True, before)
    assert {one["referenceId"]: one["errors"][0]["statusCode"] for one in results} == expected
    assert all(set(error) == {"statusCode", "message", "fields"} for one in results for error in one["errors"])


def test_a_refused_child_takes_its_parents_back(rest: Rest) -> None:
    def accounts() -> int:
        number: int = rest.get("/query?q=SELECT COUNT() FROM Account").json()["totalSize"]
        return number

    before = accounts()
    contacts = {"records": [node("Contact", "c1", LastName="Ann"), node("Contact", "c2")]}
    answer = tree(rest, "Account", node("Account", "a1", Name="Initech", Contacts=contacts))
    assert [one["referenceId"] for one in answer.json()["results"]] == ["c2"]
    assert accounts() == before


TOO_MUCH: list[tuple[str, Json, str]] = [
    ("Lead", [node("Lead", f"a{n}", **LEAD) for n in range(201)], "LIMIT_EXCEEDED"),
    ("Account", [deep(6)], "LIMIT_EXCEEDED"),
    ("Lead", [], "JSON_PARSER_ERROR"),
    ("Lead", {}, "JSON_PARSER_ERROR"),
    ("Lead", [7], "JSON_PARSER_ERROR"),
    ("Lead", [LEAD], "INVALID_INPUT"),
]


@pytest.mark.parametrize(("kind", "records", "code"), TOO_MUCH)
def test_a_malformed_tree_is_refused(rest: Rest, kind: str, records: Json, code: str) -> None:
    answer = rest.post(f"/composite/tree/{kind}", {"records": records})
    assert (answer.status_code, [one["errorCode"] for one in answer.json()]) == (400, [code])


def test_a_tree_may_have_two_hundred_records_and_five_levels(rest: Rest) -> None:
    leaves = [node("Lead", f"a{n}", **LEAD) for n in range(200)]
    assert tree(rest, "Lead", *leaves).status_code == 201
    assert tree(rest, "Account", deep(5)).status_code == 201
