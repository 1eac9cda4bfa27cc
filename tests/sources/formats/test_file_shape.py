"""What a file holds is found out from how it begins, never from its name."""

import io
import sqlite3
import tarfile
import zipfile
from pathlib import Path

import pytest

from sfmap.engine.sources.formats.csv_rows import CsvRows
from sfmap.engine.sources.formats.file_shape import HEAD, detect
from sfmap.engine.sources.formats.format_options import FormatOptions
from sfmap.engine.sources.formats.json_lines import JsonLines
from sfmap.engine.sources.formats.json_objects import JsonObjects
from sfmap.engine.sources.formats.parquet_rows import ParquetRows
from sfmap.engine.sources.rows import WrongShape

EVENT = '{"type":"identify","userId":"u1"}'
PRETTY = '{\n  "type": "identify",\n  "items": [\n    {"a": 1},\n    {"b": 2}\n  ]\n}\n'

LINES = [
    "",
    " \n\n",
    EVENT,
    f"{EVENT}\n{EVENT}\n",
    f"\ufeff\n{EVENT}\r\n",
    f'{EVENT}\n{{"type": "identify", broken\n',
    f'{{"type": "identify", broken\n{EVENT}\n',
    f'{{"type": "identify"}} x\n{EVENT}\n',
    '{"type": "identify"\n',
    '{"type": "identify",\n{"type": "identify",\n',
    "{\n",
    "{}\n}\n",
    "[{}]\n{}\n",
    f"null\n{EVENT}\n",
    f"not, json\n{EVENT}\n",
    "no JSON at all\nand no CSV\n",
    '"\n',
    "{",
    '{"a": "' + "x" * HEAD,
    f"{EVENT}\n" * 3_000,
    '{"type":"identify","batch":[{}]}\n{"a":1}\n',
    "\x00\x01\n" + f"{EVENT}\n" * 9,
]
OBJECTS = [
    "[",
    "[]",
    "\ufeff[\n",
    f"[{EVENT}]",
    f"[\n{EVENT},\n{EVENT}\n]\n",
    f"[{EVENT}]\n[{EVENT}]\n",
    PRETTY,
    PRETTY * 2_000,
    '{\n"type": "identify",\n',
    f"{EVENT}{EVENT}",
    f"{EVENT} {EVENT}\n",
    f"{EVENT},\n{EVENT},\n",
    f'{{"batch": [{EVENT}]}}',
    f'{{"batch": [{EVENT}]}}\n{{"batch": [{EVENT}]}}\n',
    '{"sentAt": "2026", "batch": [' + f"{EVENT}," * 3_000,
]
TABLES = [
    "a,b\n1,2\n",
    "a;b\n1;2\n",
    "\ufeffa\tb\n1\t2\n",
    "sep=,\na,b\n",
    "a,b\n" * 30_000,
    'a,b\n1,"2\n3"\n4,5\n',
    # a header, and nothing or little that fits it
    "a,b",
    "type,traits.email\n",
    'a,b\n1,"2\n3,4\n',
    'a,b,c\n1,2,3\n1,"2,3\n1,2,3\n',
    "a,b,c\n1,2\n1,2,3,4\n1,2,3\n",
]


@pytest.mark.parametrize("text", LINES, ids=range(len(LINES)))
def test_lines(text: str) -> None:
    assert isinstance(detected(text.encode()), JsonLines)


@pytest.mark.parametrize("text", OBJECTS, ids=range(len(OBJECTS)))
def test_objects(text: str) -> None:
    assert detected(text.encode()) == JsonObjects()


@pytest.mark.parametrize("text", TABLES, ids=range(len(TABLES)))
def test_tables(text: str) -> None:
    assert isinstance(detected(text.encode()), CsvRows)


def detected(data: bytes, stated: str = "") -> object:
    return detect(data[:HEAD], "a.json", FormatOptions(format=stated))


def test_parquet() -> None:
    assert detected(b"PAR1\x15\x04") == ParquetRows(name="a.json")


def test_what_is_stated_counts() -> None:
    assert detected(b"email\na@b.co\n", "ndjson") == JsonLines()
    assert detected(EVENT.encode(), "json") == JsonObjects()
    assert isinstance(detected(b"a\n", "csv"), CsvRows)


def test_a_first_line_that_may_be_a_header_is_said() -> None:
    assert detected(b"email\na@b.co\n") == JsonLines(hint="if this is CSV of one column, read it with format: csv")
    assert detected(b"email\n") == detected(b"x: y\nz\n") == JsonLines()


