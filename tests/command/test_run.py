"""`sfmap run` against the local org: what arrives, what is printed, what is counted."""

import shutil
from pathlib import Path
from typing import cast

import pytest

from ..folder import REPOSITORY, Folder, Identify, wait_until_written

GROUP: dict[str, object] = {
    "type": "group",
    "groupId": "813",
    "traits": {"name": "Teemo Industries", "address": {"city": "East Greenwich"}, "employees": 4},
    "integrations": {"Salesforce": True},
}


def test_the_first_run_creates_and_the_second_updates(folder: Folder) -> None:
    for name in ("events.ndjson", "sfmap.yaml", "custom-fields.yaml"):
        shutil.copy(REPOSITORY / "examples" / name, folder.path)

    first = folder.sfmap("run", "events.ndjson", "--report", "first.json")
    second = folder.sfmap("run", "events.ndjson", "--report", "second.json")

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    counts = ("events", "created", "updated", "unchanged", "failed")
    assert [folder.report("first.json")[key] for key in counts] == [9, 6, 1, 0, 0]
    assert [folder.report("second.json")[key] for key in counts] == [9, 0, 7, 0, 0]
    assert folder.report("first.json")["skipped"] == {
        "no mapping takes track events": 1,
        "not opted in: integrations.Salesforce is not true": 1,
    }
    assert folder.rows(
        "SELECT FirstName, LastName, Company, Title, State, Rating FROM Lead WHERE Id LIKE '%1EAA'"
    ) == [("Peter", "Gibbons", "Initech", "Shareholder", "RI", "Hot")]
    assert folder.rows("SELECT Email, testProp__c FROM Lead WHERE testProp__c IS NOT NULL") == [
        ("ana@example.com", "from the trait testProp")
    ]
    assert folder.rows("SELECT Name, AccountNumber, BillingCity, NumberOfEmployees FROM Account ORDER BY Id") == [
        ("Teemo Industries", "813", "East Greenwich", 4),
        ("Penetrode", "4711", "Austin", 250),
    ]


def test_report_counts_every_call(folder: Folder, identify: Identify) -> None:
    events = folder.write("e.ndjson", [identify("a@b.co"), GROUP])
    folder.sfmap("run", events, "--report", "report.json")
    report = folder.report()
    # The org finds a Lead by its e-mail itself; an Account's number it cannot, so that is looked up.
    first = {"login": 1, "describeGlobal": 1, "describeSObjects": 1}
    assert report["api_calls"] == {**first, "query": 1, "create": 1, "upsert": 1}
    # The org itself does not count a login as an API request.
    assert report["api_usage"] == {"used": 5, "limit": 100_000}


def test_many_identities_take_few_calls(folder: Folder, identify: Identify) -> None:
    people = [identify(f"person{number}@example.com", name=f"Person {number}") for number in range(3_000)]
    events = folder.write("e.ndjson", people)
    for expected in ((3_000, 0), (0, 3_000)):
        done = folder.sfmap("run", events, "--report", "report.json")
        assert done.returncode == 0, done.stderr
        report = folder.report()
        assert (report["created"], report["updated"]) == expected
        assert sum(cast(dict[str, int], report["api_calls"]).values()) <= 3_000 / 200 + 10
        assert folder.rows("SELECT count(*), count(DISTINCT Email) FROM Lead") == [(3_000, 3_000)]


def test_results_have_a_line_for_each_event(folder: Folder, identify: Identify) -> None:
    events = folder.write(
        "e.ndjson",
        [
            identify("a@b.co", favourite="red"),
            "not json",
            {"type": "track", "event": "Signed Up"},
            "",
            identify("A@B.co", title="Clerk"),
            {**GROUP, "traits": {}},
        ],
    )
    done = folder.sfmap("run", events, "--results", "results.ndjson")
    assert done.returncode == 1
    kept = ("event", "line", "messageId", "outcome", "object", "id", "reason")
    lead = "00Q000000000001EAA"
    assert [tuple(line[key] for key in kept) for line in folder.lines("results.ndjson")] == [
        (1, 1, "m-a@b.co", "created", "Lead", lead, None),
        (2, 2, None, "failed", None, None, "not JSON: Expecting value, column 1"),
        (3, 3, None, "skipped", None, None, "no mapping takes track events"),
        (4, 5, "m-A@B.co", "updated", "Lead", lead, None),
        (5, 6, None, "failed", None, None, "Name is required: traits.name has no value"),
    ]
    assert folder.lines("results.ndjson")[0]["notes"] == [
        "favourite__c: left out: Lead has no field favourite__c for traits.favourite;"
        " create it in Setup, or give the user access to it"
    ]


