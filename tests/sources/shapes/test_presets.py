"""Rows as other products document them, and the events that they become."""

import pytest

from sfmap.engine.mapping.values.record import Event, Json
from sfmap.engine.sources.shapes.event_columns import ColumnSource, EventColumns
from sfmap.engine.sources.shapes.presets import PRESETS

Row = dict[str, Json]

IDENTIFIES: Row = {
    "id": "m1",
    "user_id": "u1",
    "anonymous_id": "a1",
    "received_at": "2026-01-01 10:00:00+00",
    "uuid_ts": "2026-01-01 10:05:00+00",
    "context_ip": "1.2.3.4",
    "email": "a@b.example",
    "first_name": "Ann",
    "address_city": "Köln",
}
ROWS: dict[str, tuple[str, Row, Event]] = {
    "identifies": (
        "segment-warehouse",
        IDENTIFIES,
        {
            "type": "identify",
            "messageId": "m1",
            "userId": "u1",
            "anonymousId": "a1",
            "receivedAt": "2026-01-01T10:00:00.000Z",
            "context": {"ip": "1.2.3.4"},
            "traits": {"email": "a@b.example", "first_name": "Ann", "address_city": "Köln"},
        },
    ),
    "users": (
        "segment-warehouse",
        {"id": "u1", "received_at": "2026-01-01T10:00:00Z", "email": "a@b.example"},
        {
            "type": "identify",
            "userId": "u1",
            "messageId": "row-00",
            "receivedAt": "2026-01-01T10:00:00.000Z",
            "traits": {"email": "a@b.example"},
        },
    ),
    "groups": (
        "segment-warehouse",
        {"ID": "m2", "GROUP_ID": "g1", "USER_ID": "u1", "NAME": "Initech"},
        {"type": "group", "messageId": "m2", "groupId": "g1", "userId": "u1", "traits": {"name": "Initech"}},
    ),
    "tracks": (
        "segment-warehouse",
        {"id": "m3", "user_id": "u1", "event": "order_completed", "event_text": "Order Completed"},
        {"type": "track", "messageId": "m3", "userId": "u1", "event": "Order Completed", "properties": {}},
    ),
    "an event's own table": (
        "segment-warehouse",
        {"id": "m3", "user_id": "u1", "event": "order_completed", "event_text": "Order Completed", "total": 9.5},
        {
            "type": "track",
            "messageId": "m3",
            "userId": "u1",
            "event": "Order Completed",
            "properties": {"total": 9.5},
        },
    ),
    "rudderstack, with a reserved word": (
        "rudderstack-warehouse",
        {"id": "m1", "user_id": "u1", "_order": 7, "rudder_id": "r"},
        {"type": "identify", "messageId": "m1", "userId": "u1", "traits": {"order": 7}},
    ),
    "rudderstack's staging files": (
        "rudderstack-warehouse",
        {"data": {"id": "m1", "user_id": "u1", "email": "a@b.co"}, "metadata": {"table": "identifies"}},
        {"type": "identify", "messageId": "m1", "userId": "u1", "traits": {"email": "a@b.co"}},
    ),
    "mixpanel": (
        "mixpanel",
        {
            "event": "Signed up",
            "properties": {"time": 1767225600, "distinct_id": "u1", "$insert_id": "x", "$email": "a@b.co"},
        },
        {
            "type": "track",
            "event": "Signed up",
            "userId": "u1",
            "messageId": "x",
            "timestamp": "2026-01-01T00:00:00.000Z",
            "properties": {"email": "a@b.co"},
        },
    ),
    "mixpanel's people": (
        "mixpanel",
        {"$distinct_id": "u1", "$properties": {"$email": "a@b.co", "plan": "pro"}},
        {"type": "identify", "userId": "u1", "messageId": "row-00", "traits": {"email": "a@b.co", "plan": "pro"}},
    ),
    "amplitude": (
        "amplitude",
        {
            "event_type": "signup",
            "user_id": "u1",
            "event_time": "2026-01-01 10:00:00.123000",
            "event_properties": {"plan": "pro"},
            "user_properties": {"email": "a@b.co"},
            "$insert_id": "x",
            "uuid": "y",
        },
        {
            "type": "track",
            "event": "signup",
            "userId": "u1",
            "anonymousId": None,
            "messageId": "x",
            "timestamp": "2026-01-01T10:00:00.123Z",
            "properties": {"plan": "pro"},
            "context": {"traits": {"email": "a@b.co"}},
        },
    ),
    "amplitude's identify": (
        "amplitude",
        {"event_type": "$identify", "user_id": "u1", "user_properties": {"email": "a@b.co"}, "uuid": "y"},
        {
            "type": "identify",
            "userId": "u1",
            "anonymousId": None,
            "messageId": "y",
            "traits": {"email": "a@b.co"},
        },
    ),
}


@pytest.mark.parametrize(("preset", "row", "event"), ROWS.values(), ids=ROWS)
def test_a_documented_row_becomes_an_event(preset: str, row: Row, event: Event) -> None:
    assert EventColumns(preset=PRESETS[preset]).event(row, b"\0") == (event, "")


AIRBYTE: dict[str, Row] = {
    "as an object": {
        "_airbyte_raw_id": "r1",
        "_airbyte_extracted_at": 1767225600000,
        "_airbyte_meta": {},
        "_airbyte_data": {"email": "a@b.co", "id": 7},
    },
    "as text, by the older names": {
        "_airbyte_ab_id": "r1",
        "_airbyte_emitted_at": 1767225600000,
        "_airbyte_data": '{"email": "a@b.co", "id": 7}',
    },
    "flattened": {
        "_airbyte_raw_id": "r1",
        "_airbyte_extracted_at": "2026-01-01T00:00:00Z",
        "_airbyte_generation_id": 3,
        "email": "a@b.co",
        "id": 7,
    },
}


@pytest.mark.parametrize("row", AIRBYTE.values(), ids=AIRBYTE)
def test_a_record_of_airbyte_is_what_the_source_says_it_is(row: Row) -> None:
    shape = EventColumns(
        preset=PRESETS["airbyte"],
        keys={"type": ColumnSource(value="identify"), "userId": ColumnSource(column="id")},
        opt_in=True,
    )
    event, _ = shape.event(row, b"\0")
    assert event == {
        "type": "identify",
        "userId": "7",
        "messageId": "r1",
        "timestamp": "2026-01-01T00:00:00.000Z",
        "integrations": {"Salesforce": True},
        "traits": {"email": "a@b.co"},
    }
