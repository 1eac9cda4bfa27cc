"""The records that were changed or deleted in a time, as programs that replicate them ask."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sfmap.engine.local_org.faults.org_faults import Fault, unexpected
from sfmap.engine.local_org.records.object_schema import ObjectSchema
from sfmap.engine.local_org.records.store import Store, now, stored_moment

EARLIEST = "2026-01-01T00:00:00.000Z"
"""From when on the org knows what was deleted."""
_SHORTEST, _LONGEST = timedelta(minutes=1), timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """From `start` up to `end`, as the store writes times."""

    start: str
    end: str

    @property
    def covered(self) -> str:
        """Up to when its changes are known."""
        return min(self.end, now())


def period(start: str, end: str) -> Period:
    """Raises `Fault` for what is not a time, and for periods that the API does not answer for."""
    first, last = _time("startDate", start), _time("endDate", end)
    if last - first < _SHORTEST:
        raise _wrong_period("endDate must be more than one minute after startDate")
    if datetime.now(UTC) - first > _LONGEST:
        raise _wrong_period("startDate must be within the last 30 days")
    return Period(start=stored_moment(first), end=stored_moment(last))


def updated(store: Store, target: ObjectSchema, within: Period) -> list[str]:
    """The ids of the records that were created or changed, oldest change first."""
    return [record_id for record_id, _ in _changed(store, target, within, is_deleted=False)]


def deleted(store: Store, target: ObjectSchema, within: Period) -> list[tuple[str, str]]:
    """The records that were deleted, each with the time."""
    return _changed(store, target, within, is_deleted=True)


def _changed(store: Store, target: ObjectSchema, within: Period, *, is_deleted: bool) -> list[tuple[str, str]]:
    query = (
        f'SELECT Id, SystemModstamp FROM "{target.name}" WHERE IsDeleted = ? AND SystemModstamp >= ?'  # noqa: S608
        " AND SystemModstamp < ? ORDER BY SystemModstamp, Id"
    )
    rows = store.select(query, [int(is_deleted), within.start, within.end])
    return [(str(record_id), str(stamp)) for record_id, stamp in rows]


def _time(name: str, text: str) -> datetime:
    try:
        said = datetime.fromisoformat(text.strip())
        return said.astimezone(UTC) if said.tzinfo else said.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise unexpected("INVALID_DATE_FORMAT", f"{name} is not a date and time: {text[:80]}") from None


def _wrong_period(message: str) -> Fault:
    return unexpected("INVALID_REPLICATION_DATE", message)
