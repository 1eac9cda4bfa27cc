"""SOQL's clauses and functions over REST: the shape of what a query returns, and the errors of wrong ones."""

from collections.abc import Iterator
from typing import Any

import pytest

from sfmap.engine.local_org.process import start_local_org

from .bulk import Bulk, token

SCHEMA = """\
objects:
  Seat__c:
    fields:
      Account__c: {type: reference, to: Account}
      Kind__c: {type: picklist, values: [{value: gold, label: First class}]}
"""
ACCOUNTS: list[dict[str, object]] = [
    {"Name": "Initech", "Industry": "Technology", "AnnualRevenue": 1234567.5, "BillingCity": "Austin"},
    {"Name": "Acme"},
]


@pytest.fixture(scope="module")
def rest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bulk]:
    folder = tmp_path_factory.mktemp("org")
    (folder / "schema.yaml").write_text(SCHEMA)
    with start_local_org(folder / "org.db", folder / "schema.yaml") as running:
        made = Bulk(running.url, token(running))
        initech, acme = (create(made, "Account", **fields) for fields in ACCOUNTS)
        gibbons = create(made, "Contact", LastName="Gibbons", AccountId=initech)
        create(made, "Contact", LastName="Lumbergh", AccountId=initech)
        create(made, "Contact", LastName="Waddams")
        create(made, "Task", Subject="Call", WhatId=initech, WhoId=gibbons)
        create(made, "Task", Subject="Mail", WhatId=acme)
        create(made, "Seat__c", Name="1A", Account__c=initech, Kind__c="gold")
        create(made, "Seat__c", Name="1B", Account__c=initech)
        yield made


