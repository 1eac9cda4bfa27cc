"""How much longer a large value takes than one of an eighth of its size; ratios alone, never seconds."""

import gc
import tracemalloc
from collections.abc import Callable, Iterable
from time import thread_time

Work = Callable[[int], Callable[[], object]]
"""What is done with a value of that size; the value itself is made beforehand."""

MOST = 24
"""Times as long for eight times the size: 8 is linear, 64 quadratic."""
_SIZES = (2**8, 2**10, 2**12, 2**14)
_MEASURABLE = 0.005
"""Seconds of CPU. What takes less for the largest size has no square in it."""


def growth(work: Work, sizes: Iterable[int] = _SIZES) -> float:
    """How many times longer the first size that can be measured takes than its eighth; 0 where none can be.

    The best of several turns counts, in CPU time of this thread, so that other programs matter little.
    """
    for size in sizes:
        large = work(size)
        once = seconds(large, 1)
        if once >= _MEASURABLE:
            small = seconds(work(size // 8), 5)
            return min(once, seconds(large, 3)) / small
    return 0.0


def seconds(work: Callable[[], object], turns: int) -> float:
    """CPU time of this thread, the best of several turns."""
    best = float("inf")
    gc.disable()
    try:
        for _ in range(turns):
            started = thread_time()
            work()
            best = min(best, thread_time() - started)
    finally:
        gc.enable()
    return best


def peak(work: Callable[[], object]) -> int:
    """The most bytes that it holds at once."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
