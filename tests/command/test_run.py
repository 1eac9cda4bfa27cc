"""`sfmap run`, the real command against the real local org: what arrives, what is said, what is counted."""

import shutil
from pathlib import Path
from typing import cast

import pytest

from ..folder import REPOSITORY, Folder, Identify, interrupt, wait_until_written

GROUP: dict[str, object] = {
    "type": "group",
    "groupId": "813",
    "traits": {"name": "Teemo Industries", "address": {"city": "East Greenwich"}, "employees": 4},
    "integrations": {"Salesforce": True},
}


def test_first_run_creates_and_second_updates(folder: Folder) -> None:
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


def test_ten_thousand_identities_take_few_calls(folder: Folder, identify: Identify) -> None:
    people = [identify(f"person{number}@example.com", name=f"Person {number}") for number in range(10_000)]
    events = folder.write("e.ndjson", people)
    for expected in ((10_000, 0), (0, 10_000)):
        done = folder.sfmap("run", events, "--report", "report.json")
        assert done.returncode == 0, done.stderr
        report = folder.report()
        assert (report["created"], report["updated"]) == expected
        assert sum(cast(dict[str, int], report["api_calls"]).values()) <= 10_000 / 200 + 10
        assert folder.rows("SELECT count(*), count(DISTINCT Email) FROM Lead") == [(10_000, 10_000)]


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


def test_events_of_one_person_are_one_record(folder: Folder, identify: Identify) -> None:
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


def test_a_refused_record_does_not_spoil_the_others(folder: Folder, identify: Identify) -> None:
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
    assert folder.rows("SELECT Email, Rating FROM Lead ORDER BY Id") == [("a@b.co", None), ("D@b.co", "Hot")]


def test_a_record_with_nothing_to_update_is_left_alone(folder: Folder, identify: Identify) -> None:
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


def test_a_lookup_that_the_org_refuses_fails_its_events_alone(folder: Folder, identify: Identify) -> None:
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


def test_a_match_value_that_the_org_cuts_is_found_again(folder: Folder, identify: Identify) -> None:
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
def test_outputs_overwrite_nothing(folder: Folder, identify: Identify, options: list[str]) -> None:
    events = folder.write("e.ndjson", [identify("a@b.co")])
    (folder.path / "x").touch()
    (folder.path / "folder").mkdir()
    (folder.path / "link").symlink_to("new")
    done = folder.sfmap("run", events, *options)
    assert done.returncode == 2
    assert "named twice" in done.stderr
    assert folder.lines(events)


def test_a_device_may_take_both_outputs(folder: Folder, identify: Identify) -> None:
    events = folder.write("e.ndjson", [identify("a@b.co")])
    assert folder.sfmap("run", events, "--results", "/dev/null", "--report", "/dev/null").returncode == 0


def test_standard_input_is_read_once(folder: Folder) -> None:
    done = folder.sfmap("run", "-", "-")
    assert done.returncode == 2
    assert "only once" in done.stderr


def test_standard_input(folder: Folder) -> None:
    line = b'{"type":"identify","traits":{"email":"a@b.co"},"integrations":{"Salesforce":true}}'
    done = folder.sfmap("run", "-", "--json", stdin=line)
    assert done.returncode == 0
    assert '"created": 1' in done.stdout
    assert "local org" in done.stderr


def test_skipped_events_make_no_call(folder: Folder) -> None:
    events = folder.write("e.ndjson", [{"type": "identify", "traits": {"email": "a@b.co"}}])
    folder.sfmap("run", events, "--report", "report.json")
    assert folder.report()["api_calls"] == {}


def test_empty_file(folder: Folder) -> None:
    (folder.path / "e.ndjson").touch()
    done = folder.sfmap("run", "e.ndjson")
    assert done.returncode == 0
    assert "0  events" in done.stderr


def test_interrupt_stops_in_good_order_and_the_same_run_goes_on(folder: Folder, identify: Identify) -> None:
    people = [identify(f"person{number}@example.com") for number in range(10_000)]
    events = folder.write("e.ndjson", people)
    process = folder.start("run", events, "--results", "results.ndjson")
    wait_until_written(folder.path / "results.ndjson")
    interrupt(process)
    _, said = process.communicate(timeout=60)

    assert process.returncode == 130, said.decode()
    assert "The same command continues" in said.decode()
    done = folder.lines("results.ndjson")
    assert 0 < len(done) < 10_000
    assert folder.rows("SELECT count(*) FROM Lead") == [(len(done),)]

    assert folder.sfmap("run", events).returncode == 0
    assert folder.rows("SELECT count(*), count(DISTINCT Email) FROM Lead") == [(10_000, 10_000)]


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


def test_bad_events_fail_alone_with_their_line(folder: Folder) -> None:
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
def test_events_that_cannot_be_read(folder: Folder, name: str) -> None:
    done = folder.sfmap("run", str(Path(name)))
    assert done.returncode == 2
    assert "does not exist" in done.stderr


