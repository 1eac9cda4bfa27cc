"""Upserts, deletes and parents by external id, as raw SOAP."""

import re
from collections.abc import Iterator
from itertools import count

import pytest

from sfmap.engine.local_org.process import start_local_org

from .conftest import Client, record, sign_in

SCHEMA = """\
objects:
  Account:
    fields:
      Number__c: {type: string, length: 20, external_id: true, label: Number}
      Order__c: {type: double, precision: 9, external_id: true}
  Contact:
    fields:
      Key__c: {type: string, length: 20, external_id: true}
      Code__c: {type: string, length: 20, external_id: true, unique: true}
  Visit__c:
    fields:
      Key__c: {type: string, length: 20, external_id: true, required: true}
      Account__c: {type: reference, to: Account, required: true}
      Party__c: {type: reference, to: [Account, Contact]}
"""
ALL_OR_NONE = "<AllOrNoneHeader><allOrNone>true</allOrNone></AllOrNoneHeader>"
_numbers = count(100)


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("upserts")
    (folder / "schema.yaml").write_text(SCHEMA)
    with start_local_org(folder / "org.db", folder / "schema.yaml") as running:
        client = sign_in(running)
        known = [{"Key__c": "one"}, {"Key__c": "two"}, {"Key__c": "two", "Code__c": "taken"}]
        records = [record("Contact", LastName="Known", **fields) for fields in known]
        records += [record("Account", Name="Known", Number__c="pair")] * 2
        assert len(ids(client.call(f"<create>{''.join(records)}</create>"))) == len(records)
        yield client


def upsert(org: Client, key: str, *records: str, headers: str = "") -> str:
    return org.call(
        f"<upsert><externalIDFieldName>{key}</externalIDFieldName>{''.join(records)}</upsert>", headers
    )


def delete(org: Client, *ids: str, headers: str = "") -> str:
    return org.call(f"<delete>{''.join(f'<ids>{one}</ids>' for one in ids)}</delete>", headers)


def outcomes(answer: str) -> list[str]:
    """For each record: created, changed, or the status code."""
    assert "<soapenv:Fault>" not in answer, answer
    words = {"true": "created", "false": "changed"}
    found = []
    for result in re.findall("<result>(.*?)</result>", answer):
        code = re.search("<statusCode>(.*?)</statusCode>", result)
        made = re.search("<created>(.*?)</created>", result)
        assert code is None or made is None or made[1] == "false"
        found.append(code[1] if code else words[made[1] if made else "false"])
    return found


def fault(answer: str) -> str:
    return "".join(re.findall("<faultstring>(.*?)</faultstring>", answer))


def ids(answer: str) -> list[str]:
    assert answer.count("<success>true<") == answer.count("<success>"), answer
    return re.findall("<id>(.*?)</id>", answer)


def account(org: Client, **fields: str) -> str:
    (made,) = ids(org.call(f"<create>{record('Account', **{'Name': 'Home', **fields})}</create>"))
    return made


def new_key() -> str:
    return f"K{next(_numbers)}"


def test_upsert_reports_whether_it_created(org: Client) -> None:
    key = new_key()
    made = upsert(org, "Key__c", record("Contact", Key__c=key, LastName="Bell", Title="a"))
    again = upsert(org, "key__c", record("Contact", Key__c=key.lower(), Title="b"))
    (contact,) = ids(made)
    assert made.count(f"<result><created>true</created><id>{contact}</id><success>true</success></result>") == 1
    assert again.count(f"<result><created>false</created><id>{contact}</id><success>true</success></result>") == 1
    assert org.query(f"SELECT LastName, Title FROM Contact WHERE Key__c = '{key}'") == ["Bell", "b"]


# Records of one upsert by Key__c, and what becomes of each.
UPSERTS = [
    ([{"Key__c": ""}, {}, {"fieldsToNull": "Key__c"}], ["MISSING_ARGUMENT"] * 3),
    ([{"Key__c": "two"}, {"Key__c": "one"}], ["DUPLICATE_EXTERNAL_ID", "changed"]),
    (
        [{"Key__c": "same"}, {"Key__c": "one"}, {"Key__c": " SAME "}],
        ["DUPLICATE_VALUE", "changed", "DUPLICATE_VALUE"],
    ),
    ([{"Key__c": "x" * 21}], ["STRING_TOO_LONG"]),
    (
        [{"Key__c": "new", "LastName": ""}, {"Key__c": "one", "LastName": ""}],
        ["REQUIRED_FIELD_MISSING", "changed"],
    ),
    ([{"Key__c": "one", "fieldsToNull": "LastName"}], ["REQUIRED_FIELD_MISSING"]),
    ([{"Key__c": "one", "Email": "nonsense"}], ["INVALID_EMAIL_ADDRESS"]),
    ([{"Key__c": "one", "Code__c": "taken"}], ["DUPLICATE_VALUE"]),
    ([{"Key__c": "one", "Id": "003000000000001"}], ["INVALID_FIELD_FOR_INSERT_UPDATE"]),
]


