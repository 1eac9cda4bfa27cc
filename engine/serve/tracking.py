"""Turns requests to the Tracking API into events for the spool, completed as Segment's spec says.

Sources: Segment's "HTTP Tracking API Source" and "Spec: Common Fields".
"""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from sfmap.engine.errors import SfmapError
from sfmap.engine.mapping.values.record import Event, Json
from sfmap.engine.sources.common_fields import COMMON, with_common_fields
from sfmap.engine.sources.reading import NotJson, is_deeper, json_bytes, may_be_deeper, read_json

LARGEST_EVENT: Final = 32 * 1024
LARGEST_BATCH: Final = 500 * 1024
"""In bytes as sent, the same limit as Segment's."""
_LARGEST_MERGED = 2 * LARGEST_EVENT
"""The largest event merged with its batch's common fields, in bytes."""
_LARGEST_STORED = 8 * LARGEST_BATCH
"""The largest request in the spool, in bytes: a batch's common fields are stored with each event."""
_MOST_EVENTS = 2_500
_MOST_KEYS = 2_000
_DEEPEST = 64
_SMALL = 4 * 1024
"""Bytes of a body that cannot have too many keys, nor become too large: a number is written out in five times its
bytes at the most."""

TYPES = ("identify", "group", "track", "page", "screen", "alias")


class NotAccepted(SfmapError):
    """A body without usable events; the message goes to the client."""


def read_request(body: bytes) -> Event:
    """The body's JSON object. Raises `NotAccepted`."""
    return _object(_read(body))


def single(said: Event, event_type: str, body: bytes, now: datetime) -> list[bytes]:
    """The one event of a call of that type, as read from the body. Raises `NotAccepted`."""
    said.pop("writeKey", None)
    if len(body) > _SMALL or may_be_deeper(body, _DEEPEST):
        _check_bounds(said, "The event", LARGEST_EVENT)
    said["type"] = event_type
    return [_completed(said, said.get("sentAt"), now)]


def batch(said: Event, now: datetime, *, is_import: bool = False) -> list[bytes]:
    """The events of a batch or an import; an import's times are kept as sent. Raises `NotAccepted`."""
    events = said.get("batch")
    if not isinstance(events, list):
        raise NotAccepted("The body has no list named batch.")
    common: Event = {key: said[key] for key in COMMON if key in said}
    stored = []
    size = 0
    for place, event in enumerate(_checked(events)):
        sent_at = None if is_import else said.get("sentAt") or event.get("sentAt")
        merged = with_common_fields(common, event)
        if common:
            _check_bounds(merged, f"{_name(place)}, with the batch's common fields,", _LARGEST_MERGED)
        stored.append(_completed(merged, sent_at, now, is_dated=is_import))
        size += len(stored[-1])
        if size > _LARGEST_STORED:
            raise NotAccepted("The batch is too large once its common fields are copied into each event.")
    return stored


def forwarded(body: bytes, now: datetime) -> list[bytes]:
    """Events that another service has already received and completed. Raises `NotAccepted`."""
    said = _read(body)
    if isinstance(said, list):
        return [_completed(event, None, now, is_dated=True) for event in _checked(said)]
    event = _object(said)
    _check_bounds(event, "The event", LARGEST_EVENT)
    return [_completed(event, None, now, is_dated=True)]


def _read(body: bytes) -> Json:
    try:
        return read_json(body)
    except NotJson as error:
        raise NotAccepted(f"The body cannot be read: {error}.") from None


def _object(said: Json) -> Event:
    if not isinstance(said, dict):
        raise NotAccepted("The body is not a JSON object.")
    return said


def _checked(events: list[Json]) -> Iterator[Event]:
    """The events of a batch, each within the bounds."""
    if len(events) > _MOST_EVENTS:
        raise NotAccepted(f"The batch has more than {_MOST_EVENTS:,} events.")
    for place, event in enumerate(events):
        if not isinstance(event, dict):
            raise NotAccepted(f"{_name(place)} is not a JSON object.")
        event.pop("writeKey", None)
        _check_bounds(event, _name(place), LARGEST_EVENT)
        yield event


def _name(place: int) -> str:
    return f"Event {place} of the batch"


def _completed(event: Event, sent_at: Json, now: datetime, *, is_dated: bool = False) -> bytes:
    """The event as stored in the spool; a dated one keeps its times as sent."""
    message = event.get("messageId")
    if isinstance(message, int) and not isinstance(message, bool):
        event["messageId"] = str(message)
    elif not isinstance(message, str) or not message:
        event["messageId"] = f"sfmap-{uuid.uuid4()}"
    if not is_dated or not isinstance(event.get("receivedAt"), str):
        event["receivedAt"] = _text(now)
    _set_times(event, sent_at, now, is_dated=is_dated)
    return json_bytes(event)


def _set_times(event: Event, sent_at: Json, now: datetime, *, is_dated: bool) -> None:
    """Sets `timestamp` by the server's clock: when it was received, minus the time from event to sending.

    An event is never dated in the future: otherwise it could keep all later ones from being written, when
    a mapping leaves out older events (`timestamp_guard`).
    """
    said = event.get("originalTimestamp") or event.get("timestamp")
    sent, original = _moment(sent_at), _moment(said)
    if original and sent:
        event["originalTimestamp"], event["sentAt"] = said, sent_at
        event["timestamp"] = _text(_earlier(now, sent - original))
        return
    taken = _moment(event.get("timestamp")) or original
    if taken and (is_dated or taken <= now):
        event["timestamp"] = _text(taken)
        return
    if said is not None:
        event["originalTimestamp"] = said
    event["timestamp"] = event["receivedAt"]


def _earlier(now: datetime, passed: timedelta) -> datetime:
    try:
        return now - max(passed, timedelta(0))
    except OverflowError:
        return now


def _check_bounds(event: Event, name: str, largest: int) -> None:
    """Raises `NotAccepted`."""
    data = json_bytes(event)
    if len(data) > largest:
        raise NotAccepted(f"{name} is larger than {largest // 1024} kB.")
    # Cheaper than a walk, and never too low: a colon follows every key.
    if data.count(b":") > _MOST_KEYS and sum(1 for _ in _keys(event)) > _MOST_KEYS:
        raise NotAccepted(f"{name} has more than {_MOST_KEYS:,} keys.")
    if may_be_deeper(data, _DEEPEST) and is_deeper(event, _DEEPEST):
        raise NotAccepted(f"{name} is nested more than {_DEEPEST} levels deep.")


def _keys(value: Json) -> Iterator[str]:
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            yield from one
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one


def _moment(value: Json) -> datetime | None:
    """An ISO 8601 text as a moment; UTC if it has no zone."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _text(moment: datetime) -> str:
    """The moment, which is in UTC."""
    return f"{moment.isoformat(timespec='milliseconds')[:-6]}Z"