@pytest.mark.parametrize(
    ("option", "name", "words"),
    [
        ("--report", "/dev/full", "No space left on device"),
        ("--results", "/dev/full", "No space left on device"),
        ("--report", "no/such/folder/report.json", "No such file or directory"),
        ("--results", ".", "Is a directory"),
    ],
)
def test_output_that_cannot_be_written(
    folder: Folder, identify: Identify, option: str, name: str, words: str
) -> None:
    done = folder.sfmap("run", folder.write("e.ndjson", [identify("a@b.co")]), option, name)
    assert done.returncode == 2
    assert f"cannot write {name}: {words}" in done.stderr
    assert "Traceback" not in done.stderr


def test_two_runs_at_once_make_no_duplicates(folder: Folder, identify: Identify) -> None:
    people = [identify(f"person{number}@example.com") for number in range(5_000)]
    events = folder.write("e.ndjson", people)
    first = folder.start("run", events, "--results", "results.ndjson")
    wait_until_written(folder.path / "results.ndjson")
    second = folder.sfmap("run", events)
    first.communicate(timeout=60)
    assert (first.returncode, second.returncode) == (0, 2)
    assert f"another run is delivering in this folder (sfmap run, process {first.pid})" in second.stderr
    assert folder.rows("SELECT count(*), count(DISTINCT Email) FROM Lead") == [(5_000, 5_000)]


def test_several_values_of_a_multi_select_picklist_go_together(folder: Folder, identify: Identify) -> None:
    """Each value is compared for itself: a joined text is no reason to send its record alone."""
    tags = "{type: multipicklist, restricted: true, values: [red, green, blue]}"
    (folder.path / "schema.yaml").write_text(f"objects: {{Lead: {{fields: {{Tags__c: {tags}}}}}}}\n")
    (folder.path / "sfmap.yaml").write_text("orgs: {local: {schema: schema.yaml}}\n")
    tagged = [identify("same@b.co", name="Ann", Tags__c="red;blue" if n % 2 else "red; green") for n in range(100)]
    events = folder.write("e.ndjson", [{**event, "messageId": f"m{n}"} for n, event in enumerate(tagged)])
    done = folder.sfmap("run", events, "--report", "report.json")
    assert done.returncode == 0, done.stderr
    assert cast(dict[str, int], folder.report()["api_calls"])["upsert"] == 1
    assert folder.rows("SELECT Tags__c FROM Lead") == [("red;blue",)]
    bad = folder.sfmap("run", folder.write("bad.ndjson", [identify("bad@b.co", name="Ann", Tags__c="red;pink")]))
    assert (bad.returncode, "bad value for restricted picklist field" in bad.stderr) == (1, True)


MEASURED_SCHEMA = """
objects:
  Lead:
    fields:
      ticket__c: {type: string, length: 40}
      visits__c: {type: double, precision: 18, scale: 0}
      share__c: {type: percent, precision: 5, scale: 2}
      opens__c: {type: time}
      seen__c: {type: date}
"""
MEASURED = [
    ("ticket", "12345678901234567890123", "12345678901234567890123"),
    ("ticket", "18446744073709551616", "18446744073709551616"),
    ("ticket", "-100000000000000001", "-100000000000000001"),
    (
        "visits",
        "12345678901234567890",
        "visits__c: left out: traits.visits has more digits than a number",
    ),
    (
        "visits",
        "123456789012345678",
        "visits__c: left out: traits.visits has more digits than a number field keeps",
    ),
    ("visits", "100000000000000000", 100000000000000000),
    ("visits", '"$1,200"', 1200),
    ("share", "1000", "share__c: left out: traits.share has more than 3 digits before the point"),
    ("opens", '"9:30 AM"', "09:30:00.000Z"),
    ("opens", '"25:00:00"', "opens__c: left out: traits.opens is not a time of day"),
    ("seen", '"4000-12-31"', "4000-12-31"),
    ("seen", '"0001-01-01T00:00:00Z"', "seen__c: left out: traits.seen is out of the range of a date field"),
]
"""A custom trait, and what the org holds then, or the note beside a record without it."""


def test_values_that_only_describe_can_tell(folder: Folder) -> None:
    """A value that its field cannot hold costs that value and no more; digits of a text field are exact."""
    (folder.path / "schema.yaml").write_text(MEASURED_SCHEMA)
    (folder.path / "sfmap.yaml").write_text("use: [lead]\norgs: {local: {schema: schema.yaml}}\n")
    traits = [
        f'"traits": {{"email": "p{n}@b.co", "{key}": {value}}}' for n, (key, value, _) in enumerate(MEASURED)
    ]
    lines = [f'{{"type": "identify", "integrations": {{"Salesforce": true}}, {one}}}' for one in traits]
    done = folder.sfmap("run", folder.write("e.ndjson", lines), "--results", "results.ndjson")
    assert done.returncode == 0, done.stderr
    for n, ((trait, _, expected), line) in enumerate(zip(MEASURED, folder.lines("results.ndjson"), strict=True)):
        assert line["outcome"] == "created"
        notes = cast(list[str], line.get("notes", []))
        if notes:
            assert notes[0].startswith(str(expected)), notes
            expected = None
        assert folder.rows(f"SELECT {trait}__c FROM Lead WHERE Email = 'p{n}@b.co'") == [(expected,)]
