"""Conditional requests: what has not changed since a time that the client names is not sent again."""

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from starlette.responses import Response

from sfmap.engine.local_org.rest.rest_call import RestCall

_STARTED = datetime.now(UTC).replace(microsecond=0)
"""When the org's objects and fields were last changed: they are read when it starts."""


def unless_unchanged(resource: Callable[[RestCall], Response]) -> Callable[[RestCall], Response]:
    """The resource, answered with 304 to a client that has its response since the org started."""

    def answer(call: RestCall) -> Response:
        seen = _moment(call.headers.get("if-modified-since", ""))
        response = Response(status_code=304) if seen and seen >= _STARTED else resource(call)
        response.headers["Last-Modified"] = format_datetime(_STARTED, usegmt=True)
        return response

    return answer


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
