"""docs/sources.md: its files are written, its commands run, and they print what the page shows."""

import json
import shlex
import subprocess

import pytest

from sfmap.engine.project.project_file import load_project
from sfmap.engine.project.row_entry import EVENT_KEYS
from sfmap.engine.project.source_entry import FILE_KEYS, QUERY_KEYS, STORE_KEYS
from sfmap.engine.sources.shapes.presets import PRESETS

from ..folder import REPOSITORY, Folder
from .console_pages import Section, sections

PAGE = (REPOSITORY / "docs" / "sources.md").read_text("utf-8")
SECTIONS = sections(PAGE)


@pytest.mark.parametrize("section", [one for one in SECTIONS if one.commands], ids=lambda one: one.title)
def test_the_commands_of_a_section_print_what_it_shows(section: Section, folder: Folder) -> None:
    for name, text in section.files.items():
        path = folder.path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    for command, shown in section.commands:
        program, *arguments = shlex.split(command)
        if program != "sfmap":
            subprocess.run([program, *arguments], cwd=folder.path, check=True)
            continue
        done = folder.sfmap(*arguments)
        assert done.returncode == 0, done.stderr
        printed = done.stdout.splitlines() if arguments[0] == "render" else done.stderr.splitlines()
        for number, line in enumerate(shown):
            if arguments[0] == "render":
                assert json.loads(printed[number])["fields"] == json.loads(line)["fields"]
            else:
                assert line in printed


@pytest.mark.parametrize(
    "section", [one for one in SECTIONS if "sfmap.yaml" in one.files], ids=lambda one: one.title
)
def test_the_sources_of_a_section_are_valid(section: Section, folder: Folder) -> None:
    (folder.path / "sfmap.yaml").write_text(section.files["sfmap.yaml"])
    assert load_project(folder.path).sources


def test_every_key_and_shape_is_described() -> None:
    for key in (*FILE_KEYS, *QUERY_KEYS, *STORE_KEYS, *EVENT_KEYS, *PRESETS):
        assert f"`{key}`" in PAGE
