"""`sfmap check --coverage`: rules that never fire, and traits that reach no field."""

import orjson

from ..folder import Folder, Identify


def test_coverage_lists_unused_rules_and_unmapped_traits(folder: Folder, identify: Identify) -> None:
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


def test_coverage_reports_lines_that_are_not_events(folder: Folder, identify: Identify) -> None:
    name = folder.write("e.ndjson", [identify("a@b.co"), "nonsense", "[]"])
    for more in ([], ["--json"]):
        done = folder.sfmap("check", "--coverage", name, *more)
        assert done.returncode == 1
        said = [line for line in done.stderr.splitlines() if line.startswith("e.ndjson:")]
        assert [line.partition(": ")[0] for line in said] == ["e.ndjson:2", "e.ndjson:3"]


def test_coverage_is_refused_with_github_annotations(folder: Folder, identify: Identify) -> None:
    name = folder.write("e.ndjson", [identify("a@b.co")])
    done = folder.sfmap("check", "--format", "github", "--coverage", name)
    assert (done.returncode, "not with --format" in done.stderr) == (2, True)
