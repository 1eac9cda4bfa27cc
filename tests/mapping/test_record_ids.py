"""Record ids of either length."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfmap.engine.local_org.records.ids import full_id
from sfmap.engine.mapping.values.values import full_record_id

# Pairs from public documentation of the two forms.
PAIRS = [("00130000000ibMC", "00130000000ibMCAAY"), ("001D000000IRFma", "001D000000IRFmaIAH")]


@pytest.mark.parametrize(("short", "whole"), PAIRS)
def test_full_id(short: str, whole: str) -> None:
    assert full_record_id(short) == whole
    assert full_record_id(whole) == whole


@pytest.mark.parametrize(
    "text",
    [
        *("", "001", "001D000000IRFm!", "001D000000IRFmaI"),
        *("001d000000irfmaiah", "001D000000IRFMAIAH", "001D000000IRFmaiah", "001D000000IRFmaIAI"),
    ],
)
def test_no_id(text: str) -> None:
    assert full_record_id(text) is None


@given(st.from_regex(r"[A-Za-z0-9]{15}", fullmatch=True))
def test_the_local_org_agrees(short: str) -> None:
    assert full_record_id(short) == full_id(short)
