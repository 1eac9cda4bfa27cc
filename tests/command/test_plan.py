"""`sfmap plan`: what a run would create and change, and nothing is written."""

import orjson

from ..folder import Folder, Identify
from ..scene import Scene

LEADS = """\
event: identify
object: Lead
match: Email
fields:
  Email: traits.email
  LastName: {from: traits.name, default: n/a}
  Company: {value: Acme, write: create}
  Rating: {from: traits.rating, type: picklist}
  Phone: {from: traits.phone, write: empty}
"""


def test_a_plan_counts_records_and_changes_of_fields(scene: Scene, identify: Identify) -> None:
    scene.mapping(LEADS)
    scene.run(identify("ann@b.co", name="Lee", phone="1"), identify("bob@b.co", name="Ray"), identify("eve@b.co"))
    before = scene.rows("SELECT * FROM Lead ORDER BY Id")
    events = [
        identify("ann@b.co", name="Lee", rating="Hot", phone="2"),
        identify("bob@b.co", name="Roy", phone="3"),
        identify("new@b.co", name="New"),
        identify("new@b.co", rating="Cold"),
        identify("eve@b.co"),
        {"type": "track", "event": "x"},
    ]
    said = scene.sfmap("plan", scene.folder.write("e.ndjson", events))
    assert "  read               6  events" in said
    assert (
        "  created            1  1 Lead\n  changed            2  2 Lead\n  unchanged          1  1 Lead\n" in said
    )
    assert "Lead: 1 record created, with\n  Email 1, LastName 1, Company 1, Rating 1\n" in said
    assert (
        "Lead: 2 records changed\n  Rating: 1\n          1 × (empty) → Hot\n"
        "  Phone: 1\n          1 × (empty) → 3\n  LastName: 1\n          1 × Ray → Roy\n"
    ) in said
    assert "--save-old FILE" in said
    assert scene.rows("SELECT * FROM Lead ORDER BY Id") == before
    assert not scene.folder.sfmap("dead-letters").stdout


def test_a_plan_makes_no_call_that_writes(scene: Scene, identify: Identify) -> None:
    scene.mapping(LEADS)
    scene.run(identify("ann@b.co", name="Lee"))
    before = scene.calls()
    scene.sfmap("plan", scene.folder.write("e.ndjson", [identify("ann@b.co", name="Roy"), identify("new@b.co")]))
    made = scene.calls() - before
    assert set(made) == {"login", "describeGlobal", "describeSObjects", "query"}


def test_a_plan_writes_a_line_for_each_record(scene: Scene, identify: Identify) -> None:
    scene.mapping(LEADS)
    scene.run(identify("ann@b.co", name="Lee"))
    ((ann,),) = scene.rows("SELECT Id FROM Lead")
    events = [identify("ann@b.co", name="Roy"), identify("new@b.co", name="New"), identify("ann@b.co", name="Ray")]
    said = scene.sfmap("plan", scene.folder.write("e.ndjson", events), "--json", "--out", "out.ndjson")
    assert scene.folder.lines("out.ndjson") == [
        {
            "object": "Lead",
            "id": ann,
            "change": "changed",
            "fields": {"LastName": {"old": "Lee", "new": "Ray"}},
            "events": [1, 3],
        },
        {
            "object": "Lead",
            "id": None,
            "change": "created",
            "fields": {
                "Email": {"old": None, "new": "new@b.co"},
                "LastName": {"old": None, "new": "New"},
                "Company": {"old": None, "new": "Acme"},
            },
            "events": [2],
        },
    ]
    planned = orjson.loads(said[said.index("{") :])
    assert planned["records"] == {"created": 1, "changed": 1, "unchanged": 0, "deleted": 0}
    assert planned["objects"]["Lead"]["fields"] == {
        "LastName": {"changed": 1, "values": [{"old": "Lee", "new": "Ray", "records": 1}]}
    }


def test_too_many_changes_end_with_2(scene: Scene, identify: Identify) -> None:
    scene.mapping(LEADS)
    name = scene.folder.write("e.ndjson", [identify("ann@b.co"), identify("bob@b.co")])
    scene.sfmap("plan", name, "--max-changes", "2")
    said = scene.sfmap("plan", name, "--max-changes", "1", code=2)
    assert said.startswith("Planning for the org org at 127.0.0.1")
    assert "Error: 2 records would be created, changed or deleted; --max-changes is 1." in said


def test_refusals_that_the_description_tells_are_planned(scene: Scene, identify: Identify) -> None:
    scene.mapping(LEADS.replace(", default: n/a", "").replace("Rating", "Tags__c"))
    name = scene.folder.write("e.ndjson", [identify("ann@b.co", name="Lee", rating="green"), identify("bob@b.co")])
    said = scene.sfmap("plan", name, code=1)
    assert "  failed             1  REQUIRED_FIELD_MISSING: Required fields are missing: [LastName]" in said


def test_a_plan_begins_where_the_run_would(scene: Scene, identify: Identify) -> None:
    scene.mapping(LEADS)
    events = [identify("ann@b.co"), identify("bob@b.co")]
    scene.run(*events)
    lines = (scene.folder.path / "events.ndjson").read_text()
    said = scene.sfmap("plan", "events.ndjson", "--skip-delivered")
    assert "2  an event with the same messageId came before" in said
    assert (scene.folder.path / "events.ndjson").read_text() == lines


def test_a_project_without_an_org_plans_for_the_local_org(folder: Folder, identify: Identify) -> None:
    done = folder.sfmap("plan", folder.write("e.ndjson", [identify("ann@b.co", name="Ann Lee")]))
    assert (done.returncode, "1 Lead" in done.stdout) == (0, True)
    assert folder.rows("SELECT * FROM Lead") == []
