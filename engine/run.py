"""One run: the events of a source to an org, every outcome counted and written down as it comes."""

import time
from collections.abc import Callable
from typing import BinaryIO

import orjson

from sfmap.engine.delivery.deliver import Delivery, StopRequested
from sfmap.engine.delivery.report import Report
from sfmap.engine.mapping.mapper import Mapper
from sfmap.engine.org.port import Org, OrgError
from sfmap.engine.sources.port import EventSource, SourceFailed

Interruption = OrgError | SourceFailed | StopRequested


def deliver_all(
    source: EventSource, mapper: Mapper, org: Org, results: BinaryIO | None, should_stop: Callable[[], bool]
) -> tuple[Report, Interruption | None]:
    """Delivers everything; outcomes go to `results` as NDJSON, window by window.

    Gives the report of all that was done, and what ended the run early.
    """
    started = time.monotonic()
    report = Report()
    interruption: Interruption | None = None
    try:
        for outcome in Delivery(org, mapper, should_stop).deliver(source):
            report.add(outcome)
            if results:
                results.write(orjson.dumps(outcome.as_json(), option=orjson.OPT_APPEND_NEWLINE))
    except (OrgError, SourceFailed, StopRequested) as error:
        interruption = error
    report.calls = dict(org.calls())
    report.usage = org.usage()
    report.seconds = time.monotonic() - started
    return report, interruption
