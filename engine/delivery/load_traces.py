"""A filter of the traces that the rows of a load leave, of a fixed size for any number of rows."""

from array import array
from collections.abc import Iterable

from sfmap.engine.delivery.traces import Trace

_WORDS = 1 << 20
"""Of 64 bits. Of 2,000,000 traces, which a million rows may leave, one in 1,000 others seems to be among them."""
_PAIRS = tuple(1 << (number & 63) | 1 << (number >> 6) for number in range(1 << 12))
"""Two bits of a word, by twelve bits that say which."""


class LoadTraces:
    """Finds every trace that was added. It may also find one that was not: its record then waits, too.

    A trace sets a few bits of one word: looking at more of them takes longer than all else that a trace costs.
    """

    def __init__(self) -> None:
        self._words = array("Q", [0]) * _WORDS

    def update(self, traces: Iterable[Trace]) -> None:
        words = self._words
        for trace in traces:
            known = hash(trace)
            words[known % _WORDS] |= _PAIRS[known >> 24 & 4095] | _PAIRS[known >> 40 & 4095]

    def isdisjoint(self, traces: Iterable[Trace]) -> bool:
        """Whether certainly none of the traces is among those that were added."""
        words = self._words
        for trace in traces:
            known = hash(trace)
            bits = _PAIRS[known >> 24 & 4095] | _PAIRS[known >> 40 & 4095]
            if words[known % _WORDS] & bits == bits:
                return False
        return True
