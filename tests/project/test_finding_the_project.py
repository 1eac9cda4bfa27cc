"""Which project and which mappings a command uses, and how it reports them."""

import os

import orjson
import pytest

from ..folder import Folder, Identify

LEAD = (
    "sfmap: 1\nevent: identify\nobject: Lead\nmatch: Email\nopt_in: integrations.CRM\n"
    "fields: {Email: traits.email, LastName: {value: x}, Company: {value: x}}\n"
)


@pytest.fixture
def project(folder: Folder) -> Folder:
    (folder.path / "mappings").mkdir()
    (folder.path / "mappings" / "ours.yaml").write_text(LEAD)
    (folder.path / "sfmap.yaml").write_text("# nothing is named\n")
    (folder.path / "below" / "deep").mkdir(parents=True)
    return folder


def test_the_mappings_beside_the_project_file_are_used(project: Folder) -> None:
    assert "mappings/ours.yaml: identify → Lead" in project.sfmap("check").stderr


@pytest.mark.parametrize("kept", ["", "notes.txt"])
def test_a_folder_without_mappings_is_ignored(project: Folder, kept: str) -> None:
    (project.path / "mappings" / "ours.yaml").unlink()
    if kept:
        (project.path / "mappings" / kept).write_text("not a mapping")
    assert "sfmap/mappings/lead.yaml" in project.sfmap("check").stderr


def test_mappings_without_a_project_file_are_ignored(project: Folder) -> None:
    (project.path / "sfmap.yaml").unlink()
    assert "sfmap/mappings/lead.yaml" in project.sfmap("check").stderr


def test_the_project_is_found_from_a_subfolder(project: Folder, identify: Identify) -> None:
    below = Folder(project.path / "below" / "deep")
    name = below.write("e.ndjson", [{**identify("a@b.co"), "integrations": {"CRM": True}}])
    assert "../../mappings/ours.yaml" in below.sfmap("check").stderr
    assert orjson.loads(below.sfmap("render", name).stdout)["mapping"] == "ours"
    done = below.sfmap("run", name)
    assert "Mappings: ours in ../../mappings." in done.stderr
    assert (project.path / ".sfmap").is_dir()
    assert not (below.path / ".sfmap").exists()


def test_the_nearest_project_is_used(project: Folder) -> None:
    (project.path / "below" / "sfmap.yaml").write_text("silence: SF023\n")
    assert "sfmap/mappings/lead.yaml" in Folder(project.path / "below" / "deep").sfmap("check").stderr


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
def test_a_project_of_another_user_is_ignored(project: Folder) -> None:
    os.chown(project.path / "sfmap.yaml", 12345, 12345)
    assert "sfmap/mappings/lead.yaml" in Folder(project.path / "below").sfmap("check").stderr


def test_mistakes_of_project_and_mappings_are_reported_together(project: Folder) -> None:
    (project.path / "sfmap.yaml").write_text("mapings: x\nuse: [ours, theirs]\n")
    (project.path / "mappings" / "ours.yaml").write_text(LEAD.replace("identify", "idntify"))
    (project.path / "mappings" / "theirs.yaml").write_text("sfmap: 1\n  event: identify\n")
    places = [line.split(" ")[0] for line in project.sfmap("check").stderr.splitlines() if ": error: " in line]
    assert places == ["mappings/ours.yaml:2:8:", "mappings/theirs.yaml:2:3:", "sfmap.yaml:1:1:"]


def test_a_mapping_with_warnings_is_not_reported_as_free_of_mistakes(project: Folder) -> None:
    (project.path / "mappings" / "ours.yaml").write_text(LEAD.replace("{value: x}", "{from: name, default: x}"))
    said = project.sfmap("check").stderr
    assert "no mistakes" not in said
    assert "3 fields: 2 warnings" in said


@pytest.mark.parametrize(("opted_in", "advised"), [(0, True), (1, True), (2, False)])
def test_a_run_that_skips_nearly_all_events_suggests_a_setting(
    project: Folder, identify: Identify, opted_in: int, advised: bool
) -> None:
    events = [{**identify(f"a{n}@b.co"), "integrations": {"CRM": n < opted_in}} for n in range(20)]
    name = project.write("e.ndjson", events)
    done = project.sfmap("run", name)
    assert ("settings: {MAPPING: {opt_in: null}}" in done.stderr + done.stdout) == advised
    (project.path / "sfmap.yaml").write_text("settings: {ours: {opt_in: null}}\n")
    assert "skipped" not in project.sfmap("run", name).stderr
