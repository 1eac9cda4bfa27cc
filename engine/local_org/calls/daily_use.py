"""What bulk jobs have used of the org's daily limits, in any 24 hours."""

from datetime import UTC, datetime, timedelta
from enum import Enum

from sfmap.engine.local_org.records.store import Store, now


class DailyUse(Enum):
    """What is counted, with the most of it in 24 hours, named as the limits resource does."""

    DailyBulkApiBatches = 15_000
    DailyBulkV2QueryJobs = 10_000


def prepare_daily_use(store: Store) -> None:
    store.run("CREATE TABLE IF NOT EXISTS sfmap_bulk_usage (at TEXT, counted TEXT)")


def count_use(store: Store, counted: DailyUse) -> bool:
    """Counts one; False if they are used up."""
    store.run("DELETE FROM sfmap_bulk_usage WHERE at < ?", [_yesterday()])
    if left(store, counted) <= 0:
        return False
    store.run("INSERT INTO sfmap_bulk_usage VALUES (?, ?)", [now(), counted.name])
    return True


def left(store: Store, counted: DailyUse) -> int:
    query = "SELECT count(*) FROM sfmap_bulk_usage WHERE counted = ? AND at >= ?"
    ((used,),) = store.select(query, [counted.name, _yesterday()])
    assert isinstance(used, int)
    return counted.value - used


def _yesterday() -> str:
    moment = datetime.now(UTC).replace(tzinfo=None) - timedelta(hours=24)
    return moment.isoformat(timespec="milliseconds")
