"""What a user with an Enterprise org can deliver: the second table of docs/performance.md.

It is computed from Salesforce's limits and from the rows that `make bench` has measured.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

CALLS, CALLS_A_USER = 100_000, 1_000
"""API calls in 24 hours of an Enterprise org, and for each user licence."""
USERS = (10, 100)
RECORDS_A_CALL = 194
"""On average, as docs/scale.md counts them; 200 at most."""
CONNECTIONS = 25
"""Of calls that take 20 s or more, Salesforce allows no more at once; sfmap has no more of any."""
FULL = 0.95
"""The share of the connections' time that sfmap is to use."""
BULK_RECORDS = 150_000_000
"""In 24 hours: 15,000 batches of 10,000 rows."""
_SECONDS = (0.2, 1, 3, 20)
"""Of a call."""
_HOUR, _DAY = 3_600, 86_400
_CPU = r"client ([\d,]+) µs of CPU an event"
_SOAP_ROW = re.compile(rf"^\| `run` of 50,000 people[^|]*\|[^|]*{_CPU}", re.MULTILINE)
_BULK_ROW = re.compile(rf"^\| calls for ([\d,]+) new people[^|]*\| ([\d,]+);[^|]*{_CPU}", re.MULTILINE)


class NotMeasured(Exception):
    """What the table needs is not among the rows."""


class Machine(NamedTuple):
    """What one core of this machine can do, by the CPU that `run` was measured to take."""

    soap: float
    """Records a second by SOAP."""
    bulk: float | None = None
    """And by the Bulk API; None where that was not measured."""
    bulk_calls: float | None = None
    """Calls for each record of those."""


def machine_of(table: str) -> Machine:
    """By the rows of `make bench`. Raises `NotMeasured`."""
    soap, bulk = _SOAP_ROW.search(table), _BULK_ROW.search(table)
    if not soap:
        raise NotMeasured("no row says what CPU `run` takes for an event")
    speed = 1_000_000 / _number(soap[1])
    if not bulk:
        return Machine(speed)
    people, calls, cpu = map(_number, bulk.groups())
    return Machine(speed, 1_000_000 / cpu, calls / people)


def table_of(measures: str) -> str:
    """The table that follows from the rows of `make bench`. Raises `NotMeasured`."""
    return "".join(f"{row}\n" for row in _rows(machine_of(measures)))


def _rows(machine: Machine) -> Iterator[str]:
    """Records in an hour with the calls that takes, and in a day with so many users."""
    days = [CALLS + CALLS_A_USER * users for users in USERS]
    yield (
        "| | in an hour | API calls for that | " + " | ".join(f"in a day, {users} users" for users in USERS) + " |"
    )
    yield "|---|---:|---:|" + "---:|" * len(USERS)
    for seconds in _SECONDS:
        org = CONNECTIONS * RECORDS_A_CALL / seconds * FULL
        rate, by = (machine.soap, "machine") if machine.soap < org else (org, "connections")
        cells = [f"{_millions(rate * _HOUR)}, {by}", f"{rate * _HOUR / RECORDS_A_CALL:,.0f}"]
        for calls in days:
            allowed = calls * RECORDS_A_CALL
            cells.append(f"{_millions(min(rate * _DAY, allowed))}, {'calls' if allowed < rate * _DAY else by}")
        yield f"| SOAP, {seconds:g} s a call | {' | '.join(cells)} |"
    yield f"| Bulk API | {' | '.join(_bulk(machine))} |"


def _bulk(machine: Machine) -> Iterator[str]:
    if machine.bulk is None or machine.bulk_calls is None:
        yield "not measured"
        yield "not measured"
        day = f"at most {_millions(BULK_RECORDS)}, records"
    else:
        hour = min(machine.bulk * _HOUR, BULK_RECORDS)
        yield f"{_millions(hour)}, {'machine' if hour < BULK_RECORDS else 'records'}"
        yield f"{hour * machine.bulk_calls:,.0f}"
        reached = machine.bulk * _DAY
        day = f"{_millions(min(reached, BULK_RECORDS))}, {'machine' if reached < BULK_RECORDS else 'records'}"
    for _ in USERS:
        yield day


def _millions(records: float) -> str:
    """With two digits that count."""
    millions = records / 1_000_000
    return f"{millions:.0f} M" if millions >= 10 else f"{millions:.2g} M"


def _number(text: str) -> float:
    return float(text.replace(",", ""))