def test_events_of_one_person_become_one_record(folder: Folder, identify: Identify) -> None:
    events = [
        identify("ann@b.co", name="Ann Lee", title="Clerk", company="One"),
        identify("ANN@b.co", name="Ann Lee", title="Head"),
        identify("bob@b.co", name="Bob Ray"),
        identify("ann@B.CO", phone="555-1"),
    ]
    folder.sfmap("run", folder.write("e.ndjson", events), "--report", "report.json")
    assert folder.rows("SELECT FirstName, LastName, Company, Title, Phone FROM Lead ORDER BY Id") == [
        ("Ann", "n/a", "n/a", "Head", "555-1"),
        ("Bob", "Ray", "n/a", None, None),
    ]
    assert cast(dict[str, int], folder.report()["api_calls"])["upsert"] == 1


def test_a_refused_record_does_not_affect_the_others(folder: Folder, identify: Identify) -> None:
    (folder.path / "mappings").mkdir()
    (folder.path / "mappings" / "lead.yaml").write_text(
        "sfmap: 1\nevent: identify\nobject: Lead\nmatch: Email\nfields:\n"
        "  Email: traits.email\n  LastName: traits.name\n  Company: {value: Initech}\n  Rating: traits.rating\n"
        "  GeocodeAccuracy: traits.accuracy\n"
    )
    (folder.path / "sfmap.yaml").write_text("mappings: mappings\n")
    events = [
        identify("a@b.co", name="A"),
        identify("b@b.co"),
        identify("c@b.co", name="C", accuracy="Roughly"),
        identify("d@b.co", name="D"),
        identify("d@b.co", accuracy="Roughly"),
        identify("D@b.co", rating="Hot"),
    ]
    done = folder.sfmap("run", folder.write("e.ndjson", events), "--results", "results.ndjson")
    assert done.returncode == 1
    assert [(line["event"], line["outcome"], line["reason"]) for line in folder.lines("results.ndjson")] == [
        (1, "created", None),
        (2, "failed", "REQUIRED_FIELD_MISSING: Required fields are missing: [LastName]"),
        (
            3,
            "failed",
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST:"
            " Geocode Accuracy: bad value for restricted picklist field: Roughly",
        ),
        (4, "created", None),
        (
            5,
            "failed",
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST:"
            " Geocode Accuracy: bad value for restricted picklist field: Roughly",
        ),
        (6, "updated", None),
    ]
    assert folder.rows("SELECT Email, Rating FROM Lead ORDER BY Id") == [("a@b.co", None), ("d@b.co", "Hot")]


def test_a_record_with_nothing_to_update_is_unchanged(folder: Folder, identify: Identify) -> None:
    (folder.path / "lead.yaml").write_text(
        "sfmap: 1\nevent: identify\nobject: Lead\nmatch: Email\nfields:\n"
        "  Email: {from: traits.email, write: create}\n"
        "  LastName: {value: x, write: create}\n  Company: {value: x, write: create}\n"
    )
    events = folder.write("e.ndjson", [identify("a@b.co"), identify("a@b.co")])
    for expected in (["created", "unchanged"], ["unchanged", "unchanged"]):
        folder.sfmap("run", events, "--mappings", ".", "--results", "results.ndjson", "--report", "report.json")
        assert [line["outcome"] for line in folder.lines("results.ndjson")] == expected
    assert "update" not in cast(dict[str, int], folder.report()["api_calls"])


