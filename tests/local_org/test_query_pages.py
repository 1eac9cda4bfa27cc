"""The pages of queries, and what clients ask about a query before they run it."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from sfmap.engine.local_org.process import LocalOrg, start_local_org

from .bulk import Bulk, token
from .conftest import Client, sign_in

CONTACTS = 250
SMALL = {"Sforce-Query-Options": "batchSize=200"}
BY_NAME = "SELECT LastName FROM Contact ORDER BY LastName"
WITH_CHILDREN = "SELECT Name, (SELECT LastName FROM Contacts ORDER BY LastName) FROM Account"


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalOrg]:
    with start_local_org(tmp_path_factory.mktemp("org") / "org.db") as running:
        yield running


@pytest.fixture(scope="module")
def rest(local: LocalOrg) -> Bulk:
    made = Bulk(local.url, token(local))
    account = made.ask("POST", "/sobjects/Account", json={"Name": "Acme"}).json()["id"]
    people = [
        {"attributes": {"type": "Contact"}, "LastName": f"{number:03}", "AccountId": account}
        for number in range(CONTACTS)
    ]
    for part in (people[:200], people[200:]):
        answer = made.ask("POST", "/composite/sobjects", json={"records": part})
        assert all(one["success"] for one in answer.json())
    return made


@pytest.fixture(scope="module")
def soap(local: LocalOrg, rest: Bulk) -> Client:
    assert rest
    return sign_in(local)


def found(answer: requests.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [record["LastName"] for record in answer.json()["records"]]


@pytest.mark.parametrize("resource", ["query", "queryAll"])
def test_a_client_fetches_page_after_page(rest: Bulk, resource: str) -> None:
    first = rest.ask("GET", "/query", params={"q": BY_NAME}, headers=SMALL)
    assert (first.json()["totalSize"], first.json()["done"]) == (CONTACTS, False)
    locator = first.json()["nextRecordsUrl"].rpartition("/")[2]
    assert first.json()["nextRecordsUrl"] == f"/services/data/v66.0/query/{locator}"

    last = rest.ask("GET", f"/{resource}/{locator}", headers=SMALL)

    assert (last.json()["done"], "nextRecordsUrl" in last.json()) == (True, False)
    assert found(first) + found(last) == [f"{number:03}" for number in range(CONTACTS)]
    again = rest.ask("GET", f"/query/{locator}")
    assert (again.status_code, again.json()[0]["errorCode"]) == (400, "INVALID_QUERY_LOCATOR")


@pytest.mark.parametrize(("asked", "got"), [("1", 200), ("249", 249), ("9999", CONTACTS), ("", CONTACTS)])
def test_a_page_is_as_large_as_asked_for_within_limits(rest: Bulk, asked: str, got: int) -> None:
    options = {"Sforce-Query-Options": f"batchSize={asked}"}
    assert len(found(rest.ask("GET", "/query", params={"q": BY_NAME}, headers=options))) == got


def test_children_have_pages_of_their_own(rest: Bulk) -> None:
    account = rest.ask("GET", "/query", params={"q": WITH_CHILDREN}, headers=SMALL).json()["records"][0]
    children = account["Contacts"]
    assert (children["totalSize"], children["done"], len(children["records"])) == (CONTACTS, False, 200)
    further = rest.ask("GET", f"/query/{children['nextRecordsUrl'].rpartition('/')[2]}")
    assert found(further) == [f"{number:03}" for number in range(200, CONTACTS)]


def test_a_session_keeps_ten_cursors(rest: Bulk) -> None:
    pages = [rest.ask("GET", "/query", params={"q": BY_NAME}, headers=SMALL).json() for _ in range(11)]
    closed, *kept = [page["nextRecordsUrl"].rpartition("/")[2] for page in pages]
    assert rest.ask("GET", f"/query/{closed}").json()[0]["errorCode"] == "INVALID_QUERY_LOCATOR"
    assert [rest.ask("GET", f"/query/{locator}").status_code for locator in kept] == [200] * 10


def test_a_record_has_its_address_although_the_id_is_not_selected(rest: Bulk) -> None:
    record = rest.ask("GET", "/query", params={"q": f"{BY_NAME} LIMIT 1"}).json()["records"][0]
    assert record["attributes"] == {
        "type": "Contact",
        "url": "/services/data/v66.0/sobjects/Contact/003000000000001AAA",
    }


def test_soap_pages_have_the_size_of_the_query_options(soap: Client) -> None:
    options = "<QueryOptions><batchSize>200</batchSize></QueryOptions>"
    first = soap.call(f"<query><queryString>{BY_NAME}</queryString></query>", options)
    locator = first.partition("<queryLocator>")[2].partition("<")[0]
    assert first.count("<records ") == 200
    assert f"<size>{CONTACTS}</size>" in first

    last = soap.call(f"<queryMore><queryLocator>{locator}</queryLocator></queryMore>", options)

    assert last.count("<records ") == 50
    assert "<done>true</done>" in last


def test_soap_returns_children_as_a_query_result(soap: Client) -> None:
    query = WITH_CHILDREN.replace("LastName)", "LastName LIMIT 1)")
    answer = soap.call(f"<query><queryString>{query}</queryString></query>")
    result = answer.partition('<sf:Contacts xsi:type="QueryResult">')[2].partition("</sf:Contacts>")[0]
    assert result == (
        '<done>true</done><queryLocator xsi:nil="true"/><records xsi:type="sf:sObject"><sf:type>Contact</sf:type>'
        '<sf:Id xsi:nil="true"/><sf:LastName>000</sf:LastName></records><size>1</size>'
    )


def columns(rest: Bulk, query: str) -> dict[str, Any]:
    answer = rest.ask("GET", "/query", params={"q": query, "columns": "true"})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def names(described: list[dict[str, Any]]) -> list[Any]:
    """The names of columns, each with whether it is an aggregate, and with the columns in it."""
    return [(one["columnName"], one["aggregate"], names(one["joinColumns"])) for one in described]


def test_a_client_asks_for_the_columns_of_a_query(rest: Bulk) -> None:
    answer = columns(rest, "SELECT Id, Account.Name, (SELECT Subject FROM Tasks), IsDeleted FROM Contact")
    assert names(answer["columnMetadata"]) == [
        ("Id", False, []),
        ("Account", False, [("Name", False, [])]),
        ("Tasks", True, [("Subject", False, [])]),
        ("IsDeleted", False, []),
    ]
    assert (answer["entityName"], answer["keyPrefix"]) == ("Contact", "003")
    assert (answer["groupBy"], answer["idSelected"]) == (False, True)


def test_the_columns_of_groups_are_aggregates_where_they_are(rest: Bulk) -> None:
    answer = columns(rest, "SELECT AccountId, COUNT(Id) FROM Contact GROUP BY AccountId")
    assert names(answer["columnMetadata"]) == [("AccountId", False, []), ("expr0", True, [])]
    assert answer["groupBy"]


def test_a_client_asks_for_the_plan_of_a_query(rest: Bulk) -> None:
    answer = rest.ask("GET", "/query", params={"explain": f"{BY_NAME} LIMIT 7"}).json()
    plan = answer["plans"][0]
    assert (plan["cardinality"], plan["sobjectCardinality"], plan["sobjectType"]) == (7, CONTACTS, "Contact")
    assert (plan["leadingOperationType"], plan["fields"], plan["notes"]) == ("TableScan", [], [])


def test_a_client_asks_for_the_plan_of_a_list_view(rest: Bulk) -> None:
    view = rest.ask("GET", "/sobjects/Contact/listviews").json()["listviews"][0]["id"]
    answer = rest.ask("GET", "/query", params={"explain": view}).json()
    assert (answer["plans"][0]["sobjectType"], answer["plans"][0]["cardinality"]) == ("Contact", CONTACTS)
