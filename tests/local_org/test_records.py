"""Creates and updates: what is stored, and which error codes refused records have."""

import re
from pathlib import Path

import pytest

from sfmap.engine.local_org.process import start_local_org

from .conftest import SCHEMA, Client, record, sign_in

GOOD = {"LastName": "Lee", "Company": "Initech"}

REFUSED = [
    ({"LastName": "Lee"}, "REQUIRED_FIELD_MISSING", "Required fields are missing: [Company]"),
    ({**GOOD, "LastName": "x" * 81}, "STRING_TOO_LONG", "Last Name: data value too large:"),
    ({**GOOD, "FirstName": "👍" * 21}, "STRING_TOO_LONG", "(max length=40)"),
    ({**GOOD, "Email": "nonsense"}, "INVALID_EMAIL_ADDRESS", "Email: invalid email address: nonsense"),
    ({**GOOD, "GeocodeAccuracy": "Roughly"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "restricted picklist"),
    ({**GOOD, "NumberOfEmployees": "four"}, "INVALID_TYPE_ON_FIELD_IN_RECORD", "not of required type"),
    ({**GOOD, "NumberOfEmployees": "123456789"}, "NUMBER_OUTSIDE_VALID_RANGE", "valid range"),
    ({**GOOD, "Score__c": "1000"}, "NUMBER_OUTSIDE_VALID_RANGE", "valid range"),
    ({**GOOD, "Vip__c": "perhaps"}, "INVALID_TYPE_ON_FIELD_IN_RECORD", "not of required type"),
    ({**GOOD, "Seen__c": "yesterday"}, "INVALID_TYPE_ON_FIELD_IN_RECORD", "not of required type"),
    ({**GOOD, "OwnerId": "me"}, "MALFORMED_ID", "id value of incorrect type"),
    ({**GOOD, "CreatedDate": "2020-01-01T00:00:00Z"}, "INVALID_FIELD_FOR_INSERT_UPDATE", "CreatedDate"),
    (
        {**GOOD, "Id": "00Q000000000001EAA"},
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        "cannot specify Id in an insert call",
    ),
]


@pytest.mark.parametrize(("fields", "code", "words"), REFUSED, ids=[code for _, code, _ in REFUSED])
def test_an_invalid_record_is_refused_alone(client: Client, fields: dict[str, str], code: str, words: str) -> None:
    answer = client.call(
        f"<create>{record('Lead', **GOOD)}{record('Lead', **fields)}{record('Lead', **GOOD)}</create>"
    )
    assert re.findall("<success>(.*?)</success>", answer) == ["true", "false", "true"]
    assert f"<statusCode>{code}</statusCode>" in answer
    assert words in answer


CALL_FAULTS = [
    (record("Lead", **GOOD, Nope__c="x"), "INVALID_FIELD", "No such column 'Nope__c' on entity 'Lead'"),
    (record("Nobody", Name="x"), "INVALID_TYPE", "sObject type 'Nobody' is not supported"),
    (record("Lead", **GOOD) * 201, "EXCEEDED_ID_LIMIT", "cannot submit more than 200 records"),
]


@pytest.mark.parametrize(("records", "code", "words"), CALL_FAULTS, ids=[code for _, code, _ in CALL_FAULTS])
def test_an_invalid_call_creates_nothing(client: Client, records: str, code: str, words: str) -> None:
    before = client.call("<query><queryString>SELECT COUNT() FROM Lead</queryString></query>")
    answer = client.call(f"<create>{record('Lead', **GOOD)}{records}</create>")
    assert f"<faultcode>sf:{code}</faultcode>" in answer
    assert words in answer
    after = client.call("<query><queryString>SELECT COUNT() FROM Lead</queryString></query>")
    sizes = [re.findall("<size>(.*?)</size>", text) for text in (before, after)]
    assert sizes[0] == sizes[1]


def created(client: Client, object_name: str, **fields: str) -> str:
    answer = client.call(f"<create>{record(object_name, **fields)}</create>")
    found = re.search("<id>(.*)</id>", answer)
    assert found, answer
    return found[1]


def test_a_record_has_computed_and_default_fields(client: Client) -> None:
    created(client, "Lead", LastName=" Lovelace ", FirstName="Ada", Company="Engines", Vip__c="1")
    fields = "Name, Status, IsConverted, Vip__c, LastName, Score__c"
    assert client.query(f"SELECT {fields} FROM Lead WHERE Company = 'Engines'") == [
        "Ada Lovelace",
        "Open - Not Contacted",
        "false",
        "true",
        "Lovelace",
    ]
    case_id = created(client, "Case", Subject="Help")
    assert client.query(f"SELECT CaseNumber, Status FROM Case WHERE Id = '{case_id[:15]}'") == ["00000001", "New"]


def test_an_update_changes_and_clears_fields(client: Client) -> None:
    lead = created(client, "Lead", **GOOD, FirstName="Ann", Phone="555-1", Code__c="U1")
    update = f"<sObjects><type>Lead</type><Id>{lead}</Id><fieldsToNull>Phone</fieldsToNull>"
    answer = client.call(f"<update>{update}<FirstName>Bea</FirstName><Title></Title></sObjects></update>")
    assert "<success>true</success>" in answer
    assert client.query("SELECT Name, Phone FROM Lead WHERE Code__c = 'u1'") == ["Bea Lee"]


def test_invalid_updates_are_refused(client: Client) -> None:
    converted = created(client, "Lead", **GOOD, IsConverted="true")
    holder = created(client, "Lead", **GOOD, Code__c="taken")
    other = created(client, "Lead", **GOOD)
    answer = client.call(
        "<update>"
        + record("Lead", Id=converted, FirstName="A")
        + record("Lead", Id=other, Code__c="TAKEN")
        + record("Lead", Id="00Q00000000ZZZZ", FirstName="A")
        + record("Lead", Id="nonsense", FirstName="A")
        + record("Lead", FirstName="A")
        + record("Lead", Id=holder, Code__c="taken")
        + record("Lead", Id=holder, FirstName="A")
        + "</update>"
    )
    assert re.findall("<statusCode>(.*?)</statusCode>|<success>true</success>", answer) == [
        "CANNOT_UPDATE_CONVERTED_LEAD",
        "DUPLICATE_VALUE",
        "INVALID_CROSS_REFERENCE_KEY",
        "MALFORMED_ID",
        "MISSING_ARGUMENT",
        "",
        "DUPLICATE_VALUE",
    ]


def test_all_or_none_rolls_back_the_call(client: Client) -> None:
    header = "<AllOrNoneHeader><allOrNone>true</allOrNone></AllOrNoneHeader>"
    records = record("Lead", **GOOD, Title="all-or-none") + record("Lead", LastName="x")
    answer = client.call(f"<create>{records}</create>", header)
    codes = ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "REQUIRED_FIELD_MISSING"]
    assert re.findall("<statusCode>(.*?)</statusCode>", answer) == codes
    assert client.query("SELECT Title FROM Lead WHERE Title = 'all-or-none'") == []


def test_text_is_truncated_on_request(client: Client) -> None:
    allow = "<allowFieldTruncation>true</allowFieldTruncation>"
    header = f"<AllowFieldTruncationHeader>{allow}</AllowFieldTruncationHeader>"
    client.call(f"<create>{record('Lead', LastName='y' * 90, Company='Cutters')}</create>", header)
    assert client.query("SELECT LastName FROM Lead WHERE Company = 'Cutters'") == ["y" * 80]


def test_records_survive_a_restart_with_a_larger_schema(tmp_path: Path) -> None:
    with start_local_org(tmp_path / "org.db") as local:
        created(sign_in(local), "Lead", **GOOD, FirstName="Ann")
    (tmp_path / "schema.yaml").write_text(SCHEMA)
    with (
        start_local_org(tmp_path / "org.db", tmp_path / "schema.yaml") as one,
        start_local_org(tmp_path / "org.db") as other,
    ):
        created(sign_in(one), "Lead", **GOOD, FirstName="Bea", Code__c="B")
        created(sign_in(other), "Lead", **GOOD, FirstName="Cleo")
        assert sign_in(one).query("SELECT FirstName FROM Lead") == ["Ann", "Bea", "Cleo"]
