"""CONTRIBUTING.md names targets and places that exist."""

import re

from ..folder import REPOSITORY

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
