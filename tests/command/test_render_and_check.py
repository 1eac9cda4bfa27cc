"""`sfmap render` and `sfmap check`: the output contract and the exit codes."""

import orjson
import pytest
from jsonschema import Draft7Validator
from lxml import etree
from syrupy.assertion import SnapshotAssertion

from ..folder import Event, Folder, Identify

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
        {"event": 4, "rejected": "e.ndjson:4: not JSON: Expecting value, column 1"},
    ]


def test_soap_envelopes(folder: Folder, identify: Identify, case_file: SnapshotAssertion) -> None:
    events = [identify("a@b.co", name="Ann O'Neill & Co <ä>", annualRevenue=1e7, vip=True), {"type": "track"}]
    done = folder.sfmap("render", "--format", "soap", folder.write("e.ndjson", events))
    assert done.returncode == 0
    assert done.stdout == case_file


HARD_FOR_XML = ["a---b", "-", "--", "-->", "<!--", "]]>", "\uffff", "\ufffe\x00\x1f\x7f\x85\u2028", "\\--u", "😀"]


def test_what_is_no_record_is_a_comment_in_xml(folder: Folder) -> None:
    name = folder.write("e.ndjson", [*({"type": text} for text in HARD_FOR_XML), '{"type": "\\ud800"}', "[]"])
    fates = folder.sfmap("render", name).stdout.split("\n")
    comments = folder.sfmap("render", "--format", "soap", name).stdout.split("\n")
    read = [etree.fromstring(f"<x>{comment}</x>")[0].text for comment in comments[:-1]]
    assert [orjson.loads(text or "") for text in read] == [orjson.loads(fate) for fate in fates[:-1]]
    assert len(read) == len(HARD_FOR_XML) + 2


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
            "mappings/b.yaml:2:8",
            "mappings/c.yaml:2:3",
        ]
        assert "\n4 mistakes" in done.stderr


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
    (folder.path / "lead.yaml").write_text("sfmap: 1\n")
    for name, words in (
        ("empty", "contains no mappings"),
        ("missing", "there is no folder of mappings"),
        ("lead.yaml", "is a file; give the folder"),
    ):
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


def test_explain(folder: Folder, identify: Identify, case_file: SnapshotAssertion) -> None:
    events: list[Event | str] = [
        identify("a@b.co", name="Ann Lee", title="T" * 130, rating=["hot"], plan="pro", website=" ", tags=["a"]),
        {**GROUP_SAMPLE, "traits": {}},
        {"type": "track", "event": "x"},
        "nonsense",
    ]
    done = folder.sfmap("render", "--explain", folder.write("e.ndjson", events))
    assert done.returncode == 1
    assert done.stdout == case_file


def test_explain_as_json(folder: Folder, identify: Identify) -> None:
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
    assert folder.sfmap("render", "--explain", "--format", "soap", "e.ndjson").returncode == 2


def five_mistakes(folder: Folder) -> None:
    (folder.path / "ours").mkdir()
    (folder.path / "ours" / "lead.yaml").write_text(
        "sfmap: 1\nevent: identfy\nobject: Lead\nmatch: Emial\nfields:\n  Email: traits.email | trmi\n"
        "  LastName: {from: traits.name, max: 800}\n  Company: {default: n/a}\n  Ttile: traits.title\n"
        "  Rating: {value: Hot, write: sometimes}\n"
    )
    (folder.path / "sfmap.yaml").write_text("mappings: ours\n")


def test_check_for_people(folder: Folder, case_file: SnapshotAssertion) -> None:
    five_mistakes(folder)
    done = folder.sfmap("check")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == case_file


def test_check_for_editors_and_ci(folder: Folder) -> None:
    five_mistakes(folder)
    as_json = folder.sfmap("check", "--json")
    assert as_json.returncode == 2
    found = orjson.loads(as_json.stdout)["diagnostics"]
    assert [(one["line"], one["column"], one["severity"], one["code"], one["help"]) for one in found[:2]] == [
        (2, 8, "error", "SF008", 'did you mean "identify"?'),
        (4, 8, "error", "SF029", 'did you mean "Email"?'),
    ]
    github = folder.sfmap("check", "--format", "github")
    assert github.returncode == 2
    assert github.stdout.splitlines()[1] == (
        "::error file=ours/lead.yaml,line=4,col=8,endColumn=13,title=SF029 wrong-match::"
        'match names Emial, and no rule gives it a value%0Adid you mean "Email"?'
    )
    assert len(github.stdout.splitlines()) == len(found)