def test_a_refused_lookup_fails_only_its_own_events(folder: Folder, identify: Identify) -> None:
    (folder.path / "lead.yaml").write_text(
        "sfmap: 1\nevent: identify\nobject: Lead\nmatch: Email\nwhere: Nothing__c = 1\n"
        "fields: {Email: traits.email}\n"
    )
    shutil.copy(REPOSITORY / "mappings" / "account.yaml", folder.path)
    events = folder.write("e.ndjson", [identify("a@b.co"), GROUP])
    folder.sfmap("run", events, "--mappings", ".", "--results", "results.ndjson")
    first, second = folder.lines("results.ndjson")
    assert (first["outcome"], second["outcome"]) == ("failed", "created")
    assert "Nothing__c" in str(first["reason"])


def test_a_match_value_longer_than_its_field_finds_its_record(folder: Folder, identify: Identify) -> None:
    (folder.path / "contact.yaml").write_text(
        "sfmap: 1\nevent: identify\nobject: Contact\nmatch: AssistantName\nfields:\n"
        "  AssistantName: traits.email\n  LastName: {value: x}\n"
    )
    events = folder.write("e.ndjson", [identify("x" * 60), identify("x" * 60)])
    for expected in (["created", "updated"], ["updated", "updated"]):
        folder.sfmap("run", events, "--mappings", ".", "--results", "results.ndjson")
        assert [line["outcome"] for line in folder.lines("results.ndjson")] == expected
    assert folder.rows("SELECT AssistantName FROM Contact") == [("x" * 40,)]


def test_records_are_found_by_ids_of_both_lengths(folder: Folder, identify: Identify) -> None:
    (folder.path / "lead.yaml").write_text(
        "sfmap: 1\nevent: identify\nobject: Lead\nmatch: Id\nfields:\n"
        "  Id: {from: traits.lead, type: id}\n  Title: traits.title\n"
    )
    folder.sfmap("run", folder.write("e.ndjson", [identify("a@b.co")]))
    by_id = [identify("", lead="00Q000000000001", title="A"), identify("", lead="00Q000000000001EAA", title="B")]
    done = folder.sfmap(
        "run", folder.write("by_id.ndjson", by_id), "--mappings", ".", "--results", "results.ndjson"
    )
    assert [line["outcome"] for line in folder.lines("results.ndjson")] == ["updated", "updated"], done.stderr
    assert folder.rows("SELECT Email, Title FROM Lead") == [("a@b.co", "B")]


TWICE = [
    ["--results", "e.ndjson"],
    ["--report", "x", "--results", "./x"],
    ["--report", "new", "--results", "./new"],
    ["--report", "new", "--results", "folder/../new"],
    ["--report", "new", "--results", "link"],
]


@pytest.mark.parametrize("options", TWICE, ids=" ".join)
def test_a_file_named_twice_is_refused(folder: Folder, identify: Identify, options: list[str]) -> None:
    events = folder.write("e.ndjson", [identify("a@b.co")])
    (folder.path / "x").touch()
    (folder.path / "folder").mkdir()
    (folder.path / "link").symlink_to("new")
    done = folder.sfmap("run", events, *options)
    assert done.returncode == 2
    assert "named twice" in done.stderr
    assert folder.lines(events)


def test_both_outputs_may_go_to_a_device(folder: Folder, identify: Identify) -> None:
    events = folder.write("e.ndjson", [identify("a@b.co")])
    assert folder.sfmap("run", events, "--results", "/dev/null", "--report", "/dev/null").returncode == 0


def test_skipped_events_make_no_api_call(folder: Folder) -> None:
    events = folder.write("e.ndjson", [{"type": "identify", "traits": {"email": "a@b.co"}}])
    folder.sfmap("run", events, "--report", "report.json")
    assert folder.report()["api_calls"] == {}


def test_an_empty_file_is_no_error(folder: Folder) -> None:
    (folder.path / "e.ndjson").touch()
    done = folder.sfmap("run", "e.ndjson")
    assert done.returncode == 0
    assert "0  events" in done.stderr


