"""How many records to send in one call, adapted to what the org has refused before."""

from dataclasses import dataclass

from sfmap.engine.delivery.writes import Verb, WriteCall
from sfmap.engine.org.port import BATCH_SIZE

_PATIENCE = 64
"""The most batches that must succeed before a larger one is tried."""


@dataclass(slots=True)
class _Size:
    """The batch size for one verb and object, after a larger one was refused."""

    most: int
    passed: int = 0
    """Batches of this size that succeeded."""
    patience: int = 1
    """How many must succeed before a larger one is tried; it grows each time that one is refused again."""
    is_trial: bool = False
    """Whether this size is a trial after a smaller one succeeded."""


class BatchSizes:
    """Batch sizes by verb and object, since these decide which triggers and flows the org runs.

    A refused batch is halved. The smaller size is kept only for some batches, since one record may be the cause.
    """

    def __init__(self, usual: int = BATCH_SIZE) -> None:
        """`usual` is the batch size of calls that do not set one."""
        self._usual = usual
        self._sizes: dict[tuple[Verb, str], _Size] = {}
        self._smallest: dict[tuple[Verb, str], tuple[int, str]] = {}

    def most(self, call: WriteCall) -> int:
        size = self._sizes.get((call.verb, call.object_name))
        return min(call.batch_size or self._usual, call.most, size.most if size else BATCH_SIZE)

    def refused(self, call: WriteCall, together: int, reason: str) -> None:
        """Notes that a batch of `together` records was too large."""
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

    def passed(self, call: WriteCall, together: int) -> None:
        """Notes that a batch of `together` records succeeded."""
        size = self._sizes.get((call.verb, call.object_name))
        if size is None or together < size.most or size.most == BATCH_SIZE:
            return
        size.passed += 1
        if size.passed >= size.patience:
            size.most, size.passed, size.is_trial = min(BATCH_SIZE, 2 * size.most), 0, True

    def as_report(self) -> dict[str, str]:
        """For the report: which calls needed smaller batches, and the org's reason."""
        return {
            f"{object_name} {verb}": f"the org refused more than {most} at a time: {reason}"
            for (verb, object_name), (most, reason) in self._smallest.items()
        }
