"""How many records go together in one call: as many as the org bears, by what it has refused before."""

from dataclasses import dataclass

from sfmap.engine.delivery.sending import Call, Verb
from sfmap.engine.org.port import BATCH_SIZE

_PATIENCE = 64
"""Batches that go through before a larger one is tried, at the most."""


@dataclass(slots=True)
class _Size:
    """Of the batches of one verb and object, since a larger one was refused."""

    most: int
    passed: int = 0
    """Batches of this size that went through."""
    patience: int = 1
    """How many must, before a larger one is tried: more each time that one is refused again."""
    is_trial: bool = False
    """Whether this size is tried, and a smaller one has gone through."""


class BatchSizes:
    """What goes through is remembered for each verb and object: the same triggers and flows of the org run for it.

    A refused batch is halved. Its smaller size is kept for some batches only, since one record may be at fault.
    """

    def __init__(self, usual: int = BATCH_SIZE) -> None:
        """`usual` is the most where a call does not say."""
        self._usual = usual
        self._sizes: dict[tuple[Verb, str], _Size] = {}
        self._smallest: dict[tuple[Verb, str], tuple[int, str]] = {}

    def most(self, call: Call) -> int:
        size = self._sizes.get((call.verb, call.object_name))
        return min(call.batch_size or self._usual, call.most, size.most if size else BATCH_SIZE)

    def refused(self, call: Call, together: int, reason: str) -> None:
        """So many at once were too many."""
        half = max(1, together // 2)
        if half >= self.most(call):
            return
        key = call.verb, call.object_name
        before = self._sizes.get(key)
        patience = before.patience if before else 1
        if before and before.is_trial:
            patience = min(_PATIENCE, 4 * patience)
        self._sizes[key] = _Size(half, patience=patience)
        self._smallest[key] = min(self._smallest.get(key, (half, reason)), (half, reason))

    def passed(self, call: Call, together: int) -> None:
        """So many went through."""
        size = self._sizes.get((call.verb, call.object_name))
        if size is None or together < size.most or size.most == BATCH_SIZE:
            return
        size.passed += 1
        if size.passed >= size.patience:
            size.most, size.passed, size.is_trial = min(BATCH_SIZE, 2 * size.most), 0, True

    def said(self) -> dict[str, str]:
        """For the report: what went in smaller batches, and the org's words."""
        return {
            f"{object_name} {verb}": f"the org refused more than {most} at a time: {reason}"
            for (verb, object_name), (most, reason) in self._smallest.items()
        }