BAD_LINES = [
    "not json",
    "[1]",
    "5",
    "null",
    '{"type": "identify"',
    '{"type": 5}',
    "{}",
    "[" * 100_000,
    '{"type":"identify","traits":{"email":"nan@b.co","x":NaN},"integrations":{"Salesforce":true}}',
]
ODD_LINES = [
    '{"type":"identify","traits":{"email":"a1@b.co","name":"A\\u0000B\\u0007"},"integrations":{"Salesforce":true}}',
    '{"type":"identify","traits":{"email":"a2@b.co","name":"Half \\ud83d"},"integrations":{"Salesforce":true}}',
    '{"type":"identify","traits":{"email":"a3@b.co","title":{"a":[1]},"phone":[[2]],"employees":[]},'
    '"integrations":{"Salesforce":true}}',
    '{"type":"identify","traits":{"email":"a4@b.co","description":"' + "x" * 10_000_000 + '"},'
    '"integrations":{"Salesforce":true}}',
    '{"type":"identify","traits":{"email":"a5@b.co","annualRevenue":1e999,"employees":1e30,"x":'
    + "9" * 400
    + '},"integrations":{"Salesforce":true}}',
    '{"type":"identify","traits":{"email":"o\'brien@b.co","name":"O\'Brien <b>&amp; ]]> \\r\\n 👍"},'
    '"integrations":{"Salesforce":true}}',
]


def test_invalid_events_fail_alone_with_their_line_number(folder: Folder) -> None:
    lines = [line for pair in zip(BAD_LINES, [*ODD_LINES, "", "", ""], strict=True) for line in pair]
    events = folder.write("e.ndjson", lines)
    with (folder.path / events).open("ab") as file:
        file.write(b'{"type":"\xff"}\n{"a":"\x00"}\n')
    done = folder.sfmap("run", events, "--results", "results.ndjson")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    outcomes = folder.lines("results.ndjson")
    failed = [line["line"] for line in outcomes if line["outcome"] == "failed"]
    assert failed == [*range(1, 2 * len(BAD_LINES), 2), 2 * len(BAD_LINES) + 1, 2 * len(BAD_LINES) + 2]
    assert all(line["reason"] for line in outcomes if line["outcome"] == "failed")
    assert folder.rows("SELECT FirstName, LastName, length(Description) FROM Lead ORDER BY Email") == [
        ("AB", "n/a", None),
        ("Half", "\ufffd", None),
        (None, "n/a", None),
        (None, "n/a", 32_000),
        (None, "n/a", None),
        ("O'Brien", "<b>&amp; ]]> 👍", None),
    ]


@pytest.mark.parametrize("name", ["no/such/folder", "README.md"])
def test_a_missing_events_file_is_refused(folder: Folder, name: str) -> None:
    done = folder.sfmap("run", str(Path(name)))
    assert done.returncode == 2
    assert f"cannot read {name}: no such file or folder" in done.stderr


@pytest.mark.parametrize(
    ("option", "name", "words"),
    [
        ("--report", "/dev/full", "No space left on device"),
        ("--results", "/dev/full", "No space left on device"),
        ("--report", "no/such/folder/report.json", "No such file or directory"),
        ("--results", ".", "Is a directory"),
    ],
)
def test_an_output_that_cannot_be_written_is_reported(
    folder: Folder, identify: Identify, option: str, name: str, words: str
) -> None:
    done = folder.sfmap("run", folder.write("e.ndjson", [identify("a@b.co")]), option, name)
    assert done.returncode == 2
    assert f"cannot write {name}: {words}" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_second_run_at_the_same_time_is_refused(folder: Folder, identify: Identify) -> None:
    people = [identify(f"person{number}@example.com") for number in range(5_000)]
    events = folder.write("e.ndjson", people)
    first = folder.start("run", events, "--results", "results.ndjson", before=())
    wait_until_written(folder.path / "results.ndjson")
    second = folder.sfmap("run", events)
    first.communicate(timeout=60)
    assert (first.returncode, second.returncode) == (0, 2)
    assert f"another run is delivering in this folder (sfmap run, process {first.pid})" in second.stderr
    assert folder.rows("SELECT count(*), count(DISTINCT Email) FROM Lead") == [(5_000, 5_000)]
