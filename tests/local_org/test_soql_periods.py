"""The days that SOQL's date literals stand for, on a Thursday."""

from datetime import date

import pytest

from sfmap.engine.local_org.soql.periods import period

THURSDAY = date(2026, 11, 26)

PERIODS = [
    ("TODAY", "2026-11-26", "2026-11-27"),
    ("yesterday", "2026-11-25", "2026-11-26"),
    ("LAST_WEEK", "2026-11-15", "2026-11-22"),
    ("THIS_WEEK", "2026-11-22", "2026-11-29"),
    ("NEXT_WEEK", "2026-11-29", "2026-12-06"),
    ("LAST_MONTH", "2026-10-01", "2026-11-01"),
    ("NEXT_MONTH", "2026-12-01", "2027-01-01"),
    ("LAST_90_DAYS", "2026-08-28", "2026-11-27"),
    ("NEXT_90_DAYS", "2026-11-27", "2027-02-25"),
    ("THIS_QUARTER", "2026-10-01", "2027-01-01"),
    ("NEXT_FISCAL_QUARTER", "2027-01-01", "2027-04-01"),
    ("LAST_YEAR", "2025-01-01", "2026-01-01"),
    ("THIS_FISCAL_YEAR", "2026-01-01", "2027-01-01"),
    ("LAST_N_DAYS:30", "2026-10-27", "2026-11-27"),
    ("NEXT_N_DAYS:7", "2026-11-27", "2026-12-04"),
    ("N_DAYS_AGO:3", "2026-11-23", "2026-11-24"),
    ("LAST_N_WEEKS:2", "2026-11-08", "2026-11-22"),
    ("NEXT_N_WEEKS:1", "2026-11-29", "2026-12-06"),
    ("N_WEEKS_AGO:1", "2026-11-15", "2026-11-22"),
    ("LAST_N_MONTHS:2", "2026-09-01", "2026-11-01"),
    ("N_MONTHS_AGO:11", "2025-12-01", "2026-01-01"),
    ("NEXT_N_QUARTERS:2", "2027-01-01", "2027-07-01"),
    ("N_QUARTERS_AGO:1", "2026-07-01", "2026-10-01"),
    ("LAST_N_YEARS:2", "2024-01-01", "2026-01-01"),
    ("N_FISCAL_YEARS_AGO:1", "2025-01-01", "2026-01-01"),
    ("LAST_N_FISCAL_QUARTERS:1", "2026-07-01", "2026-10-01"),
]


@pytest.mark.parametrize(("word", "first", "after"), PERIODS)
def test_a_literal_stands_for_its_days(word: str, first: str, after: str) -> None:
    assert period(word, THURSDAY) == (first, after)
