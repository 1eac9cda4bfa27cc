"""`sfmap run --bulk`: few calls for many records, and dead letters with the org's words."""

import json
import resource
import signal
import subprocess
from functools import partial

import pytest

from ..folder import SFMAP, Folder, interrupt, wait_for
from ..reliability.people import CREATING, LEAD, person
from ..scene import SECRETS, Scene

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


def test_no_more_than_eight_kinds_of_rows_are_gathered_at_once(people: Folder) -> None:
    """Rows that leave out other checkboxes need jobs of their own: in one job, they would be unchecked."""
    boxes = "abcd"
    fields = "".join(f"      {box}__c: {{type: boolean}}\n" for box in boxes)
    (people.path / "schema.yaml").write_text(SCHEMA + fields)
    rules = "".join(f"  {box}__c: traits.{box}\n" for box in boxes)
    (people.path / "mappings/lead.yaml").write_text(MAPPING + rules)
    subsets = [[box for place, box in enumerate(boxes) if number >> place & 1] for number in range(16)]
    events = [
        {"type": "identify", "userId": f"u{number}", "traits": {"name": "N", **dict.fromkeys(subset, True)}}
        for number, subset in enumerate(subsets)
    ]
    (people.path / "events.ndjson").write_text("\n".join(map(json.dumps, events)))
    report = json.loads(people.sfmap("run", "events.ndjson", "--json", "--bulk", "always").stdout)
    assert (report["created"], report["api_calls"]["createJob"]) == (16, 8)
    checked = [tuple(map(bool, row)) for row in people.rows("SELECT a__c, b__c, c__c, d__c FROM Lead")]
    assert sorted(checked) == sorted(tuple(box in subset for box in boxes) for subset in subsets)


def begin(scene: Scene, largest_file: int = resource.RLIM_INFINITY) -> "subprocess.Popen[str]":
    command = [str(SFMAP), "run", "--org", "org", "--bulk", "always", "events.ndjson"]
    limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (largest_file, largest_file))
    where = scene.folder.path
    return subprocess.Popen(command, cwd=where, stderr=subprocess.PIPE, text=True, env=SECRETS, preexec_fn=limit)


def test_where_rows_have_no_room_on_this_machine_they_go_by_calls(scene: Scene) -> None:
    """A limit on the size of files stands for a full disk: rows take far more than the journal."""
    scene.mapping(CREATING + f"  Description: {{value: {'x' * 30_000}}}\n")
    scene.folder.write("events.ndjson", [person(f"p{number}") for number in range(200)])
    running = begin(scene, largest_file=3_000_000)
    said = running.communicate()[1]
    assert running.returncode == 0, said
    assert said.count("this machine cannot keep their rows: File too large. Make room") == 1
    assert scene.rows("SELECT count(DISTINCT Email), count(*) FROM Lead") == [(200, 200)]
    assert "REST POST" not in scene.calls()


def test_what_waits_for_a_bulk_job_is_told_by_that_run_and_the_next(scene: Scene) -> None:
    """The last event waits for the job that creates its person."""
    scene.mapping(LEAD)
    scene.faults({"kind": "slow", "calls": "processBatch", "seconds": 3, "at": 1})
    people = [person(f"p{number}") for number in range(2_000)]
    scene.folder.write("events.ndjson", [*people, {**person("p0", city="Rome"), "messageId": "last"}])
    running = begin(scene)
    wait_for(running, lambda: scene.rows("SELECT 1 FROM sfmap_bulk_jobs WHERE state = 'InProgress'"))
    interrupt(running)
    said = running.communicate()[1]
    assert running.returncode == 128 + signal.SIGINT
    assert "A bulk job for 2,000 rows: create Lead." in said
    assert "held           2,001  waiting for bulk jobs: " in said
    assert "except 2,001 records that wait for bulk jobs." in said
    assert "Waiting for 1 bulk job that an earlier run has begun." in scene.again()
    assert scene.rows("SELECT count(*), count(City), max(City) FROM Lead") == [(2_000, 1, "Rome")]


@pytest.mark.parametrize(("kind", "how"), [("job_failed", "has failed: "), ("job_aborted", "was aborted. ")])
def test_a_job_that_does_not_come_to_its_end_is_told_with_the_words_of_the_org(
    scene: Scene, kind: str, how: str
) -> None:
    scene.mapping(CREATING)
    scene.faults({"kind": kind, "calls": "processBatch", "at": 2})
    said = scene.run(*(person(f"p{number}") for number in range(300)), arguments=("--bulk", "always"))
    assert said.count(f"(create Lead) {how}") == said.count("What it has not processed is sent again.") == 1
    assert scene.rows("SELECT count(DISTINCT Email), count(*) FROM Lead") == [(300, 300)]
