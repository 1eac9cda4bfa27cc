"""The adapter end to end, against the local org: a real SOAP server on loopback."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count, product
from pathlib import Path
from urllib.request import urlopen

import pytest
import requests

from sfmap.engine.local_org.process import LocalOrg, start_local_org
from sfmap.engine.org.port import (
    BATCH_SIZE,
    ApiUsage,
    CallRefused,
    LimitReached,
    RecordWrite,
    Reference,
    Refused,
    SignInRefused,
    Value,
    Written,
)
from sfmap.engine.org.soap import PasswordLogin, Secret, SoapOrg, SoapSettings

SCHEMA = """\
objects:
  Lead:
    fields:
      Key__c: {type: string, length: 40, external_id: true}
      Code__c: {type: string, length: 20, unique: true}
      Score__c: {type: double, precision: 5, scale: 2}
      Vip__c: {type: boolean}
      Seen__c: {type: datetime}
      Ticket__c: {type: reference, to: Ticket__c}
  Ticket__c:
    label: Support Ticket
    fields:
      Key__c: {type: string, length: 20, external_id: true, required: true}
      Level__c: {type: picklist, values: [low, high], restricted: true}
"""
GOOD = {"LastName": "Lovelace", "Company": "Acme"}
NOBODY = "00Q000000zzzzzzEAA"
_numbers = count()


@pytest.fixture(scope="module", params=["built-in", "served"])
def wsdl(request: pytest.FixtureRequest) -> str:
    """All tests with the adapter's own WSDL, and with the one that the org serves."""
    return str(request.param)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, wsdl: str) -> Path:
    folder = tmp_path_factory.mktemp("org")
    (folder / "schema.yaml").write_text(SCHEMA)
    return folder


@pytest.fixture(scope="module")
def local(folder: Path) -> Iterator[LocalOrg]:
    with start_local_org(folder / "org.sqlite", folder / "schema.yaml") as running:
        yield running


@pytest.fixture(scope="module")
def settings(local: LocalOrg, folder: Path, wsdl: str) -> SoapSettings:
    sign_in = PasswordLogin(local.username, Secret(local.password), Secret(local.security_token))
    if wsdl == "built-in":
        return SoapSettings(local.url, sign_in)
    served = folder / "served.wsdl"
    served.write_bytes(urlopen(f"{local.url}/services/Soap/u/64.0?wsdl").read())
    return SoapSettings(local.url, sign_in, wsdl=served)


@pytest.fixture(scope="module")
def org(settings: SoapSettings) -> SoapOrg:
    """One for all tests that do not count its calls."""
    return SoapOrg(settings)


@pytest.fixture(scope="module")
def crowd(org: SoapOrg) -> list[str]:
    """The ids of 3,000 leads of one company, in the order of their making."""
    leads = [
        RecordWrite({"LastName": "Crowd", "Company": "Crowd Ltd", "Key__c": f"crowd-{number}"})
        for number in range(3_000)
    ]
    return [
        _id(result)
        for start in range(0, len(leads), BATCH_SIZE)
        for result in org.create("Lead", leads[start : start + BATCH_SIZE])
    ]


def test_objects_are_described(settings: SoapSettings) -> None:
    org = SoapOrg(settings)

    assert {"Lead", "Account", "Contact", "Ticket__c"} <= org.object_names()
    described = org.describe(["Lead", "Ticket__c"])
    assert org.calls() == {"login": 1, "describeGlobal": 1, "describeSObjects": 1}

    lead, ticket = described["Lead"], described["Ticket__c"]
    assert (lead.key_prefix, lead.createable, lead.updateable, lead.deletable) == ("00Q", True, True, True)
    name = lead.fields["LastName"]
    assert (name.label, name.type, name.length, name.nillable) == ("Last Name", "string", 80, False)
    assert lead.fields["Status"].defaulted_on_create
    assert set(lead.fields["OwnerId"].reference_to) == {"Group", "User"}
    assert lead.fields["OwnerId"].relationship_name == "Owner"
    to_ticket = lead.fields["Ticket__c"]
    assert (to_ticket.type, to_ticket.reference_to) == ("reference", ("Ticket__c",))
    assert to_ticket.relationship_name == "Ticket__r"
    assert not lead.fields["Id"].createable
    assert ticket.label == "Support Ticket"
    assert ticket.fields["Key__c"].external_id
    assert ticket.fields["Key__c"].id_lookup
    level = ticket.fields["Level__c"]
    assert (level.restricted_picklist, level.picklist_values) == (True, ("low", "high"))


