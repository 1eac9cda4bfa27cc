"""`sfmap run --save-old`: the values that are overwritten are kept, and can be put back."""

import orjson

from ..contacts_of_accounts import ACCOUNT, ANN, CLOSED, CONTACT
from ..folder import Identify, track
from ..scene import Scene, also

LEADS = """\
event: identify
object: Lead
match: Email
fields:
  Email: traits.email
  LastName: {from: traits.name, default: n/a}
  Company: {value: Acme, write: create}
  City: {from: traits.city, on_null: clear}
  NumberOfEmployees: {from: traits.employees, type: integer}
  Visits__c: {from: traits.visits, type: number}
"""
RECORDS = "SELECT Email, LastName, City, NumberOfEmployees, Visits__c FROM Lead ORDER BY Email"


def test_old_values_are_kept_and_put_back(scene: Scene, identify: Identify) -> None:
    scene.mapping(LEADS)
    scene.run(
        identify("ann@b.co", name="Lee", city="Rome", employees=4, visits=7),
        identify("bob@b.co", name="Ray"),
        identify("eve@b.co", name="Eve"),
    )
    before = scene.rows(RECORDS)
    changed = [
        identify("ann@b.co", name="Roy", city=None, employees=5),
        identify("bob@b.co", name="Ray", city="Oslo"),
        identify("eve@b.co", name="Eve"),
        identify("new@b.co", name="New"),
    ]
    scene.sfmap("run", scene.folder.write("e.ndjson", changed), "--save-old", "old.ndjson")
    assert scene.rows(RECORDS) != before
    scene.sfmap(
        "run", scene.folder.write("f.ndjson", [identify("ann@b.co", name="Rye")]), "--save-old", "old.ndjson"
    )
    saved = [line["properties"] for line in map(orjson.loads, (scene.folder.path / "old.ndjson").open("rb"))]
    assert [one["fields"] for one in saved] == [
        {"LastName": "Lee", "City": "Rome", "NumberOfEmployees": "4"},
        {"City": None},
    ]
    said = scene.sfmap("plan", "--put-back", "old.ndjson")
    assert "changed            2  2 Lead" in said
    assert "1 × Oslo → (empty)" in said
    scene.sfmap("run", "--put-back", "old.ndjson")
    assert scene.rows(RECORDS)[:3] == before


def test_a_record_of_an_upsert_is_kept_too(scene: Scene, identify: Identify) -> None:
    keyed = LEADS.replace("match: Email", "match: {external_id: Key__c}")
    scene.mapping(f"{keyed}  Key__c: traits.key\n".replace(", write: create", ""))
    scene.run(identify("ann@b.co", key="a", name="Lee"))
    scene.sfmap(
        "run",
        scene.folder.write("e.ndjson", [identify("ann@b.co", key="A", name="Roy"), identify("x@b.co", key="x")]),
        "--save-old",
        "old.ndjson",
    )
    (line,) = scene.folder.lines("old.ndjson")
    assert line["event"] == "Old values of Lead"
    assert scene.calls()["upsert"] == 2


def test_a_record_of_an_upsert_by_a_number_is_kept_too(scene: Scene) -> None:
    scene.mapping(
        "event: {type: track, name: Role}\nobject: Role__c\nmatch: {external_id: Number__c}\n"
        "fields: {Number__c: properties.number, Kind__c: properties.kind}\n"
    )
    first, second = ({"type": "track", "event": "Role", "properties": {"number": 7, "kind": one}} for one in "ab")
    scene.run(first)
    scene.sfmap("run", scene.folder.write("e.ndjson", [second]), "--save-old", "old.ndjson")
    assert scene.calls()["upsert"] == 2
    assert [line["properties"]["fields"] for line in map(orjson.loads, old_lines(scene))] == [{"Kind__c": "a"}]


def old_lines(scene: Scene) -> list[bytes]:
    return (scene.folder.path / "old.ndjson").read_bytes().splitlines()


def test_deleted_records_are_kept(scene: Scene, identify: Identify) -> None:
    scene.mapping(LEADS)
    scene.run(identify("ann@b.co", name="Lee", city="Rome"))
    scene.mapping("event: identify\nobject: Lead\noperation: delete\nmatch: [{Email: traits.email}]\n")
    scene.sfmap("run", scene.folder.write("e.ndjson", [identify("ann@b.co")]), "--save-old", "old.ndjson")
    (line,) = scene.folder.lines("old.ndjson")
    assert line["event"] == "Deleted Lead"
    assert "no record was changed" in scene.sfmap("run", "--put-back", "old.ndjson", code=2)


def test_records_that_are_deleted_along_are_kept(scene: Scene) -> None:
    scene.mapping(LEADS)
    for name, mapping in {"account": ACCOUNT, "closed": CLOSED, "contact": CONTACT}.items():
        also(scene, name, mapping)
    scene.run(track("Account", account="1"), track("Contact", email=ANN, account="1"))
    closed = scene.folder.write("e.ndjson", [track("Closed", account="1")])
    scene.sfmap("run", closed, "--save-old", "old.ndjson")
    assert [line["event"] for line in scene.folder.lines("old.ndjson")] == ["Deleted Account", "Deleted Contact"]


def test_another_file_is_not_overwritten(scene: Scene, identify: Identify) -> None:
    scene.mapping(LEADS)
    name = scene.folder.write("e.ndjson", [identify("ann@b.co")])
    (scene.folder.path / "old.ndjson").write_text('{"type": "identify"}\n')
    assert "holds something else" in scene.sfmap("run", name, "--save-old", "old.ndjson", code=2)
    assert (scene.folder.path / "old.ndjson").read_text() == '{"type": "identify"}\n'
