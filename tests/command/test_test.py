"""`sfmap test`, and plain pytest with its plugin: sample events and their snapshots."""

import json
import subprocess
from pathlib import Path

import pytest

from ..folder import Folder, interrupt
from .acme import SAMPLES, change, run_pytest, snapshot


def test_changed_fields_are_shown_until_they_are_accepted(project: Folder) -> None:
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


def test_a_sample_without_a_snapshot_fails_until_it_is_accepted(project: Folder) -> None:
    event = {"type": "identify", "traits": {"email": "new@b.co"}, "integrations": {"Salesforce": True}}
    (project.path / "tests/events/new.json").write_text(json.dumps(event, indent=2))
    done = project.sfmap("test")
    assert done.returncode == 1
    assert "new has no snapshot yet." in done.stdout
    assert project.sfmap("test", "--update", "tests/events/new.json").returncode == 0
    assert project.sfmap("test").returncode == 0


def test_pytest_runs_a_single_sample(project: Folder) -> None:
    done = run_pytest(project, f"{SAMPLES}::only an email")
    assert "1 passed" in done.stdout


BAD_SAMPLES = [
    ("bad.json", "{", "bad.json: not JSON"),
    ("bad.ndjson", '{"type": "track"}\n[1]\n', "bad.ndjson:2: a list instead of an event"),
]


@pytest.mark.parametrize(("name", "text", "words"), BAD_SAMPLES)
def test_a_sample_that_is_not_an_event_is_reported(project: Folder, name: str, text: str, words: str) -> None:
    (project.path / "tests/events" / name).write_text(text)
    done = project.sfmap("test")
    assert done.returncode == 2
    assert words in done.stdout
    assert "Traceback" not in done.stdout


def test_an_invalid_mapping_is_reported(project: Folder) -> None:
    change(project, "fields:\n", "feilds:\n")
    done = project.sfmap("test")
    assert done.returncode == 2
    assert 'did you mean "fields"?' in done.stdout
    assert "Traceback" not in done.stdout


def test_a_folder_without_samples_is_reported(tmp_path: Path) -> None:
    done = Folder(tmp_path).sfmap("test")
    assert done.returncode == 2
    assert "there are no sample events" in done.stderr


def test_pytest_collects_no_events_outside_a_project(tmp_path: Path) -> None:
    (tmp_path / "tests/events").mkdir(parents=True)
    (tmp_path / "tests/events/data.json").write_text("no event at all")
    (tmp_path / "tests/test_own.py").write_text("def test_own(): pass\n")
    done = run_pytest(Folder(tmp_path))
    assert done.returncode == 0
    assert "1 passed" in done.stdout


def test_an_unreadable_sample_keeps_all_snapshots(project: Folder) -> None:
    kept = snapshot(project, "group")
    (project.path / "tests/events/bad.json").write_text("{")
    for done in (project.sfmap("test", "--update"), run_pytest(project, "--snapshot-update")):
        assert done.returncode == 2
        assert snapshot(project, "group") == kept


def test_snapshots_get_valid_file_names(project: Folder) -> None:
    lines = [{"type": "track", "messageId": name} for name in ("a/b", "a-b", "A-B", "..", "x" * 300, 7)]
    (project.path / "tests/events/odd.ndjson").write_text("\n".join(map(json.dumps, lines)))
    assert project.sfmap("test", "--update").returncode == 0
    assert project.sfmap("test").returncode == 0
    made = sorted(path.stem for path in (project.path / "tests/events/__snapshots__/odd").iterdir())
    assert made == ["--", "a-b", "line 2", "line 3", "line 6", "x" * 100]
    (project.path / "tests/events/odd.json").write_text("{}")
    assert "would share their snapshots" in project.sfmap("test").stdout


def test_pytest_settings_of_the_environment_are_ignored(project: Folder) -> None:
    (project.path / "conftest.py").write_text("raise RuntimeError\n")
    leaks = {
        "PYTEST_ADDOPTS": "-k nothing --no-such-option",
        "PYTEST_PLUGINS": "no_such_plugin",
        "PYTEST_XDIST_WORKER": "gw0",
    }
    done = project.sfmap("test", environment=leaks)
    assert done.returncode == 0
    assert "6 snapshots passed." in done.stdout


def test_a_single_sample_is_tested(project: Folder) -> None:
    assert "1 passed" in project.sfmap("test", f"{SAMPLES}::group").stdout
    assert project.sfmap("test", "nowhere.json").returncode == 2


def test_ctrl_c_stops_the_tests(project: Folder) -> None:
    project.write("tests/events/many.ndjson", [{"type": "track", "n": number} for number in range(1_500)])
    process = project.start("test", stdout=subprocess.PIPE)
    assert process.stdout
    process.stdout.read(1)
    interrupt(process)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said.strip()) == (130, b"Stopped.")
