"""Record ids: prefix, order, check characters."""

import pytest

from sfmap.engine.local_org.ids import new_id
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


def test_ids_ascend_with_their_numbers() -> None:
    ids = [new_id("00Q", number) for number in (1, 9, 10, 61, 62, 3843, 3844, 10**9)]
    assert ids == sorted(ids)
    assert all(len(one) == 18 and one.startswith("00Q") for one in ids)
