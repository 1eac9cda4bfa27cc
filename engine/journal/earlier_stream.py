"""What an earlier stream of the same name had in the journal."""

from collections import defaultdict
from collections.abc import Iterable

from sfmap.engine.journal.entries import RecordKey


class EarlierStream:
    """The records of an earlier stream; each is found once, in order, since events may have the same bytes."""

    def __init__(self, keys: Iterable[RecordKey] = ()) -> None:
        self._keys: dict[tuple[str, str, int], list[RecordKey]] = defaultdict(list)
        for key in sorted(keys, reverse=True):
            self._keys[key[1:]].append(key)

    def __bool__(self) -> bool:
        return bool(self._keys)

    def take(self, key: RecordKey) -> RecordKey | None:
        """The record's key in the journal, if it was in the earlier stream."""
        known = self._keys.get(key[1:])
        return known.pop() if known else None
