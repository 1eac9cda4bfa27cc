"""Which writes may travel by a bulk job: those for which it is enough that others wait which meet their traces."""

from sfmap.engine.delivery.item import Item, Lookups
from sfmap.engine.delivery.traces import may_hide
from sfmap.engine.delivery.writes import PendingWrite


def may_travel(pending: PendingWrite, lookups: Lookups) -> bool:
    """Whether the write may take effect much later than those after it.

    Not one that was sent before, for its answer may be lost; nor one that may change what other records find in
    more ways than its traces say, if it is looked up again after the job.
    """
    head = pending.fold.head
    if pending.call.order_matters or any(
        item.unanswered or item.again or item.is_alone for item in pending.fold.items
    ):
        return False
    if lookups.order_matters(head.record.object) and head.record.operation in ("create", "upsert"):
        return False
    return not any(_finds_in_several_ways(item, lookups) for item in pending.fold.items)


def _finds_in_several_ways(item: Item, lookups: Lookups) -> bool:
    return bool(
        len(item.lookup_keys) > 1
        or next(item.fitted.match_pointers, None)
        or item.fitted.unless_found
        or may_hide(item, lookups)
    )
