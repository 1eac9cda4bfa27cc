"""Parquet files: rows by column, with values as JSON has them, and a position in rows."""

import gzip
import io
import os
import sys
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfmap.engine.mapping.values.record import Json
from sfmap.engine.sources.event_source import SourceFailed
from sfmap.engine.sources.extras import ExtraMissing
from sfmap.engine.sources.formats.compression import unpacked
from sfmap.engine.sources.formats.parquet_rows import ParquetRows
from sfmap.engine.sources.row_values import Absent, json_value
from sfmap.engine.sources.rows import FileDamaged, WrongShape

READER = ParquetRows(name="a.parquet")
TABLE = pa.table({"number": range(9_000), "text": [f"text {n}" if n % 3 else None for n in range(9_000)]})


def written(table: pa.Table, group: int = 2_500) -> bytes:
    data = io.BytesIO()
    pq.write_table(table, data, row_group_size=group, write_page_checksum=True, store_schema=True)
    return data.getvalue()


def values(column: pa.Array, reader: ParquetRows = READER) -> list[Json]:
    data = written(pa.table({"x": column, "n": range(len(column))}))
    return [(row.values or {}).get("x") for row in reader.rows(io.BytesIO(data))]


def test_rows_have_their_columns_and_numbers() -> None:
    rows = list(READER.rows(io.BytesIO(written(TABLE))))
    assert [row.values for row in rows[:2]] == [{"number": 0}, {"number": 1, "text": "text 1"}]
    assert [(row.end, row.line, row.raw, row.problem) for row in rows] == [
        (n, n, b"", "") for n in range(1, 9_001)
    ]
    assert rows[6].place == "#7"


@pytest.mark.parametrize("offset", [0, 1, 1_999, 2_000, 2_499, 2_500, 2_501, 5_000, 8_999, 9_000, 9_001])
def test_reading_continues_after_any_row(offset: int) -> None:
    data = written(TABLE)
    assert list(READER.rows(io.BytesIO(data), offset)) == list(READER.rows(io.BytesIO(data)))[offset:]


NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
COLUMNS: dict[str, tuple[pa.Array, list[Json]]] = {
    "text": (pa.array(["ä", None, ""]), ["ä", None, ""]),
    "large text": (pa.array(["ä"], pa.large_string()), ["ä"]),
    "dictionary": (pa.array(["a", None, "a"]).dictionary_encode(), ["a", None, "a"]),
    "integers": (pa.array([1, -(2**63), None]), [1, -(2**63), None]),
    "large integers": (pa.array([2**64 - 1], pa.uint64()), [2**64 - 1]),
    "floats": (pa.array([0.5, float("nan"), float("inf"), -float("inf"), None]), [0.5, None, None, None, None]),
    "booleans": (pa.array([True, False, None]), [True, False, None]),
    "decimals": (pa.array([Decimal("1.10"), Decimal("7.00"), None]), [1.1, 7, None]),
    "dates": (pa.array([date(2026, 1, 31), None]), ["2026-01-31", None]),
    "times of day": (pa.array([time(1, 2, 3, 4)]), ["01:02:03.000004"]),
    "times": (
        pa.array([NOON, NOON + timedelta(microseconds=1), datetime(1969, 1, 1, tzinfo=UTC), None]),
        ["2026-01-01T12:00:00Z", "2026-01-01T12:00:00.000001Z", "1969-01-01T00:00:00Z", None],
    ),
    "times of another zone": (
        pa.array([NOON], pa.timestamp("ms", "Europe/Berlin")),
        ["2026-01-01T12:00:00Z"],
    ),
    "times of no zone": (pa.array([NOON.replace(tzinfo=None)], pa.timestamp("s")), ["2026-01-01T12:00:00Z"]),
    "nanoseconds": (pa.array([1_500, -1], pa.timestamp("ns", "UTC")), ["1970-01-01T00:00:00.000001Z"]),
    "far times": (pa.array([253_402_300_800], pa.timestamp("s", "UTC")), ["10000-01-01T00:00:00Z"]),
    "lists": (pa.array([[1, None], [], None]), [[1, None], [], None]),
    "lists of times": (
        pa.array([[1_500]], pa.list_(pa.timestamp("ns", "UTC"))),
        [["1970-01-01T00:00:00.000001Z"]],
    ),
    "objects": (
        pa.array([{"a": {"b": [{"c": NOON}]}, "d": None}, None]),
        [{"a": {"b": [{"c": "2026-01-01T12:00:00Z"}]}, "d": None}, None],
    ),
    "maps": (pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64())), [{"a": 1}]),
    "binary": (pa.array([b"\0"]), [None]),
    "nothing": (pa.nulls(2), [None, None]),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_values_are_those_of_json(name: str) -> None:
    column, expected = COLUMNS[name]
    assert values(column)[: len(expected)] == expected


