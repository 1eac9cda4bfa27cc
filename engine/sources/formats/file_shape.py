"""Finds out what a file holds from how it begins, not from its name."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import orjson

from sfmap.engine.sources.formats.foreign_files import is_wide, refuse_foreign, refuse_wide
from sfmap.engine.sources.formats.format_options import USUAL_FORMAT, CsvOptions, FormatOptions
from sfmap.engine.sources.formats.json_lines import JsonLines
from sfmap.engine.sources.formats.json_structure import Brackets, batch_begins
from sfmap.engine.sources.rows import RowReader, WrongShape

# Other readers are imported for the files that they read.
if TYPE_CHECKING:
    from sfmap.engine.sources.formats.csv_rows import CsvRows

HEAD = 64 * 1024
"""How much of an unpacked file is looked at."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_PARQUET = b"PAR1"
_HEADER_OF_ONE = re.compile(rb"[A-Za-z_][\w \-.]{0,60}\r?\n")


def detect(head: bytes, name: str, options: FormatOptions = USUAL_FORMAT) -> RowReader:
    """The reader for a file whose unpacked bytes begin so: the first `HEAD` bytes, or less if it has no more.

    Raises `WrongShape` if it holds no events.
    """
    if head.startswith(_PARQUET):
        if options.format not in ("", "parquet"):
            raise WrongShape(f"cannot read {name}: it is Parquet, not {options.format}: leave out the format")
        from sfmap.engine.sources.formats.parquet_rows import ParquetRows

        return ParquetRows(name=name, zone=options.zone)
    if options.format == "parquet":
        raise WrongShape(f"cannot read {name}: it is not Parquet: leave out the format")
    refuse_foreign(head, name)
    if is_wide(head):
        refuse_wide(head, name)
    if not options.format and is_wide(head):
        return _stated_csv(head, name, options.csv)
    if not options.format:
        return _text(head, name, options.csv)
    _check_stated(head, name, options)
    if options.format == "csv":
        return _stated_csv(head, name, options.csv)
    return JsonLines() if options.format == "ndjson" else _json_objects()


def _json_objects() -> RowReader:
    from sfmap.engine.sources.formats.json_objects import JsonObjects

    return JsonObjects()


def _csv_rows(head: bytes, name: str, options: CsvOptions) -> "CsvRows | None":
    """How to read a CSV file that begins so; None if it is none. Raises `WrongShape`."""
    from sfmap.engine.sources.formats.csv_dialect import csv_rows

    return csv_rows(head, name, options, is_whole=len(head) < HEAD)


def _check_stated(head: bytes, name: str, options: FormatOptions) -> None:
    """Raises `WrongShape` for JSON said to be CSV, whose values would be names of columns, and for the reverse."""
    is_stated_csv = options.format == "csv"
    lines = _whole_lines(head.removeprefix(_BYTE_ORDER_MARK), is_whole=len(head) < HEAD)
    is_json = any(map(_is_object, lines)) or any(line.startswith((b"{", b"[")) for line in lines[:1])
    if is_stated_csv and is_json:
        raise WrongShape(f"cannot read {name}: it is JSON, not csv: leave out the format")
    if not is_stated_csv and not is_json and _csv_rows(head, name, options.csv):
        raise WrongShape(f"cannot read {name}: it is CSV, not {options.format}: leave out the format")


def _text(head: bytes, name: str, options: CsvOptions) -> RowReader:
    text = head.removeprefix(_BYTE_ORDER_MARK).lstrip()
    lines = _whole_lines(text, is_whole=len(head) < HEAD)
    if text.startswith((b"{", b"[")):
        return JsonLines() if _is_line_by_line(text, lines) else _json_objects()
    if any(map(_is_object, lines)):
        return JsonLines()
    if found := _csv_rows(head, name, options):
        return _checked(found, head, name)
    is_header = len(lines) > 1 and _HEADER_OF_ONE.fullmatch(lines[0] + b"\n")
    return JsonLines(hint="if this is CSV of one column, read it with format: csv" if is_header else "")


def _stated_csv(head: bytes, name: str, options: CsvOptions) -> "CsvRows":
    from sfmap.engine.sources.formats.csv_dialect import of_one_column

    found = _csv_rows(head, name, options)
    return _checked(found or of_one_column(head, name, options), head, name)


def _checked(found: "CsvRows", head: bytes, name: str) -> "CsvRows":
    """Raises `WrongShape` for a text that has letters beyond ASCII, none of them in UTF-8."""
    if found.encoding == "utf-8":
        beyond = [line for line in _whole_lines(head, is_whole=len(head) < HEAD) if not line.isascii()]
        if beyond and not any(map(_is_utf_8, beyond)):
            hint = "if it comes from Excel, say csv: {encoding: windows-1252}"
            raise WrongShape(f"cannot read {name}: its text is not UTF-8: {hint}")
    return found


def _is_line_by_line(text: bytes, lines: Sequence[bytes]) -> bool:
    """Whether JSON is one event a line, with or without mistakes in them."""
    first, others = lines[0], lines[1:]
    end = Brackets().end(text, 0)
    if text.startswith(b"["):
        return end is not None and end <= len(first) and bool(others) and others[0].startswith(b"{")
    if (batch_begins(text, 0) or 0) > 0:
        return False
    if end is None:
        return any(map(_is_object, others)) or not others or not others[0].startswith((b'"', b"}"))
    if end <= len(first):
        return not first[end:].lstrip(b", \t").startswith(b"{") and first[end:].strip() != b","
    return not _is_object(text[:end]) and any(map(_is_object, others))


def _whole_lines(text: bytes, *, is_whole: bool) -> list[bytes]:
    """The lines that are not blank, without one that may be cut; at least one."""
    lines = [line for line in map(bytes.strip, text.split(b"\n")) if line]
    return lines if is_whole or len(lines) < 2 else lines[:-1]


def _is_object(text: bytes) -> bool:
    if not text.startswith(b"{"):
        return False
    try:
        return isinstance(orjson.loads(text), dict)
    except orjson.JSONDecodeError:
        return False


def _is_utf_8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
