"""Folds the records of each identity: what one task of the second stage does."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import orjson

from sfmap.engine.backfill.barriers import barrier_of
from sfmap.engine.backfill.map_task import MappedRow, Order
from sfmap.engine.delivery.composing import Composition
from sfmap.engine.delivery.folded_record import contents_line, item_of, read_contents
from sfmap.engine.delivery.item import Item
from sfmap.engine.mapping.values.record import RecordPlan
from sfmap.engine.sources.record_lines import Single, folded_line, single_line

_MOST_EVENTS = 500
"""The most events in one record."""
_MOST_BYTES = 2 * 1024 * 1024
_NO_BARRIER = Order(-1, -1, -1)

OutputKind = Literal["records", "skipped", "rejected", "damaged"]


class OutputRow(NamedTuple):
    """A line of one of the outputs, in the columns of its data frame."""

    kind: OutputKind
    file: int
    offset: int
    item: int
    text: str
    events: int = 1
    """The number of events of a record."""
    begun: int = 1
    """The number of events of which it has the first record."""
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class FoldTask:
    """What every task of the second stage knows."""

    plans: Mapping[str, RecordPlan]
    """By the name of each mapping."""
    files: Sequence[str]
    """The names of the files."""

    def rows(self, mapped: Iterable[MappedRow]) -> Iterator[OutputRow]:
        """The output of rows that come key by key, and of each key in their order."""
        open_fold: _OpenFold | None = None
        key, barrier = b"", _NO_BARRIER
        for row in mapped:
            if row.key != key:
                key, barrier = row.key, _NO_BARRIER
            if row.kind == "barrier":
                barrier = max(barrier, barrier_of(row))
                continue
            single = self._single(row)
            if row.kind != "record":
                yield _side_row(row, single)
                continue
            item = self._item(row)
            if open_fold and not open_fold.takes(row, item, single, barrier):
                yield open_fold.row()
                open_fold = None
            if item is None:
                yield _record_row(row.order, single_line(row.mapping, single), 1, int(row.item == 0))
            elif open_fold:
                open_fold.add(row, item, single)
            else:
                open_fold = _OpenFold(row, item, single)
        if open_fold:
            yield open_fold.row()

    def _single(self, row: MappedRow) -> Single:
        return Single(file=self.files[row.file], line=row.line, raw=row.raw or b"", item_number=row.item_number)

    def _item(self, row: MappedRow) -> Item | None:
        """The item of a record that can be folded."""
        if row.contents is None:
            return None
        return item_of(self.plans[row.mapping], read_contents(orjson.loads(row.contents)), row.item_number)


class _OpenFold:
    """A record to which further events may be added."""

    def __init__(self, row: MappedRow, item: Item, single: Single) -> None:
        self.key = row.key
        self._order = row.order
        self._mapping = row.mapping
        self._composition = Composition(item)
        self._singles = [single]
        self._size = len(single.raw)
        self._begun = int(row.item == 0)

    def takes(self, row: MappedRow, item: Item | None, single: Single, barrier: Order) -> bool:
        return (
            item is not None
            and row.key == self.key
            and barrier < self._order
            and len(self._singles) < _MOST_EVENTS
            and self._size + len(single.raw) <= _MOST_BYTES
            and self._composition.takes(item)
        )

    def add(self, row: MappedRow, item: Item, single: Single) -> None:
        self._composition.add(item)
        self._begun += row.item == 0
        self._singles.append(single)
        self._size += len(single.raw)

    def row(self) -> OutputRow:
        if len(self._singles) == 1:
            return _record_row(self._order, single_line(self._mapping, self._singles[0]), 1, self._begun)
        line = folded_line(self._mapping, contents_line(self._composition.fitted()), self._singles)
        return _record_row(self._order, line, len(self._singles), self._begun)


def _record_row(order: Order, line: bytes, events: int, begun: int) -> OutputRow:
    return OutputRow("records", *order, text=line.decode().rstrip("\n"), events=events, begun=begun)


def _side_row(row: MappedRow, single: Single) -> OutputRow:
    line: dict[str, object] = {"file": single.file, "line": single.line, "reason": row.reason}
    if row.mapping:
        line["mapping"] = row.mapping
    if row.item_number:
        line["item"] = row.item_number
    if row.kind == "rejected":
        line["raw"] = single.raw.decode("utf-8", "backslashreplace")
    kind: OutputKind = "skipped" if row.kind == "skipped" else "damaged" if row.kind == "damaged" else "rejected"
    return OutputRow(
        kind, *row.order, text=orjson.dumps(line).decode(), begun=int(row.item == 0), reason=row.reason
    )
