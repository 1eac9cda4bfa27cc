"""A project of one's own: init, test, diff, and plain pytest, as users run them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ..folder import Folder, interrupt

PYTEST = Path(sys.executable).parent / "pytest"
SAMPLES = "tests/events/samples.ndjson"


@pytest.fixture
def project(tmp_path: Path) -> Folder:
    made = Folder(tmp_path).sfmap("init", "acme")
    assert made.returncode == 0, made.stderr
    return Folder(tmp_path / "acme")


def change(project: Folder, before: str, after: str) -> None:
    path = project.path / "mappings" / "lead.yaml"
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after), "utf-8")


def snapshot(project: Folder, case: str) -> str:
    return (project.path / "tests/events/__snapshots__/samples" / f"{case}.yaml").read_text("utf-8")


def git(project: Folder, *arguments: str) -> None:
    identity = ("-c", "user.name=Ann", "-c", "user.email=ann@acme.example")
    subprocess.run(["git", *identity, *arguments], cwd=project.path, check=True, capture_output=True)


def test_a_new_project_is_whole(project: Folder) -> None:
    assert project.sfmap("check").returncode == 0
    tested = project.sfmap("test")
    assert tested.returncode == 0
    assert "6 passed" in tested.stdout
    assert project.sfmap("run", SAMPLES).returncode == 1  # the group without a name
    assert "Company: n/a" in snapshot(project, "only an email")
    assert "rejected: 'Name is required" in snapshot(project, "group without a name")
    workflow = (project.path / ".github/workflows/sfmap.yml").read_text("utf-8")
    assert "sfmap check" in workflow
    assert "sfmap test" in workflow


def test_init_overwrites_nothing(project: Folder) -> None:
    again = Folder(project.path.parent).sfmap("init", "acme")
    assert again.returncode == 2
    assert "acme already contains sfmap.yaml, README.md" in again.stderr
    assert "Traceback" not in again.stderr


def test_a_change_shows_its_fields_until_it_is_accepted(project: Folder) -> None:
    change(project, "default: n/a, max: 255", "default: none, max: 255")
    for done in (project.sfmap("test"), run_pytest(project)):
        assert done.returncode == 1
        assert '  lead  Company: "n/a" → "none"\nTo accept: sfmap test --update\n' in done.stdout
        assert "Traceback" not in done.stdout
        assert "Initech" not in done.stdout  # what is the same is not shown
    assert project.sfmap("test", "--update").returncode == 0
    assert "Company: none" in snapshot(project, "only an email")
    assert project.sfmap("test").returncode == 0
    assert run_pytest(project).returncode == 0


def run_pytest(project: Folder, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([PYTEST, *arguments], cwd=project.path, capture_output=True, text=True, timeout=120)


def test_a_sample_without_a_snapshot_fails_until_it_is_accepted(project: Folder) -> None:
    event = {"type": "identify", "traits": {"email": "new@b.co"}, "integrations": {"Salesforce": True}}
    (project.path / "tests/events/new.json").write_text(json.dumps(event, indent=2))
    done = project.sfmap("test")
    assert done.returncode == 1
    assert "new has no snapshot yet." in done.stdout
    assert project.sfmap("test", "--update", "tests/events/new.json").returncode == 0
    assert project.sfmap("test").returncode == 0


def test_one_case_can_be_run_alone(project: Folder) -> None:
    done = run_pytest(project, f"{SAMPLES}::only an email")
    assert "1 passed" in done.stdout


BAD_SAMPLES = [
    ("bad.json", "{", "bad.json: not JSON"),
    ("bad.ndjson", '{"type": "track"}\n[1]\n', "bad.ndjson:2: a list instead of an event"),
]


@pytest.mark.parametrize(("name", "text", "words"), BAD_SAMPLES)
def test_a_sample_that_is_no_event(project: Folder, name: str, text: str, words: str) -> None:
    (project.path / "tests/events" / name).write_text(text)
    done = project.sfmap("test")
    assert done.returncode == 2
    assert words in done.stdout
    assert "Traceback" not in done.stdout


def test_a_broken_mapping_is_shown_as_check_shows_it(project: Folder) -> None:
    change(project, "fields:\n", "feilds:\n")
    done = project.sfmap("test")
    assert done.returncode == 2
    assert 'did you mean "fields"?' in done.stdout
    assert "Traceback" not in done.stdout


def test_a_folder_without_samples(tmp_path: Path) -> None:
    done = Folder(tmp_path).sfmap("test")
    assert done.returncode == 2
    assert "there are no sample events" in done.stderr


def test_other_tests_of_the_environment_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "tests/events").mkdir(parents=True)
    (tmp_path / "tests/events/data.json").write_text("no event at all")
    (tmp_path / "tests/test_own.py").write_text("def test_own(): pass\n")
    done = run_pytest(Folder(tmp_path))
    assert done.returncode == 0
    assert "1 passed" in done.stdout


def test_diff_against_a_revision_and_a_folder(project: Folder) -> None:
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


def test_diff_of_what_cannot_be_compared(project: Folder) -> None:
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


def test_accepting_loses_no_snapshot_where_a_sample_cannot_be_read(project: Folder) -> None:
    kept = snapshot(project, "group")
    (project.path / "tests/events/bad.json").write_text("{")
    for done in (project.sfmap("test", "--update"), run_pytest(project, "--snapshot-update")):
        assert done.returncode == 2
        assert snapshot(project, "group") == kept


def test_names_that_no_file_can_have(project: Folder) -> None:
    lines = [{"type": "track", "messageId": name} for name in ("a/b", "a-b", "A-B", "..", "x" * 300, 7)]
    (project.path / "tests/events/odd.ndjson").write_text("\n".join(map(json.dumps, lines)))
    assert project.sfmap("test", "--update").returncode == 0
    assert project.sfmap("test").returncode == 0
    made = sorted(path.stem for path in (project.path / "tests/events/__snapshots__/odd").iterdir())
    assert made == ["--", "a-b", "line 2", "line 3", "line 6", "x" * 100]
    (project.path / "tests/events/odd.json").write_text("{}")
    assert "would share their snapshots" in project.sfmap("test").stdout


def test_the_environment_changes_nothing(project: Folder) -> None:
    (project.path / "conftest.py").write_text("raise RuntimeError\n")
    leaks = {
        "PYTEST_ADDOPTS": "-k nothing --no-such-option",
        "PYTEST_PLUGINS": "no_such_plugin",
        "PYTEST_XDIST_WORKER": "gw0",
    }
    done = project.sfmap("test", environment=leaks)
    assert done.returncode == 0
    assert "6 snapshots passed." in done.stdout


def test_one_case_of_the_command(project: Folder) -> None:
    assert "1 passed" in project.sfmap("test", f"{SAMPLES}::group").stdout
    assert project.sfmap("test", "nowhere.json").returncode == 2


def test_ctrl_c_stops_the_command(project: Folder) -> None:
    project.write("tests/events/many.ndjson", [{"type": "track", "n": number} for number in range(1_500)])
    process = project.start("test", stdout=subprocess.PIPE)
    assert process.stdout
    process.stdout.read(1)
    interrupt(process)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said.strip()) == (130, b"Stopped.")


def test_diff_says_which_lines_are_no_events(project: Folder) -> None:
    git(project, "init", "--quiet")
    git(project, "add", ".")
    git(project, "commit", "--quiet", "--message", "first")
    (project.path / "bad.ndjson").write_text('{"type": "track"}\n[1]\n')
    done = project.sfmap("diff", "bad.ndjson")
    assert done.returncode == 1
    assert "bad.ndjson:2: a list" in done.stderr


def test_diff_in_a_folder_of_the_repository(project: Folder) -> None:
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
