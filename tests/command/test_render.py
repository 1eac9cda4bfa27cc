"""`sfmap render`: what it prints of each event, and its exit codes."""

import subprocess

import orjson
from lxml import etree
from syrupy.assertion import SnapshotAssertion

from ..folder import Event, Folder, Identify, warm_sfmap

GROUP_SAMPLE = {
    "type": "group",
    "groupId": "813",
    "traits": {
        "name": "Teemo Industries",
        "address": {
            "city": "East Greenwich",
            "state": "RI",
            "country": "US",
            "postalCode": "02818",
            "street": "9000 Forest Lane",
        },
        "phone": "222-333-4444",
        "description": "Makes great husky products",
        "employees": 4,
        "website": "https://teemothewolf.com",
    },
    "integrations": {"Salesforce": True},
}
DOCUMENTED_ACCOUNT = {
    "Name": "Teemo Industries",
    "AccountNumber": "813",
    "BillingCity": "East Greenwich",
    "BillingCountry": "US",
    "BillingPostalCode": "02818",
    "BillingState": "RI",
    "BillingStreet": "9000 Forest Lane",
    "NumberOfEmployees": 4,
    "Phone": "222-333-4444",
    "Website": "https://teemothewolf.com",
    "Description": "Makes great husky products",
}


def test_the_documented_group_event_becomes_the_documented_account(folder: Folder) -> None:
    done = folder.sfmap("render", folder.write("e.ndjson", [GROUP_SAMPLE]))
    assert done.returncode == 0
    assert orjson.loads(done.stdout) == {
        "event": 1,
        "mapping": "account",
        "object": "Account",
        "operation": "upsert",
        "match": [{"AccountNumber": "813"}],
        "fields": DOCUMENTED_ACCOUNT,
        "create_only": {},
        "clear": [],
        "notes": [],
    }


def test_every_event_has_a_line(folder: Folder, identify: Identify) -> None:
    events: list[Event | str] = [
        identify("a@b.co"),
        {**GROUP_SAMPLE, "integrations": {}},
        {**GROUP_SAMPLE, "traits": {}},
        "nonsense",
    ]
    done = folder.sfmap("render", folder.write("e.ndjson", events))
    assert done.returncode == 1
    first, *others = map(orjson.loads, done.stdout.splitlines())
    assert first["fields"] == {"Email": "a@b.co", "LastName": "n/a", "Company": "n/a"}
    assert others == [
        {"event": 2, "skipped": "not opted in: integrations.Salesforce is not true"},
        {"event": 3, "mapping": "account", "rejected": "Name is required: traits.name has no value"},
        {"event": 4, "rejected": "e.ndjson:4: not JSON: Expecting value, column 1"},
    ]


def test_records_are_printed_as_soap_envelopes(
    folder: Folder, identify: Identify, case_file: SnapshotAssertion
) -> None:
    events = [identify("a@b.co", name="Ann O'Neill & Co <ä>", annualRevenue=1e7, vip=True), {"type": "track"}]
    done = folder.sfmap("render", "--format", "soap", folder.write("e.ndjson", events))
    assert done.returncode == 0
    assert done.stdout == case_file


HARD_FOR_XML = ["a---b", "-", "--", "-->", "<!--", "]]>", "\uffff", "\ufffe\x00\x1f\x7f\x85\u2028", "\\--u", "😀"]


def test_skipped_and_rejected_events_are_xml_comments(folder: Folder) -> None:
    name = folder.write("e.ndjson", [*({"type": text} for text in HARD_FOR_XML), '{"type": "\\ud800"}', "[]"])
    fates = folder.sfmap("render", name).stdout.split("\n")
    comments = folder.sfmap("render", "--format", "soap", name).stdout.split("\n")
    read = [etree.fromstring(f"<x>{comment}</x>")[0].text for comment in comments[:-1]]
    assert [orjson.loads(text or "") for text in read] == [orjson.loads(fate) for fate in fates[:-1]]
    assert len(read) == len(HARD_FOR_XML) + 2


def test_mappings_of_the_project_are_used(folder: Folder, identify: Identify) -> None:
    (folder.path / "ours").mkdir()
    (folder.path / "ours" / "person.yaml").write_text(
        "sfmap: 1\nevent: identify\nobject: Contact\nmatch: Email\nfields:\n"
        "  Email: traits.email\n  Description: {template: 'Hello {{ traits.email | upper }}'}\n"
        "  LeadSource: {value: Web, write: create}\n"
        "  LastName: {from: traits.lastName, default: {value: n/a, write: create}}\n"
    )
    (folder.path / "sfmap.yaml").write_text("mappings: ours\nuse: [person]\n")
    rendered = orjson.loads(folder.sfmap("render", folder.write("e.ndjson", [identify("a@b.co")])).stdout)
    assert rendered["object"] == "Contact"
    assert rendered["fields"] == {"Email": "a@b.co", "Description": "Hello A@B.CO"}
    assert rendered["create_only"] == {"LeadSource": "Web", "LastName": "n/a"}


def test_explain_names_the_source_of_each_field(
    folder: Folder, identify: Identify, case_file: SnapshotAssertion
) -> None:
    events: list[Event | str] = [
        identify("a@b.co", name="Ann Lee", title="T" * 130, rating=["hot"], plan="pro", website=" ", tags=["a"]),
        {**GROUP_SAMPLE, "traits": {}},
        {"type": "track", "event": "x"},
        "nonsense",
    ]
    done = folder.sfmap("render", "--explain", folder.write("e.ndjson", events))
    assert done.returncode == 1
    assert done.stdout == case_file


def test_explain_is_printed_as_json(folder: Folder, identify: Identify) -> None:
    done = folder.sfmap(
        "render", "--explain", "--format", "json", folder.write("e.ndjson", [identify("a@b.co", name="Cher")])
    )
    (line,) = map(orjson.loads, done.stdout.splitlines())
    told = {story["field"]: story for story in line["explain"]}
    assert line["fields"] == {name: story["value"] for name, story in told.items() if "value" in story}
    assert told["LastName"]["from"] == "default"
    assert told["LastName"]["tried"] == [
        {"source": "traits.lastName", "found": "missing"},
        {"source": "traits.name | last_name", "found": "missing"},
    ]
    assert told["LastName"]["file"] == "sfmap/mappings/lead.yaml"
    assert told["LastName"]["source"] == {
        "file": "sfmap/mappings/lead.yaml", "line": 18, "column": 82, "width": 3,
    }  # fmt: skip
    assert (told["Title"]["write"], told["Title"]["source"]) == ("always", None)
    assert folder.sfmap("render", "--explain", "--format", "soap", "e.ndjson").returncode == 2


def test_standard_input_is_rendered_line_by_line(folder: Folder) -> None:
    process = subprocess.Popen(
        [*warm_sfmap(), "render", "-"], cwd=folder.path, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin
    assert process.stdout
    for number in (1, 2):
        process.stdin.write(b'{"type":"page"}\n')
        process.stdin.flush()
        assert b'"event":%d' % number in process.stdout.readline()
    process.stdin.close()
    assert process.wait(20) == 0
