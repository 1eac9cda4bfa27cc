"""Records as rows of a bulk job: the text of each cell, and what only the other API can carry."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain

from sfmap.engine.mapping.values.values import full_record_id, length
from sfmap.engine.org.api_text import api_text, why_not_text
from sfmap.engine.org.bulk_port import Load
from sfmap.engine.org.port import FieldDescription, ObjectDescription, RecordWrite, Reference, Value

NULL = "#N/A"
"""Empties a field; an empty cell leaves it as it is."""

KEY_SIZE = 16
"""In bytes: with 128 bits no two of any number of rows get the same key by chance."""

ID = "Id"
_LONGEST_HEADER = 32_000
_MOST_COLUMNS = 5_000
_LONGEST_CELL = 131_072
_LONGEST_ROW = 400_000
"""In characters, as the others (Salesforce Developer Limits, "Bulk API and Bulk API 2.0")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkRow:
    cells: Mapping[str, str]
    """By column, and none is empty."""
    key: bytes
    """Finds the row among the results, see `row_key`."""
    group: frozenset[str] = frozenset()
    """Only rows of the same group may share a job: those that write the same fields that have a default."""


@dataclass(frozen=True, slots=True)
class Unsendable:
    """A record that no bulk job can carry exactly; `Org` may."""

    reason: str


def row_key(load: Load, cells: Mapping[str, str]) -> bytes:
    """What identifies a row of this load, as sent and as returned, in `KEY_SIZE` bytes.

    The id for an update or delete, the external id for an upsert, without case, since the org compares it so. The
    rows of a create have nothing but their content: equal rows have equal keys, and may stand for each other.
    """
    if load.operation == "create":
        # How a line break is written does not count: that may change on the way.
        text = _with_plain_breaks("\0".join(chain.from_iterable(sorted(cells.items()))))
    else:
        value = cells.get(_key_column(load), "")
        text = _same_id(value) if _key_column(load) == ID else value.strip().casefold()
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=KEY_SIZE).digest()


def _key_column(load: Load) -> str:
    return load.external_id if load.operation == "upsert" else ID


def _same_id(text: str) -> str:
    return full_record_id(text) or text


def _with_plain_breaks(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def fits_header(header: str | bytes, columns: int) -> bool:
    """Whether a job takes a header of so many columns; that of a job is ASCII, as all API names are."""
    return len(header) <= _LONGEST_HEADER and columns <= _MOST_COLUMNS


def _is_ordinary(text: str) -> bool:
    """Whether it needs no further look, which most texts do not."""
    return 0 < len(text) < _LONGEST_CELL // 2 and "#" not in text and text.isprintable()


class _NotByBulk(Exception):
    """A job cannot carry the record; the message says why."""


class RowMaker:
    """Makes the rows of one load."""

    def __init__(self, load: Load, described: ObjectDescription) -> None:
        self._load = load
        self._described = described
        self._parents = {
            field.relationship_name: field for field in described.fields.values() if field.relationship_name
        }
        self._has_defaults = load.operation in ("create", "upsert")

    def row(self, write: RecordWrite) -> BulkRow | Unsendable:
        try:
            return self._row(write)
        except _NotByBulk as why:
            return Unsendable(str(why))

    def _row(self, write: RecordWrite) -> BulkRow:
        cells: dict[str, str] = {}
        defaults: list[str] = []
        for column, field, text in self._cells(write):
            if column in cells:
                raise _NotByBulk(f"{column} is written twice")
            cells[column] = text
            if self._has_defaults and field.defaulted_on_create:
                defaults.append(column)
        if self._load.operation != "create" and cells.get(_key_column(self._load), NULL) == NULL:
            raise _NotByBulk(f"it has no {_key_column(self._load)}")
        if not cells:
            raise _NotByBulk("it has no value")
        if sum(map(len, cells.values())) > _LONGEST_ROW // 2 and sum(map(length, cells.values())) > _LONGEST_ROW:
            raise _NotByBulk(f"it has more than {_LONGEST_ROW:,} characters")
        if not fits_header(",".join(cells), len(cells)):
            raise _NotByBulk("the names of its fields are longer than the header of a job may be")
        return BulkRow(cells=cells, key=row_key(self._load, cells), group=frozenset(defaults))

    def _cells(self, write: RecordWrite) -> Iterator[tuple[str, FieldDescription, str]]:
        """Column, field and text of each value."""
        if write.id is not None:
            yield ID, self._field(ID), self._text(ID, write.id)
        if self._load.operation == "delete":
            return
        for name, value in write.fields.items():
            field = self._field(name)
            yield field.name, field, self._text(name, value)
        for relationship, reference in write.references.items():
            field, column = self._parent(relationship, reference)
            yield column, field, self._text(column, reference.value)
        for name in write.clear:
            field = self._field(name)
            yield field.name, field, NULL

    def _field(self, name: str) -> FieldDescription:
        """The field as the org spells it: one unknown column fails a whole job."""
        fields = self._described.fields
        field = fields.get(name) or fields.get(self._described.by_casefold.get(name.casefold(), ""))
        if field is None:
            raise _NotByBulk(f"the org describes no field {name}")
        if field.type == "base64":
            raise _NotByBulk(f"{name} is a file, which no cell holds")
        return field

    def _parent(self, relationship: str, reference: Reference) -> tuple[FieldDescription, str]:
        field = self._parents.get(relationship)
        if field is None:
            raise _NotByBulk(f"the org describes no relationship {relationship}")
        kind = f"{reference.object}:" if len(field.reference_to) > 1 else ""
        return field, f"{kind}{relationship}.{reference.by}"

    def _text(self, name: str, value: Value) -> str:
        if isinstance(value, str) and _is_ordinary(value):
            return value
        if reason := why_not_text(value):
            raise _NotByBulk(f"{name}: {reason}")
        text = api_text(value)
        if not text:
            raise _NotByBulk(f"{name} is an empty text, and an empty cell leaves a field as it is")
        if text.strip().upper() == NULL:
            raise _NotByBulk(f"{name} is the text {NULL}, which would empty the field")
        if len(text) > _LONGEST_CELL // 2 and length(text) > _LONGEST_CELL:
            raise _NotByBulk(f"{name} has more than {_LONGEST_CELL:,} characters")
        return text
