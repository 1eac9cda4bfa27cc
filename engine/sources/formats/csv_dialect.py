"""Finds out how a CSV file is written, from its beginning."""

import codecs
import csv
import re
from contextlib import suppress
from io import StringIO

from sfmap.engine.sources.formats.csv_records import SEPARATOR_LINE
from sfmap.engine.sources.formats.csv_rows import CsvRows, column_names
from sfmap.engine.sources.formats.foreign_files import is_wide
from sfmap.engine.sources.formats.format_options import CsvOptions
from sfmap.engine.sources.rows import WrongShape

_DELIMITERS = ",;\t|"
_NO_DELIMITER = "\x1f"
"""The unit separator of ASCII, which stands in no file of one column."""
_NAME = re.compile(r"[^\W\d][\w.$ -]*")
"""The name of a column."""
_RECORDS = 20
_LIKE_THE_HEADER = 0.8
"""The least share of records that have as many cells as the header."""
_WIDE = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


def csv_rows(head: bytes, name: str, options: CsvOptions, *, is_whole: bool) -> CsvRows | None:
    """How to read a CSV file that begins so; None if it is none. Raises `WrongShape`."""
    encoding = _encoding(head, name, options.encoding)
    text = head.decode(encoding, "replace")
    if not is_whole:
        text = text[: text.rfind("\n") + 1]
    separator = SEPARATOR_LINE.match(text)
    text = text[separator.end() if separator else 0 :].removeprefix("\ufeff")
    stated = options.delimiter or (separator[1] if separator else "")
    delimiter = stated or _delimiter(text, is_whole=is_whole)
    if not delimiter:
        return None
    if "\r" in text and "\n" not in text:
        raise WrongShape(f"cannot read {name}: its lines end with CR alone: save it as CSV UTF-8")
    header = next(iter(_records(text, delimiter, is_whole=True)), [])
    return CsvRows(
        delimiter=delimiter,
        encoding=encoding,
        has_header=options.header,
        columns=column_names(header, has_header=options.header),
    )


def of_one_column(head: bytes, name: str, options: CsvOptions) -> CsvRows:
    """How to read a file of one column. Raises `WrongShape`."""
    encoding = _encoding(head, name, options.encoding)
    first, _, _ = head.decode(encoding, "replace").removeprefix("\ufeff").partition("\n")
    columns = column_names([first.strip('"\r')], has_header=options.header)
    return CsvRows(delimiter=_NO_DELIMITER, encoding=encoding, has_header=options.header, columns=columns)


def _encoding(head: bytes, name: str, stated: str) -> str:
    if by_mark := _WIDE.get(head[:2]):
        return by_mark
    try:
        encoding = codecs.lookup(stated or "utf-8").name
    except LookupError:
        raise WrongShape(f"cannot read {name}: there is no encoding called {stated}") from None
    if encoding.startswith("utf-32"):
        raise WrongShape(f"cannot read {name}: UTF-32 is not supported: save it as UTF-8")
    if not stated and is_wide(head):
        hint = "save it as UTF-8, or say csv: {encoding: utf-16-le}"
        raise WrongShape(f"cannot read {name}: it is UTF-16 without a byte order mark: {hint}")
    return {"utf-8-sig": "utf-8", "utf-16": "utf-16-le"}.get(encoding, encoding)


def _delimiter(text: str, *, is_whole: bool) -> str:
    """The delimiter that gives the first records most cells: almost always as many as the header, or names."""
    records = {one: found for one in _DELIMITERS if (found := _records(text, one, is_whole=is_whole))}
    fits = {one: len(found[0]) for one, found in records.items() if _is_regular([len(cells) for cells in found])}
    fits = fits or {one: len(found[0]) for one, found in records.items() if _are_names(found[0])}
    return max(fits, key=lambda one: fits[one], default="")


def _is_regular(widths: list[int]) -> bool:
    return len(widths) > 1 and widths[0] > 1 and widths.count(widths[0]) >= _LIKE_THE_HEADER * len(widths)


def _are_names(cells: list[str]) -> bool:
    return len(cells) > 1 and all(map(_NAME.fullmatch, cells))


def _records(text: str, delimiter: str, *, is_whole: bool) -> list[list[str]]:
    """The first records that are not blank, without one that may be cut."""
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    found: list[list[str]] = []
    while len(found) < _RECORDS:
        with suppress(csv.Error):  # such as quotes that are not closed
            cells = next(reader, None)
            if cells is None:
                break
            if any(cells):
                found.append(cells)
    return found if is_whole or len(found) in (1, _RECORDS) else found[:-1]