@pytest.mark.parametrize(("records", "expected"), UPSERTS, ids=[f"{row}"[:60] for row, _ in UPSERTS])
def test_each_record_of_an_upsert_has_its_result(
    org: Client, records: list[dict[str, str]], expected: list[str]
) -> None:
    answer = upsert(org, "Key__c", *(record("Contact", **{"LastName": "Bell", **one}) for one in records))

    assert outcomes(answer) == expected


WORDS = [
    ({"Key__c": ""}, "Key__c not specified"),
    ({"Key__c": "Two"}, r"Key: more than one record found for external id field: \[003\w{15}, 003\w{15}\]"),
    ({"Key__c": "Twice"}, "Duplicate external id specified: Twice"),
]


@pytest.mark.parametrize(("fields", "words"), WORDS)
def test_refused_upserts_have_a_message(org: Client, fields: dict[str, str], words: str) -> None:
    repeated = 2 if fields["Key__c"] == "Twice" else 1
    answer = upsert(org, "Key__c", record("Contact", LastName="x", **fields) * repeated)
    assert len(re.findall(f"<message>{words}</message>", answer)) == repeated


def test_upsert_by_an_indexed_standard_field(org: Client) -> None:
    email = f"{new_key()}@b.co"
    answers = [
        upsert(org, "Email", record("Contact", LastName="Bell", Email=text)) for text in (email, email.lower())
    ]
    assert [outcomes(answer) for answer in answers] == [["created"], ["changed"]]


def test_upsert_by_a_number_field(org: Client) -> None:
    answers = [upsert(org, "Order__c", record("Account", Name="n", Order__c=text)) for text in ("7", "7.0")]
    assert [outcomes(answer) for answer in answers] == [["created"], ["changed"]]
    assert (
        outcomes(upsert(org, "Order__c", record("Account", Name="n", Order__c="8") * 2)) == ["DUPLICATE_VALUE"] * 2
    )
    assert outcomes(upsert(org, "Order__c", record("Account", Order__c="x"))) == [
        "INVALID_TYPE_ON_FIELD_IN_RECORD"
    ]


def test_upsert_by_an_auto_number_finds_but_does_not_create(org: Client) -> None:
    org.call(f"<create>{record('Case', Subject='a')}</create>")
    answer = upsert(org, "CaseNumber", record("Case", CaseNumber="00000001", Subject="b"))
    assert outcomes(answer) == ["changed"]
    assert outcomes(upsert(org, "CaseNumber", record("Case", CaseNumber="7"))) == [
        "INVALID_FIELD_FOR_INSERT_UPDATE"
    ]


def test_upsert_by_id(org: Client) -> None:
    (made,) = ids(upsert(org, "Id", record("Account", Name="By id")))
    answer = upsert(
        org,
        "Id",
        record("Account", Id=made, Site="x"),
        record("Account", Id=made, Site="y"),
        record("Account", Id="001000000zzzzzz", Site="x"),
        record("Account", Id="nonsense", Site="x"),
    )
    assert outcomes(answer) == ["changed", "DUPLICATE_VALUE", "INVALID_CROSS_REFERENCE_KEY", "MALFORMED_ID"]


@pytest.mark.parametrize("key", ["Title", "Nope__c", ""])
def test_upsert_by_another_field_is_refused(org: Client, key: str) -> None:
    assert fault(upsert(org, key, record("Contact", LastName="x"))) == (
        f"INVALID_FIELD: Field name provided, {key} does not match an External ID, Salesforce Id, or indexed field"
        " for Contact"
    )


def test_a_converted_lead_is_not_upserted(org: Client) -> None:
    lead = {"LastName": "Bell", "Company": "x", "Email": f"{new_key()}@b.co"}
    org.call(f"<create>{record('Lead', **lead, IsConverted='true')}</create>")
    assert outcomes(upsert(org, "Email", record("Lead", **lead))) == ["CANNOT_UPDATE_CONVERTED_LEAD"]


