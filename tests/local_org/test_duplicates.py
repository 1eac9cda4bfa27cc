"""Duplicate rules of the schema file: which records they refuse, and what the answer names."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sfmap.engine.local_org.process import LocalOrgFailed, start_local_org
from sfmap.engine.org.port import RecordWrite, Refused, WriteOptions, Written
from sfmap.engine.org.soap import PasswordLogin, Secret, SoapOrg, SoapSettings

SCHEMA = """\
objects:
  Lead:
    duplicate_rules:
      Same mail: {fields: Email, action: warn}
      Same person: {fields: [LastName, Company], action: block}
"""


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoapOrg]:
    folder = tmp_path_factory.mktemp("duplicates")
    (folder / "schema.yaml").write_text(SCHEMA)
    with start_local_org(folder / "org.db", folder / "schema.yaml") as local:
        sign_in = PasswordLogin(local.username, Secret(local.password), Secret(local.security_token))
        yield SoapOrg(SoapSettings(local.url, sign_in))


def lead(last_name: str, email: str) -> RecordWrite:
    return RecordWrite({"LastName": last_name, "Company": "Initech", "Email": email})


def test_duplicate_rules_refuse_records_and_name_the_duplicates(org: SoapOrg) -> None:
    (first,) = org.create("Lead", [lead("Ann", "ann@b.co")])
    assert isinstance(first, Written)
    warned, blocked, other = org.create(
        "Lead", [lead("Bea", "ANN@b.co"), lead("ann", "c@b.co"), lead("Cid", "d@b.co")]
    )
    assert warned == Refused("DUPLICATES_DETECTED", "Use one of these records?", duplicates=(first.id,))
    assert isinstance(blocked, Refused)
    assert blocked.duplicates == (first.id,)
    assert isinstance(other, Written)
    # Who writes the record itself makes no duplicate, and who writes none of the fields neither.
    (again,) = org.update("Lead", [RecordWrite({"Email": "ann@b.co"}, id=first.id)])
    assert isinstance(again, Written)
    (moved,) = org.update("Lead", [RecordWrite({"Email": "ann@b.co"}, id=other.id)])
    assert isinstance(moved, Refused)


def test_allow_duplicates_overrides_a_warning(org: SoapOrg) -> None:
    allowed = WriteOptions(allow_duplicates=True)
    org.create("Lead", [lead("Dan", "dan@b.co")])
    warned, blocked = org.create("Lead", [lead("Eva", "dan@b.co"), lead("Dan", "f@b.co")], allowed)
    assert isinstance(warned, Written)
    assert isinstance(blocked, Refused)


def test_a_rule_with_an_unknown_field_is_refused(tmp_path: Path) -> None:
    (tmp_path / "schema.yaml").write_text(SCHEMA.replace("fields: Email", "fields: Emial"))
    with (
        pytest.raises(LocalOrgFailed, match=re.escape('no field "Emial"')),
        start_local_org(tmp_path / "org.db", tmp_path / "schema.yaml"),
    ):
        pass
