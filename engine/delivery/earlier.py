"""Records of an earlier stream, found by the bytes of their events: the same event has another number now."""

from collections import defaultdict
from collections.abc import Iterable

from sfmap.engine.journal.ledger import RecordKey


class Earlier:
    """Each record is found once, in the order in which they came: two events may have the same bytes."""

    def __init__(self, keys: Iterable[RecordKey] = ()) -> None:
        self._keys: dict[tuple[str, str, int], list[RecordKey]] = defaultdict(list)
        for key in sorted(keys, reverse=True):
            self._keys[key[1:]].append(key)

    def __bool__(self) -> bool:
        return bool(self._keys)

    def take(self, key: RecordKey) -> RecordKey | None:
        """What the journal knows the record by, if it was in the earlier stream."""
        known = self._keys.get(key[1:])
        return known.pop() if known else None
