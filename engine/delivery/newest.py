"""`timestamp_guard`: finds events older than the newest one written for their identity."""

from collections.abc import Iterable, Sequence

from sfmap.engine.delivery.folding import Item
from sfmap.engine.journal.ledger import Ledger


class Newest:
    """The times of the newest written events by identity, from the journal."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def overtaken(self, items: Iterable[Item]) -> set[int]:
        """The places of the items whose event is older than one already written."""
        guarded = [(item.place, item.moment) for item in items if item.moment and item.moment.time]
        if not guarded:
            return set()
        known = self._ledger.newest(list({moment.identity for _, moment in guarded}))
        return {place for place, moment in guarded if moment.time < known.get(moment.identity, "")}


def written_moments(items: Sequence[Item]) -> list[tuple[bytes, str]]:
    """The newest time for each identity of the written items, to be remembered."""
    newest: dict[bytes, str] = {}
    for item in items:
        if item.moment and item.moment.time:
            newest[item.moment.identity] = max(item.moment.time, newest.get(item.moment.identity, ""))
    return list(newest.items())