def test_deleted_records_are_not_found(org: Client) -> None:
    key = new_key()
    gone, kept = account(org, Number__c=key), account(org, Number__c=f"{key}-kept")

    assert ids(delete(org, gone[:15])) == [gone]

    named = [gone, kept, "001000000zzzzzz", "nonsense", kept, "zzz000000000001"]
    assert outcomes(delete(org, *named)) == [
        "ENTITY_IS_DELETED",
        "changed",
        "INVALID_CROSS_REFERENCE_KEY",
        "MALFORMED_ID",
        "DUPLICATE_VALUE",
        "INVALID_CROSS_REFERENCE_KEY",
    ]
    assert org.query(f"SELECT Number__c FROM Account WHERE Number__c LIKE '{key}%'") == []
    update = org.call(f"<update>{record('Account', Id=gone, Name='x')}</update>")
    assert outcomes(update) == ["ENTITY_IS_DELETED"]
    assert outcomes(upsert(org, "Number__c", record("Account", Number__c=key, Name="x"))) == ["created"]


def test_all_or_none_rolls_back_deletes_and_upserts(org: Client) -> None:
    key = new_key()
    kept = account(org, Number__c=key)
    rolled_back = "ALL_OR_NONE_OPERATION_ROLLED_BACK"
    assert outcomes(delete(org, kept, "nonsense", headers=ALL_OR_NONE)) == [rolled_back, "MALFORMED_ID"]
    records = [record("Account", Number__c=key, Name="Changed"), record("Account", Name="x")]
    assert outcomes(upsert(org, "Number__c", *records, headers=ALL_OR_NONE)) == [rolled_back, "MISSING_ARGUMENT"]
    assert org.query(f"SELECT Name FROM Account WHERE Number__c = '{key}'") == ["Home"]


def nested(relationship: str, object_name: str, **fields: str) -> str:
    kind = f"<type>{object_name}</type>" if object_name else ""
    return f"<{relationship}>{kind}{''.join(f'<{k}>{v}</{k}>' for k, v in fields.items())}</{relationship}>"


def with_parent(parent: str, object_name: str = "Contact", **fields: str) -> str:
    return record(object_name, **fields).replace("</sObjects>", f"{parent}</sObjects>")


@pytest.mark.parametrize("kind", ["Account", ""])
def test_every_write_accepts_a_parent_by_external_id(org: Client, kind: str) -> None:
    one, two, key = new_key(), new_key(), new_key()
    first, second = account(org, Number__c=one), account(org, Order__c=two[1:])
    by_number = nested("account", kind, Number__c=one.lower())
    by_order = nested("Account", kind, Order__c=two[1:])
    soql = f"SELECT AccountId FROM Contact WHERE Key__c = '{key}'"

    answer = org.call(f"<create>{with_parent(by_number, Key__c=key, LastName='Bell')}</create>")
    (contact,) = ids(answer)
    assert org.query(soql) == [first]
    assert ids(org.call(f"<update>{with_parent(by_order, Id=contact)}</update>")) == [contact]
    assert org.query(soql) == [second]
    assert ids(upsert(org, "Key__c", with_parent(by_number, Key__c=key))) == [contact]
    assert org.query(soql) == [first]
    assert ids(org.call(f"<update>{with_parent(nested('Account', kind, Id=second[:15]), Id=contact)}</update>"))
    assert org.query(soql) == [second]


def test_a_required_parent_may_be_created_in_the_same_call(org: Client) -> None:
    key = new_key()
    visit = with_parent(nested("Account__r", "Account", Number__c=key), "Visit__c", Key__c=key)
    assert outcomes(org.call(f"<create>{visit}</create>")) == ["INVALID_FIELD"]
    parent = record("Account", Name="Home", Number__c=key)
    assert len(ids(org.call(f"<create>{parent}{visit}</create>"))) == 2
    assert outcomes(org.call(f"<create>{record('Visit__c', Key__c=key)}</create>")) == ["REQUIRED_FIELD_MISSING"]
    emptied = record("Visit__c", Key__c=key, fieldsToNull="Account__c")
    assert outcomes(upsert(org, "Key__c", emptied)) == ["REQUIRED_FIELD_MISSING"]