def archive(name: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        file.writestr(name, EVENT)
    return data.getvalue()


def tar() -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as file:
        file.addfile(tarfile.TarInfo("a.json"))
    return data.getvalue()


def sqlite(folder: Path) -> bytes:
    connection = sqlite3.connect(folder / "a.db")
    connection.execute("create table a (b)")
    connection.close()
    return (folder / "a.db").read_bytes()


UNPACK = "unpack it first"
PICTURE = "it is a picture: name a file of events"
FOREIGN = {
    EVENT.encode("utf-16"): "it is JSON in UTF-16: save it as UTF-8",
    f"[{EVENT}]".encode("utf-16-be"): "it is JSON in UTF-16: save it as UTF-8",
    "<a/>".encode("utf-16"): "it is XML or HTML in UTF-16: save it as UTF-8",
    "email\tname\na@b.co\tAnn\n".encode("utf-16-le"): (
        "it is UTF-16 without a byte order mark: save it as UTF-8, or say csv: {encoding: utf-16-le}"
    ),
    "email;name\na@b.co;Jürgen\n".encode("windows-1252"): (
        "its text is not UTF-8: if it comes from Excel, say csv: {encoding: windows-1252}"
    ),
    b"email,name\ra@b.co,Ann\r": "its lines end with CR alone: save it as CSV UTF-8",
    b'\xef\xbb\xbf\n<?xml version="1.0"?><a/>': "it is XML: convert it to NDJSON or CSV",
    b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>": (
        "it is an error message (XML) instead of a file: look into it, and check its address and keys"
    ),
    b"<!DOCTYPE html><html><body>Sign in</body></html>": (
        "it is a web page (HTML), perhaps one to sign in: check its address, and whether that needs a key"
    ),
    archive("a.json"): f"it is a zip file in a pipe or in another file: {UNPACK}",
    tar(): f"it is a tar archive: {UNPACK}",
    b"\x1f\x8b\x08\0" + bytes(20): f"it is packed too often (with gzip at last): {UNPACK}",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500): (
        "it is an old Office document, such as an Excel file (.xls): save it as CSV UTF-8"
    ),
    b"Obj\x01\x04\x14avro.codec": "it is an Avro file: convert it to Parquet or NDJSON",
    b"ORC\n\x1d\n\0\0\x01\x02\x03" * 9: "it is an ORC file: convert it to Parquet or NDJSON",
    b"PARE\x15\x04": "it is an encrypted Parquet file: write it without encryption",
    b"%PDF-1.7\n": "it is a PDF document: export the data as CSV",
    b"\x89PNG\r\n\x1a\n\0": PICTURE,
    b"\xff\xd8\xff\xe0\0\x10JFIF": PICTURE,
    b"\x04\x22\x4d\x18d": f"it is packed with lz4: {UNPACK}",
    bytes(range(256)) * 9: "it is binary data of an unknown kind: name a file of events",
    b"web\t2026-01-01 10:00:00.000" + b"\t" * 130 + b"\n": (
        "it is without a header and as wide as Snowplow's enriched events (TSV):"
        " convert them to JSON with Snowplow's analytics SDK"
    ),
}


@pytest.mark.parametrize("data", FOREIGN, ids=[said[:40] for said in FOREIGN.values()])
def test_a_file_without_events_is_named_and_what_to_do(data: bytes) -> None:
    with pytest.raises(WrongShape) as refused:
        detected(data)
    assert refused.value.message == f"cannot read a.json: {FOREIGN[data]}"


def test_a_database_is_to_be_queried(tmp_path: Path) -> None:
    with pytest.raises(WrongShape, match="it is a SQLite database: query it as a source with sql:"):
        detected(sqlite(tmp_path))


@pytest.mark.parametrize(
    ("data", "stated", "said"),
    [
        (b"PAR1", "csv", "it is Parquet, not csv: leave out the format"),
        (b"a,b\n", "parquet", "it is not Parquet: leave out the format"),
        (b"%PDF-1.7", "ndjson", "it is a PDF document"),
        (b'{"traits": {"email": "a@x.co"}}\n{"traits": {}}\n', "csv", "it is JSON, not csv: leave out the format"),
        (b'\xef\xbb\xbf[{"traits":\n{}}]', "csv", "it is JSON, not csv: leave out the format"),
        (b"email,name\na@x.co,Ann\n", "ndjson", "it is CSV, not ndjson: leave out the format"),
        (b"email,name\na@x.co,Ann\n", "json", "it is CSV, not json: leave out the format"),
    ],
)
def test_what_is_stated_cannot_make_one_of_the_other(data: bytes, stated: str, said: str) -> None:
    with pytest.raises(WrongShape, match=f"cannot read a.json: {said}"):
        detected(data, stated)


@pytest.mark.parametrize("stated", ["ndjson", "json"])
@pytest.mark.parametrize("data", [b"", b"\n\n", b"{broken\n{broken\n", b"nothing\n"])
def test_what_may_be_damaged_json_is_read_as_what_is_stated(data: bytes, stated: str) -> None:
    assert isinstance(detected(data, stated), JsonLines | JsonObjects)


def test_a_wide_table_with_a_header_is_a_table() -> None:
    data = "\t".join(f"c{n}" for n in range(131)) + "\n" + "\t".join("2026-01-01 10:00" for _ in range(131)) + "\n"
    assert isinstance(detected(data.encode()), CsvRows)
