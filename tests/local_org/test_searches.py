"""Searches in SOSL, over REST and SOAP."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from sfmap.engine.local_org.process import LocalOrg, start_local_org
from sfmap.tests.local_org.conftest import Client, record, sign_in


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LocalOrg, Client]]:
    with start_local_org(tmp_path_factory.mktemp("searches") / "org.db", None) as local:
        client = sign_in(local)
        records = (
            record("Account", Name="Zanzibar Ferries", Phone="+255 24 223 0302", Industry="Shipping"),
            record("Account", Name="Ferries of Oslo", Description="not Zanzibar", Industry="Shipping"),
            record("Contact", LastName="O'Neill", FirstName="Zoe", Email="zoe@ferries.example"),
            record("Lead", LastName="Zanzibar", Company="x{y}"),
            record("Lead", LastName="a" * 40, Company="Acme"),
        )
        assert client.call(f"<create>{''.join(records)}</create>").count("<success>true</success>") == 5
        yield local, client


def get(org: tuple[LocalOrg, Client], path: str, **query: str) -> Any:
    local, client = org
    head = {"Authorization": f"Bearer {client.session_id}"}
    return requests.get(f"{local.url}/services/data/v64.0/{path}", query, headers=head, timeout=30)


FOUND = {
    "FIND {zanzibar} RETURNING Account(Name)": ["Zanzibar Ferries", "Ferries of Oslo"],
    "FIND {Zanzibar} IN NAME FIELDS RETURNING Account(Name)": ["Zanzibar Ferries"],
    "FIND {Zanz*} IN NAME FIELDS RETURNING Account(Name), Lead(Name)": ["Zanzibar Ferries", "Zanzibar"],
    "FIND {Zanz} IN NAME FIELDS RETURNING Account(Name)": [],
    "FIND {z*z?b*r} IN NAME FIELDS RETURNING Account(Name), Lead(Name)": ["Zanzibar Ferries", "Zanzibar"],
    "FIND {*nz**b*r*} IN NAME FIELDS RETURNING Lead(Name)": ["Zanzibar"],
    "FIND {zanzi*zibar} IN NAME FIELDS RETURNING Lead(Name)": [],
    f"FIND {{{'*a' * 40}*b}} RETURNING Lead(Name)": [],
    f"FIND {{{'*a' * 40}*}} RETURNING Lead(Name)": ["a" * 40],
    "FIND {ferries} RETURNING Account(Name) WITH NETWORK = 'x' WITH  HIGHLIGHT LIMIT 1": ["Zanzibar Ferries"],
    "FIND {ferries AND oslo} IN NAME FIELDS RETURNING Account(Name)": ["Ferries of Oslo"],
    "FIND {ferries AND NOT oslo} IN NAME FIELDS RETURNING Account(Name)": ["Zanzibar Ferries"],
    "FIND {oslo OR zanzibar} IN NAME FIELDS RETURNING Account(Name ORDER BY Name)": [
        "Ferries of Oslo",
        "Zanzibar Ferries",
    ],
    'FIND {"zanzibar ferries"} RETURNING Account(Name)': ["Zanzibar Ferries"],
    'FIND {"ferries zanzibar"} RETURNING Account(Name)': [],
    "FIND {zoe@ferries.example} IN EMAIL FIELDS RETURNING Contact(LastName)": ["O'Neill"],
    "FIND {223} IN PHONE FIELDS RETURNING Account(Name)": ["Zanzibar Ferries"],
    "FIND {O'Neill} RETURNING Contact(LastName WHERE FirstName = 'Zoe' LIMIT 1)": ["O'Neill"],
    "FIND {ferries} RETURNING Account(Name WHERE Name LIKE '%(x) LIMIT 1%')": [],
    "FIND {ferries} RETURNING Account(Name ORDER BY Name DESC LIMIT 1)": ["Zanzibar Ferries"],
    "find {ferries} returning Account(Name) limit 1": ["Zanzibar Ferries"],
    "FIND {x\\{y\\}} RETURNING Lead(Name)": ["Zanzibar"],
}


@pytest.mark.parametrize("text", FOUND)
def test_what_a_search_finds(org: tuple[LocalOrg, Client], text: str) -> None:
    records = get(org, "search", q=text).json()["searchRecords"]
    assert [one.get("Name", one.get("LastName")) for one in records] == FOUND[text]


def test_without_objects_all_are_searched(org: tuple[LocalOrg, Client]) -> None:
    records = get(org, "search", q="FIND {zanzibar}").json()["searchRecords"]
    assert [one["attributes"]["type"] for one in records] == ["Account", "Account", "Lead"]
    assert all(one["attributes"]["url"].endswith(one["Id"]) for one in records)


REFUSED = {
    "zanzibar": "No search term found. The search term must be enclosed in braces.",
    "FIND {z}": "search term must be longer than one character: z",
    "FIND {zanzibar} RETURNING": "unexpected token: RETURNING",
    "FIND {zanzibar} RETURNING Account(Name": "unexpected token: <EOF>",
    "FIND {zanzibar} ELSEWHERE": "unexpected token: ELSEWHERE",
    f"FIND {{zanzibar}} WITH{' ' * 2_000}(": "unexpected token: WITH",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_search(org: tuple[LocalOrg, Client], text: str) -> None:
    answer = get(org, "search", q=text)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "MALFORMED_SEARCH")
    assert answer.json()[0]["message"] == REFUSED[text]
    assert "<sf:MalformedSearchFault" in org[1].call(f"<search><searchString>{text}</searchString></search>")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("FIND {zanzibar} RETURNING Nope", "INVALID_TYPE"),
        ("FIND {nowhere} RETURNING Account(Nope)", "INVALID_FIELD"),
    ],
)
def test_unknown_names_are_faults(org: tuple[LocalOrg, Client], text: str, code: str) -> None:
    assert get(org, "search", q=text).json()[0]["errorCode"] == code


def test_a_simple_search_names_objects_and_fields(org: tuple[LocalOrg, Client]) -> None:
    asked = {"q": "zanzibar", "sobject": "Account,Lead", "Account.fields": "Name", "Account.limit": "1"}
    records = get(org, "parameterizedSearch", **asked).json()["searchRecords"]
    assert [(one["attributes"]["type"], one.get("Name")) for one in records] == [
        ("Account", "Zanzibar Ferries"),
        ("Lead", None),
    ]
    local, client = org
    body = {"q": "zanzibar", "fields": ["Name"], "sobjects": [{"name": "Lead"}], "in": "NAME"}
    head = {"Authorization": f"Bearer {client.session_id}"}
    url = f"{local.url}/services/data/v64.0/parameterizedSearch"
    posted = requests.post(url, json=body, headers=head, timeout=30).json()["searchRecords"]
    assert [one["Name"] for one in posted] == ["Zanzibar"]


def test_a_search_over_soap(org: tuple[LocalOrg, Client]) -> None:
    text = "FIND {Zanzibar} IN NAME FIELDS RETURNING Account(Id, Name)"
    answer = org[1].call(f"<search><searchString>{text}</searchString></search>")
    assert '<searchRecords><record xsi:type="sf:sObject"><sf:type>Account</sf:type>' in answer
    assert "<sf:Name>Zanzibar Ferries</sf:Name></record></searchRecords></result>" in answer
