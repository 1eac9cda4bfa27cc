"""docs/diagnostics.md and the table of kinds say the same, and every kind is known from a broken file."""

import re

import pytest

from sfmap.engine.yaml_files.kinds import KINDS, Kind

from ..folder import REPOSITORY

PAGE = (REPOSITORY / "docs" / "diagnostics.md").read_text("utf-8")
ENTRIES = dict(re.findall(r"^### (.+)\n((?:(?!#).*\n?)+)", PAGE, re.MULTILINE))
TESTS = REPOSITORY / "tests"


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_kind_has_an_entry(kind: Kind) -> None:
    assert re.fullmatch(r"SF\d{3}", kind.code)
    assert ENTRIES[f"{kind.code} {kind.name}"].strip()


def test_every_entry_is_of_an_existing_kind() -> None:
    assert list(ENTRIES) == [f"{kind.code} {kind.name}" for kind in KINDS.values()]


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_kind_is_produced_by_some_broken_file(kind: Kind) -> None:
    results = [*TESTS.glob("*/__snapshots__/**/*.txt"), TESTS / "language" / "test_kinds.py"]
    assert any(kind.code in path.read_text("utf-8") for path in results)