def test_times_of_no_zone_are_those_of_the_stated_zone() -> None:
    column = pa.array([NOON.replace(tzinfo=None)])
    assert values(column, ParquetRows(name="a", zone=ZoneInfo("Europe/Berlin"))) == ["2026-01-01T11:00:00Z"]
    far = pa.array([253_402_300_800], pa.timestamp("s"))
    assert values(far, ParquetRows(name="a", zone=ZoneInfo("Europe/Berlin"))) == ["10000-01-01 00:00:00.000000"]


TIMES = st.datetimes(datetime(1678, 1, 1), datetime(2261, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC))


@given(st.lists(TIMES | st.none(), min_size=1))
def test_times_mean_the_same_as_those_of_a_database(times: list[datetime | None]) -> None:
    assert values(pa.array(times, pa.timestamp("us", "UTC"))) == list(as_json(times))


@given(st.lists(st.floats() | st.none(), min_size=1))
def test_numbers_mean_the_same_as_those_of_a_database(numbers: list[float | None]) -> None:
    assert values(pa.array(numbers, pa.float64())) == list(as_json(numbers))


def as_json(given: Iterable[object]) -> Iterable[Json]:
    for value in map(json_value, given):
        yield None if isinstance(value, Absent) else value


def test_a_cut_file_says_so() -> None:
    data = written(TABLE)
    for cut in (data[:-1], data[:100], data[:5]):
        with pytest.raises(FileDamaged, match="ends before its list of columns and rows"):
            list(READER.rows(io.BytesIO(cut)))


def test_a_damaged_page_is_noticed_after_the_rows_before_it() -> None:
    data = bytearray(written(TABLE))
    place = pq.ParquetFile(io.BytesIO(data)).metadata.row_group(2).column(0).dictionary_page_offset
    data[place + 400] ^= 0x10
    rows = READER.rows(io.BytesIO(data))
    assert [next(rows).line for _ in range(5_000)] == list(range(1, 5_001))
    with pytest.raises(FileDamaged, match="is damaged"):
        next(rows)
    data = bytearray(written(TABLE))
    data[-60] ^= 0x7F
    data[-5] = 1
    with pytest.raises(FileDamaged, match="is damaged"):
        list(READER.rows(io.BytesIO(data)))


def test_a_failure_of_the_store_stays_one() -> None:
    with pytest.raises(SourceFailed, match="gone") as failed:
        list(READER.rows(_Failing(written(TABLE))))
    assert not isinstance(failed.value, FileDamaged)


class _Failing(io.BytesIO):
    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell() < 1_000 and size and size > 8:
            raise SourceFailed("gone")
        return super().read(size)


def test_pipes_and_packed_files_are_refused() -> None:
    out, into = os.pipe()
    os.close(into)
    with open(out, "rb") as pipe:
        for stream in (pipe, unpacked(io.BytesIO(gzip.compress(written(TABLE))), "a")):
            with pytest.raises(WrongShape, match="unpack it into a file first"):
                list(READER.rows(stream))


def test_a_missing_library_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.BytesIO(written(TABLE))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ExtraMissing, match=r"cannot read a.parquet: this needs sfmap\[tables\]"):
        list(READER.rows(stream))


def test_rows_of_many_bytes_are_read_a_few_at_a_time() -> None:
    table = pa.table({"x": [os.urandom(500_000).hex() for _ in range(40)]})
    assert [row.line for row in READER.rows(io.BytesIO(written(table)))] == list(range(1, 41))
