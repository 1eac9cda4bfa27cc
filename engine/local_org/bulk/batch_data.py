"""Reads the data of a batch, CSV or JSON, as a table."""

import orjson

from sfmap.engine.local_org.bulk.bulk_jobs import BulkJob
from sfmap.engine.local_org.bulk.csv_columns import NULL
from sfmap.engine.local_org.bulk.csv_dialects import CsvDialect, CsvTable, InvalidBatch, read_table


def batch_table(job: BulkJob, content: bytes) -> CsvTable:
    """Raises `InvalidBatch`."""
    if job.content_type == "JSON":
        return _json_table(content)
    if job.job_type == "Classic":  # which takes either line ending
        first, _, _ = content.partition(b"\n")
        return read_table(content, CsvDialect(job.delimiter, "CRLF" if first.endswith(b"\r") else "LF"))
    return read_table(content, job.dialect)


def _json_table(content: bytes) -> CsvTable:
    try:
        records = orjson.loads(content)
    except orjson.JSONDecodeError:
        records = None
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise InvalidBatch("InvalidBatch : The data is not a JSON array of objects")
    rows = [_cells(record) for record in records]
    header = list(dict.fromkeys(name for row in rows for name in row))
    return CsvTable(header, [[row.get(name, "") for name in header] for row in rows], {})


def _cells(record: dict[str, object]) -> dict[str, str]:
    """The values of a record by column; a parent is an object with one field and, if needed, its type."""
    cells: dict[str, str] = {}
    for name, value in record.items():
        if isinstance(value, dict):
            attributes = value.get("attributes")
            kind = f"{attributes.get('type')}:" if isinstance(attributes, dict) else ""
            cells |= {f"{kind}{name}.{by}": _text(one) for by, one in value.items() if by != "attributes"}
        else:
            cells[name] = _text(value)
    cells.pop("attributes.type", None)
    return cells


def _text(value: object) -> str:
    if value is None:
        return NULL
    if not isinstance(value, bool | float | int | str):
        raise InvalidBatch("InvalidBatch : A value is a text, a number, true, false or null")
    return str(value).lower() if isinstance(value, bool) else str(value)
