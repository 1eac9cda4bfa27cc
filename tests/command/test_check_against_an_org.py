"""`sfmap check --org`: mappings compared with what an org describes."""

import pytest

from ..delivery.state_codes import project
from ..folder import Folder


def test_fields_are_compared_with_the_org(folder: Folder) -> None:
    (folder.path / "ours").mkdir()
    (folder.path / "ours" / "lead.yaml").write_text(
        "sfmap: 1\nevent: identify\nobject: Lead\nmatch: {external_id: Key__c}\nfields:\n  Key__c: userId\n"
        "  LastName: {value: x}\n  Company: {value: x}\n  testprop__c: traits.a\n  IsDeleted: traits.b\n"
        "  AnnualRevenue: {default: lots}\n  Owner: {object: Account, by: Name, from: traits.owner}\n"
    )
    (folder.path / "schema.yaml").write_text(
        "objects: {Lead: {fields: {testProp__c: {type: string, length: 5}, Key__c: {type: string, length: 5}}}}\n"
    )
    (folder.path / "sfmap.yaml").write_text("mappings: ours\norgs: {local: {schema: schema.yaml}}\n")
    offline = folder.sfmap("check")
    assert (offline.returncode, "IsDeleted is read-only" in offline.stderr) == (0, True)
    done = folder.sfmap("check", "--org", "local")
    assert done.returncode == 2
    for words in (
        "Lead.Key__c is not an external id",
        "it has testProp__c, and the casing must agree",
        "Lead.IsDeleted is read-only",
        "the default of AnnualRevenue is not a number",
        "OwnerId cannot point to Account",
    ):
        assert words in done.stderr
    assert folder.sfmap("check", "--org", "nowhere").returncode == 2


def test_constants_are_read_as_in_delivery(folder: Folder) -> None:
    mapping = (
        "sfmap: 1\nevent: identify\nobject: Lead\nmatch: Email\ndecimal: {}\nfields:\n  Email: traits.email\n"
    )
    names = "  LastName: {value: x}\n  Company: {value: x}\n  AnnualRevenue: {default: '1.200,50 €'}\n"
    (folder.path / "ours").mkdir()
    for decimal, code in (("comma", 0), ("point", 2)):
        (folder.path / "ours" / "lead.yaml").write_text(mapping.format(decimal) + names, "utf-8")
        assert folder.sfmap("check", "--mappings", "ours", "--org", "local").returncode == code


def test_every_object_that_a_mapping_looks_up_is_described(folder: Folder) -> None:
    (folder.path / "ours").mkdir()
    (folder.path / "ours" / "lead.yaml").write_text(
        "sfmap: 1\nevent: identify\nobject: Lead\nmatch: [[Email, OwnerId], Email]\n"
        "unless_found: {object: Contact, by: Email, from: traits.email}\nfields:\n  Email: traits.email\n"
        "  LastName: {template: 'Customer {{ traits.number }}'}\n  Company: {value: x}\n"
        "  OwnerId: {object: [Group, User], by: Name, from: traits.owner}\n"
    )
    done = folder.sfmap("check", "--mappings", "ours", "--org", "local")
    assert (done.returncode, "no errors" in done.stdout + done.stderr) == (0, True)


def test_constants_are_compared_with_picklist_entries(folder: Folder) -> None:
    project(folder)
    head = "sfmap: 1\nevent: identify\nobject: Account\nmatch: Name\nfields:\n"
    text = (
        f"{head}  Name: {{from: userId, required: true}}\n  BillingCountry: {{default: Germani}}\n"
        "  ShippingState: traits.state\n  ShippingCountryCode: {value: Germany}\n"
    )
    (folder.path / "ours" / "lead.yaml").write_text(text)
    done = folder.sfmap("check", "--org", "local")
    assert done.returncode == 2
    assert '"Germani" is not a value of the picklist BillingCountryCode' in done.stderr
    assert 'did you mean "Germany"?' in done.stderr
    assert "1 mistake" in done.stderr
    (folder.path / "ours" / "lead.yaml").write_text(text.replace("ShippingCountryCode", "BillingPostalCode"))
    assert "ShippingState is left out without" in folder.sfmap("check", "--org", "local").stderr


@pytest.mark.parametrize("asked", [(), ("--org", "local")])
def test_an_org_with_one_currency_needs_no_currency_field(folder: Folder, asked: tuple[str, ...]) -> None:
    (folder.path / "sfmap.yaml").write_text("use: [opportunity]\n")
    done = folder.sfmap("check", *asked)
    assert done.returncode == 0, done.stdout
    assert "CurrencyIsoCode" not in done.stdout + done.stderr