def test_a_full_batch_is_created_updated_and_found(org: SoapOrg) -> None:
    key = _key()
    ids = [_id(one) for one in org.create("Lead", [_keyed(f"{key}-{n}") for n in range(BATCH_SIZE)])]
    assert [len(record_id) for record_id in ids] == [18] * BATCH_SIZE

    changes = [RecordWrite({"Key__c": f"{key}-changed"}, clear=("Title",), id=record_id) for record_id in ids]
    assert org.update("Lead", changes) == [Written(record_id) for record_id in ids]

    found = org.find("Lead", ("Key__c", "Title"), [(f"{key}-changed", "CTO")])
    assert found == []
    assert [record.id for record in org.find("Lead", ("Key__c",), [(f"{key}-changed",)])] == ids


def test_an_id_of_either_length_is_updated(org: SoapOrg) -> None:
    (created,) = org.create("Lead", [RecordWrite(GOOD)])
    record_id = _id(created)

    assert org.update("Lead", [RecordWrite({"Title": "CTO"}, id=record_id[:15])]) == [Written(record_id)]


def test_finding_three_thousand_identities_takes_two_queries(settings: SoapSettings, crowd: list[str]) -> None:
    org = SoapOrg(settings)

    found = org.find("Lead", ("Key__c",), [(f"crowd-{number}",) for number in range(3_000)])

    assert {record.id: record.fields["Key__c"] for record in found} == {
        record_id: f"crowd-{number}" for number, record_id in enumerate(crowd)
    }
    assert org.calls() == {"login": 1, "query": 2}


def test_one_identity_of_three_thousand_records_takes_two_pages(settings: SoapSettings, crowd: list[str]) -> None:
    org = SoapOrg(settings)

    assert [record.id for record in org.find("Lead", ("Company",), [("crowd LTD",)])] == crowd
    assert org.calls() == {"login": 1, "query": 1, "queryMore": 1}


@pytest.mark.parametrize("number", [900, 3_000])
def test_records_are_found_by_several_fields(org: SoapOrg, crowd: list[str], number: int) -> None:
    pairs = [(f"crowd-{n}", "Crowd Ltd" if n % 2 else "Elsewhere") for n in range(number)]

    assert [record.id for record in org.find("Lead", ("Key__c", "Company"), pairs)] == crowd[1:number:2]


TEXTS = [
    "O'Neil",
    'the "quoted"',
    "back\\slash, \\n and \\",
    "') OR Name != ('",
    "line one\nline two",
    "line one\r\nline two\rthree",
    "tab\tbed",
    "<&> ]]> &amp; <!-- -->",
    "100%_sure",
    "Dvořák 株式会社 😀👩‍👩‍👧",
    "e\u0301 and \u00e9",
    "null",
    "true",
    "  inner   blanks  ",
    "\n\tblanks and breaks around \r\n",
]


def test_text_is_stored_unchanged(org: SoapOrg) -> None:
    """Blanks around a text do not: the org cuts them off, and finds the record with them all the same."""
    key = _key()
    for result in org.create("Lead", [RecordWrite({**GOOD, "Company": text, "Key__c": key}) for text in TEXTS]):
        assert isinstance(result, Written)

    together = org.find("Lead", ("Key__c", "Company"), [(key, text) for text in TEXTS])
    assert [record.fields["Company"] for record in together] == [text.strip() for text in TEXTS]
    alone = org.find("Lead", ("Company",), [(text,) for text in TEXTS])
    assert {record.id for record in together} <= {record.id for record in alone}


CASES = [
    ("ADA@ACME.EXAMPLE", "ada@acme.example"),
    ("ÉCOLE Ñandú", "école ñANDÚ"),
    ("ΑΘΗΝΑ", "αθηνα"),
    ("ДОМ", "дом"),
]


@pytest.mark.parametrize(("written", "asked"), CASES)
@pytest.mark.parametrize("fields", [("Key__c",), ("Key__c", "Company")])
def test_lookups_ignore_case(org: SoapOrg, written: str, asked: str, fields: tuple[str, ...]) -> None:
    key = _key()
    (created,) = org.create("Lead", [RecordWrite({**GOOD, "Key__c": f"{key} {written}"})])

    (found,) = org.find("Lead", fields, [(f"{key} {asked}", "ACME")[: len(fields)]])

    assert (found.id, found.fields["Key__c"]) == (_id(created), f"{key} {written}")


