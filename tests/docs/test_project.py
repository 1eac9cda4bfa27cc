"""docs/project.md: the shown output is printed, and the listed files are created."""

import re
from pathlib import Path

from sfmap.engine.language.model import Mapping
from sfmap.engine.project.loading import chosen_mappings, compile_mappings
from sfmap.engine.project.project_file import load_project

from ..folder import REPOSITORY, Folder

PAGE = (REPOSITORY / "docs" / "project.md").read_text("utf-8")
(PROJECT,) = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
CHECKED, TESTED = re.findall(r"^```console\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
LAST_NAME = "[traits.lastName, traits.name | last_name], default: n/a"


def changed(folder: Path, before: str, after: str) -> Folder:
    """A new project, with a change of its lead mapping."""
    assert Folder(folder).sfmap("init", "acme").returncode == 0
    lead = folder / "acme" / "mappings" / "lead.yaml"
    text = lead.read_text("utf-8")
    assert before in text
    lead.write_text(text.replace(before, after), "utf-8")
    return Folder(folder / "acme")


def active(folder: Path, project: str) -> list[Mapping]:
    """The mappings that a project file chooses."""
    (folder / "sfmap.yaml").write_text(project, "utf-8")
    return [one.mapping for one in compile_mappings(chosen_mappings(load_project(folder), None, None))]


def test_the_listed_files_of_a_project_are_created(tmp_path: Path) -> None:
    Folder(tmp_path).sfmap("init", "acme")
    rows = re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE)
    names = [name for row in rows for name in re.findall("`(.*?)`", row)]
    assert [name for name in names if not (tmp_path / "acme" / name).exists()] == []
    assert {path.name for path in (tmp_path / "acme").iterdir()} == {name.partition("/")[0] for name in names}


def test_the_shown_output_of_check_is_printed(tmp_path: Path) -> None:
    project = changed(tmp_path, LAST_NAME, LAST_NAME.replace("last_name]", "last_nam]"))
    assert f"$ sfmap check\n{project.sfmap('check').stderr}" == CHECKED


def test_the_shown_output_of_test_is_printed(tmp_path: Path) -> None:
    project = changed(tmp_path, LAST_NAME, LAST_NAME.replace("n/a", "unknown"))
    printed = re.sub(r"in [\d.]+s", "in 0.1s", project.sfmap("test").stdout)
    assert f"$ sfmap test\n{printed}" == TESTED


def test_the_shown_project_file_is_valid(tmp_path: Path) -> None:
    assert [mapping.name for mapping in active(tmp_path, PROJECT)] == ["account", "lead", "contact"]


def test_the_table_of_shipped_mappings_is_correct(tmp_path: Path) -> None:
    rows = re.findall(r"^\| \[`(\w+)`\]\(.*?\) \| (.*?) \| (\w+)", PAGE, re.MULTILINE)
    names = [name for name, *_ in rows]
    assert names == sorted(path.stem for path in (REPOSITORY / "mappings").glob("*.yaml"))
    for mapping, (_, events, of_object) in zip(active(tmp_path, f"use: [{', '.join(names)}]"), rows, strict=True):
        assert mapping.object == of_object
        assert {pattern.type for pattern in mapping.events} == set(re.findall("`(.*?)`", events))
