"""CONTRIBUTING.md names commands, targets and paths that exist, and describes each folder of tests."""

import ast
import re

from sfmap.cli import COMMANDS

from ..folder import REPOSITORY

TESTS = REPOSITORY / "tests"
PAGE = (REPOSITORY / "CONTRIBUTING.md").read_text("utf-8")
MAKEFILE = (REPOSITORY / "Makefile").read_text("utf-8")
CODE = re.findall(r"`([^`\n]+)`", PAGE)


def test_every_target_of_the_makefile_is_named() -> None:
    (targets,) = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert {name.removeprefix("make ") for name in CODE if name.startswith("make ")} == set(targets.split())
    (set_up,) = re.findall(r"^    make \.venv/(.*)$", PAGE, re.MULTILINE)
    assert f"$(VENV)/{set_up}:" in MAKEFILE


def test_the_type_check_is_that_of_make() -> None:
    (command,) = (name for name in CODE if name.startswith(".venv/bin/mypy"))
    assert command.replace(".venv/bin", "$(BIN)") in MAKEFILE


def test_every_named_path_exists() -> None:
    places = {word for name in CODE for word in name.split() if re.match(r"(tests|engine|docs|mappings)/", word)}
    assert len(places) > 10
    assert [place for place in sorted(places) if not (REPOSITORY / place).exists()] == []


def test_every_command_has_tests_named_after_it() -> None:
    files = [path.stem for path in (REPOSITORY / "tests" / "command").glob("test_*.py")]
    commands = {name.replace("-", "_") for name in COMMANDS} - {"org"} | {
        "org_start",
        "org_clone",
        "every_command",
        "hints",
        "on_a_terminal",
    }
    assert [name for name in sorted(commands) if f"test_{name}" not in files] == []
    assert [name for name in files if not any(f"{name}_".startswith(f"test_{one}_") for one in commands)] == []


def test_every_folder_of_tests_is_described() -> None:
    folders = {path.parent.relative_to(REPOSITORY).as_posix(): path for path in TESTS.rglob("__init__.py")}
    described = {name: ast.get_docstring(ast.parse(path.read_text("utf-8"))) for name, path in folders.items()}
    rows = dict(re.findall(r"^\| `(tests/[\w/]+)` \| (.*) \|$", PAGE, re.MULTILINE))
    assert {name: f"{text}." for name, text in rows.items() if name in folders} == {
        name: text for name, text in described.items() if name != "tests"
    }
