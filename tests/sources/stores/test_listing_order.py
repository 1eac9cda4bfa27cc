"""The order of listed files."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfmap.engine.sources.stored_files import StoredFile
from sfmap.engine.sources.stores.listing_order import FileOrder, in_order, name_key

ORDERED = {
    "digits are numbers": "a1 a2 a10 a11b1 a11b02 b",
    "folders are compared one by one": "a/z a1/a a-b/a",
    "leading zeros are no difference until the end": "a1/b a01/c a1/d",
    "ISO dates and hours": "day=2025-12-31/hr=9/a day=2026-01-01/hr=0/a day=2026-01-01/hr=10/a",
    "Segment's days, over all sources": (
        "x/segment-logs/zz/946684800000/a.gz segment-logs/a/1767225600000/2.gz "
        "segment-logs/a/1767225600000/10.gz segment-logs/b/1767225600000/1.gz segment-logs/a/1767312000000/1.gz"
    ),
    "RudderStack's days in both spellings": (
        "rudder-logs/s/12-31-2024/1.json.gz rudder-logs/s/2025-02-01/2.json.gz "
        "rudder-logs/s/02-02-2025/3.json.gz rudder-logs/s/01-01-2026/4.json.gz"
    ),
    "RudderStack's seconds, over all sources": (
        "rudder-logs/b/2026-01-01/1767225600.b.u1.json.gz rudder-logs/a/2026-01-01/1767225601.a.u2.json.gz"
    ),
    "a copy of RudderStack's folders": (
        "copy/12-31-2025/1767139200.s.u.json.gz copy/01-01-2026/1767225600.s.u.json.gz"
    ),
    "other folders that look like days stay text": "01-01-2026/a.csv 12-31-2025/a.csv",
    "no day of a calendar": "rudder-logs/s/13-32-2025/a rudder-logs/s/01-01-2020/a",
    "other files come first": "zz segment-logs/s/1767225600000/a",
}


@pytest.mark.parametrize("names", ORDERED.values(), ids=ORDERED)
def test_order_by_name(names: str) -> None:
    expected = names.split()
    files = [StoredFile(name=name) for name in reversed(expected)]
    assert [file.name for file in in_order(files, FileOrder.NAME)] == expected


def test_order_by_time_modified() -> None:
    files = [StoredFile(name=name, modified=modified) for name, modified in [("c", 2), ("b10", 1), ("b9", 1)]]
    assert [file.name for file in in_order(files, FileOrder.MODIFIED)] == ["b9", "b10", "c"]


PART = st.one_of(
    st.sampled_from(["segment-logs", "rudder-logs", "01-02-2026", "2026-01-02", "1767225600000", "²", "٣", ""]),
    st.text(max_size=6),
    st.integers(0, 10**20).map(str),
)
NAMES = st.lists(PART, max_size=5).map("/".join)


@given(st.lists(NAMES, unique=True), st.randoms(use_true_random=False))
def test_every_name_has_one_place(names: list[str], random: Random) -> None:
    ordered = sorted(names, key=name_key)
    shuffled = names.copy()
    random.shuffle(shuffled)
    assert sorted(shuffled, key=name_key) == ordered
    assert len({name_key(name) for name in names}) == len(names)


@given(st.text(alphabet="ab/-", max_size=5), st.integers(0, 10**30), st.integers(0, 10**30), st.integers(0, 5))
def test_numbers_are_ordered_as_numbers(before: str, one: int, other: int, zeros: int) -> None:
    keys = [name_key(f"{before}{'0' * zeros}{one}x"), name_key(f"{before}{other}x")]
    if one != other:
        assert (keys[0] < keys[1]) == (one < other)