SARIF = {
    "required": ["version", "runs"],
    "properties": {
        "version": {"const": "2.1.0"},
        "runs": {
            "items": {
                "required": ["tool", "results"],
                "properties": {
                    "tool": {"properties": {"driver": {"required": ["name", "rules"]}}, "required": ["driver"]},
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "results": {
                        "items": {
                            "required": ["message", "ruleId", "locations"],
                            "properties": {
                                "level": {"enum": ["none", "note", "warning", "error"]},
                                "message": {"required": ["text"]},
                            },
                        }
                    },
                },
            }
        },
    },
}
"""What SARIF 2.1.0 requires of the parts that we write."""


def test_check_for_code_scanning(folder: Folder) -> None:
    five_mistakes(folder)
    done = folder.sfmap("check", "--format", "sarif")
    assert done.returncode == 2
    log = orjson.loads(done.stdout)
    Draft7Validator(SARIF).validate(log)
    (run,) = log["runs"]
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    match = next(result for result in run["results"] if result["ruleId"] == "SF029")
    assert match["level"] == "error"
    assert match["message"]["text"].startswith("match names Emial")
    assert match["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "ours/lead.yaml"},
        "region": {"startLine": 4, "startColumn": 8, "endColumn": 13},
    }


def test_check_against_an_org(folder: Folder) -> None:
    (folder.path / "ours").mkdir()
    (folder.path / "ours" / "lead.yaml").write_text(
        "sfmap: 1\nevent: identify\nobject: Lead\nmatch: {external_id: Key__c}\nfields:\n  Key__c: userId\n"
        "  LastName: {value: x}\n  Company: {value: x}\n  testprop__c: traits.a\n  IsDeleted: traits.b\n"
        "  AnnualRevenue: {default: lots}\n  Owner: {object: Account, by: Name, from: traits.owner}\n"
    )
    (folder.path / "schema.yaml").write_text(
        "objects: {Lead: {fields: {testProp__c: {type: string, length: 5}, Key__c: {type: string, length: 5}}}}\n"
    )
    (folder.path / "sfmap.yaml").write_text("mappings: ours\norgs: {local: {schema: schema.yaml}}\n")
    offline = folder.sfmap("check")
    assert (offline.returncode, "IsDeleted is read-only" in offline.stderr) == (0, True)
    done = folder.sfmap("check", "--org", "local")
    assert done.returncode == 2
    for words in (
        "Lead.Key__c is not an external id",
        "it has testProp__c, and the casing must agree",
        "Lead.IsDeleted is read-only",
        "the default of AnnualRevenue is not a number",
        "OwnerId cannot point to Account",
    ):
        assert words in done.stderr
    assert folder.sfmap("check", "--org", "nowhere").returncode == 2


def test_check_reads_constants_as_delivery_does(folder: Folder) -> None:
    mapping = (
        "sfmap: 1\nevent: identify\nobject: Lead\nmatch: Email\ndecimal: {}\nfields:\n  Email: traits.email\n"
    )
    names = "  LastName: {value: x}\n  Company: {value: x}\n  AnnualRevenue: {default: '1.200,50 €'}\n"
    (folder.path / "ours").mkdir()
    for decimal, code in (("comma", 0), ("point", 2)):
        (folder.path / "ours" / "lead.yaml").write_text(mapping.format(decimal) + names, "utf-8")
        assert folder.sfmap("check", "--mappings", "ours", "--org", "local").returncode == code


