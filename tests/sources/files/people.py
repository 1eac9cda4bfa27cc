"""The same people in each shape and store, and the sources that read them."""

import bz2
import gzip
import io
import json
import lzma
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
from backports import zstd

Person = dict[str, str]
BOM = b"\xef\xbb\xbf"
COLUMNS = ("id", "email", "last_name", "company", "city")
ROWS = """\
event: {type: identify, messageId: id, opt_in: true, except: [number]}
"""


def people(count: int) -> list[Person]:
    """Events of people, of whom each third comes again with another city."""
    found = []
    for number in range(count):
        who = number if number % 3 else number // 2
        found.append(
            {
                "id": f"m{number:06}",
                "email": f"person{who}@example.com",
                "last_name": f'Ó "{who}"',
                "company": "Brace } and { Sons",
                "city": f"City {number}",
            }
        )
    return found


def event(person: Person) -> dict[str, object]:
    traits = {"email": person["email"], "lastName": person["last_name"], "company": person["company"]}
    return {
        "type": "identify",
        "messageId": person["id"],
        "traits": {**traits, "city": person["city"]},
        "integrations": {"Salesforce": True},
    }


def lines(those: list[Person]) -> bytes:
    return b"".join(json.dumps(event(one), ensure_ascii=False).encode() + b"\n" for one in those)


def joined(those: list[Person], between: str, indent: int | None = None) -> bytes:
    return between.join(json.dumps(event(one), indent=indent) for one in those).encode()


def members(those: list[Person], size: int, pack: Callable[[bytes], bytes]) -> bytes:
    return b"".join(pack(lines(those[start : start + size])) for start in range(0, len(those), size))


def table(those: list[Person], delimiter: str, encoding: str) -> bytes:
    def quoted(text: str) -> str:
        return '"' + text.replace('"', '""') + '"'

    head = delimiter.join(COLUMNS)
    rows = [delimiter.join(quoted(one[name]) for name in COLUMNS) for one in those]
    return "\r\n".join([head, *rows, ""]).encode(encoding)


def zipped(those: list[Person]) -> bytes:
    """Hours as Amplitude exports them: each packed again."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for hour, start in enumerate(range(0, len(those), 1_500)):
            archive.writestr(f"export/hour-{hour}.json.gz", gzip.compress(lines(those[start : start + 1_500])))
    return out.getvalue()


def parquet(those: list[Person]) -> bytes:
    out = io.BytesIO()
    columns = {name: pa.array([one[name] for one in those]) for name in COLUMNS}
    pq.write_table(pa.table(columns), out, row_group_size=1_700)
    return out.getvalue()


@dataclass(frozen=True)
class Shape:
    content: Callable[[list[Person]], bytes]
    keys: str = ""
    """Of its source, beside `files`."""


SHAPES = {
    "lines": Shape(lines),
    "lines with CRLF and a byte order mark": Shape(
        lambda those: b"\xef\xbb\xbf" + lines(those).replace(b"\n", b"\r\n")
    ),
    "gzip": Shape(lambda those: gzip.compress(lines(those))),
    "gzip of many members": Shape(lambda those: members(those, 700, gzip.compress)),
    "zstd": Shape(lambda those: zstd.compress(lines(those))),
    "zstd of many frames": Shape(lambda those: members(those, 700, zstd.compress)),
    "bzip2": Shape(lambda those: bz2.compress(lines(those))),
    "xz": Shape(lambda those: lzma.compress(lines(those))),
    "array": Shape(lambda those: b"[" + joined(those, ",\n") + b"]"),
    "array, packed": Shape(lambda those: gzip.compress(b"[" + joined(those, ",") + b"]")),
    "pretty-printed": Shape(lambda those: joined(those, "\n", indent=2)),
    "concatenated": Shape(lambda those: joined(those, "")),
    "batch": Shape(lambda those: b'{"batch": [' + joined(those, ", ") + b"]}"),
    "zip": Shape(zipped),
    "CSV": Shape(lambda those: table(those, ",", "utf-8"), ROWS),
    "CSV with semicolons": Shape(lambda those: table(those, ";", "utf-8-sig"), ROWS),
    "TSV in UTF-16, as Excel writes it": Shape(lambda those: table(those, "\t", "utf-16"), ROWS),
    "Parquet": Shape(parquet, ROWS),
}


def fill_sqlite(path: Path, those: list[Person]) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"CREATE TABLE people (number INTEGER PRIMARY KEY, {' TEXT, '.join(COLUMNS)} TEXT)")
        connection.executemany(
            "INSERT INTO people VALUES (?, ?, ?, ?, ?, ?)",
            [(number, *one.values()) for number, one in enumerate(those)],
        )
        connection.commit()


def fill_postgres(url: str, those: list[Person]) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(
            f"CREATE TABLE people (number int PRIMARY KEY, {' text, '.join(COLUMNS)} text)".encode()
        )
        connection.cursor().executemany(
            "INSERT INTO people VALUES (%s, %s, %s, %s, %s, %s)",
            [(number, *one.values()) for number, one in enumerate(those)],
        )
