"""Which guarded events are older than what was written for their identity: `timestamp_guard`."""

from collections.abc import Iterable, Sequence

from sfmap.engine.delivery.coalesce import Item
from sfmap.engine.journal.ledger import Ledger


class Newest:
    """The moments of the newest events that were written, by identity, as the journal has them."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def overtaken(self, items: Iterable[Item]) -> set[int]:
        """The places of the items whose event is older than one that was written."""
        guarded = [(item.place, item.moment) for item in items if item.moment and item.moment.time]
        if not guarded:
            return set()
        known = self._ledger.newest(list({moment.identity for _, moment in guarded}))
        return {place for place, moment in guarded if moment.time < known.get(moment.identity, "")}


def written_moments(items: Sequence[Item]) -> list[tuple[bytes, str]]:
    """What is to be remembered of items that were written: for each identity its newest moment."""
    newest: dict[bytes, str] = {}
    for item in items:
        if item.moment and item.moment.time:
            newest[item.moment.identity] = max(item.moment.time, newest.get(item.moment.identity, ""))
    return list(newest.items())
