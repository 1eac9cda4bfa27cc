"""`sfmap render` and `sfmap check`: the output contract and the exit codes."""

import orjson
from syrupy.assertion import SnapshotAssertion

from .conftest import Event, Folder, Identify

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


def test_the_documented_group_sample(folder: Folder) -> None:
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


def test_a_line_for_every_fate(folder: Folder, identify: Identify) -> None:
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
        {"event": 4, "rejected": "line 4: not JSON: Expecting value, column 1"},
    ]


def test_soap_envelopes(folder: Folder, identify: Identify, case_file: SnapshotAssertion) -> None:
    events = [identify("a@b.co", name="Ann O'Neill & Co <ä>", annualRevenue=1e7, vip=True), {"type": "track"}]
    done = folder.sfmap("render", "--format", "soap", folder.write("e.ndjson", events))
    assert done.returncode == 0
    assert done.stdout == case_file


def test_check_of_the_shipped_mappings(folder: Folder) -> None:
    done = folder.sfmap("check")
    assert done.returncode == 0
    assert "sfmap/mappings/lead.yaml: identify → Lead" in done.stderr


def test_every_mistake_is_shown_at_once(folder: Folder) -> None:
    mappings = folder.path / "mappings"
    mappings.mkdir()
    (mappings / "a.yaml").write_text(
        "sfmap: 1\nevent: identify\nobject: Lead\nmatch: Emial\nfields: {Email: x y}\n"
    )
    (mappings / "b.yaml").write_text("sfmap: 1\nevent: [identify\n")
    (mappings / "c.yaml").write_bytes(b"sfmap: 1\n# \xff\n")
    for command in (["check"], ["render", "-"], ["run", "-"]):
        done = folder.sfmap(*command, "--mappings", "mappings")
        assert done.returncode == 2
        assert [line.split(": ")[0] for line in done.stderr.splitlines() if ": error: " in line] == [
            "mappings/a.yaml:4:8",
            "mappings/a.yaml:5:19",
            "mappings/b.yaml:3:1",
            "mappings/c.yaml:2:3",
        ]
        assert done.stderr.endswith("\n4 mistakes.\n")


def test_a_project_of_ones_own(folder: Folder, identify: Identify) -> None:
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


def test_an_empty_folder_and_a_missing_one(folder: Folder) -> None:
    (folder.path / "empty").mkdir()
    for name, words in (("empty", "holds no mapping"), ("missing", "there is no folder of mappings")):
        done = folder.sfmap("check", "--mappings", name)
        assert done.returncode == 2
        assert words in done.stderr


def test_settings_for_a_mapping_that_is_not_there(folder: Folder) -> None:
    (folder.path / "sfmap.yaml").write_text("use: [lead, acount]\nsettings: {leed: {address: {to: both}}}\n")
    done = folder.sfmap("check")
    assert done.returncode == 2
    assert 'there is no mapping "acount"' in done.stderr
    assert 'did you mean "account"?' in done.stderr
    assert 'did you mean "lead"?' in done.stderr
