"""`sfmap run --bulk`: few calls for many records, and dead letters with the org's words."""

import json

import pytest

from ..folder import Folder

SCHEMA = """\
objects:
  Lead:
    fields:
      Key__c: {type: string, length: 40, external_id: true, unique: true}
"""
MAPPING = """\
sfmap: 1
event: identify
object: Lead
match: {external_id: Key__c}
fields:
  Key__c: userId
  LastName: traits.name
  Company: {value: n/a}
"""


@pytest.fixture
def people(folder: Folder) -> Folder:
    (folder.path / "mappings").mkdir()
    (folder.path / "mappings/lead.yaml").write_text(MAPPING)
    (folder.path / "schema.yaml").write_text(SCHEMA)
    (folder.path / "sfmap.yaml").write_text("orgs:\n  local: {schema: schema.yaml}\n")
    return folder


def deliver(folder: Folder, people: int, *options: str) -> dict[str, int]:
    """The API calls by which they are created, but for the eighth, who has no name."""
    events = [{"type": "identify", "userId": f"u{one}", "traits": {"name": f"N{one}"}} for one in range(people)]
    events[7]["traits"] = {}
    (folder.path / "events.ndjson").write_text("\n".join(map(json.dumps, events)))
    done = folder.sfmap("run", "events.ndjson", "--json", *options)
    report = json.loads(done.stdout)
    assert done.returncode == 1, done.stderr
    assert report["created"] == people - 1
    assert len(folder.rows("SELECT * FROM Lead")) == people - 1
    calls: dict[str, int] = report["api_calls"]
    return calls


def test_as_few_people_as_usual_take_the_usual_calls(people: Folder) -> None:
    assert set(deliver(people, 2_500)) == {"login", "describeGlobal", "describeSObjects", "upsert"}


@pytest.mark.parametrize(("number", "options", "most"), [(2_500, ("--bulk", "always"), 20), (10_000, (), 45)])
def test_many_people_take_few_calls(people: Folder, number: int, options: tuple[str, ...], most: int) -> None:
    assert sum(deliver(people, number, *options).values()) <= most
    (letter,) = people.sfmap("dead-letters").stdout.splitlines()
    assert "REQUIRED_FIELD_MISSING" in letter
