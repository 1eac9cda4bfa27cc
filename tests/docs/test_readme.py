"""The README tells the truth: its examples run, and what it shows is what is printed."""

import re
import shutil
from pathlib import Path

import pytest
import yaml

from sfmap.engine.load import compile_mappings
from sfmap.engine.org.local.schema_file import load_schema
from sfmap.engine.project import load_project
from sfmap.engine.spec.diagnostics import Mistakes, Source

from ..command.conftest import REPOSITORY, SFMAP, Folder

README = (REPOSITORY / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[str]:
    return [text for kind, text in BLOCKS if kind == language]


YAML = blocks("yaml")


@pytest.mark.parametrize("text", [text for text in YAML if "sfmap: 1" in text])
def test_mappings(text: str) -> None:
    assert compile_mappings({"contact": Source("contact.yaml", text)}, (), {})


@pytest.mark.parametrize("text", [text for text in YAML if "sfmap: 1" not in text and "objects:" not in text])
def test_projects(text: str, tmp_path: Path) -> None:
    (tmp_path / "sfmap.yaml").write_text(text)
    project = load_project(tmp_path)
    said = yaml.safe_load(text)
    assert set(project.orgs) >= set(said.get("orgs", {}))
    assert [name.text for name in project.use] == said.get("use", [])


@pytest.mark.parametrize("text", [text for text in YAML if "objects:" in text])
def test_schemas(text: str, tmp_path: Path) -> None:
    (tmp_path / "custom-fields.yaml").write_text(text)
    schema = load_schema(tmp_path / "custom-fields.yaml")
    assert any(field.custom for known in schema.objects.values() for field in known.fields.values())


def test_the_shown_run(tmp_path: Path) -> None:
    examples = tmp_path / "examples"
    shutil.copytree(REPOSITORY / "examples", examples, ignore=shutil.ignore_patterns(".sfmap"))
    printed = Folder(examples).sfmap("run", "events.ndjson").stderr
    assert re.sub(r"in [\d.]+ s", "in 0.2 s", printed) == blocks("console")[0]
    again = Folder(examples).sfmap("run", "events.ndjson").stderr
    assert "created            0\n  updated            7\n" in again


def test_the_shown_rendering() -> None:
    command, shown = blocks("console")[1].split("\n", 1)
    assert command == "$ sfmap render examples/events.ndjson | head -n 1"
    rendered = Folder(REPOSITORY).sfmap("render", "examples/events.ndjson").stdout
    assert rendered.splitlines()[0] == shown.strip()


def test_the_shown_mistake() -> None:
    shipped = (REPOSITORY / "mappings" / "lead.yaml").read_text("utf-8")
    broken = shipped.replace("traits.name | last_name", "traits.name | last_nam")
    with pytest.raises(Mistakes) as raised:
        compile_mappings({"lead": Source("mappings/lead.yaml", broken)}, (), {})
    assert str(raised.value) == blocks("console")[3].strip()


def test_every_command_and_option_is_described() -> None:
    help_text = Folder(REPOSITORY).sfmap("--help").stdout
    commands = re.findall(r"^  ([\w-]+) ", help_text.partition("Commands:")[2], re.MULTILINE)
    assert commands
    for command in commands:
        assert f"`sfmap {command}" in README
        options = re.findall(r"--[a-z-]+", Folder(REPOSITORY).sfmap(command, "--help").stdout)
        assert [option for option in options if option not in README and option != "--help"] == []
    assert SFMAP.exists()
