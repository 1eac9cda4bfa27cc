"""What a person says of the format of files; what is left out is found out."""

from dataclasses import dataclass
from datetime import UTC, tzinfo

FORMATS = ("ndjson", "json", "csv", "parquet")


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvOptions:
    """What a person says of CSV files; what is empty is found out."""

    delimiter: str = ""
    encoding: str = ""
    header: bool = True


USUAL_CSV = CsvOptions()


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatOptions:
    """What a person says of files; what is empty is found out."""

    format: str = ""
    """One of `FORMATS`."""
    csv: CsvOptions = USUAL_CSV
    zone: tzinfo = UTC
    """The time zone of times in Parquet files that do not say theirs."""


USUAL_FORMAT = FormatOptions()
