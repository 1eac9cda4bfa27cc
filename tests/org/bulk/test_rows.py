"""Records as rows, and rows as CSV: what other readers make of them, and which record only a call can carry."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfmap.engine.org.bulk_data import BulkData
from sfmap.engine.org.bulk_port import LARGEST_JOB, BulkOperation, Load
from sfmap.engine.org.bulk_rows import BulkRow, RowMaker, Unsendable
from sfmap.engine.org.port import FieldDescription, ObjectDescription, RecordWrite, Reference, Value

USUAL = FieldDescription(
    name="",
    label="",
    type="string",
    length=255,
    createable=True,
    updateable=True,
    nillable=True,
    defaulted_on_create=False,
    id_lookup=False,
    external_id=False,
    restricted_picklist=False,
)
FIELDS = (
    *(replace(USUAL, name=name) for name in ("Id", "A__c", "B__c", "C__c", "Key__c")),
    replace(USUAL, name="File", type="base64"),
    replace(USUAL, name="Flag__c", type="boolean", defaulted_on_create=True),
    replace(USUAL, name="WhoId", type="reference", relationship_name="Who", reference_to=("Person", "Prospect")),
    replace(USUAL, name="AboutId", type="reference", relationship_name="About", reference_to=("Person",)),
)
THING = ObjectDescription(
    name="Thing",
    label="Thing",
    key_prefix="a00",
    createable=True,
    updateable=True,
    fields={field.name: field for field in FIELDS},
)
RECORD = "a00000000000001AAA"


def load(operation: BulkOperation) -> Load:
    return Load(operation=operation, object_name="Thing", external_id="Key__c" if operation == "upsert" else "")


def made(write: RecordWrite, operation: BulkOperation = "create") -> BulkRow | Unsendable:
    return RowMaker(load(operation), THING).row(write)


def row(write: RecordWrite, operation: BulkOperation = "create") -> BulkRow:
    found = made(write, operation)
    assert isinstance(found, BulkRow), found
    return found


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        (" a ", " a "),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (-12, "-12"),
        (1e21, "1000000000000000000000"),
        (1e-7, "0.0000001"),
        ("2026-01-02T03:04:05.000Z", "2026-01-02T03:04:05.000Z"),
    ],
)
def test_values_are_written_as_calls_write_them(value: Value, text: str) -> None:
    assert row(RecordWrite({"A__c": value})).cells == {"A__c": text}


def test_a_row_has_the_id_the_values_the_parents_and_what_is_emptied() -> None:
    write = RecordWrite(
        {"a__C": 1},
        clear=("B__c", "WhoId"),
        id=RECORD,
        references={"Who": Reference("Prospect", "Email", "x@y.z"), "About": Reference("Person", "Key__c", 7)},
    )
    assert row(write, "update").cells == {
        "Id": RECORD,
        "A__c": "1",
        "Prospect:Who.Email": "x@y.z",
        "About.Key__c": "7",
        "B__c": "#N/A",
        "WhoId": "#N/A",
    }
    assert row(write, "delete").cells == {"Id": RECORD}


@pytest.mark.parametrize(
    ("write", "operation", "why"),
    [
        (RecordWrite({"A__c": "#N/A"}), "create", "#N/A"),
        (RecordWrite({"A__c": " #n/a"}), "create", "#N/A"),
        (RecordWrite({"A__c": ""}), "create", "empty text"),
        (RecordWrite({}, references={"About": Reference("Person", "Key__c", "")}), "create", "empty text"),
        (RecordWrite({"A__c": math.inf}), "create", "number"),
        (RecordWrite({"A__c": "a\0b"}), "create", "U+0000"),
        (RecordWrite({"A__c": "a\ud800b"}), "create", "U+D800"),
        (RecordWrite({"Nope__c": 1}), "create", "no field Nope__c"),
        (RecordWrite({"A__c": 1, "a__c": 2}), "create", "A__c is written twice"),
        (RecordWrite({"File": "AAAA"}), "create", "a file"),
        (RecordWrite({}, references={"Nobody": Reference("Person", "Key__c", 1)}), "create", "Nobody"),
        (RecordWrite({}), "create", "no value"),
        (RecordWrite({"A__c": 1}), "update", "no Id"),
        (RecordWrite({"A__c": 1}), "upsert", "no Key__c"),
        (RecordWrite({"A__c": 1}, clear=("Key__c",)), "upsert", "no Key__c"),
        (RecordWrite({"A__c": "x" * 131_073}), "create", "131,072"),
        (RecordWrite(dict.fromkeys(("A__c", "B__c", "C__c", "Key__c"), "😀" * 65536)), "create", "400,000"),
    ],
)
def test_some_records_only_a_call_can_carry(write: RecordWrite, operation: BulkOperation, why: str) -> None:
    found = made(write, operation)
    assert isinstance(found, Unsendable)
    assert why in found.reason


@pytest.mark.parametrize(
    ("operation", "one", "other", "is_same"),
    [
        ("update", {"Id": "a00000000000001"}, {"Id": RECORD, "A__c": "x"}, True),
        ("update", {"Id": "a00000000000001"}, {"Id": "A00000000000001"}, False),
        ("upsert", {"Key__c": "Straße"}, {"Key__c": " STRASSE"}, True),
        ("upsert", {"Key__c": "a"}, {"Key__c": "b"}, False),
        ("create", {"A__c": "x\r\ny", "B__c": "z"}, {"B__c": "z", "A__c": "x\ny"}, True),
        ("create", {"A__c": "x"}, {"A__c": "X"}, False),
        ("create", {"A__c": "x"}, {"B__c": "x"}, False),
        ("create", {"A__c": "x", "B__c": "y"}, {"A__c": "xB__cy"}, False),
    ],
)
def test_keys_are_equal_where_the_org_sees_one_record(
    operation: BulkOperation, one: Mapping[str, Value], other: Mapping[str, Value], is_same: bool
) -> None:
    def key(fields: Mapping[str, Value]) -> bytes:
        values = {name: value for name, value in fields.items() if name != "Id"}
        record = fields.get("Id")
        return row(RecordWrite(values, id=str(record) if record else None), operation).key

    assert (key(one) == key(other)) == is_same


CELLS = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from('",\r\n\t "'), min_size=1)
TABLES = st.lists(
    st.dictionaries(st.sampled_from(["A__c", "B__c", "C__c", "Key__c"]), CELLS, min_size=1), min_size=1
)


def sendable(rows: Sequence[Mapping[str, str]]) -> list[BulkRow]:
    found = (made(RecordWrite(dict(fields))) for fields in rows)
    return [one for one in found if isinstance(one, BulkRow)]


@given(TABLES)
def test_other_readers_of_csv_read_the_same_cells(tables: list[dict[str, str]]) -> None:
    rows = sendable(tables)
    with BulkData(load("create")) as data:
        assert all(data.add(one) for one in rows)
        content = b"".join(data)
        assert b"".join(data) == content
        assert len(data) == len(content)
    read = list(csv.reader(io.StringIO(content.decode(), newline=""), strict=True))
    header, *lines = read or [[]]
    assert len(lines) == len(rows)
    assert all(len(line) == len(header) for line in lines)
    cells = [{name: text for name, text in zip(header, line, strict=True) if text} for line in lines]
    assert cells == [one.cells for one in rows]


@given(TABLES, st.integers(20, 400))
def test_no_job_is_larger_than_allowed(tables: list[dict[str, str]], most: int) -> None:
    """A row that alone is larger has a job of its own."""
    jobs: list[BulkData] = []
    for one in sendable(tables):
        if not jobs or not jobs[-1].add(one):
            jobs.append(BulkData(load("create"), most_bytes=most))
            assert jobs[-1].add(one)
    sizes = [len(b"".join(job)) for job in jobs]
    assert all(size <= most or job.rows == 1 for size, job in zip(sizes, jobs, strict=True))
    assert sum(job.rows for job in jobs) == len(sendable(tables))
    for job in jobs:
        job.close()


def test_one_job_has_one_row_for_a_record_but_equal_new_ones() -> None:
    update, create = (
        row(RecordWrite({"A__c": "x"}, id=RECORD), "update"),
        row(RecordWrite({"A__c": "x"})),
    )
    with BulkData(load("update")) as data:
        assert [data.add(update), data.add(update), data.rows] == [True, False, 1]
    with BulkData(load("create")) as data:
        assert [data.add(create), data.add(create), data.rows] == [True, True, 2]


def test_fields_with_a_default_are_in_all_rows_of_a_job_or_in_none() -> None:
    """Whether an empty cell leaves the default of a new record is not documented."""
    flagged, plain = row(RecordWrite({"A__c": 1, "Flag__c": True})), row(RecordWrite({"A__c": 1}))
    assert flagged.group != plain.group
    with BulkData(load("create")) as data:
        assert [data.add(flagged), data.add(plain), data.add(flagged)] == [True, False, True]
    changed = row(RecordWrite({"Flag__c": True}, id=RECORD), "update")
    assert changed.group == row(RecordWrite({"A__c": 1}, id=RECORD), "update").group


def test_a_header_is_not_longer_than_an_org_takes() -> None:
    names = [f"Field{number:04}__c" for number in range(3_000)]
    wide = replace(THING, fields={name: replace(USUAL, name=name) for name in names})
    maker = RowMaker(load("create"), wide)
    assert isinstance(maker.row(RecordWrite(dict.fromkeys(names, "x"))), Unsendable)
    rows = [maker.row(RecordWrite({name: "x"})) for name in names]
    with BulkData(load("create"), most_bytes=LARGEST_JOB) as data:
        added = sum(data.add(one) for one in rows if isinstance(one, BulkRow))
        header = b"".join(data).partition(b"\n")[0]
    assert 0 < added < len(names)
    assert len(header) <= 32_000