def test_check_asks_the_org_for_all_that_is_looked_into(folder: Folder) -> None:
    (folder.path / "ours").mkdir()
    (folder.path / "ours" / "lead.yaml").write_text(
        "sfmap: 1\nevent: identify\nobject: Lead\nmatch: [[Email, OwnerId], Email]\n"
        "unless_found: {object: Contact, by: Email, from: traits.email}\nfields:\n  Email: traits.email\n"
        "  LastName: {template: 'Customer {{ traits.number }}'}\n  Company: {value: x}\n"
        "  OwnerId: {object: [Group, User], by: Name, from: traits.owner}\n"
    )
    done = folder.sfmap("check", "--mappings", "ours", "--org", "local")
    assert (done.returncode, "no errors" in done.stdout + done.stderr) == (0, True)


def test_coverage(folder: Folder, identify: Identify) -> None:
    (folder.path / "ours").mkdir()
    (folder.path / "ours" / "lead.yaml").write_text(
        "sfmap: 1\nevent: identify\nobject: Lead\nmatch: Email\nfields:\n  Email: traits.email\n"
        "  LastName: {from: traits.lastName, default: n/a}\n  Company: {value: x}\n"
    )
    (folder.path / "sfmap.yaml").write_text("mappings: ours\n")
    name = folder.write("e.ndjson", [identify("a@b.co", plan="pro", planet="x"), identify("c@d.co", plan="free")])
    done = folder.sfmap("check", "--coverage", name)
    assert done.returncode == 0
    assert done.stdout == (
        "ours/lead.yaml: 2 events\n  never fired: LastName (line 7)\n"
        "  reaches no field: traits.plan (2 events)\n  reaches no field: traits.planet (1 event)\n"
    )
    (coverage,) = orjson.loads(folder.sfmap("check", "--json", "--coverage", name).stdout)["coverage"]
    assert coverage["never_fired"] == [{"field": "LastName", "line": 7}]
    assert coverage["no_field"] == {"traits.plan": 2, "traits.planet": 1}


def test_coverage_says_what_it_cannot_read(folder: Folder, identify: Identify) -> None:
    name = folder.write("e.ndjson", [identify("a@b.co"), "nonsense", "[]"])
    for more in ([], ["--json"]):
        done = folder.sfmap("check", "--coverage", name, *more)
        assert done.returncode == 1
        said = [line for line in done.stderr.splitlines() if line.startswith("e.ndjson:")]
        assert [line.partition(": ")[0] for line in said] == ["e.ndjson:2", "e.ndjson:3"]


@pytest.mark.parametrize("options", ["--json --compiled", "--json --format github", "--format github --compiled"])
def test_what_cannot_be_printed_together(folder: Folder, options: str) -> None:
    done = folder.sfmap("check", *options.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert "exclude each other" in done.stderr


def test_annotations_have_no_room_for_coverage(folder: Folder, identify: Identify) -> None:
    name = folder.write("e.ndjson", [identify("a@b.co")])
    done = folder.sfmap("check", "--format", "github", "--coverage", name)
    assert (done.returncode, "not with --format" in done.stderr) == (2, True)


def test_the_schema_finds_broken_mappings(folder: Folder) -> None:
    schema = orjson.loads(folder.sfmap("schema").stdout)
    validator = Draft7Validator(schema)
    good = {
        "sfmap": 1,
        "event": "identify",
        "object": "Lead",
        "match": "Email",
        "fields": {"Email": "traits.email"},
    }
    assert validator.is_valid(good)
    for broken in BROKEN_FOR_THE_SCHEMA:
        assert not validator.is_valid({**good, **broken}), broken
    assert not validator.is_valid({"sfmap": 1})


BROKEN_FOR_THE_SCHEMA: list[dict[str, object]] = [
    {"sfmap": 2},
    {"feilds": {}},
    {"event": "identfy"},
    {"event": {"type": "track", "nmae": "x"}},
    {"operation": "destroy"},
    {"match": []},
    {"match": {"external": "Key__c"}},
    {"fields": {"Email": 5}},
    {"fields": {"bad name": "traits.a"}},
    {"fields": {"Email": {"from": "a", "max": 0}}},
    {"fields": {"Email": {"from": "a", "write": "sometimes"}}},
    {"fields": {"Account": {"object": "Account"}}},
    {"address": {"from": "traits"}},
    {"custom": {"from": "traits", "objects": "explode"}},
]
