"""The CSV of bulk jobs: UTF-8, commas, LF, and quotes around what needs them."""

import csv
import re
from collections.abc import Generator, Iterator, Sequence
from io import TextIOWrapper
from typing import BinaryIO

_NEEDS_QUOTES = re.compile(r'[",\r\n]|\A | \Z')
"""Spaces at an end are part of a value; quoted, every reader agrees about that."""


class DamagedCsv(Exception):
    """CSV that is cut short or damaged; the message says how."""


def csv_line(cells: Sequence[str]) -> bytes:
    """The cells as a line, with its end."""
    line = ",".join(cells)
    if line.count(",") >= len(cells) or not _is_plain(line):
        line = ",".join(map(_cell, cells))
    return f"{line}\n".encode()


def _is_plain(line: str) -> bool:
    """Whether no cell needs quotes: to see that of a whole line takes a fraction of the time."""
    has_marks = '"' in line or "\n" in line or "\r" in line
    return not (has_marks or " ," in line or ", " in line or line.startswith(" ") or line.endswith(" "))


def _cell(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if _NEEDS_QUOTES.search(text) else text


def read_csv(file: BinaryIO) -> Generator[list[str], None, None]:
    """The header and the rows, which all have its length; nothing for an empty file. Raises `DamagedCsv`.

    The file stays open.
    """
    file.seek(0)
    text = TextIOWrapper(file, "utf-8-sig", newline="")
    try:
        yield from _rows(csv.reader(text, strict=True))
    except (csv.Error, UnicodeDecodeError) as error:
        raise DamagedCsv(str(error)) from None
    finally:
        text.detach()


def _rows(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    header = next(reader, None)
    if header is None:
        return
    yield header
    for row in reader:
        if len(row) != len(header) and row:
            raise DamagedCsv(f"a row of {len(row)} cells below {len(header)} columns")
        if row:
            yield row
