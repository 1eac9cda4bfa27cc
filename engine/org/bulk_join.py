"""Joins the results of a bulk job, which come in no order, to the rows that it was given."""

from array import array
from collections.abc import Iterable, Iterator

from sfmap.engine.mapping.values.values import full_record_id
from sfmap.engine.messages.counts import counted
from sfmap.engine.org.bulk_port import AnsweredRow, Load, RowOutcome
from sfmap.engine.org.bulk_rows import ID, KEY_SIZE, row_key
from sfmap.engine.org.port import Written

_FIRST_SLOTS = 64


class RowsDoNotAddUp(Exception):
    """Results that match no row, or rows without a result. The rows that were joined before are right."""


class RowIndex:
    """Finds the rows of a job by their keys. It takes about 40 bytes a row, for a job may have a million."""

    def __init__(self) -> None:
        self._keys = bytearray()
        # Rows are counted from 1 within these arrays; 0 stands for none.
        self._slots = array("I", [0]) * _FIRST_SLOTS
        """The first row with each key, at the place that the key gives or the next free one."""
        self._last = array("I")
        """For the first row with a key: the last row with it."""
        self._before = array("I")
        """For each row: the row before it with the same key."""

    def __len__(self) -> int:
        return len(self._before)

    def __contains__(self, key: bytes) -> bool:
        return self._slots[self._slot(key)] != 0

    def add(self, key: bytes) -> int:
        """Adds the next row, and returns its number, from 0."""
        row = len(self) + 1
        if 2 * row > len(self._slots):
            self._grow()
        self._keys += key
        self._last.append(0)
        slot = self._slot(key)
        first = self._slots[slot] = self._slots[slot] or row
        self._before.append(self._last[first - 1])
        self._last[first - 1] = row
        return row - 1

    def unanswered(self) -> "array[int]":
        """All rows, for `take`."""
        return array("I", self._last)

    def take(self, key: bytes, unanswered: "array[int]") -> int | None:
        """The number of a row with the key that is unanswered, and no longer is; None if there is none."""
        first = self._slots[self._slot(key)]
        row = unanswered[first - 1] if first else 0
        if not row:
            return None
        unanswered[first - 1] = self._before[row - 1]
        return row - 1

    def _slot(self, key: bytes | bytearray) -> int:
        """The slot of the key, or the free one where it belongs."""
        last = len(self._slots) - 1
        slot = int.from_bytes(key[:8], "little") & last
        while (first := self._slots[slot]) and not self._keys.startswith(key, (first - 1) * KEY_SIZE):
            slot = (slot + 1) & last
        return slot

    def _grow(self) -> None:
        firsts = array("I", filter(None, self._slots))
        self._slots = array("I", [0]) * (2 * len(self._slots))
        for first in firsts:
            self._slots[self._slot(self._keys[(first - 1) * KEY_SIZE : first * KEY_SIZE])] = first


def join(load: Load, index: RowIndex, answers: Iterable[AnsweredRow]) -> Iterator[tuple[int, RowOutcome]]:
    """The number and the outcome of each row, once; at the end `RowsDoNotAddUp` unless that was every row.

    Rows of a create that are equal may stand for each other.
    """
    unanswered = index.unanswered()
    left, strays = len(index), 0
    for answer in answers:
        row = index.take(row_key(load, answer.cells), unanswered) if _is_of(load, answer) else None
        if row is None:
            strays += 1
        else:
            left -= 1
            yield row, answer.outcome
    if left or strays:
        raise RowsDoNotAddUp(
            f"The results of the job have no outcome for {counted(left, 'row')} that it was given, and"
            f" {counted(strays, 'outcome')} of other rows."
        )


def _is_of(load: Load, answer: AnsweredRow) -> bool:
    """Whether the outcome is that of the record which the row names by its id, if it does."""
    named = answer.cells.get(ID) if load.operation in ("update", "delete") else None
    return not (named and isinstance(answer.outcome, Written)) or full_record_id(named) == answer.outcome.id
