"""docs/decisions.md: each decision has a unique number and a date."""

import re

from ..folder import REPOSITORY

PAGE = (REPOSITORY / "docs" / "decisions.md").read_text("utf-8")
DECISIONS = re.findall(r"^### (.*)\n\n(.*)$", PAGE, re.MULTILINE)


def test_every_decision_has_a_unique_number() -> None:
    numbers = [int(title.partition(". ")[0]) for title, _ in DECISIONS]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))


def test_every_decision_has_a_date() -> None:
    assert [title for title, text in DECISIONS if not re.match(r"\d{4}-\d\d-\d\d\. \S", text)] == []
