"""The calls of SoapOrg with prepared answers: what is sent, what is read, what is counted."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from lxml import etree
from syrupy.assertion import SnapshotAssertion

from sfmap.engine.org.port import (
    BATCH_SIZE,
    ApiUsage,
    CallRefused,
    OrgUnavailable,
    RecordWrite,
    Reference,
    Refused,
    SignInRefused,
    Value,
    WriteOptions,
    Written,
)
from sfmap.engine.org.soap import SoapOrg, SoapSettings

from .conftest import Canned, CannedServer, Clock

DUPLICATE = (
    '<errors xsi:type="DuplicateError"><duplicateResult><allowSave>false</allowSave></duplicateResult>'
    "<message>Use one of these records?</message><statusCode>DUPLICATES_DETECTED</statusCode></errors>"
    "<success>false</success>"
)
OK = "<id>00Q5f000001AbcdEAC</id><success>true</success>"
WITHOUT_REASON = "The org refused the record without saying why."
TOO_LONG = (
    "<errors><fields>LastName</fields><message>Last Name: data value too large</message>"
    "<statusCode>STRING_TOO_LONG</statusCode></errors><id xsi:nil='true'/><success>false</success>"
)


def lead(number: int) -> str:
    """The id of a lead."""
    return f"00Q{number:012}EAA"


def test_nothing_is_sent_before_the_first_call(org: SoapOrg, canned: CannedServer) -> None:
    assert canned.requests == []
    assert org.calls() == {}
    assert org.usage() is None


def test_login_joins_password_and_token(org: SoapOrg, canned: CannedServer, secrets: tuple[str, ...]) -> None:
    canned.put("describeGlobal", canned.results("describeGlobal", "<sobjects><name>Lead</name></sobjects>"))

    assert org.object_names() == {"Lead"}

    password, token, session_id = secrets
    (_, login), (_, call) = canned.requests
    assert f"<p:password>{password}{token}</p:password>" in login
    assert f"<p:sessionId>{session_id}</p:sessionId>" in call
    assert password not in call


def test_a_create_request_is_encoded(org: SoapOrg, canned: CannedServer, snapshot: SnapshotAssertion) -> None:
    canned.put("create", canned.results("create", OK))
    record = RecordWrite(
        {
            "LastName": "Dvořák & Sons <Ltd>\r\nline two",
            "NumberOfEmployees": 12,
            "Score__c": 1e-7,
            "Revenue__c": 1e21,
            "IsVip__c": True,
            "HasOptedOutOfEmail": False,
            "Empty__c": "",
        },
        clear=("Phone", "Fax"),
    )

    assert org.create("Lead", [record]) == [Written("00Q5f000001AbcdEAC")]

    assert _pretty(canned.requests[-1][1]) == snapshot


def test_a_large_request_is_compressed(
    org: SoapOrg, canned: CannedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [RecordWrite({"LastName": f"Dvořák {number}", "Company": "Acme"}) for number in range(BATCH_SIZE)]
    canned.put("create", canned.results("create", *[OK] * BATCH_SIZE))

    org.create("Lead", records)
    monkeypatch.setattr("sfmap.engine.org.soap.transport.PACKED_FROM", 10**9)
    org.create("Lead", records)

    (login, _), (_, packed), (_, plain) = canned.requests
    assert login == "login"
    assert packed == plain
    assert len(canned.packed) == 1
    assert canned.packed[0] < len(plain) / 10


def test_an_update_request_carries_the_id(org: SoapOrg, canned: CannedServer) -> None:
    canned.put("update", canned.results("update", OK))

    org.update("Lead", [RecordWrite({"Title": "CTO"}, id="00Q5f000001AbcdEAC")])

    request = canned.requests[-1][1]
    assert "<s:Id>00Q5f000001AbcdEAC</s:Id><s:Title>CTO</s:Title>" in request
    assert "<p:allOrNone>false</p:allOrNone>" in request


def test_an_upsert_request_is_encoded(org: SoapOrg, canned: CannedServer, snapshot: SnapshotAssertion) -> None:
    made = "<created>true</created>" + OK
    canned.put("upsert", canned.results("upsert", made, "<created>false</created>" + OK, TOO_LONG))
    references = {
        "Account": Reference("Account", "Number__c", "A & 1"),
        "Parent__r": Reference("Parent__c", "Order__c", 7),
    }
    record = RecordWrite({"Key__c": "k1", "LastName": "Ada"}, clear=("Phone",), references=references)

    results = org.upsert("Contact", "Key__c", [record, RecordWrite({"Key__c": "k2"}), RecordWrite({"Key__c": ""})])

    assert results == [
        Written("00Q5f000001AbcdEAC", created=True),
        Written("00Q5f000001AbcdEAC"),
        Refused("STRING_TOO_LONG", "Last Name: data value too large", ("LastName",)),
    ]
    assert _pretty(canned.requests[-1][1]) == snapshot
    assert org.calls() == {"login": 1, "upsert": 1}


@pytest.mark.parametrize(
    ("relationship", "reference", "says"),
    [
        ("Account", Reference("Account", "Number__c", "a\x00"), "Account.Number__c: the value contains U+0000"),
        ("Account", Reference("Account", "Score__c", float("nan")), "Account.Score__c: nan is not a number"),
        ("no name", Reference("Account", "Number__c", "a"), "not the API name"),
        ("Account", Reference("Account", "no name", "a"), "not the API name"),
    ],
)
def test_a_reference_that_cannot_be_sent_refuses_its_record_alone(
    org: SoapOrg, canned: CannedServer, relationship: str, reference: Reference, says: str
) -> None:
    canned.put("create", canned.results("create", OK))

    unsendable, sent = org.create(
        "Contact", [RecordWrite({}, references={relationship: reference}), RecordWrite({"LastName": "a"})]
    )

    assert isinstance(unsendable, Refused)
    assert unsendable.code == "UNSENDABLE_VALUE"
    assert says in unsendable.message
    assert sent == Written("00Q5f000001AbcdEAC")


def test_a_delete_request_lists_the_ids(org: SoapOrg, canned: CannedServer) -> None:
    gone = "<errors><message>entity is deleted</message><statusCode>ENTITY_IS_DELETED</statusCode></errors>"
    canned.put("delete", canned.results("delete", f"<id>{lead(1)}</id><success>true</success>", gone))

    assert org.delete("Lead", [lead(1), lead(2)]) == [
        Written(lead(1)),
        Refused("ENTITY_IS_DELETED", "entity is deleted"),
    ]

    request = canned.requests[-1][1]
    assert f"<p:delete><p:ids>{lead(1)}</p:ids><p:ids>{lead(2)}</p:ids></p:delete>" in request
    assert "<p:allOrNone>false</p:allOrNone>" in request
    assert org.calls() == {"login": 1, "delete": 1}


def test_no_call_is_made_to_upsert_or_delete_nothing(org: SoapOrg, canned: CannedServer) -> None:
    assert org.upsert("Lead", "Key__c", []) == []
    assert org.delete("Lead", []) == []
    assert canned.seen() == {}


def test_results_are_in_the_order_of_the_records(org: SoapOrg, canned: CannedServer) -> None:
    canned.put("create", canned.results("create", OK, TOO_LONG, DUPLICATE))

    results = org.create("Lead", [RecordWrite({"LastName": name}) for name in "abc"])

    assert results == [
        Written("00Q5f000001AbcdEAC"),
        Refused("STRING_TOO_LONG", "Last Name: data value too large", ("LastName",)),
        Refused("DUPLICATES_DETECTED", "Use one of these records?"),
    ]


@pytest.mark.parametrize(
    "result",
    [
        "<isNew>1</isNew><id>00Q000000000001EAA</id><extra><deep/></extra><success>true</success>",
        "<success>true</success><id>00Q000000000001EAA</id>",
        "<p:success xmlns:p='urn:other'> true </p:success><id>00Q000000000001EAA</id>",
        "<success>1</success><errors xsi:nil='true'/><id>00Q000000000001EAA</id>",
    ],
    ids=["unknown elements", "another order", "another namespace", "another spelling"],
)
def test_unknown_elements_of_a_result_are_ignored(org: SoapOrg, canned: CannedServer, result: str) -> None:
    canned.put("create", canned.results("create", result))

    assert org.create("Lead", [RecordWrite({"LastName": "a"})]) == [Written("00Q000000000001EAA")]


@pytest.mark.parametrize(
    ("result", "refused"),
    [
        (
            "<success>false</success>",
            Refused("UNKNOWN_EXCEPTION", WITHOUT_REASON),
        ),
        (
            "<errors><fields xsi:nil='true'/><message>m</message><statusCode>C</statusCode></errors>",
            Refused("C", "m"),
        ),
        (
            "<errors><message>one</message><statusCode>A</statusCode><fields>X</fields><fields>Y</fields></errors>"
            "<errors><message>two</message><statusCode>B</statusCode><fields>X</fields></errors>",
            Refused("A", "one; two", ("X", "Y")),
        ),
    ],
    ids=["no error", "nil field", "two errors"],
)
def test_a_refused_record_has_its_code_and_message(
    org: SoapOrg, canned: CannedServer, result: str, refused: Refused
) -> None:
    canned.put("create", canned.results("create", result))

    assert org.create("Lead", [RecordWrite({"LastName": "a"})]) == [refused]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"LastName": "a\x00b"}, "U+0000"),
        ({"LastName": "a\ud800b"}, "U+D800"),
        ({"LastName": "a\ufffe"}, "U+FFFE"),
        ({"Score__c": float("nan")}, "nan is not a number"),
        ({"Score__c": float("inf")}, "inf is not a number"),
        ({"no field": "x"}, "not the API name"),
        ({"a}b": "x"}, "not the API name"),
        ({"": "x"}, "not the API name"),
    ],
)
def test_a_value_that_cannot_be_sent_refuses_its_record_alone(
    org: SoapOrg, canned: CannedServer, fields: dict[str, Value], says: str
) -> None:
    canned.put("create", canned.results("create", OK, TOO_LONG))
    good = RecordWrite({"LastName": "good"})

    results = org.create("Lead", [good, RecordWrite(fields), good])

    sent, unsendable, refused = results
    assert sent == Written("00Q5f000001AbcdEAC")
    assert isinstance(unsendable, Refused)
    assert unsendable.code == "UNSENDABLE_VALUE"
    assert says in unsendable.message
    assert isinstance(refused, Refused)
    assert refused.code == "STRING_TOO_LONG"
    assert canned.requests[-1][1].count("<p:sObjects") == 2


def test_no_call_is_made_without_a_record_to_send(org: SoapOrg, canned: CannedServer) -> None:
    assert org.create("Lead", []) == []
    (unsendable,) = org.create("Lead", [RecordWrite({"LastName": "\x00"})])
    assert isinstance(unsendable, Refused)
    assert canned.seen() == {}


TWO = [RecordWrite({"LastName": "a"}), RecordWrite({"LastName": "b"})]
WRITES: list[tuple[str, Callable[[SoapOrg], object]]] = [
    ("create", lambda org: org.create("Lead", TWO)),
    ("update", lambda org: org.update("Lead", TWO)),
    ("upsert", lambda org: org.upsert("Lead", "Key__c", TWO)),
    ("delete", lambda org: org.delete("Lead", [lead(1), lead(2)])),
]


@pytest.mark.parametrize(("operation", "write"), WRITES, ids=[operation for operation, _ in WRITES])
def test_too_few_results_leave_the_call_in_doubt(
    org: SoapOrg, canned: CannedServer, operation: str, write: Callable[[SoapOrg], object]
) -> None:
    canned.put(operation, canned.results(operation, OK))

    with pytest.raises(OrgUnavailable, match=f"1 results where the {operation} call needs 2") as caught:
        write(org)

    assert caught.value.maybe_applied


ACCOUNT = "001000000000001AAA"
UNREADABLE_RESULTS = {
    "an empty id": ("<id/><success>true</success>", "a record without an id"),
    "no id": ("<success>true</success>", "a record without an id"),
    "a nil id": ("<id xsi:nil='true'/><success>true</success>", "a record without an id"),
    "a short id": ("<id>00Q1</id><success>true</success>", "not a record"),
    "an id in capitals": ("<id>00Q5F000001ABCDEAC</id><success>true</success>", "not a record"),
    "an id in small letters": ("<id>00q5f000001abcdeac</id><success>true</success>", "not a record"),
    "an id of another object": (f"<id>{ACCOUNT}</id><success>true</success>", "of another object"),
    "no word of success": (f"<id>{lead(1)}</id>", "neither success nor failure"),
    "neither yes nor no": (f"<id>{lead(1)}</id><success>maybe</success>", "neither success nor failure"),
}


@pytest.mark.parametrize(("result", "says"), UNREADABLE_RESULTS.values(), ids=UNREADABLE_RESULTS)
@pytest.mark.parametrize(("operation", "write"), WRITES, ids=[operation for operation, _ in WRITES])
def test_an_unreadable_result_leaves_the_call_in_doubt(
    org: SoapOrg,
    canned: CannedServer,
    operation: str,
    write: Callable[[SoapOrg], object],
    result: str,
    says: str,
) -> None:
    canned.put("describeSObjects", canned.results("describeSObjects", DESCRIBED))
    org.describe(["Lead"])
    good = f"<id>{lead(1)}</id><success>true</success>"
    canned.put(operation, canned.results(operation, good, result))

    with pytest.raises(OrgUnavailable, match=f"{says}|for the record {lead(2)}") as caught:
        write(org)

    assert caught.value.maybe_applied


def test_an_answer_about_another_record_leaves_the_call_in_doubt(org: SoapOrg, canned: CannedServer) -> None:
    first, second = (f"<id>{lead(number)}</id><success>true</success>" for number in (1, 2))
    changes = [RecordWrite({"Title": "CTO"}, id=lead(number)) for number in (1, 2)]
    writes: dict[str, Callable[[], object]] = {
        "update": lambda: org.update("Lead", changes),
        "upsert": lambda: org.upsert("Lead", "Id", changes),
        "delete": lambda: org.delete("Lead", [lead(1), lead(2)]),
    }
    for operation, write in writes.items():
        canned.put(operation, canned.results(operation, second, first))
        with pytest.raises(OrgUnavailable, match=f"the id {lead(2)} for the record {lead(1)}") as caught:
            write()
        assert caught.value.maybe_applied


def test_ids_of_fifteen_characters_are_completed(org: SoapOrg, canned: CannedServer) -> None:
    short = f"<id>{lead(1)[:15]}</id><success>true</success>"
    canned.put("delete", canned.results("delete", short))
    row = f"<records><sf:Id>{lead(2)[:15]}</sf:Id></records>"
    canned.put("query", canned.results("query", f"<done>true</done><size>1</size>{row}"))

    assert org.delete("Lead", [lead(1)]) == [Written(lead(1))]
    assert [found.id for found in org.find("Lead", ("Email",), [("a@b.co",)])] == [lead(2)]


FOUND = f"<records><sf:Id>{lead(1)}</sf:Id></records>"
UNREADABLE_PAGES = {
    "no id": ("<done>true</done><size>1</size><records/>", "a record without an id"),
    "an empty id": ("<done>true</done><records><sf:Id/></records>", "a record without an id"),
    "a short id": ("<done>true</done><records><sf:Id>00Q</sf:Id></records>", "not a record"),
    "an id in capitals": (
        "<done>true</done><records><sf:Id>00Q5F000001ABCDEAC</sf:Id></records>",
        "not a record id",
    ),
    "another object": (
        f"<done>true</done><records><sf:Id>{ACCOUNT}</sf:Id></records>",
        "is the id of another object",
    ),
    "nothing": ("", "not the last"),
    "no next page": (f"<done>false</done><size>9</size>{FOUND}", "not the last"),
    "fewer records than counted": (f"<done>true</done><size>2</size>{FOUND}", "1 of 2 records"),
}


@pytest.mark.parametrize(("answer", "says"), UNREADABLE_PAGES.values(), ids=UNREADABLE_PAGES)
def test_an_incomplete_query_answer_is_an_error(
    org: SoapOrg, canned: CannedServer, answer: str, says: str
) -> None:
    canned.put("describeSObjects", canned.results("describeSObjects", DESCRIBED))
    org.describe(["Lead"])
    canned.put("query", canned.results("query", answer))

    with pytest.raises(OrgUnavailable, match=says) as caught:
        org.find("Lead", ("Email",), [("a@b.co",)])

    assert not caught.value.maybe_applied


def test_a_description_of_another_object_is_an_error(org: SoapOrg, canned: CannedServer) -> None:
    canned.put("describeSObjects", canned.results("describeSObjects", DESCRIBED))

    with pytest.raises(OrgUnavailable, match="the object 'Lead' where Account was requested"):
        org.describe(["Account"])


@pytest.mark.parametrize(("operation", "write"), WRITES, ids=[operation for operation, _ in WRITES])
def test_too_many_results_leave_the_call_in_doubt(
    org: SoapOrg, canned: CannedServer, operation: str, write: Callable[[SoapOrg], object]
) -> None:
    canned.put(operation, canned.results(operation, OK, OK, OK))

    with pytest.raises(OrgUnavailable, match=f"3 results where the {operation} call needs 2") as caught:
        write(org)

    assert caught.value.maybe_applied


@pytest.mark.parametrize(("operation", "write"), WRITES, ids=[operation for operation, _ in WRITES])
def test_a_lost_answer_leaves_any_write_in_doubt(
    org: SoapOrg, canned: CannedServer, operation: str, write: Callable[[SoapOrg], object]
) -> None:
    canned.put(operation, Canned(accident="close"))

    with pytest.raises(OrgUnavailable) as caught:
        write(org)

    assert caught.value.maybe_applied


@pytest.mark.parametrize(
    ("header", "usage"),
    [
        ("", None),
        ("<soapenv:Header/>", None),
        ("<soapenv:Header><LimitInfoHeader/></soapenv:Header>", None),
        ("<soapenv:Header><Unknown xmlns=''><a/></Unknown></soapenv:Header>", None),
        (
            "<soapenv:Header><LimitInfoHeader soapenv:mustUnderstand='0' new='1'><limitInfo><new/>"
            "<current>18</current><limit>15000</limit><type>API REQUESTS</type></limitInfo></LimitInfoHeader>"
            "</soapenv:Header>",
            ApiUsage(18, 15_000),
        ),
        (
            "<soapenv:Header><LimitInfoHeader><limitInfo><current>some</current><limit>15000</limit>"
            "<type>API REQUESTS</type></limitInfo></LimitInfoHeader></soapenv:Header>",
            None,
        ),
    ],
    ids=["no header", "empty header", "no limits", "unknown header", "limits and more", "not a number"],
)
def test_an_unreadable_limit_header_is_ignored(
    org: SoapOrg, canned: CannedServer, header: str, usage: ApiUsage | None
) -> None:
    body = f"<createResponse><result>{OK}</result></createResponse>"
    canned.put("create", canned.envelope(body, header=header))

    assert org.create("Lead", [RecordWrite({"LastName": "a"})]) == [Written("00Q5f000001AbcdEAC")]
    assert org.usage() == usage


def test_find_reads_all_pages_and_drops_repeats(org: SoapOrg, canned: CannedServer) -> None:
    def row(number: int, email: str) -> str:
        return (
            f'<records xsi:type="sf:sObject"><sf:type>Lead</sf:type><sf:Id>{lead(number)}</sf:Id>'
            f"<sf:Email>{email}</sf:Email><sf:Phone xsi:nil='true'/><sf:Id>{lead(number)}</sf:Id></records>"
        )

    more = "<done>false</done><queryLocator>01g-2</queryLocator>"
    canned.put("query", canned.results("query", more + row(1, "a@b.co") + row(2, "c@d.co")))
    canned.put("queryMore", canned.results("queryMore", "<done>true</done>" + row(2, "c@d.co") + row(3, "e@f.co")))

    found = org.find("Lead", ("email", "Phone"), [("a@b.co", "1")])

    assert [record.id for record in found] == [lead(1), lead(2), lead(3)]
    assert found[0].fields == {"email": "a@b.co", "Phone": None}
    assert "<p:queryLocator>01g-2</p:queryLocator>" in canned.requests[-1][1]
    assert "<p:batchSize>2000</p:batchSize>" in canned.requests[-1][1]
    assert org.calls() == {"login": 1, "query": 1, "queryMore": 1}


def test_find_reads_more_fields_under_a_condition(org: SoapOrg, canned: CannedServer) -> None:
    row = f"<records><sf:Id>{lead(1)}</sf:Id><sf:Email>a@b.co</sf:Email><sf:Title>CTO</sf:Title></records>"
    too_complicated = canned.fault("QUERY_TOO_COMPLICATED", "too complicated")
    canned.put("query", too_complicated, canned.results("query", f"<done>true</done>{row}"))

    (found,) = org.find("Lead", ("Email",), [("a@b.co",), ("b",)], also=("title", "email"), where="Size__c &lt; 5")

    assert found.fields == {"Email": "a@b.co", "title": "CTO", "email": "a@b.co"}
    queries = [request for operation, request in canned.requests if operation == "query"]
    assert all("SELECT Id, Email, title FROM" in query for query in queries)
    assert all(") AND (Size__c &amp;lt; 5) ORDER BY" in query for query in queries)
    assert len(queries) == 3


def test_a_query_that_is_too_complicated_is_halved(org: SoapOrg, canned: CannedServer) -> None:
    def rows(*numbers: int) -> Canned:
        records = "".join(f"<records><sf:Id>{lead(number)}</sf:Id></records>" for number in numbers)
        return canned.results("query", f"<done>true</done>{records}")

    canned.put("query", canned.fault("QUERY_TOO_COMPLICATED", "too complicated"), rows(1), rows(2, 1))

    found = org.find("Lead", ("Email",), [("a",), ("b",), ("c",)])

    assert [record.id for record in found] == [lead(1), lead(2)]
    assert "IN ('a')" in canned.requests[-2][1]
    assert "IN ('b', 'c')" in canned.requests[-1][1]


def test_a_query_for_one_identity_cannot_be_halved(org: SoapOrg, canned: CannedServer) -> None:
    canned.put("query", canned.fault("QUERY_TOO_COMPLICATED", "too complicated"))

    with pytest.raises(CallRefused, match="QUERY_TOO_COMPLICATED"):
        org.find("Lead", ("Email",), [("a",), ("b",)])

    assert canned.seen()["query"] == 2


def test_find_without_identities_makes_no_call(org: SoapOrg, canned: CannedServer) -> None:
    assert org.find("Lead", ("Email",), []) == []
    assert canned.seen() == {}


DESCRIBED = (
    "<createable>true</createable><keyPrefix>00Q</keyPrefix><label>Lead</label><name>Lead</name><news><a/></news>"
    "<updateable>true</updateable><fields><name>Email</name><label>E-mail</label><type>email</type>"
    "<length>80</length><createable>true</createable><updateable>true</updateable><nillable>true</nillable>"
    "<idLookup>true</idLookup></fields><fields><name>Rating</name><type>picklist</type>"
    "<restrictedPicklist>true</restrictedPicklist><picklistValues><active>true</active><value>Hot</value>"
    "</picklistValues><picklistValues><active>false</active><value>Old</value></picklistValues></fields>"
    "<fields><name>OwnerId</name><referenceTo>User</referenceTo><referenceTo>Group</referenceTo>"
    "<relationshipName>Owner</relationshipName></fields><deletable>true</deletable>"
)


def test_describe_reads_fields_and_picklists(org: SoapOrg, canned: CannedServer) -> None:
    canned.put("describeSObjects", canned.results("describeSObjects", DESCRIBED))

    lead = org.describe(["Lead"])["Lead"]

    assert (lead.name, lead.key_prefix, lead.createable, lead.deletable) == ("Lead", "00Q", True, True)
    assert list(lead.fields) == ["Email", "Rating", "OwnerId"]
    email, rating, owner = lead.fields.values()
    assert (email.type, email.length, email.id_lookup, email.external_id) == ("email", 80, True, False)
    assert (rating.restricted_picklist, rating.picklist_values) == (True, ("Hot",))
    assert (owner.reference_to, owner.relationship_name) == (("User", "Group"), "Owner")
    assert email.relationship_name == ""


def test_descriptions_are_kept_until_the_session_is_renewed(
    org: SoapOrg, canned: CannedServer, clock: Clock
) -> None:
    canned.put("describeSObjects", canned.results("describeSObjects", DESCRIBED))
    canned.put("describeGlobal", canned.results("describeGlobal", "<sobjects><name>Lead</name></sobjects>"))

    for _ in range(3):
        org.describe(["Lead"])
        org.object_names()
    assert canned.seen() == {"login": 1, "describeSObjects": 1, "describeGlobal": 1}

    clock.now += 1_800
    org.describe(["Lead"])
    org.object_names()
    assert canned.seen() == {"login": 2, "describeSObjects": 2, "describeGlobal": 2}


def test_one_call_describes_a_hundred_objects(org: SoapOrg, canned: CannedServer) -> None:
    names = [f"Object{number}__c" for number in range(120)]
    described = [f"<name>{name}</name>" for name in names]
    canned.put(
        "describeSObjects",
        canned.results("describeSObjects", *described[:100]),
        canned.results("describeSObjects", *described[100:]),
    )

    assert list(org.describe(names)) == names
    assert org.calls() == {"login": 1, "describeSObjects": 2}


def test_an_ended_session_is_renewed_and_the_call_repeated(org: SoapOrg, canned: CannedServer) -> None:
    canned.put("login", canned.signed_in("first"), canned.signed_in("second"))
    canned.put("create", canned.fault("INVALID_SESSION_ID", "Session not found"), canned.results("create", OK))

    assert org.create("Lead", [RecordWrite({"LastName": "Ada"})]) == [Written("00Q5f000001AbcdEAC")]

    first, second = [request for operation, request in canned.requests if operation == "create"]
    assert first.replace("first", "second") == second
    assert "<s:LastName>Ada</s:LastName>" in second
    assert org.calls() == {"login": 2, "create": 2}


def test_a_session_that_ends_at_once_is_renewed_only_once(org: SoapOrg, canned: CannedServer) -> None:
    canned.put("query", canned.fault("INVALID_SESSION_ID", "Session not found"))

    with pytest.raises(SignInRefused, match="only just opened"):
        org.find("Lead", ("Email",), [("a",)])

    assert org.calls() == {"login": 2, "query": 2}


def test_threads_share_one_session(org: SoapOrg, canned: CannedServer) -> None:
    canned.put("create", canned.results("create", OK))

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda n: org.create("Lead", [RecordWrite({"LastName": str(n)})]), range(64)))

    assert answers == [[Written("00Q5f000001AbcdEAC")]] * 64
    assert org.calls() == {"login": 1, "create": 64}
    assert {str(number) for number in range(64)} == {
        request.partition("<s:LastName>")[2].partition("<")[0] for operation, request in canned.requests[1:]
    }


def test_threads_renew_an_ended_session_once(org: SoapOrg, canned: CannedServer) -> None:
    canned.put("login", canned.signed_in("first"), canned.signed_in("second"))
    canned.put("create", canned.results("create", OK))
    org.create("Lead", [RecordWrite({"LastName": "a"})])
    canned.ended = "first"

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: org.create("Lead", [RecordWrite({"LastName": "a"})]), range(8)))

    assert answers == [[Written("00Q5f000001AbcdEAC")]] * 8
    assert org.calls()["login"] == 2


def test_a_refused_password_is_tried_once(org: SoapOrg, canned: CannedServer) -> None:
    canned.put("login", canned.fault("INVALID_LOGIN", "Invalid username, password, security token"))

    for _ in range(3):
        with pytest.raises(SignInRefused) as caught:
            org.object_names()
        assert caught.value.code == "INVALID_LOGIN"
        assert caught.value.hint

    assert org.calls() == {"login": 1}


def test_sign_in_is_tried_again_after_an_outage(org: SoapOrg, canned: CannedServer) -> None:
    canned.put("login", canned.fault("SERVER_UNAVAILABLE", "busy"), canned.signed_in())
    canned.put("create", canned.results("create", OK))

    with pytest.raises(OrgUnavailable):
        org.create("Lead", [RecordWrite({"LastName": "a"})])

    assert org.create("Lead", [RecordWrite({"LastName": "a"})]) == [Written("00Q5f000001AbcdEAC")]


def test_a_login_answer_without_a_session_is_refused(org: SoapOrg, canned: CannedServer) -> None:
    canned.put("login", canned.envelope("<loginResponse><result/></loginResponse>"))

    with pytest.raises(SignInRefused, match="an answer without a session"):
        org.object_names()


def test_an_expired_password_is_reported(org: SoapOrg, canned: CannedServer) -> None:
    canned.put("login", canned.signed_in(expired=True))

    with pytest.raises(SignInRefused, match="has expired") as caught:
        org.object_names()

    assert caught.value.code == "INVALID_OPERATION_WITH_EXPIRED_PASSWORD"


@pytest.mark.parametrize("server", ["http://acme.example", "ftp://127.0.0.1", "/services", "http://[::1"])
def test_no_call_goes_to_an_unencrypted_server(org: SoapOrg, canned: CannedServer, server: str) -> None:
    canned.put("login", canned.signed_in(server=server))

    with pytest.raises(SignInRefused, match=r"not encrypted|an invalid address"):
        org.object_names()

    assert canned.seen() == {"login": 1}


def test_an_unknown_fault_keeps_the_message_of_the_org(org: SoapOrg, canned: CannedServer) -> None:
    canned.put("query", canned.fault("MALFORMED_QUERY", "unexpected token: FORM"))

    with pytest.raises(CallRefused, match=r"refused the query call: unexpected token: FORM \(MALFORMED_QUERY\)"):
        org.find("Lead", ("Email",), [("a",)])


def test_a_message_about_a_query_does_not_quote_the_query(org: SoapOrg, canned: CannedServer) -> None:
    shown = "\nWHERE Email IN ('ada@acme.example')\n      ^\nERROR at Row:1:Column:36\nunexpected token: IN"
    canned.put("query", canned.fault("MALFORMED_QUERY", shown))

    with pytest.raises(CallRefused, match=r"refused the query call: unexpected token: IN \(MALFORMED_QUERY\)"):
        org.find("Lead", ("Email",), [("ada@acme.example",)])


def _pretty(envelope: str) -> str:
    document = etree.fromstring(envelope.encode())
    etree.indent(document)
    return etree.tostring(document, encoding="unicode")


OPTIONS = [
    (WriteOptions(), []),
    (WriteOptions(assignment_rule="default"), ["<p:AssignmentRuleHeader>.*<p:useDefaultRule>true<"]),
    (WriteOptions(assignment_rule="off"), ["<p:AssignmentRuleHeader>.*<p:useDefaultRule>false<"]),
    (WriteOptions(assignment_rule="01Q000000000001"), ["<p:assignmentRuleId>01Q000000000001<"]),
    (WriteOptions(allow_duplicates=True), ["<p:DuplicateRuleHeader>.*<p:allowSave>true<"]),
    (WriteOptions(all_or_none=True), ["<p:allOrNone>true<"]),
    (WriteOptions(truncate=True), ["<p:allowFieldTruncation>true<"]),
    (WriteOptions(send_emails=False), ["<p:EmailHeader>.*<p:triggerUserEmail>false<"]),
    (
        WriteOptions(package_versions=(("acme", "1.2"), ("other", "3"))),
        [
            "<p:majorNumber>1</p:majorNumber><p:minorNumber>2</p:minorNumber><p:namespace>acme<",
            "<p:namespace>other<",
        ],
    ),
]


@pytest.mark.parametrize(("options", "patterns"), OPTIONS)
def test_write_options_are_sent_as_headers(
    org: SoapOrg, canned: CannedServer, options: WriteOptions, patterns: list[str]
) -> None:
    for operation in ("create", "update", "upsert", "delete"):
        canned.put(operation, canned.results(operation, "<id>00Q000000000001EAA</id><success>true</success>"))
    org.create("Lead", [RecordWrite({"LastName": "x"})], options)
    org.update("Lead", [RecordWrite({"LastName": "x"}, id="00Q000000000001EAA")], options)
    org.upsert("Lead", "Key__c", [RecordWrite({"Key__c": "x"})], options)
    org.delete("Lead", ["00Q000000000001EAA"], options)
    for operation, envelope in canned.requests[1:4]:
        for pattern in patterns:
            assert re.search(pattern, envelope), operation


def test_options_of_a_mapping_override_those_of_the_org(settings: SoapSettings, canned: CannedServer) -> None:
    canned.put("create", canned.results("create", "<id>00Q000000000001EAA</id><success>true</success>"))
    org = SoapOrg(replace(settings, options=WriteOptions(assignment_rule="default", truncate=True)))
    org.create("Lead", [RecordWrite({"LastName": "x"})], WriteOptions(assignment_rule="off"))
    _, envelope = canned.requests[-1]
    assert "<p:useDefaultRule>false<" in envelope
    assert "<p:allowFieldTruncation>true<" in envelope


ORGANIZATION = "00D5f000000abcdEAA"
USER_INFO = f"<userInfo><organizationId>{ORGANIZATION}</organizationId></userInfo>"


def test_the_organization_is_read_from_the_login(org: SoapOrg, canned: CannedServer) -> None:
    signed_in = canned.signed_in("a-session-without-a-prefix")
    canned.put("login", replace(signed_in, body=signed_in.body.replace("</result>", f"{USER_INFO}</result>")))

    assert [org.organization_id() for _ in range(2)] == [ORGANIZATION] * 2
    assert org.calls() == {"login": 1}


def test_the_organization_is_read_from_the_session_id(org: SoapOrg) -> None:
    assert org.organization_id() == ORGANIZATION
    assert org.calls() == {"login": 1}


@pytest.mark.parametrize("told", [ORGANIZATION, ORGANIZATION[:15], ""])
def test_the_organization_is_requested_if_the_sign_in_lacks_it(
    org: SoapOrg, canned: CannedServer, told: str
) -> None:
    canned.put("login", canned.signed_in("00D5F000000ABCDEAA!miscased"))
    canned.put("getUserInfo", canned.results("getUserInfo", f"<organizationId>{told}</organizationId>"))

    assert org.organization_id() == (ORGANIZATION if told else "")
    assert org.calls() == {"login": 1, "getUserInfo": 1}


def currency(code: str, has_many: bool = False) -> str:
    many = f"<organizationMultiCurrency>{str(has_many).lower()}</organizationMultiCurrency>"
    return f"<orgDefaultCurrencyIsoCode>{code}</orgDefaultCurrencyIsoCode>{many}"


@pytest.mark.parametrize(("code", "has_many", "told"), [("EUR", False, "EUR"), ("EUR", True, ""), ("", True, "")])
def test_the_currency_is_read_from_the_login(
    org: SoapOrg, canned: CannedServer, code: str, has_many: bool, told: str
) -> None:
    info = f"<userInfo>{currency(code, has_many)}</userInfo></result>"
    signed_in = canned.signed_in("a-session")
    canned.put("login", replace(signed_in, body=signed_in.body.replace("</result>", info)))

    assert [org.currency() for _ in range(2)] == [told] * 2
    assert org.calls() == {"login": 1}


@pytest.mark.parametrize(("said", "told"), [(currency("GBP"), "GBP"), (currency("", has_many=True), ""), ("", "")])
def test_the_currency_is_requested_once(org: SoapOrg, canned: CannedServer, said: str, told: str) -> None:
    canned.put("getUserInfo", canned.results("getUserInfo", said))

    assert [org.currency() for _ in range(2)] == [told] * 2
    assert org.calls() == {"login": 1, "getUserInfo": 1}
