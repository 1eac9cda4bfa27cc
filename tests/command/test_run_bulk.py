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
    events = [{"type": "identify", "userId": f"u{one}", "traits": {"name": f"N{one}"}} for one in range(2_500)]
    events[7]["traits"] = {}
    (folder.path / "events.ndjson").write_text("\n".join(map(json.dumps, events)))
    return folder


@pytest.mark.parametrize(("mode", "most"), [("always", 20), ("auto", 30)])
def test_many_people_take_few_calls(people: Folder, mode: str, most: int) -> None:
    done = people.sfmap("run", "events.ndjson", "--bulk", mode, "--json")
    report = json.loads(done.stdout)
    assert done.returncode == 1, done.stderr
    assert report["created"] == 2_499
    assert sum(report["api_calls"].values()) <= most
    assert len(people.rows("SELECT * FROM Lead")) == 2_499
    (letter,) = people.sfmap("dead-letters").stdout.splitlines()
    assert "REQUIRED_FIELD_MISSING" in letter
