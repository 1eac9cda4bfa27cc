"""Kinds of diagnostics that take a project to produce, and how warnings are silenced."""

from dataclasses import replace
from pathlib import Path

import pytest

from sfmap.engine.inspect.org_check import check_against_org
from sfmap.engine.inspect.project_check import check_project
from sfmap.engine.inspect.standard_objects import standard_objects
from sfmap.engine.project.loading import check_mappings, chosen_mappings
from sfmap.engine.project.project_file import load_project
from sfmap.engine.yaml_files.kinds import KINDS

RULES = "  Email: traits.email\n  LastName: {from: traits.n, required: true}\n"
LEAD = f"sfmap: 1\nevent: identify\nobject: Lead\nmatch: Email\nfields:\n{RULES}"
WHOLE = f"{LEAD}  Company: {{from: traits.c, required: true}}\n"
OPTED_IN = WHOLE.replace("object", "opt_in: integrations.Salesforce\nobject")
ROWS = "sources: {rows: {files: rows.ndjson, event: {type: identify, opt_in: true}}}\n"
LOCAL = "orgs: {local: {schema: schema.yaml}}\n"

CASES = [
    ("SF003", {"ours/m.yaml": "sfmap: 1\n\x01"}),
    ("SF026", {"ours/m.yaml": WHOLE, "sfmap.yaml": "settings: {m: {defaults: {Fax: x}}}\n"}),
    ("SF027", {"ours/m.yaml": WHOLE, "sfmap.yaml": "use: [n]\n"}),
    ("SF030", {"ours/m.yaml": WHOLE.replace("identify", "[track, {type: track, name: Signed Up}]")}),
    ("SF040", {"ours/m.yaml": WHOLE.replace("Lead", "Led")}),
    ("SF041", {"ours/m.yaml": f"{WHOLE}  Phon: traits.phone\n"}),
    ("SF042", {"ours/m.yaml": f"{WHOLE}  IsDeleted: traits.gone\n"}),
    ("SF043", {"ours/m.yaml": f"{WHOLE}  Owner: {{object: Account, by: Name, from: traits.o}}\n"}),
    ("SF044", {"ours/m.yaml": f"{WHOLE}  AnnualRevenue: {{default: lots}}\n"}),
    ("SF045", {"ours/m.yaml": f"{WHOLE}  Fax: {{from: traits.fax, max: 400}}\n"}),
    ("SF046", {"ours/m.yaml": WHOLE.replace("match: Email", "match: {external_id: Company}")}),
    ("SF047", {"ours/m.yaml": LEAD}),
    ("SF048", {"ours/m.yaml": f"{WHOLE}  Description: traits.d\n".replace("match: Email", "match: Description")}),
    ("SF049", {"ours/m.yaml": f"{WHOLE}  Rating: {{value: Hott}}\n"}),
    ("SF050", {"ours/m.yaml": f"{LEAD}  Company: traits.c\n"}),
    ("SF052", {"ours/m.yaml": WHOLE.replace("match: Email", "operation: create")}),
    ("SF062", {"ours/m.yaml": WHOLE, "sfmap.yaml": "silence: SF999\n"}),
    ("SF062", {"ours/m.yaml": WHOLE, "sfmap.yaml": "silence: [SF012]\n"}),
    ("SF063", {"ours/m.yaml": OPTED_IN, "sfmap.yaml": ROWS.replace(", opt_in: true", "")}),
    ("SF064", {"ours/m.yaml": OPTED_IN, "sfmap.yaml": ROWS, "rows.ndjson": '{"n": "Lee", "fax": "1"}'}),
    (
        "SF065",
        {
            "ours/m.yaml": OPTED_IN,
            "sfmap.yaml": "sources: {rows: {files: rows.ndjson}}",
            "rows.ndjson": '{"a": 1}',
        },
    ),
    ("SF070", {"ours/m.yaml": WHOLE, "sfmap.yaml": LOCAL, "schema.yaml": "objects: {Led: {}}\n"}),
]


def found(folder: Path, files: dict[str, str], settings: str = "") -> dict[str, str]:
    """The code and severity of each diagnostic of a project with these files."""
    for name, text in {"sfmap.yaml": "", **files}.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"mappings: ours\n{settings}{text}" if name == "sfmap.yaml" else text, "utf-8")
    return {one.kind.code: one.severity for one in check_project(folder, None, None).diagnostics}


def test_a_source_whose_columns_are_all_read_has_no_warning(tmp_path: Path) -> None:
    row = '{"n": "Lee", "c": "Acme", "email": "a@b.co"}'
    assert found(tmp_path, {"ours/m.yaml": OPTED_IN, "sfmap.yaml": ROWS, "rows.ndjson": row}) == {}
    events = '{"type": "identify", "traits": {"email": "a@b.co"}}'
    project = "sources: {rows: {files: rows.ndjson}, none: {files: none.csv}}"
    assert found(tmp_path, {"ours/m.yaml": OPTED_IN, "sfmap.yaml": project, "rows.ndjson": events}) == {}


@pytest.mark.parametrize(("code", "files"), CASES)
def test_a_project_produces_each_kind(code: str, files: dict[str, str], tmp_path: Path) -> None:
    assert code in found(tmp_path, files)


@pytest.mark.parametrize(("code", "files"), [case for case in CASES if KINDS[case[0]].warns])
def test_warnings_can_be_silenced(code: str, files: dict[str, str], tmp_path: Path) -> None:
    assert found(tmp_path, files)[code] == "warning"
    assert code not in found(tmp_path, files, f"silence: [{code}]\n")


def test_a_silenced_warning_is_an_error_against_the_org(tmp_path: Path) -> None:
    files = {"ours/m.yaml": f"{WHOLE}  Phon: traits.phone\n"}
    assert found(tmp_path, files, "silence: [SF041]\n") == {}
    against_the_org = check_project(tmp_path, None, "local").diagnostics
    assert [(one.kind.code, one.severity) for one in against_the_org] == [("SF041", "error")]


def test_missing_permissions_are_reported(tmp_path: Path) -> None:
    """SF051: only an org tells it."""
    (tmp_path / "m.yaml").write_text(WHOLE)
    (compiled,), _ = check_mappings(chosen_mappings(load_project(tmp_path), tmp_path, None))
    plain = standard_objects(None)
    forbidden = {**plain, "Lead": replace(plain["Lead"], createable=False)}
    (said,) = check_against_org(compiled.mapping, forbidden, is_whole=True)
    assert (said.kind.code, said.message) == ("SF051", "this user may not create Lead records")


@pytest.mark.parametrize(
    "mapping",
    [
        WHOLE,
        WHOLE.replace("match: Email", "operation: update\nmatch: Email"),
        WHOLE.replace("match: Email", "operation: create") + "  Message__c: messageId\n",
        WHOLE.replace("match: Email", "operation: create") + "  Line__c: {template: '{{ messageId }}-1'}\n",
    ],
)
def test_a_mapping_that_creates_nothing_twice_has_no_warning(mapping: str, tmp_path: Path) -> None:
    assert "SF052" not in found(tmp_path, {"ours/m.yaml": mapping})
