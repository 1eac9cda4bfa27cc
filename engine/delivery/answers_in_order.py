"""Puts the answers of a job, which come in any order, into the order in which the journal holds their rows.

The journal then writes each of its pages once, instead of once for each of the rows in it.
"""

from array import array
from collections.abc import Iterable, Iterator

_MOST_BYTES = 32 * 1024 * 1024
"""What is ordered at once: half a million rows that were written, or fewer whose refusals have many words."""


def in_order(answers: Iterable[tuple[int, bytes]], rows: int) -> Iterator[tuple[int, bytes]]:
    """The same places and answers, of places below `rows`, in runs of ascending places."""
    some = _Answers(rows)
    for place, answer in answers:
        if some.size > _MOST_BYTES:
            yield from some
            some = _Answers(rows)
        some.add(place, answer)
    yield from some


class _Answers:
    """Answers in little more memory than their bytes take, since a job may have half a million."""

    def __init__(self, rows: int) -> None:
        self._text = bytearray()
        self._starts = array("I", [0]) * rows
        self._lengths = array("I", [0]) * rows

    @property
    def size(self) -> int:
        return len(self._text)

    def add(self, place: int, answer: bytes) -> None:
        self._starts[place] = len(self._text)
        self._lengths[place] = len(answer)
        self._text += answer

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        for place, (start, length) in enumerate(zip(self._starts, self._lengths, strict=True)):
            if length:
                yield place, bytes(self._text[start : start + length])
