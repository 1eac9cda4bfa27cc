"""Rows as other products write them: warehouse tables of Segment and RudderStack, Airbyte, Mixpanel, Amplitude."""

from collections.abc import Mapping
from datetime import UTC, datetime

from sfmap.engine.mapping.values.record import Event, Json
from sfmap.engine.sources.shapes.column_types import ColumnType
from sfmap.engine.sources.shapes.event_columns import Preset

_OF_EVENTS = {
    "id": "messageId",
    "message_id": "messageId",
    "user_id": "userId",
    "anonymous_id": "anonymousId",
    "group_id": "groupId",
    "timestamp": "timestamp",
    "original_timestamp": "originalTimestamp",
    "sent_at": "sentAt",
    "received_at": "receivedAt",
}
"""Columns of warehouse tables ("Segment warehouse schemas"; RudderStack's are named the same)."""
_OF_THE_LOADER = ("uuid", "uuid_ts", "loaded_at", "rudder_id", "channel")
_MILLISECONDS = 1000


def warehouse_event(row: Mapping[str, Json]) -> Event:
    """The event of a row of `identifies`, `users`, `groups`, `tracks`, or of an event's own table.

    A row without `user_id` and `anonymous_id` is of `users`: its id is that of the user.
    """
    event: Event = {}
    context: dict[str, Json] = {}
    rest: dict[str, Json] = {}
    for column, value in row.items():
        name = column.lower()
        if name in _OF_EVENTS:
            event[_OF_EVENTS[name]] = value
        elif name.startswith("context_"):
            context[name.removeprefix("context_")] = value
        elif name not in _OF_THE_LOADER:
            # RudderStack puts an underscore before reserved words.
            rest[name.removeprefix("_")] = value
    is_track = "event" in rest or "event_text" in rest
    if is_track:
        text = rest.pop("event_text", None)
        name_of_table = rest.pop("event", None)
        event["event"] = text or name_of_table
    elif "groupId" not in event and "userId" not in event and "anonymousId" not in event:
        event["userId"] = event.pop("messageId", None)
    event["type"] = "track" if is_track else "group" if "groupId" in event else "identify"
    event["properties" if is_track else "traits"] = rest
    if context:
        event["context"] = context
    return event


def staged_event(row: Mapping[str, Json]) -> Event:
    """The event of a line of RudderStack's staging files, or of a row of a warehouse table."""
    data, metadata = row.get("data"), row.get("metadata")
    return warehouse_event(data if isinstance(data, dict) and isinstance(metadata, dict) else row)


def airbyte_event(row: Mapping[str, Json]) -> Event:
    """The event of a record of Airbyte, whose type `event` of the source has to say."""
    rest = dict(row)
    data = ColumnType(kind="json").value(rest.pop("_airbyte_data", None))
    rest = {name: value for name, value in rest.items() if not name.startswith("_airbyte_")}
    event: Event = {"traits": {**rest, **data} if isinstance(data, dict) else rest}
    message = _first(row, "_airbyte_raw_id", "_airbyte_ab_id")
    if message is not None:
        event["messageId"] = message
    return event | _at(_first(row, "_airbyte_extracted_at", "_airbyte_emitted_at"), _MILLISECONDS)


def mixpanel_event(row: Mapping[str, Json]) -> Event:
    """The event of a line of a raw export, or the person of a line of a people export."""
    person = row.get("$properties")
    if isinstance(person, dict):
        return {"type": "identify", "userId": row.get("$distinct_id"), "traits": _undollared(person)}
    found = row.get("properties")
    properties = dict(found) if isinstance(found, dict) else {}
    event: Event = {"type": "track", "event": row.get("event"), "userId": properties.pop("distinct_id", None)}
    event |= _at(properties.pop("time", None), 1)
    message = properties.pop("$insert_id", None)
    if message is not None:
        event["messageId"] = message
    return {**event, "properties": _undollared(properties)}


def amplitude_event(row: Mapping[str, Json]) -> Event:
    """The event of a line of an export; times are in UTC."""
    kind = row.get("event_type")
    person = row.get("user_properties")
    event: Event = {"userId": row.get("user_id"), "anonymousId": row.get("device_id")}
    message = _first(row, "$insert_id", "insert_id", "uuid")
    if message is not None:
        event["messageId"] = message
    if row.get("event_time"):
        event["timestamp"] = row["event_time"]
    if kind == "$identify":
        return {**event, "type": "identify", "traits": person}
    properties = row.get("event_properties")
    return {**event, "type": "track", "event": kind, "properties": properties, "context": {"traits": person}}


def _first(row: Mapping[str, Json], *columns: str) -> Json:
    """The first of the columns that has a value."""
    return next((value for name in columns if (value := row.get(name)) is not None), None)


def _undollared(properties: Mapping[str, Json]) -> dict[str, Json]:
    """The properties without the `$` before the names of Mixpanel's own."""
    return {name.removeprefix("$"): value for name, value in properties.items()}


def _at(value: Json, per_second: int) -> Event:
    """The timestamp of a number since 1970; a text stays as it is."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        moment = datetime.fromtimestamp(value / per_second, UTC)
        return {"timestamp": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")}
    return {} if value is None else {"timestamp": value}


PRESETS: Mapping[str, Preset] = {
    "segment-warehouse": warehouse_event,
    "rudderstack-warehouse": staged_event,
    "airbyte": airbyte_event,
    "mixpanel": mixpanel_event,
    "amplitude": amplitude_event,
}
"""By the name under `shape`."""
_TELLING = {
    "_airbyte_data": "airbyte",
    "_airbyte_raw_id": "airbyte",
    "distinct_id": "mixpanel",
    "$distinct_id": "mixpanel",
    "event_type": "amplitude",
    "uuid_ts": "segment-warehouse",
    "anonymous_id": "segment-warehouse",
}
"""Columns that tell a preset."""


def probable_preset(values: Mapping[str, Json]) -> str:
    """The name of the preset that a row seems to be for; empty if none."""
    properties = values.get("properties")
    inner = properties if isinstance(properties, dict) else {}
    return next((name for key, name in _TELLING.items() if key in values or key in inner), "")
