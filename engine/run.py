"""One run: the events of a source to an org, every outcome counted and written down as it comes."""

import time
from collections.abc import Callable

import orjson

from sfmap.engine.delivery.deliver import Delivery, StopRequested
from sfmap.engine.delivery.report import Report
from sfmap.engine.mapping.mapper import Mapper
from sfmap.engine.org.port import Org, OrgError
from sfmap.engine.sources.port import EventSource, SourceFailed


class CannotWrite(Exception):
    """A file that could not be written; the message names it."""


Interruption = OrgError | SourceFailed | StopRequested | CannotWrite


def deliver_all(
    source: EventSource,
    mapper: Mapper,
    org: Org,
    results: Callable[[bytes], object] | None,
    should_stop: Callable[[], bool],
) -> tuple[Report, Interruption | None]:
    """Delivers everything, and gives the report of all that was done and what ended the run early.

    Outcomes go to `results` as lines of JSON, window by window; it may raise `CannotWrite`.
    """
    started = time.monotonic()
    report = Report()
    interruption: Interruption | None = None
    try:
        for outcome in Delivery(org, mapper, should_stop).deliver(source):
            report.add(outcome)
            if results:
                results(orjson.dumps(outcome.as_json(), option=orjson.OPT_APPEND_NEWLINE))
    except (OrgError, SourceFailed, StopRequested, CannotWrite) as error:
        interruption = error
    report.calls = dict(org.calls())
    report.usage = org.usage()
    report.seconds = time.monotonic() - started
    return report, interruption
