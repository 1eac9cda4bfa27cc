"""Record ids of the local org: prefix, order, suffix."""

import pytest

from sfmap.engine.local_org.records.ids import full_id, new_id

# Pairs from public pages about the two forms.
PAIRS = [
    ("00130000000ibMC", "00130000000ibMCAAY"),
    ("001D000000IRFma", "001D000000IRFmaIAH"),
    ("a0D30000001n7Pi", "a0D30000001n7PiEAI"),
    ("50130000000014c", "50130000000014cAAA"),
    ("50130000000014C", "50130000000014CAAQ"),
]
NONE = [
    *("", "001", "001D000000IRFm!", "001D000000IRFmaI", "001D000000IRFmaIAH ", "001D000000IRFm\u0661"),
    *("001d000000irfmaiah", "001D000000IRFMAIAH", "001D000000IRFmaiah", "001D000000IRFmaIAI"),
]


@pytest.mark.parametrize(("short", "whole"), PAIRS)
def test_both_forms_of_an_id(short: str, whole: str) -> None:
    assert full_id(short) == whole
    assert full_id(whole) == whole


@pytest.mark.parametrize("text", NONE)
def test_texts_that_are_not_ids(text: str) -> None:
    assert full_id(text) is None


def test_ids_ascend_with_their_numbers() -> None:
    ids = [new_id("00Q", number) for number in (1, 9, 10, 61, 62, 3843, 3844, 10**9)]
    assert ids == sorted(ids)
    assert all(len(one) == 18 and one.startswith("00Q") and full_id(one) == one for one in ids)
