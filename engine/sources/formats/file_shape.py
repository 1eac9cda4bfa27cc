"""Tells the format of a file by its content."""

from dataclasses import dataclass

from sfmap.engine.sources.formats.csv_rows import USUAL_CSV, CsvOptions
from sfmap.engine.sources.formats.json_lines import JsonLines
from sfmap.engine.sources.rows import RowReader

FORMATS = ("ndjson", "json", "csv", "parquet")


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatOptions:
    """What is known of a format besides the content."""

    format: str = ""
    """One of `FORMATS`; empty to tell it by the content."""
    csv: CsvOptions = USUAL_CSV


USUAL_FORMAT = FormatOptions()


def detect(head: bytes, name: str, options: FormatOptions) -> RowReader:
    """The reader for a file that begins so. Raises `WrongShape`."""
    return JsonLines()
