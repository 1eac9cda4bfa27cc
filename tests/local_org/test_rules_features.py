"""The features of an org that change its objects: picklists for states, several currencies, persons."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sfmap.engine.local_org.process import start_local_org
from sfmap.engine.local_org.records.features import FEATURES, UnknownFeature
from sfmap.engine.local_org.records.schema_file import load_schema
from sfmap.engine.yaml_files.diagnostics import Mistakes
from sfmap.tests.local_org.conftest import Client, created, sign_in, updated

SCHEMA = """\
features: [state_country_picklists, multi_currency, person_accounts]
objects:
  Contact:
    fields:
      Shoe__c: {type: double, precision: 4, scale: 1}
"""


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder: Path = tmp_path_factory.mktemp("features")
    (folder / "schema.yaml").write_text(SCHEMA)
    with start_local_org(folder / "org.db", folder / "schema.yaml") as running:
        yield sign_in(running)


PROBLEM = "FIELD_INTEGRITY_EXCEPTION: There's a problem with this {}, even though it may appear correct."


@pytest.mark.parametrize(
    ("fields", "stored"),
    [
        ({"CountryCode": "US", "StateCode": "CA"}, ["United States", "US", "California", "CA"]),
        ({"Country": "Canada", "State": "Quebec"}, ["Canada", "CA", "Quebec", "QC"]),
        ({"Country": "Norway"}, ["Norway", "NO"]),
        ({"CountryCode": "IT", "State": "Roma"}, ["Italy", "IT", "Roma", "RM"]),
        ({"CountryCode": "US", "State": "Quebec", "StateCode": "TX"}, ["United States", "US", "Texas", "TX"]),
    ],
)
def test_states_and_countries_are_completed(org: Client, fields: dict[str, str], stored: list[str]) -> None:
    lead = created(org, "Lead", LastName="x", Company="y", **fields)
    assert org.query(f"SELECT Country, CountryCode, State, StateCode FROM Lead WHERE Id = '{lead}'") == stored


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"Country": "USA"}, PROBLEM.format("country")),
        ({"Country": "US"}, PROBLEM.format("country")),
        ({"CountryCode": "US", "State": "CA"}, PROBLEM.format("state")),
        ({"Country": "Germany", "State": "Bayern"}, PROBLEM.format("state")),
        ({"CountryCode": "CA", "StateCode": "TX"}, PROBLEM.format("state")),
        ({"State": "Texas"}, "FIELD_INTEGRITY_EXCEPTION: A country must be specified before"),
        ({"CountryCode": "XX"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST: Country Code: bad value"),
    ],
)
def test_unknown_states_and_countries_are_refused(org: Client, fields: dict[str, str], words: str) -> None:
    assert created(org, "Lead", LastName="x", Company="y", **fields).startswith(words)


def test_records_have_a_currency(org: Client) -> None:
    usual = created(org, "Opportunity", Name="o", StageName="Prospecting", CloseDate="2026-12-31")
    other = created(
        org, "Opportunity", Name="o", StageName="Prospecting", CloseDate="2026-12-31", CurrencyIsoCode="EUR"
    )
    assert org.query(f"SELECT CurrencyIsoCode FROM Opportunity WHERE Id = '{usual}'") == ["USD"]
    assert org.query(f"SELECT CurrencyIsoCode FROM Opportunity WHERE Id = '{other}'") == ["EUR"]
    assert created(org, "Lead", LastName="x", Company="y", CurrencyIsoCode="ZWG").startswith(
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST: Currency ISO Code: bad value for restricted picklist field: ZWG"
    )
    info = org.call("<getUserInfo/>")
    assert "<organizationMultiCurrency>true<" in info
    assert "<orgHasPersonAccounts>true<" in info


def person_type(org: Client) -> str:
    answer = org.call(
        "<query><queryString>SELECT Id FROM RecordType WHERE IsPersonType = true</queryString></query>"
    )
    found = re.search(r"<sf:Id>(012\w{15})<", answer)
    assert found, answer
    return found[1]


def test_a_person_has_a_contact_behind_it(org: Client) -> None:
    person = created(
        org,
        "Account",
        LastName="Doe",
        FirstName="Jo",
        PersonEmail="jo@b.co",
        PersonMailingCity="Rome",
        Shoe__pc="4.5",
    )
    assert org.query(f"SELECT Name, IsPersonAccount, RecordTypeId FROM Account WHERE Id = '{person}'") == [
        *("Jo Doe", "true", person_type(org))
    ]
    behind = "SELECT Name, Email, MailingCity, Shoe__c FROM Contact WHERE"
    assert org.query(f"{behind} AccountId = '{person}'") == ["Jo Doe", "jo@b.co", "Rome", "4.5"]
    (contact,) = org.query(f"SELECT PersonContactId FROM Account WHERE Id = '{person}'")
    assert updated(org, "Account", Id=person, FirstName="Joan", PersonMailingCity="Oslo") == person
    assert org.query(f"{behind} Id = '{contact}'") == ["Joan Doe", "jo@b.co", "Oslo", "4.5"]


def test_an_account_with_a_name_is_no_person(org: Client) -> None:
    account = created(org, "Account", Name="Acme")
    assert org.query(f"SELECT IsPersonAccount, RecordType.DeveloperName FROM Account WHERE Id = '{account}'") == [
        *("false", "Business_Account")
    ]


BAD_NAMES = "INVALID_FIELD_FOR_INSERT_UPDATE: Account: bad field names on insert/update call: "


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"Name": "Acme", "PersonEmail": "a@b.co"}, BAD_NAMES + "PersonEmail"),
        ({"Name": "Acme", "RecordTypeId": "PERSON"}, BAD_NAMES + "Name"),
        ({"RecordTypeId": "PERSON"}, "REQUIRED_FIELD_MISSING: Required fields are missing: [LastName]"),
        ({}, "REQUIRED_FIELD_MISSING: Required fields are missing: [Name]"),
        ({"LastName": "x", "IsPersonAccount": "true"}, "INVALID_FIELD_FOR_INSERT_UPDATE: Unable to create"),
    ],
)
def test_fields_of_the_other_kind_are_refused(org: Client, fields: dict[str, str], words: str) -> None:
    fields = {name: person_type(org) if text == "PERSON" else text for name, text in fields.items()}
    assert created(org, "Account", **fields).startswith(words)


def test_a_record_keeps_its_kind(org: Client) -> None:
    account, person = created(org, "Account", Name="Acme"), created(org, "Account", LastName="Doe")
    refused = "INVALID_FIELD_FOR_INSERT_UPDATE: Cannot specify any additional fields when marrying or separating"
    assert updated(org, "Account", Id=account, RecordTypeId=person_type(org)).startswith(refused)
    assert updated(org, "Account", Id=person, Name="Acme").startswith(BAD_NAMES + "Name")


def test_without_features_nothing_changes() -> None:
    plain, full = load_schema(None), load_schema(None, FEATURES)
    for name in ("CurrencyIsoCode", "BillingStateCode", "PersonEmail", "IsPersonAccount"):
        assert plain.objects["Account"].field(name) is None
        assert full.objects["Account"].field(name)


def test_an_unknown_feature_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownFeature, match=r"no feature multi_currencies.*multi_currency"):
        load_schema(None, ["multi_currencies"])
    (tmp_path / "schema.yaml").write_text("features: person_account")
    with pytest.raises(Mistakes, match="there is no feature person_account"):
        load_schema(tmp_path / "schema.yaml")
