"""Finds which records must not be folded across others that they depend on."""

from collections.abc import Iterable, Iterator

import orjson

from sfmap.engine.backfill.map_task import MappedRow, Order


def barriers(touches: Iterable[MappedRow]) -> Iterator[MappedRow]:
    """For each touch that depends on an earlier one of another identity, the last of these, as its `contents`.

    Two touches of one record depend on each other if one of them writes it. The touches come record by record,
    and of each record in their order.
    """
    trace: bytes | None = None
    touched, written = _LastTwo(), _LastTwo()
    for touch in touches:
        if touch.trace != trace:
            trace, touched, written = touch.trace, _LastTwo(), _LastTwo()
        met = (touched if touch.writes else written).of_others(touch.key)
        if met:
            yield touch._replace(kind="barrier", trace=None, writes=False, contents=orjson.dumps(list(met)))
        touched.add(touch)
        if touch.writes:
            written.add(touch)


def barrier_of(row: MappedRow) -> Order:
    """The place across which the record of the row cannot be folded."""
    return Order(*orjson.loads(row.contents or b""))


class _LastTwo:
    """The last touch, and the last one of another identity than that."""

    def __init__(self) -> None:
        self._last: MappedRow | None = None
        self._before: MappedRow | None = None

    def add(self, touch: MappedRow) -> None:
        if self._last and self._last.key != touch.key:
            self._before = self._last
        self._last = touch

    def of_others(self, key: bytes) -> Order | None:
        """The place of the last touch of another identity."""
        last = self._before if self._last and self._last.key == key else self._last
        return last.order if last else None