@pytest.mark.parametrize(
    ("fields", "text"),
    list(product([("Key__c",), ("Key__c", "Company")], ["nul\x00", "esc\x1b", "\ufffe\uffff", "half \ud83d"])),
)
def test_invalid_characters_find_nothing(org: SoapOrg, fields: tuple[str, ...], text: str) -> None:
    assert org.find("Lead", fields, [(text,) * len(fields)]) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [("Score__c", 12.25), ("Score__c", 1e-2), ("NumberOfEmployees", 7), ("Vip__c", True), ("Vip__c", False)],
)
def test_records_are_found_by_numbers_and_booleans(org: SoapOrg, field: str, value: Value) -> None:
    key = _key()
    (created,) = org.create("Lead", [RecordWrite({**GOOD, "Key__c": key, field: value})])

    assert [record.id for record in org.find("Lead", ("Key__c", field), [(key, value)])] == [_id(created)]


# What is created amiss: the org's code, and the field it names.
REFUSED: list[tuple[Mapping[str, Value], str, tuple[str, ...]]] = [
    ({"LastName": "Lee"}, "REQUIRED_FIELD_MISSING", ("Company",)),
    ({**GOOD, "LastName": "x" * 81}, "STRING_TOO_LONG", ("LastName",)),
    ({**GOOD, "Email": "nonsense"}, "INVALID_EMAIL_ADDRESS", ("Email",)),
    ({**GOOD, "CleanStatus": "Spotless"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", ("CleanStatus",)),
    ({**GOOD, "NumberOfEmployees": "four"}, "INVALID_TYPE_ON_FIELD_IN_RECORD", ("NumberOfEmployees",)),
    ({**GOOD, "Vip__c": "perhaps"}, "INVALID_TYPE_ON_FIELD_IN_RECORD", ("Vip__c",)),
    ({**GOOD, "Seen__c": "yesterday"}, "INVALID_TYPE_ON_FIELD_IN_RECORD", ("Seen__c",)),
    ({**GOOD, "Score__c": 1e21}, "NUMBER_OUTSIDE_VALID_RANGE", ("Score__c",)),
    ({**GOOD, "OwnerId": "me"}, "MALFORMED_ID", ("OwnerId",)),
    ({**GOOD, "Id": NOBODY}, "INVALID_FIELD_FOR_INSERT_UPDATE", ("Id",)),
    ({**GOOD, "CreatedDate": "2020-01-01T00:00:00Z"}, "INVALID_FIELD_FOR_INSERT_UPDATE", ("CreatedDate",)),
    ({**GOOD, "Code__c": "taken"}, "DUPLICATE_VALUE", ("Code__c",)),
    ({"LastName": "x" * 81, "Email": "x"}, "REQUIRED_FIELD_MISSING", ("Company", "LastName", "Email")),
    ({**GOOD, "LastName": "nul\x00"}, "UNSENDABLE_VALUE", ("LastName",)),
]


@pytest.mark.parametrize(("fields", "code", "named"), REFUSED, ids=[f"{one[1]} {one[2][0]}" for one in REFUSED])
def test_a_refused_create_does_not_affect_the_others(
    org: SoapOrg, fields: Mapping[str, Value], code: str, named: tuple[str, ...]
) -> None:
    org.create("Lead", [RecordWrite({**GOOD, "Code__c": "TAKEN"})])

    first, refused, last = org.create("Lead", [RecordWrite(GOOD), RecordWrite(fields), RecordWrite(GOOD)])

    assert isinstance(refused, Refused)
    assert (refused.code, refused.fields) == (code, named)
    assert refused.message
    assert _id(first) < _id(last)


# What is done to a lead of its own that an update refuses: the change and the org's code.
Change = Callable[[str], Sequence[RecordWrite]]
REFUSED_UPDATES: list[tuple[Change, str]] = [
    (lambda own: [RecordWrite({"Title": "x"})], "MISSING_ARGUMENT"),
    (lambda own: [RecordWrite({"Title": "x"}, id="me")], "MALFORMED_ID"),
    (lambda own: [RecordWrite({"Title": "x"}, id=NOBODY)], "INVALID_CROSS_REFERENCE_KEY"),
    (lambda own: [RecordWrite({"Title": "x"}, id=own)] * 2, "DUPLICATE_VALUE"),
    (lambda own: [RecordWrite({"Code__c": "Taken"}, id=own)], "DUPLICATE_VALUE"),
    (lambda own: [RecordWrite({}, clear=("Company",), id=own)], "REQUIRED_FIELD_MISSING"),
    (lambda own: [RecordWrite({"IsConverted": True}, id=own)], "INVALID_FIELD_FOR_INSERT_UPDATE"),
    (lambda own: [RecordWrite({"Title": "x" * 129}, id=own)], "STRING_TOO_LONG"),
]


@pytest.mark.parametrize(("change", "code"), REFUSED_UPDATES, ids=[code for _, code in REFUSED_UPDATES])
def test_a_refused_update_does_not_affect_the_others(org: SoapOrg, change: Change, code: str) -> None:
    org.create("Lead", [RecordWrite({**GOOD, "Code__c": "TAKEN"})])
    own, other = (_id(one) for one in org.create("Lead", [RecordWrite(GOOD)] * 2))

    *_, refused, good = org.update("Lead", [*change(own), RecordWrite({"Title": "CTO"}, id=other)])

    assert isinstance(refused, Refused)
    assert refused.code == code
    assert refused.message
    assert good == Written(other)


def test_a_converted_lead_is_not_updated(org: SoapOrg) -> None:
    (converted,) = org.create("Lead", [RecordWrite({**GOOD, "IsConverted": True})])

    assert org.update("Lead", [RecordWrite({"Title": "CTO"}, id=_id(converted))]) == [
        Refused("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
    ]


def test_a_deleted_lead_is_not_found_and_not_updated(org: SoapOrg) -> None:
    key, gone = _key(), Refused("ENTITY_IS_DELETED", "entity is deleted")
    created, kept = (_id(one) for one in org.create("Lead", [_keyed(key), _keyed(f"{key}-kept")]))

    deleted, nobody = org.delete("Lead", [created[:15], NOBODY])
    assert deleted == Written(created)
    assert nobody == Refused("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")

    assert org.find("Lead", ("Key__c",), [(key,), (f"{key}-kept",)])[0].id == kept
    assert org.update("Lead", [RecordWrite({"Title": "CTO"}, id=created)]) == [gone]
    assert org.delete("Lead", [created]) == [gone]


def test_upsert_creates_and_then_updates(settings: SoapSettings) -> None:
    org, key = SoapOrg(settings), _key()
    first, refused, last = org.upsert("Lead", "Key__c", [_keyed(key), _keyed(""), _keyed(f"{key}-last")])
    assert (first, last) == (Written(_id(first), created=True), Written(_id(last), created=True))
    assert refused == Refused("MISSING_ARGUMENT", "Key__c not specified", ("Key__c",))

    changes = [RecordWrite({"Key__c": key.upper(), "City": "Rome"}, clear=("Title",)), _keyed(f"{key}-last")]
    assert org.upsert("Lead", "Key__c", changes) == [Written(_id(first)), Written(_id(last))]

    (found,) = org.find("Lead", ("Key__c",), [(key,)], also=("City", "Title", "Company"))
    assert found.fields == {"Key__c": key.upper(), "City": "Rome", "Title": None, "Company": "Acme"}
    assert org.calls() == {"login": 1, "upsert": 2, "query": 1}


def test_upsert_by_id_creates_and_then_updates(org: SoapOrg) -> None:
    (created,) = org.upsert("Lead", "Id", [RecordWrite(GOOD)])
    assert created == Written(_id(created), created=True)

    again, nobody = org.upsert(
        "Lead", "Id", [RecordWrite({"Title": "CTO"}, id=one) for one in (_id(created), NOBODY)]
    )

    assert again == Written(_id(created))
    assert nobody == Refused("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")


def test_a_full_batch_is_upserted(org: SoapOrg) -> None:
    key = _key()
    records = [_keyed(f"{key}-{number}") for number in range(BATCH_SIZE)]

    made, changed = org.upsert("Lead", "Key__c", records), org.upsert("Lead", "Key__c", records)

    assert [one.created for one in made if isinstance(one, Written)] == [True] * BATCH_SIZE
    assert changed == [Written(_id(one)) for one in made]


def test_parents_are_found_by_their_external_ids(org: SoapOrg) -> None:
    key = _key()
    (ticket,) = org.create("Ticket__c", [RecordWrite({"Key__c": key})])
    to_ticket = {"Ticket__r": Reference("Ticket__c", "Key__c", key)}
    to_nobody = {"Ticket__r": Reference("Ticket__c", "Key__c", f"{key}-x")}

    created, refused = org.create(
        "Lead", [RecordWrite({**GOOD, "Key__c": key}, references=one) for one in (to_ticket, to_nobody)]
    )

    (found,) = org.find("Lead", ("Key__c",), [(key,)], also=("Ticket__c",))
    assert found.fields["Ticket__c"] == _id(ticket)
    words = f"Foreign key external ID: {key}-x not found for field Key__c in entity Ticket__c"
    assert refused == Refused("INVALID_FIELD", words)

    assert org.update("Lead", [RecordWrite({}, clear=("Ticket__c",), id=found.id)]) == [created]
    assert org.find("Lead", ("Key__c",), [(key,)], also=("Ticket__c",))[0].fields["Ticket__c"] is None
    assert org.upsert("Lead", "Key__c", [RecordWrite({"Key__c": key}, references=to_ticket)]) == [created]
    assert org.find("Lead", ("Key__c",), [(key,)], also=("Ticket__c",)) == [found]


def test_a_lookup_is_narrowed_by_a_condition(org: SoapOrg) -> None:
    key = _key()
    plain, converted = org.create(
        "Lead", [RecordWrite({**GOOD, "Key__c": key, "IsConverted": value}) for value in (False, True)]
    )

    for fields in (("Key__c",), ("Key__c", "Company")):
        identities = [(key, "Acme")[: len(fields)], ("nobody",) * len(fields)]
        found = [
            [one.id for one in org.find("Lead", fields, identities, where=where)]
            for where in (
                "",
                "IsConverted = false",
                "CreatedDate = TODAY OR CreatedDate = YESTERDAY",
                "Title != null",
            )
        ]
        assert found == [[_id(plain), _id(converted)], [_id(plain)], [_id(plain), _id(converted)], []]


@pytest.mark.parametrize("operation", ["create", "update", "upsert"])
def test_a_required_field_cannot_be_cleared(org: SoapOrg, operation: str) -> None:
    (own,) = org.create("Lead", [RecordWrite(GOOD)])
    emptied = RecordWrite({"Key__c": _key(), "LastName": "Lovelace"}, clear=("Company",))
    write = {
        "create": lambda: org.create("Lead", [emptied]),
        "update": lambda: org.update("Lead", [replace(emptied, id=_id(own))]),
        "upsert": lambda: org.upsert("Lead", "Key__c", [emptied]),
    }

    words = "Required fields are missing: [Company]"
    assert write[operation]() == [Refused("REQUIRED_FIELD_MISSING", words, ("Company",))]


def _create(*fields: Mapping[str, Value], of: str = "Lead") -> Callable[[SoapOrg], object]:
    return lambda org: org.create(of, [RecordWrite(one) for one in fields])


# A whole call that is refused: what it does, the code, and words of the message.
CALLS: list[tuple[Callable[[SoapOrg], object], str, str]] = [
    (_create({**GOOD, "Key__c": "fault"}, {**GOOD, "Nope__c": 1}), "INVALID_FIELD", "'Nope__c' on entity 'Lead'"),
    (lambda org: org.update("Lead", [RecordWrite({"Nope__c": 1}, id=NOBODY)]), "INVALID_FIELD", "'Nope__c'"),
    (lambda org: org.find("Lead", ("Nope__c",), [("a",)]), "INVALID_FIELD", "'Nope__c' on entity 'Lead'"),
    (_create({"Name": "x"}, of="Nobody__c"), "INVALID_TYPE", "'Nobody__c' is not supported"),
    (lambda org: org.find("Lead", ("Key__c",), [("a",)], where="Nope__c = 1"), "INVALID_FIELD", "'Nope__c'"),
    (lambda org: org.find("Lead", ("Key__c",), [("a",)], also=("Nope__c",)), "INVALID_FIELD", "'Nope__c'"),
    (
        lambda org: org.find("Lead", ("Key__c",), [("a",)], where="Title = ="),
        "MALFORMED_QUERY",
        "unexpected token",
    ),
    (lambda org: org.upsert("Lead", "Title", [RecordWrite(GOOD)]), "INVALID_FIELD", "does not match an External"),
    (lambda org: org.upsert("Lead", "Key__c", [_keyed("fault")] * 201), "EXCEEDED_ID_LIMIT", "more than 200"),
    (lambda org: org.delete("Lead", [NOBODY] * 201), "EXCEEDED_ID_LIMIT", "more than 200"),
    (lambda org: org.find("Nobody__c", ("Name",), [("a",)]), "INVALID_TYPE", "'Nobody__c' is not supported"),
    (lambda org: org.describe(["Nobody__c"]), "INVALID_TYPE", "'Nobody__c' is not supported"),
    (_create(*[{**GOOD, "Key__c": "fault"}] * 201), "EXCEEDED_ID_LIMIT", "cannot submit more than 200"),
    (lambda org: org.find("Lead", ("Key__c",), [(7,)]), "INVALID_FIELD", "refused the query call: value of"),
    (lambda org: org.find("Lead", ("Description",), [("a",)]), "INVALID_FIELD", "refused the query call: field"),
]


@pytest.mark.parametrize(("call", "code", "words"), CALLS)
def test_a_refused_call_leaves_nothing_behind(
    org: SoapOrg, call: Callable[[SoapOrg], object], code: str, words: str
) -> None:
    with pytest.raises(CallRefused) as caught:
        call(org)

    assert caught.value.code == code
    assert words in caught.value.message
    assert not caught.value.maybe_applied
    assert org.find("Lead", ("Key__c",), [("fault",)]) == []


def test_a_lost_session_is_renewed_once(settings: SoapSettings, local: LocalOrg) -> None:
    org = SoapOrg(settings)
    org.object_names()
    lost = {"kind": "expired_session", "calls": "create", "times": 1}
    assert requests.put(f"{local.url}/faults", json={"faults": [lost]}, timeout=10).status_code == 200

    for _ in range(2):
        assert isinstance(org.create("Lead", [RecordWrite(GOOD)])[0], Written)

    assert org.calls() == {"login": 2, "describeGlobal": 1, "create": 3}


@pytest.mark.parametrize(
    ("password", "token", "code"),
    [
        ("wrong", "localtoken", "INVALID_LOGIN"),
        ("local-password", "wrong", "INVALID_LOGIN"),
        ("local-password", "", "LOGIN_MUST_USE_SECURITY_TOKEN"),
    ],
    ids=["password", "token", "no token"],
)
def test_wrong_credentials_are_tried_once(settings: SoapSettings, password: str, token: str, code: str) -> None:
    org = SoapOrg(
        replace(settings, sign_in=PasswordLogin("developer@local.sfmap.test", Secret(password), Secret(token)))
    )

    for _ in range(2):
        with pytest.raises(SignInRefused) as caught:
            org.object_names()
        assert caught.value.code == code
        assert caught.value.hint

    assert org.calls() == {"login": 1}


def test_threads_share_a_session(settings: SoapSettings) -> None:
    org = SoapOrg(settings)

    with ThreadPoolExecutor(8) as pool:
        results = pool.map(lambda _: org.create("Lead", [RecordWrite(GOOD)] * 50), range(16))
        ids = [_id(one) for created in results for one in created]

    assert len(set(ids)) == 800
    assert org.calls() == {"login": 1, "create": 16}


def test_the_daily_limit_is_reported(settings: SoapSettings, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sfmap.engine.local_org", "--db", str(tmp_path / "org"), "--daily-limit", "2"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        org = SoapOrg(replace(settings, login_url=json.loads(process.stdout.readline())["url"]))
        for used in (1, 2):
            org.create("Lead", [RecordWrite(GOOD)])
            assert org.usage() == ApiUsage(used, 2)

        with pytest.raises(LimitReached, match="used up its API requests") as caught:
            org.create("Lead", [RecordWrite(GOOD)])
        process.stdin.close()

    assert caught.value.code == "REQUEST_LIMIT_EXCEEDED"
    assert not caught.value.maybe_applied
    assert org.calls() == {"login": 1, "create": 3}


def _key() -> str:
    """A key that no other lead has."""
    return f"key-{next(_numbers)}"


def _keyed(key: str) -> RecordWrite:
    return RecordWrite({**GOOD, "Title": "CTO", "Key__c": key})


def _id(result: Written | Refused) -> str:
    assert isinstance(result, Written), result
    return result.id
