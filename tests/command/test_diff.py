"""`sfmap diff`: what a change of mappings changes."""

import json

from ..folder import Folder, Identify
from .acme import SAMPLES, change, git


def test_changes_since_a_revision_or_a_folder_are_shown(project: Folder) -> None:
    git(project, "init", "--quiet")
    git(project, "add", ".")
    git(project, "commit", "--quiet", "--message", "first")
    assert project.sfmap("diff", SAMPLES).stderr == "6 events compared, 0 changed.\n"
    change(project, "max: 128", "max: 2")
    change(project, "required: true}", "required: true, on_invalid: reject}")
    done = project.sfmap("diff", SAMPLES)
    assert done.returncode == 0
    assert done.stdout == (
        'event 1\n  lead  Title: "VP of Derp" → "VP"\n  lead  note 1: new: Title: cut to 2 characters\n'
    )
    assert done.stderr == "6 events compared, 1 changed.\n"
    assert project.sfmap("diff", "--exit-code", SAMPLES).returncode == 1
    (line,) = project.sfmap("diff", "--json", SAMPLES).stdout.splitlines()
    assert json.loads(line)["differences"][0] == {
        "record": "lead",
        "what": "Title",
        "before": '"VP of Derp"',
        "after": '"VP"',
    }
    git(project, "commit", "--quiet", "--all", "--message", "second")
    assert project.sfmap("diff", SAMPLES).stderr == "6 events compared, 0 changed.\n"
    assert "1 changed" in project.sfmap("diff", "--from", "HEAD~1", SAMPLES).stderr
    empty = project.path / "old"
    empty.mkdir()
    assert "1 changed" in project.sfmap("diff", "--from", "old", SAMPLES).stderr


def test_a_revision_that_cannot_be_read_is_refused(project: Folder) -> None:
    outside = project.sfmap("diff", SAMPLES)
    assert outside.returncode == 2
    assert "git says: not a git repository" in outside.stderr
    assert "--from takes a revision of git, or a folder" in outside.stderr
    git(project, "init", "--quiet")
    change(project, "fields:\n", "feilds:\n")
    git(project, "add", ".")
    git(project, "commit", "--quiet", "--message", "broken")
    unknown = project.sfmap("diff", "--from", "nowhere", SAMPLES)
    assert (unknown.returncode, "nowhere" in unknown.stderr) == (2, True)
    broken = project.sfmap("diff", SAMPLES)
    assert broken.returncode == 2
    assert "HEAD:mappings/lead.yaml:" in broken.stderr
    assert "Traceback" not in broken.stderr


def test_lines_that_are_not_events_are_reported(project: Folder) -> None:
    git(project, "init", "--quiet")
    git(project, "add", ".")
    git(project, "commit", "--quiet", "--message", "first")
    (project.path / "bad.ndjson").write_text('{"type": "track"}\n[1]\n')
    done = project.sfmap("diff", "bad.ndjson")
    assert done.returncode == 1
    assert "bad.ndjson:2: a list" in done.stderr


def test_a_project_in_a_subfolder_of_the_repository_is_compared(project: Folder) -> None:
    """Mappings may be beside the project, and git's own export rules do not hide them."""
    top = Folder(project.path.parent)
    (project.path / "mappings").rename(top.path / "shared")
    text = (project.path / "sfmap.yaml").read_text()
    (project.path / "sfmap.yaml").write_text(f"mappings: ../shared\n{text}")
    (top.path / ".gitattributes").write_text("*.yaml export-ignore\n")
    git(top, "init", "--quiet")
    git(top, "add", ".")
    git(top, "commit", "--quiet", "--message", "first")
    assert project.sfmap("diff", SAMPLES).stderr == "6 events compared, 0 changed.\n"
    lead = top.path / "shared/lead.yaml"
    lead.write_text(lead.read_text().replace("max: 128", "max: 2"))
    assert project.sfmap("diff", SAMPLES).stderr == "6 events compared, 1 changed.\n"


def test_messages_name_the_file(folder: Folder, identify: Identify) -> None:
    folder.write("good.ndjson", [identify("a@b.co")])
    folder.write("bad.ndjson", [identify("a@b.co"), "nonsense"])
    compared = folder.sfmap("diff", "--from", ".", "good.ndjson", "bad.ndjson")
    assert compared.stderr.splitlines()[0] == "bad.ndjson:2: not JSON: Expecting value, column 1"
