"""docs/behaviour.md and the cases of tests/behaviour have the same rows."""

import re

import pytest

from ..folder import REPOSITORY

PAGE = (REPOSITORY / "docs" / "behaviour.md").read_text("utf-8")
ROWS = {
    int(number): text for number, text in re.findall(r"^### (\d+)\. (.+\n(?:(?!#).*\n?)+)", PAGE, re.MULTILINE)
}
CASES = sorted(path.stem for path in (REPOSITORY / "tests" / "behaviour" / "rows").glob("*.yaml"))


def test_rows_are_numbered_without_a_gap() -> None:
    assert list(ROWS) == list(range(1, len(ROWS) + 1))


@pytest.mark.parametrize("row", ROWS)
def test_every_row_names_its_tests(row: int) -> None:
    assert re.search(r"^(Cases|Tests): \[", ROWS[row], re.MULTILINE)


@pytest.mark.parametrize("case", CASES)
def test_each_file_of_cases_is_linked_from_its_row(case: str) -> None:
    assert f"Cases: [{case}](../tests/behaviour/rows/{case}.yaml)" in ROWS[int(case.partition("-")[0])]