def create(rest: Bulk, object_name: str, **fields: object) -> str:
    answer = rest.ask("POST", f"/sobjects/{object_name}", json=fields)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def plain(value: Any) -> Any:
    """Without the addresses of records, and with their types only where there is nothing else."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items() if key != "attributes"}
    return [plain(part) for part in value] if isinstance(value, list) else value


def children(*records: dict[str, Any]) -> dict[str, Any]:
    return {"totalSize": len(records), "done": True, "records": list(records)}


ANSWERS: list[tuple[str, list[dict[str, Any]]]] = [
    (
        "SELECT Name, (SELECT LastName FROM Contacts ORDER BY LastName DESC LIMIT 1) FROM Account ORDER BY Name",
        [{"Name": "Acme", "Contacts": None}, {"Name": "Initech", "Contacts": children({"LastName": "Lumbergh"})}],
    ),
    (
        "SELECT (SELECT Name FROM Account.Seats__r WHERE Kind__c != null) FROM Account WHERE Name = 'Initech'",
        [{"Seats__r": children({"Name": "1A"})}],
    ),
    (
        "SELECT (SELECT (SELECT Subject FROM Tasks) FROM Contacts WHERE LastName < 'H') FROM Account"
        " ORDER BY Name DESC",
        [{"Contacts": children({"Tasks": children({"Subject": "Call"})})}, {"Contacts": None}],
    ),
    (
        "SELECT LastName FROM Contact WHERE AccountId IN (SELECT Id FROM Account WHERE Name LIKE 'i%')"
        " AND LastName > 'H'",
        [{"LastName": "Lumbergh"}],
    ),
    ("SELECT Name FROM Account WHERE Id NOT IN (SELECT AccountId FROM Contact)", [{"Name": "Acme"}]),
    (
        "SELECT Name FROM Account WHERE Id IN (SELECT WhatId FROM Task WHERE Who.Name = 'Gibbons')",
        [{"Name": "Initech"}],
    ),
    (
        "SELECT FIELDS(CUSTOM), Name FROM Seat__c WHERE Name = '1B' LIMIT 200",
        [{"Account__c": "001000000000001AAA", "Kind__c": None, "Name": "1B"}],
    ),
    (
        "SELECT toLabel(Kind__c), toLabel(Kind__c) k FROM Seat__c WHERE toLabel(Kind__c) = 'first class'",
        [{"Kind__c": "First class", "k": "First class"}],
    ),
    (
        "SELECT FORMAT(AnnualRevenue), convertCurrency(AnnualRevenue) c, FORMAT(convertCurrency(AnnualRevenue)) f"
        " FROM Account WHERE Name = 'Initech'",
        [{"AnnualRevenue": "$1,234,567.50", "c": 1234567.5, "f": "$1,234,567.50"}],
    ),
    (
        "SELECT LastName, Account.BillingAddress FROM Contact WHERE Account.BillingCity = 'austin' LIMIT 1",
        [
            {
                "LastName": "Gibbons",
                "Account": {
                    "BillingAddress": {
                        "city": "Austin",
                        "country": None,
                        "geocodeAccuracy": None,
                        "latitude": None,
                        "longitude": None,
                        "postalCode": None,
                        "state": None,
                        "street": None,
                    }
                },
            }
        ],
    ),
    (
        "SELECT FIELDS(CUSTOM), COUNT(Id) FROM Seat__c GROUP BY Account__c, Kind__c ORDER BY Kind__c LIMIT 200",
        [
            {"Account__c": "001000000000001AAA", "Kind__c": None, "expr0": 1},
            {"Account__c": "001000000000001AAA", "Kind__c": "gold", "expr0": 1},
        ],
    ),
    (
        "SELECT Account.BillingAddress, Account.ShippingAddress, Account.Name FROM Contact"
        " WHERE LastName = 'Waddams'",
        [{"Account": None}],
    ),
    ("SELECT BillingAddress FROM Account WHERE Name = 'Acme'", [{"BillingAddress": None}]),
    (
        "SELECT Subject, TYPEOF What WHEN Account THEN Name, Industry END, TYPEOF Who WHEN Lead THEN Company END"
        " FROM Task ORDER BY Subject",
        [
            {"Subject": "Call", "What": {"Name": "Initech", "Industry": "Technology"}, "Who": None},
            {"Subject": "Mail", "What": {"Name": "Acme", "Industry": None}, "Who": None},
        ],
    ),
    (
        "SELECT TYPEOF Who WHEN Lead THEN Company ELSE LastName, Nothing END FROM Task WHERE Who.Type = 'Contact'",
        [{"Who": {"LastName": "Gibbons"}}],
    ),
    (
        "SELECT What.Type, What.Name FROM Task WHERE What.Type IN ('Account') AND Subject = 'Mail'",
        [{"What": {"Type": "Account", "Name": "Acme"}}],
    ),
    (
        "SELECT Kind__c, COUNT(Id) n, GROUPING(Kind__c) g FROM Seat__c GROUP BY ROLLUP(Kind__c)"
        " ORDER BY GROUPING(Kind__c), Kind__c",
        [
            {"Kind__c": None, "n": 1, "g": 0},
            {"Kind__c": "gold", "n": 1, "g": 0},
            {"Kind__c": None, "n": 2, "g": 1},
        ],
    ),
    (
        "SELECT Account.Name, COUNT(Id) FROM Contact GROUP BY Account.Name HAVING COUNT(Id) > 1",
        [{"Name": "Initech", "expr0": 2}],
    ),
    (
        "SELECT COUNT(Id), Account__c, Kind__c FROM Seat__c GROUP BY CUBE(Account__c, Kind__c)"
        " HAVING COUNT(Id) = 2 ORDER BY GROUPING(Account__c)",
        [
            {"expr0": 2, "Account__c": "001000000000001AAA", "Kind__c": None},
            {"expr0": 2, "Account__c": None, "Kind__c": None},
        ],
    ),
    (
        "SELECT COUNT(Id) FROM Contact WHERE CALENDAR_YEAR(CreatedDate) > 2000 AND DAY_ONLY(CreatedDate) <= TODAY",
        [{"expr0": 3}],
    ),
    (
        "SELECT LastName FROM Contact USING SCOPE mine WHERE LastName > 'M'"
        " WITH SECURITY_ENFORCED LIMIT 1 FOR VIEW",
        [{"LastName": "Waddams"}],
    ),
    (
        "SELECT Name FROM Account WITH USER_MODE ORDER BY Name LIMIT 1 OFFSET 1 FOR REFERENCE UPDATE TRACKING",
        [{"Name": "Initech"}],
    ),
    (
        "SELECT c.LastName, a.Name FROM Contact c, c.Account a WHERE a.Name = 'Initech' AND c.LastName LIKE 'G%'",
        [{"LastName": "Gibbons", "Account": {"Name": "Initech"}}],
    ),
]


@pytest.mark.parametrize(("soql", "expected"), ANSWERS)
def test_a_query_returns_its_records(rest: Bulk, soql: str, expected: list[dict[str, Any]]) -> None:
    answer = rest.ask("GET", "/query", params={"q": soql})
    assert answer.status_code == 200, answer.text
    assert plain(answer.json()["records"]) == expected


def nested(start: str, end: str, levels: int) -> str:
    """A query with the longest of conditions at the last of these levels."""
    return f"SELECT Id FROM Account WHERE {start * levels}Industry NOT IN ('a', null){end * levels}"


LEVELS = [
    ("NOT ", ""),
    ("(", ")"),
    ("(Name = 'a' AND ", ")"),
    ("(Name != 'a' OR ", " OR Name != 'b')"),
    ("(", " AND Name != 'b')"),
]


@pytest.mark.parametrize(("start", "end"), LEVELS)
def test_conditions_may_have_fifteen_levels(rest: Bulk, start: str, end: str) -> None:
    soql = f"SELECT Id, (SELECT Id FROM Contacts WHERE {start * 15}LastName != 'a'{end * 15}) FROM Account"
    for one in (nested(start, end, 15), soql):
        answer = rest.ask("GET", "/query", params={"q": one})
        assert answer.status_code == 200, answer.text


USERS = ("CreatedBy", "LastModifiedBy")
WAYS = [f"{one}.{two}.{three}" for one in USERS for two in USERS for three in USERS]
WRONG = [
    ("SELECT (SELECT Id FROM Nobodies) FROM Account", "INVALID_TYPE", "Didn't understand relationship 'Nobodies'"),
    ("SELECT (SELECT COUNT(Id) FROM Contacts) FROM Account", "MALFORMED_QUERY", "Only root queries"),
    ("SELECT COUNT(Id), (SELECT Id FROM Contacts) FROM Account", "MALFORMED_QUERY", "Only root queries"),
    (
        "SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact) OR Name = 'x'",
        "MALFORMED_QUERY",
        "'OR'",
    ),
    ("SELECT Id FROM Account WHERE NOT Id IN (SELECT AccountId FROM Contact)", "MALFORMED_QUERY", "top level"),
    ("SELECT Id FROM Account WHERE Id IN (SELECT Id FROM Account)", "MALFORMED_QUERY", "same object type"),
    ("SELECT Id FROM Account WHERE Id IN (SELECT LastName FROM Contact)", "MALFORMED_QUERY", "can only query id"),
    ("SELECT Id FROM Account WHERE Name IN (SELECT AccountId FROM Contact)", "MALFORMED_QUERY", "left operand"),
    ("SELECT Id FROM Account WHERE Id IN (SELECT OwnerId FROM Contact)", "MALFORMED_QUERY", "point to the same"),
    (
        "SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact WHERE Id IN (SELECT WhoId FROM Task))",
        "MALFORMED_QUERY",
        "Nesting of semi join",
    ),
    (
        "SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact LIMIT 5)",
        "MALFORMED_QUERY",
        "token: LIMIT",
    ),
    ("SELECT FIELDS(ALL) FROM Account", "MALFORMED_QUERY", "must have a LIMIT of at most 200"),
    ("SELECT FIELDS(CUSTOM) FROM Account LIMIT 1", "MALFORMED_QUERY", "must result in at least one field"),
    ("SELECT Id, FIELDS(STANDARD) FROM Account", "INVALID_FIELD", "duplicate field selected: Id"),
    ("SELECT Name, NAME FROM Account", "INVALID_FIELD", "duplicate field selected: Name"),
    ("SELECT Name n FROM Account", "MALFORMED_QUERY", "only aggregate expressions use field aliasing"),
    ("SELECT Name n, COUNT(Id) n FROM Account GROUP BY Name", "MALFORMED_QUERY", "duplicate alias: n"),
    ("SELECT CALENDAR_YEAR(CreatedDate) FROM Account", "MALFORMED_QUERY", "Field must be grouped or aggregated"),
    (
        "SELECT COUNT(Id) FROM Account GROUP BY Name ORDER BY Phone",
        "MALFORMED_QUERY",
        "Ordered field must be grouped",
    ),
    ("SELECT COUNT(Id) FROM Account LIMIT 1", "MALFORMED_QUERY", "cannot also use LIMIT"),
    ("SELECT SUM(Name) FROM Account", "INVALID_FIELD", "does not support aggregate operator SUM"),
    ("SELECT Id FROM Account WHERE COUNT(Id) > 1", "MALFORMED_QUERY", "unexpected token: COUNT"),
    ("SELECT Id FROM Account WHERE convertCurrency(MAX(AnnualRevenue)) > 1", "MALFORMED_QUERY", "token: MAX"),
    (
        "SELECT Name FROM Account GROUP BY Name HAVING Phone = '1'",
        "MALFORMED_QUERY",
        "Having clause field must be",
    ),
    ("SELECT Id FROM Account WHERE HOUR_IN_DAY(Name) = 1", "INVALID_FIELD", "HOUR_IN_DAY"),
    ("SELECT Id FROM Account ORDER BY Description", "INVALID_FIELD", "can not be sorted in a query call"),
    ("SELECT COUNT(Id) FROM Account GROUP BY Description", "INVALID_FIELD", "can not be grouped in a query call"),
    ("SELECT COUNT(Id) FROM Account GROUP BY CreatedDate", "INVALID_FIELD", "can not be grouped in a query call"),
    ("SELECT COUNT() FROM Account GROUP BY Name", "MALFORMED_QUERY", "cannot use COUNT()"),
    ("SELECT COUNT(Id) FROM Account GROUP BY CUBE(Name, Type, Phone, Fax)", "MALFORMED_QUERY", "at most 3 fields"),
    ("SELECT What.Name, TYPEOF What WHEN Account THEN Id END FROM Task", "INVALID_FIELD", "selected: What"),
    (f"SELECT {', '.join(f'What.{way}.Name' for way in WAYS)} FROM Task", "QUERY_TOO_COMPLICATED", "55 parents"),
    ("SELECT TYPEOF Owner WHEN User THEN Name END FROM Account", "MALFORMED_QUERY", "polymorphic"),
    ("SELECT Id FROM Account LIMIT 1 ALL ROWS", "MALFORMED_QUERY", "ALL ROWS not allowed"),
    ("SELECT Id FROM Account USING SCOPE team", "MALFORMED_QUERY", "unexpected token: team"),
    ("SELECT Id FROM Account OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000"),
    (
        "SELECT Id FROM Account WHERE DISTANCE(Name, GEOLOCATION(1, 2), 'mi') < 20",
        "MALFORMED_QUERY",
        "token: DISTANCE",
    ),
    (
        "SELECT Nope__c\nFROM Account",
        "INVALID_FIELD",
        "ERROR at Row:1:Column:8\nNo such column 'Nope__c' on entity",
    ),
    ("SELECT Id\nFROM Nobody", "INVALID_TYPE", "ERROR at Row:2:Column:6\nsObject type 'Nobody' is not supported"),
    (f"SELECT {'FORMAT(' * 20}Name{')' * 20} FROM Account", "QUERY_TOO_COMPLICATED", "nests functions"),
    (nested("NOT ", "", 16), "QUERY_TOO_COMPLICATED", "nests conditions deeper than 15"),
    (nested("(Name = 'a' AND ", ")", 16), "QUERY_TOO_COMPLICATED", "nests conditions deeper than 15"),
    (nested(f"({'Name != null AND ' * 40}", ")", 15), "QUERY_TOO_COMPLICATED", "at too many levels"),
    (f"SELECT {'(SELECT ' * 9}Id FROM Contacts{')' * 9} FROM Account", "QUERY_TOO_COMPLICATED", "nests queries"),
]


@pytest.mark.parametrize(("soql", "code", "words"), WRONG, ids=[f"{code}-{words}" for _, code, words in WRONG])
def test_a_wrong_query_is_refused(rest: Bulk, soql: str, code: str, words: str) -> None:
    answer = rest.ask("GET", "/query", params={"q": soql})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, code), answer.text
    assert words in answer.json()[0]["message"]
