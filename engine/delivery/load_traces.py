"""A filter of the traces that the rows of a load leave, of a fixed size for any number of rows."""

from collections.abc import Iterable, Iterator

from sfmap.engine.delivery.traces import Trace

_BITS = 1 << 26
"""Of 2,000,000 traces, which a million rows may leave, one in 10,000 others seems to be among them."""
_PROBES = 5


class LoadTraces:
    """Finds every trace that was added. It may also find one that was not: its record then waits, too."""

    def __init__(self) -> None:
        self._bits = bytearray(_BITS // 8)

    def update(self, traces: Iterable[Trace]) -> None:
        for trace in traces:
            for bit in _bits(trace):
                self._bits[bit >> 3] |= 1 << (bit & 7)

    def isdisjoint(self, traces: Iterable[Trace]) -> bool:
        """Whether certainly none of the traces is among those that were added."""
        bits = self._bits
        return not any(all(bits[bit >> 3] & 1 << (bit & 7) for bit in _bits(trace)) for trace in traces)


def _bits(trace: Trace) -> Iterator[int]:
    known = hash(trace)
    step = known >> 32 | 1
    return ((known + probe * step) % _BITS for probe in range(_PROBES))
