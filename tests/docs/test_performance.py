"""docs/performance.md: what can be delivered follows from the limits and the measures that the page shows."""

import re
import runpy
from collections.abc import Callable
from typing import Any

import pytest

from ..folder import REPOSITORY

PAGE = (REPOSITORY / "docs" / "performance.md").read_text("utf-8")
SCALE = (REPOSITORY / "docs" / "scale.md").read_text("utf-8")
LIMITS: dict[str, Any] = runpy.run_path(str(REPOSITORY / "benchmarks" / "limits.py"))
table_of: Callable[[str], str] = LIMITS["table_of"]
MEASURED = """\
| `run` of 50,000 people into the local org | 3,000/s, client 125 µs of CPU an event | 8,000/s | **missed** |
"""
BULK = "| calls for 1,000,000 new people | 50; 5,000/s, client 100 µs of CPU an event, 120 MB | 60 | reached |\n"


def part(name: str) -> str:
    (found,) = re.findall(rf"^<!-- {name}: .*? -->\n(.*?)^<!-- end of {name} -->$", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


def cells(table: str, first: str) -> list[str]:
    (row,) = (line for line in table.splitlines() if line.startswith(f"| {first} |"))
    return [cell.strip() for cell in row.strip("|").split("|")[1:]]


def test_the_page_shows_what_follows_from_its_measures() -> None:
    assert part("limits") == table_of(part("measures"))


def test_the_lowest_limit_counts() -> None:
    table = table_of(MEASURED)
    # A core delivers 8,000 records a second, or 25 calls of 194 records in 20 seconds, of which 95 % are used.
    assert cells(table, "SOAP, 0.2 s a call")[:2] == ["29 M, machine", "148,454"]
    assert cells(table, "SOAP, 20 s a call") == ["0.83 M, connections", "4,275", *["20 M, connections"] * 2]
    assert cells(table, "Bulk API") == [*["not measured"] * 2, *["at most 150 M, records"] * 2]


def test_bulk_counts_as_it_was_measured() -> None:
    # A core delivers 10,000 records a second, with 50 calls a million.
    assert cells(table_of(MEASURED + BULK), "Bulk API") == ["36 M, machine", "1,800", *["150 M, records"] * 2]


@pytest.mark.parametrize(("users", "column"), [(10, 2), (100, 3)])
def test_the_calls_of_a_day_carry_what_the_other_page_says(users: int, column: int) -> None:
    calls, records, *_ = cells(SCALE, f"Enterprise, {users} users")
    assert calls == f"{100_000 + 1_000 * users:,}"
    assert cells(table_of(MEASURED), "SOAP, 1 s a call")[column] == f"{records}, calls"
