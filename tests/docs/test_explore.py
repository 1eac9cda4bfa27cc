"""docs/explore.md: its files are written, its commands run, and they print what the page shows."""

import shlex

import pytest

from ..folder import REPOSITORY, Folder
from .console_pages import Section, sections

PAGE = (REPOSITORY / "docs" / "explore.md").read_text("utf-8")
SECTIONS = [one for one in sections(PAGE) if one.commands]


@pytest.mark.parametrize("section", SECTIONS, ids=lambda one: one.title)
def test_the_commands_of_a_section_print_what_it_shows(section: Section, folder: Folder) -> None:
    for name, text in section.files.items():
        (folder.path / name).write_text(text, "utf-8")
    for command, shown in section.commands:
        program, *arguments = shlex.split(command)
        assert program == "sfmap"
        done = folder.sfmap(*arguments)
        assert done.returncode == 0, done.stderr
        printed = [*done.stdout.splitlines(), *done.stderr.splitlines()]
        assert [line for line in shown if line not in printed] == []


def test_every_command_has_a_section() -> None:
    run = {command.split()[1] for section in SECTIONS for command, _ in section.commands}
    assert run == {"traits", "suggest", "plan", "migrate", "run"}
