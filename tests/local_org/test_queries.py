"""SOQL beyond single objects: parents, aggregates, groups, multi-select picklists, users and the organization."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from sfmap.engine.local_org.calls import credentials
from sfmap.engine.local_org.process import LocalOrg, start_local_org

SCHEMA = """\
objects:
  Lead: {fields: {Tags__c: {type: multipicklist, length: 255, values: [red, green, blue]}}}
  Seat__c: {fields: {Account__c: {type: reference, to: Account}, Price__c: {type: double, precision: 6, scale: 2}}}
"""


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalOrg]:
    folder = tmp_path_factory.mktemp("org")
    (folder / "schema.yaml").write_text(SCHEMA)
    with start_local_org(folder / "org.db", folder / "schema.yaml") as running:
        yield running


@pytest.fixture(scope="module")
def session(local: LocalOrg) -> requests.Session:
    form = {
        "grant_type": "client_credentials",
        "client_id": credentials.CLIENT_ID,
        "client_secret": credentials.CLIENT_SECRET,
    }
    token = requests.post(f"{local.url}/services/oauth2/token", form, timeout=10).json()["access_token"]
    made = requests.Session()
    made.headers["Authorization"] = f"Bearer {token}"
    return made


@pytest.fixture(scope="module", autouse=True)
def records(local: LocalOrg, session: requests.Session) -> None:
    def create(kind: str, **fields: object) -> str:
        done = session.post(f"{local.url}/services/data/v64.0/sobjects/{kind}", json=fields, timeout=10)
        assert done.status_code == 201, done.text
        return str(done.json()["id"])

    parent = create("Account", Name="Initech Group")
    account = create("Account", Name="Initech", ParentId=parent, Industry="Technology")
    create("Contact", LastName="Gibbons", AccountId=account, Email="peter@initech.com")
    create("Contact", LastName="Waddams")
    for price in (1.5, 2.5, 10):
        create("Seat__c", Name="x", Account__c=account, Price__c=price)
    create("Seat__c", Name="y", Price__c=4)
    for name, tags in (("Lee", "red;green"), ("Ray", "blue"), ("Kim", None)):
        create("Lead", LastName=name, Company="x", Tags__c=tags)


def plain(value: Any) -> Any:
    """Without what says of which object a record is."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items() if key != "attributes"}
    return [plain(part) for part in value] if isinstance(value, list) else value


MANY_CHOICES = ",".join(["'red'"] * 1050)
"""More than SQLite takes in one chain of conditions."""

QUERIES: list[tuple[str, list[dict[str, Any]]]] = [
    (
        "SELECT LastName, Account.Name, Account.Parent.Name FROM Contact ORDER BY LastName",
        [
            {"LastName": "Gibbons", "Account": {"Name": "Initech", "Parent": {"Name": "Initech Group"}}},
            {"LastName": "Waddams", "Account": None},
        ],
    ),
    ("SELECT LastName FROM Contact WHERE Account.Industry = 'technology'", [{"LastName": "Gibbons"}]),
    ("SELECT LastName FROM Contact WHERE Account.Name = null", [{"LastName": "Waddams"}]),
    ("SELECT c.LastName FROM Contact c WHERE c.Account.Parent.Name LIKE 'initech%'", [{"LastName": "Gibbons"}]),
    (
        "SELECT Contact.LastName FROM Contact ORDER BY Account.Name NULLS LAST LIMIT 1",
        [{"LastName": "Gibbons"}],
    ),
    ("SELECT Owner.Name FROM Contact LIMIT 1", [{"Owner": {"Name": "Local Developer"}}]),
    (
        "SELECT Owner.Name FROM Lead WHERE Owner.Name LIKE 'local%' LIMIT 1",
        [{"Owner": {"Name": "Local Developer"}}],
    ),
    (
        "SELECT Name, Account__r.Name FROM Seat__c WHERE Price__c = 10",
        [{"Name": "x", "Account__r": {"Name": "Initech"}}],
    ),
    ("SELECT COUNT(Id) FROM Seat__c", [{"expr0": 4}]),
    (
        "SELECT Account__r.Name, SUM(Price__c) total, MAX(Price__c), COUNT(Id) FROM Seat__c"
        " GROUP BY Account__r.Name ORDER BY SUM(Price__c)",
        [
            {"Name": None, "total": 4.0, "expr0": 4.0, "expr1": 1},
            {"Name": "Initech", "total": 14.0, "expr0": 10.0, "expr1": 3},
        ],
    ),
    (
        "SELECT AVG(Price__c), MIN(Name), COUNT_DISTINCT(Name) FROM Seat__c",
        [{"expr0": 4.5, "expr1": "x", "expr2": 2}],
    ),
    ("SELECT LastName FROM Lead WHERE Tags__c INCLUDES ('red;green', 'blue') ORDER BY LastName",
     [{"LastName": "Lee"}, {"LastName": "Ray"}]),
    (f"SELECT LastName FROM Lead WHERE Tags__c INCLUDES ({MANY_CHOICES})",
     [{"LastName": "Lee"}]),
    ("SELECT LastName FROM Lead WHERE Tags__c EXCLUDES ('red') ORDER BY LastName",
     [{"LastName": "Kim"}, {"LastName": "Ray"}]),
    ("SELECT Username, IsActive FROM User WHERE Alias = 'local'",
     [{"Username": credentials.USERNAME, "IsActive": True}]),
    ("SELECT Name, IsSandbox FROM Organization", [{"Name": "Local org", "IsSandbox": True}]),
]  # fmt: skip


@pytest.mark.parametrize(("query", "expected"), QUERIES)
def test_a_query_returns_its_records(
    local: LocalOrg, session: requests.Session, query: str, expected: list[dict[str, Any]]
) -> None:
    answer = session.get(f"{local.url}/services/data/v64.0/query", params={"q": query}, timeout=10)
    assert answer.status_code == 200, answer.text
    assert plain(answer.json()["records"]) == expected


BROKEN = [
    ("SELECT Nobody.Name FROM Contact", "INVALID_FIELD"),
    ("SELECT Account.Nothing FROM Contact", "INVALID_FIELD"),
    ("SELECT Name FROM Seat__c GROUP BY Price__c", "MALFORMED_QUERY"),
    ("SELECT FOO(Name) FROM Seat__c", "MALFORMED_QUERY"),
    ("SELECT Name, FROM Seat__c", "MALFORMED_QUERY"),
    ("SELECT (SELECT Id FROM Nobodies) FROM Account", "INVALID_TYPE"),
    ("SELECT LastName FROM Lead WHERE LastName INCLUDES ('x')", "INVALID_QUERY_FILTER_OPERATOR"),
    ("SELECT Parent.Parent.Parent.Parent.Parent.Parent.Name FROM Account", "MALFORMED_QUERY"),
    ("SELECT Name FROM", "MALFORMED_QUERY"),
    ("", "MALFORMED_QUERY"),
]


@pytest.mark.parametrize(("query", "code"), BROKEN)
def test_an_invalid_query_is_refused(local: LocalOrg, session: requests.Session, query: str, code: str) -> None:
    answer = session.get(f"{local.url}/services/data/v64.0/query", params={"q": query}, timeout=10)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, code)