REFUSED_PARENTS = [
    (
        nested("Account", "Account", Number__c="none"),
        "INVALID_FIELD",
        "Foreign key external ID: none not found for",
    ),
    (nested("Account", "Account", Number__c="none"), "INVALID_FIELD", "for field Number__c in entity Account"),
    (
        nested("Account", "Account", Number__c="pair"),
        "DUPLICATE_EXTERNAL_ID",
        "Number: more than one record found",
    ),
    (nested("Account", "Account", Number__c=" "), "MISSING_ARGUMENT", "Number__c not specified"),
    (nested("Account", "Account", Order__c="x"), "INVALID_TYPE_ON_FIELD_IN_RECORD", "not of required type"),
    (nested("Account", "Account", Id="nonsense"), "MALFORMED_ID", "Account ID: id value of incorrect type"),
    (nested("Account", "Account", Id="001000000zzzzzz"), "INVALID_CROSS_REFERENCE_KEY", "invalid cross"),
    (
        nested("Account", "Account", Number__c="a") + "<AccountId>001</AccountId>",
        "INVALID_FIELD",
        "Cannot specify both",
    ),
    (
        nested("Account", "Account", Number__c="a") + "<fieldsToNull>AccountId</fieldsToNull>",
        "INVALID_FIELD",
        "Cannot specify both an external ID reference Account and a salesforce id, AccountId",
    ),
    (
        "<AccountId>003000000000001AAA</AccountId>",
        "FIELD_INTEGRITY_EXCEPTION",
        "id value of incorrect type: 003000000000001",
    ),
    ("<AccountId>001000000zzzzzz</AccountId>", "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"),
]


@pytest.mark.parametrize(("parent", "code", "words"), REFUSED_PARENTS)
def test_an_invalid_parent_is_refused(org: Client, parent: str, code: str, words: str) -> None:
    good = record("Contact", LastName="Good")
    answer = org.call(f"<create>{good}{with_parent(parent, LastName='Bell')}{good}</create>")
    assert outcomes(answer) == ["changed", code, "changed"]
    assert words in answer


def test_a_deleted_parent_is_not_found(org: Client) -> None:
    key = new_key()
    gone = account(org, Number__c=key)
    delete(org, gone)
    by_key = with_parent(nested("Account", "Account", Number__c=key), LastName="Bell")
    by_id = record("Contact", LastName="Bell", AccountId=gone)
    assert outcomes(org.call(f"<create>{by_key}{by_id}</create>")) == ["INVALID_FIELD", "ENTITY_IS_DELETED"]


CALL_FAULTS = [
    (nested("Nope__r", "Account", Number__c="a"), "No such column 'Nope__r' on entity 'Visit__c'"),
    (nested("Account__c", "Account", Number__c="a"), "No such column 'Account__c' on entity 'Visit__c'"),
    (nested("Account__r", "Nobody", Number__c="a"), "sObject type 'Nobody' is not supported"),
    (nested("Account__r", "Contact", Key__c="a"), "does not reference a valid entity: Account__r"),
    (nested("Party__r", "", Number__c="a"), "does not reference a valid entity: Party__r"),
    (nested("Account__r", "Account"), "does not reference a valid entity: Account__r"),
    (nested("Account__r", "Account", Number__c="a", Order__c="1"), "does not reference a valid entity"),
    (nested("Account__r", "Account", Site="a"), "Field name provided, Site does not match an External ID"),
    (nested("Account__r", "Account", Nope__c="a"), "Field name provided, Nope__c does not match an External ID"),
]


@pytest.mark.parametrize(("parent", "words"), CALL_FAULTS)
def test_an_impossible_parent_fails_the_whole_call(org: Client, parent: str, words: str) -> None:
    answer = org.call(f"<create>{with_parent(parent, 'Visit__c', Key__c='a')}</create>")
    assert words in fault(answer).replace("&apos;", "'")


def test_a_reference_to_one_of_several_objects_is_set(org: Client) -> None:
    key, home = new_key(), account(org)
    (contact,) = ids(org.call(f"<create>{record('Contact', LastName='Bell', Key__c=key)}</create>"))
    party = nested("Party__r", "Contact", Key__c=key)
    visit = with_parent(party, "Visit__c", Key__c=key, Account__c=home)
    assert len(ids(org.call(f"<create>{visit}</create>"))) == 1
    assert org.query(f"SELECT Account__c, Party__c FROM Visit__c WHERE Key__c = '{key}'") == [home, contact]


def test_describe_names_relationships(org: Client) -> None:
    answer = org.call(
        "<describeSObjects><sObjectType>Contact</sObjectType><sObjectType>Visit__c</sObjectType></describeSObjects>"
    )
    described = {}
    for text in re.findall("<fields>(.*?)</fields>", answer):
        name, relationship = (re.findall(f"<{tag}>(.*?)</{tag}>", text) for tag in ("name", "relationshipName"))
        described[name[0]] = (re.findall("<referenceTo>(.*?)</referenceTo>", text), relationship)
    assert described["AccountId"] == (["Account"], ["Account"])
    assert described["ReportsToId"] == (["Contact"], ["ReportsTo"])
    assert described["CreatedById"] == (["User"], ["CreatedBy"])
    assert described["Account__c"] == (["Account"], ["Account__r"])
    assert described["Party__c"] == (["Account", "Contact"], ["Party__r"])
    assert described["LastName"] == ([], [])
