"""The columns of an upload: fields, and parents named by one of their fields."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sfmap.engine.local_org.bulk.csv_dialects import InvalidBatch
from sfmap.engine.local_org.faults.org_faults import InvalidRecord, RecordError
from sfmap.engine.local_org.records.object_schema import FieldSchema, ObjectSchema, Schema
from sfmap.engine.local_org.records.record_writer import SentRecord
from sfmap.engine.local_org.records.references import SentParent

_PARENT = re.compile(r"(?:([^:.]+):)?([^:.]+)\.([^:.]+)")
NULL = "#N/A"


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvColumn:
    """A column of an upload, which may spell its name in any casing."""

    name: str
    """As the org spells it."""
    field: FieldSchema
    parent: ObjectSchema | None = None
    """The object of the parent that the column names by its field `by`."""
    by: str = ""


def read_columns(header: Sequence[str], target: ObjectSchema, schema: Schema) -> list[CsvColumn]:
    """The columns of a header. Raises `InvalidBatch`."""
    columns = [_column(name, target, schema) for name in header]
    for name, times in Counter(column.name for column in columns).items():
        if times > 1:
            raise InvalidBatch(f"InvalidBatch : Field name specified more than once : {name}")
    return columns


def sent_record(columns: Sequence[CsvColumn], row: Sequence[str], target: ObjectSchema) -> SentRecord:
    """The record of a row. Raises `InvalidRecord`."""
    values: dict[str, str | None] = {}
    parents: dict[str, SentParent] = {}
    for column, value in zip(columns, row, strict=True):
        field = column.field
        if not value:
            continue
        if column.parent is None or value == NULL:
            values[field.name] = None if value == NULL else value
        elif field.relationship_name in parents:
            message = f"More than one column names the parent {field.relationship_name}"
            raise InvalidRecord(RecordError("INVALID_FIELD", message, (field.name,)))
        else:
            parents[field.relationship_name] = SentParent(column.parent.name, {column.by: value})
    return SentRecord(target.name, values, parents)


def _column(name: str, target: ObjectSchema, schema: Schema) -> CsvColumn:
    field = target.field(name)
    if field:
        return CsvColumn(name=field.name, field=field)
    found = _PARENT.fullmatch(name)
    column = _parent_column(found, target, schema) if found else None
    if column is None:
        raise InvalidBatch(f"InvalidBatch : Field name not found : {name}")
    return column


def _parent_column(found: re.Match[str], target: ObjectSchema, schema: Schema) -> CsvColumn | None:
    """None if it does not name one kind of parent by a field that identifies its records."""
    kind, relationship, by = found.groups()
    field = target.relationship(relationship)
    if field is None or bool(kind) != (len(field.references) > 1):
        return None
    parent = schema.object(kind or field.references[0])
    known = parent.field(by) if parent else None
    if parent is None or known is None or not known.id_lookup or parent.name not in field.references:
        return None
    name = f"{parent.name}:" * bool(kind) + f"{field.relationship_name}.{known.name}"
    return CsvColumn(name=name, field=field, parent=parent, by=known.name)
