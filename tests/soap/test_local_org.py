"""The adapter end to end, against the local org: a real SOAP server on loopback."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sfmap.engine.org.local.process import LocalOrg, start_local_org
from sfmap.engine.org.port import BATCH_SIZE, CallRefused, RecordWrite, Refused, SignInRefused, Written
from sfmap.engine.org.soap import Secret, SoapOrg, SoapSettings


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalOrg]:
    with start_local_org(tmp_path / "org.sqlite", None) as running:
        yield running


@pytest.fixture
def settings(local: LocalOrg) -> SoapSettings:
    return SoapSettings(local.url, local.username, Secret(local.password), Secret(local.security_token))


@pytest.fixture
def org(settings: SoapSettings) -> SoapOrg:
    return SoapOrg(settings)


def test_describe(org: SoapOrg) -> None:
    assert {"Lead", "Account", "Contact"} <= org.object_names()

    described = org.describe(["Lead", "Account"])

    assert described["Lead"].key_prefix == "00Q"
    assert described["Lead"].fields["LastName"].length == 80
    assert not described["Lead"].fields["LastName"].nillable
    assert described["Account"].fields["Name"].createable
    assert org.calls() == {"login": 1, "describeGlobal": 1, "describeSObjects": 1}


def test_create_find_and_update(org: SoapOrg) -> None:
    results = org.create("Lead", [_lead(number) for number in range(BATCH_SIZE)])
    created = [result for result in results if isinstance(result, Written)]
    assert [len(result.id) for result in created] == [18] * BATCH_SIZE

    found = org.find("Lead", ("Email",), [("USER-7@acme.example",), ("nobody@acme.example",)])
    assert [(record.id, record.fields["Email"]) for record in found] == [(created[7].id, "user-7@acme.example")]

    change = RecordWrite({"LastName": "Line one\r\nline two <&> 😀"}, clear=("Title",), id=created[7].id)
    assert org.update("Lead", [change]) == [Written(created[7].id)]
    (changed,) = org.find("Lead", ("Email", "LastName"), [("user-7@acme.example", change.fields["LastName"])])
    assert changed.id == created[7].id
    usage = org.usage()
    assert usage
    assert usage.used > 0


def test_finding_three_thousand_identities(org: SoapOrg) -> None:
    for start in range(0, 3_000, BATCH_SIZE):
        org.create("Lead", [_lead(number) for number in range(start, start + BATCH_SIZE)])

    found = org.find("Lead", ("Email",), [(f"user-{number}@acme.example",) for number in range(3_000)])

    assert len({record.id for record in found}) == len(found) == 3_000


def test_a_refused_record_keeps_no_other_out(org: SoapOrg) -> None:
    nameless = RecordWrite({"Company": "Acme"})

    first, second, third = org.create("Lead", [_lead(1), nameless, _lead(3)])

    assert isinstance(first, Written)
    assert isinstance(second, Refused)
    assert second.code == "REQUIRED_FIELD_MISSING"
    assert isinstance(third, Written)


def test_an_ended_session_is_renewed(org: SoapOrg) -> None:
    org.object_names()
    session = org._sessions.current()
    org._sessions._session = replace(session, id=Secret("00D000000000000!ended"))

    assert isinstance(org.create("Lead", [_lead(1)])[0], Written)
    assert org.calls() == {"login": 2, "describeGlobal": 1, "create": 2}


def test_a_wrong_password(settings: SoapSettings) -> None:
    org = SoapOrg(replace(settings, password=Secret("wrong")))

    with pytest.raises(SignInRefused) as caught:
        org.object_names()

    assert caught.value.code == "INVALID_LOGIN"


def test_more_records_than_a_call_may_carry(org: SoapOrg) -> None:
    with pytest.raises(CallRefused) as caught:
        org.create("Lead", [_lead(number) for number in range(BATCH_SIZE + 1)])

    assert caught.value.code == "EXCEEDED_ID_LIMIT"
    assert not caught.value.maybe_applied


def _lead(number: int) -> RecordWrite:
    return RecordWrite(
        {
            "LastName": f"Lovelace {number}",
            "Company": "Acme",
            "Email": f"user-{number}@acme.example",
            "Title": "CTO",
        }
    )
