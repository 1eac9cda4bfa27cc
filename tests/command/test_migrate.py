"""`sfmap migrate`: settings of other products become projects that pass every check."""

import stat
from pathlib import Path

import orjson
import pytest

from ..folder import Event, Folder

EXPORTS = Path(__file__).parent / "exports"


def migrated(folder: Folder, product: str, name: str) -> tuple[Folder, str]:
    """The new project, and what the command says."""
    done = folder.sfmap("migrate", product, str(EXPORTS / name), "--to", "new")
    assert done.returncode == 0, done.stderr
    made = Folder(folder.path / "new")
    assert made.sfmap("check").returncode == 0
    return made, done.stderr


def rendered(project: Folder, event: Event) -> list[dict[str, object]]:
    done = project.sfmap("render", stdin=orjson.dumps(event))
    return [orjson.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    ("product", "name"),
    [
        ("segment", "segment-actions.json"),
        ("segment", "segment-actions.tf"),
        ("segment", "segment-classic.json"),
        ("rudderstack", "rudderstack.json"),
    ],
)
def test_the_project_passes_every_check_and_holds_no_secret(product: str, name: str, folder: Folder) -> None:
    made, _ = migrated(folder, product, name)
    texts = [path.read_text() for path in made.path.rglob("*") if path.is_file()]
    assert not [text for text in texts if "secret-1" in text or "secret-2" in text]
    secrets = made.path / "secrets.env"
    assert not secrets.exists() or stat.S_IMODE(secrets.stat().st_mode) == 0o600


def test_an_action_becomes_a_mapping(folder: Folder) -> None:
    made, said = migrated(folder, "segment", "segment-actions.json")
    traits = {"email": "a@b.co", "last_name": "Lee", "title": "Clerk", "company": "Acme", "about": "ABC"}
    (line,) = rendered(made, {"type": "identify", "userId": "u1", "traits": traits})
    assert line["match"] == [{"Email": "a@b.co"}, {"User_Id__c": "u1"}]
    assert line["fields"] == {
        "Email": "a@b.co",
        "Company": "Acme",
        "LastName": "Lee",
        "Title": "Clerk at Acme",
        "Description": "abc",
        "LeadSource": "Web",
    }
    assert "4 things could not be carried over:" in said
    assert "Upsert people: Tags__c (@arrayPath) has no counterpart; write its rule" in said
    assert "Something: it is not known for which object this action is" in said
    assert "Old one: it is switched off in Segment" in (made.path / "MIGRATION.md").read_text()


def test_a_mapping_that_would_take_more_events_is_not_active(folder: Folder) -> None:
    made, said = migrated(folder, "segment", "segment-actions.json")
    assert 'Orders: of its trigger, properties.test != "true". The mapping is not active' in said
    order = {"type": "track", "event": "Order Paid", "properties": {"order_id": 7, "total": 2.5, "items": [1]}}
    assert "skipped" in rendered(made, order)[0]
    path = made.path / "mappings/orders.yaml"
    path.write_text(path.read_text().replace("active: false\n", "when: properties.test != 'true'\n"))
    (line,) = rendered(made, order)
    assert (line["external_id"], line["fields"]) == (
        "Number__c",
        {"Total__c": 2.5, "Raw__c": "[1]", "Number__c": 7},
    )


def test_resources_of_terraform_are_read(folder: Folder) -> None:
    made, _ = migrated(folder, "segment", "segment-actions.tf")
    event = {"type": "identify", "traits": {"email": "a@b.co", "lastName": "Lee", "address": {"city": "Rome"}}}
    (line,) = rendered(made, event)
    assert line["match"] == [{"Email": "a@b.co", "LastName": "Lee"}]
    assert line["fields"] == {"Email": "a@b.co", "LastName": "Lee", "MailingCity": "Rome"}


def test_the_classic_destination_becomes_the_shipped_mappings(folder: Folder) -> None:
    made, said = migrated(folder, "segment", "segment-classic.json")
    assert "  - the setting mergeRule: sfmap has none like it" in said
    assert 'username: "integration@acme.example"\n    sandbox: true' in (made.path / "sfmap.yaml").read_text()
    event = {
        "type": "group",
        "groupId": "g",
        "traits": {"name": "B", "address": {"city": "Rome"}},
        "integrations": {"Salesforce": True},
    }
    (line,) = rendered(made, event)
    assert line["fields"] == {"Name": "B", "AccountNumber": "g", "BillingCity": "Rome", "ShippingCity": "Rome"}


def test_a_connection_of_rudderstack_needs_no_opt_in(folder: Folder) -> None:
    made, said = migrated(folder, "rudderstack", "rudderstack.json")
    (line,) = rendered(made, {"type": "identify", "context": {"traits": {"email": "a@b.co", "name": "Ann Lee"}}})
    assert line["match"] == [{"Email": "a@b.co"}]
    assert "whitelistedEvents: say which events a mapping takes by its key event or when" in said


@pytest.mark.parametrize(("product", "text"), [("segment", "{}"), ("rudderstack", "[]"), ("rudderstack", "x")])
def test_another_file_is_refused(product: str, text: str, folder: Folder) -> None:
    (folder.path / "f").write_text(text)
    done = folder.sfmap("migrate", product, "f", "--to", "new")
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert not (folder.path / "new").exists()


def test_a_project_that_is_there_is_not_overwritten(folder: Folder) -> None:
    migrated(folder, "segment", "segment-classic.json")
    done = folder.sfmap("migrate", "segment", str(EXPORTS / "segment-classic.json"), "--to", "new")
    assert done.returncode == 2
    assert "nothing was written" in done.stderr
