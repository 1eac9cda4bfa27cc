"""`sfmap check`: which mistakes it reports, in which formats, with which exit codes."""

import ast

import orjson
import pytest
from jsonschema import Draft7Validator
from syrupy.assertion import SnapshotAssertion

from ..folder import Folder


def test_the_shipped_mappings_pass(folder: Folder) -> None:
    done = folder.sfmap("check")
    assert done.returncode == 0
    assert "sfmap/mappings/lead.yaml: identify → Lead" in done.stderr


def test_all_mistakes_are_reported_at_once(folder: Folder) -> None:
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


def test_a_folder_without_mappings_is_refused(folder: Folder) -> None:
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


def test_settings_of_an_unknown_mapping_are_refused(folder: Folder) -> None:
    (folder.path / "sfmap.yaml").write_text("use: [lead, acount]\nsettings: {leed: {address: {to: both}}}\n")
    done = folder.sfmap("check")
    assert done.returncode == 2
    assert 'there is no mapping "acount"' in done.stderr
    assert 'did you mean "account"?' in done.stderr
    assert 'did you mean "lead"?' in done.stderr


def five_mistakes(folder: Folder) -> None:
    (folder.path / "ours").mkdir()
    (folder.path / "ours" / "lead.yaml").write_text(
        "sfmap: 1\nevent: identfy\nobject: Lead\nmatch: Emial\nfields:\n  Email: traits.email | trmi\n"
        "  LastName: {from: traits.name, max: 800}\n  Company: {default: n/a}\n  Ttile: traits.title\n"
        "  Rating: {value: Hot, write: sometimes}\n"
    )
    (folder.path / "sfmap.yaml").write_text("mappings: ours\n")


def test_mistakes_are_printed_with_their_lines(folder: Folder, case_file: SnapshotAssertion) -> None:
    five_mistakes(folder)
    done = folder.sfmap("check")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == case_file


def test_mistakes_are_printed_as_json(folder: Folder) -> None:
    five_mistakes(folder)
    as_json = folder.sfmap("check", "--json")
    assert as_json.returncode == 2
    found = orjson.loads(as_json.stdout)["diagnostics"]
    assert [(one["line"], one["column"], one["severity"], one["code"], one["help"]) for one in found[:2]] == [
        (2, 8, "error", "SF008", 'did you mean "identify"?'),
        (4, 8, "error", "SF029", 'did you mean "Email"?'),
    ]


def test_mistakes_are_printed_as_github_annotations(folder: Folder) -> None:
    five_mistakes(folder)
    github = folder.sfmap("check", "--format", "github")
    assert github.returncode == 2
    assert github.stdout.splitlines()[1] == (
        "::error file=ours/lead.yaml,line=4,col=8,endColumn=13,title=SF029 wrong-match::"
        'match names Emial, and no rule gives it a value%0Adid you mean "Email"?'
    )
    found = orjson.loads(folder.sfmap("check", "--json").stdout)["diagnostics"]
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


def test_mistakes_are_printed_as_sarif(folder: Folder) -> None:
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


def test_the_code_of_each_active_mapping_goes_to_stdout_under_its_name(folder: Folder) -> None:
    (folder.path / "sfmap.yaml").write_text("use: [lead, account]\n")
    done = folder.sfmap("check", "--compiled")
    assert done.returncode == 0
    assert [line for line in done.stdout.splitlines() if not line.startswith((" ", "#"))] == [
        *("def record(view, item_number):", "def map(event):", ""),
        *("def record(view, item_number):", "def map(event):"),
    ]
    assert [line for line in done.stdout.splitlines() if line.startswith("#")] == [
        "# lead: sfmap/mappings/lead.yaml",
        "# account: sfmap/mappings/account.yaml",
    ]
    assert "        # lead.yaml:18 LastName\n" in done.stdout
    assert "lead.yaml: identify → Lead" in done.stderr
    ast.parse(done.stdout)


@pytest.mark.parametrize("options", ["--json --compiled", "--json --format github", "--format github --compiled"])
def test_options_that_exclude_each_other_are_refused(folder: Folder, options: str) -> None:
    done = folder.sfmap("check", *options.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert "exclude each other" in done.stderr
