"""Validates a record's values, given as text, against its object's schema, and converts them for the store."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time

from sfmap.engine.local_org.faults.org_faults import InvalidRecord, RecordError
from sfmap.engine.local_org.records.ids import full_id
from sfmap.engine.local_org.records.object_schema import NUMBER_TYPES, TEXT_TYPES, FieldSchema, ObjectSchema
from sfmap.engine.local_org.records.store import Stored
from sfmap.engine.local_org.records.text_rules import is_email_address, size, truncated, without_controls

_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_DAY_WITH_OFFSET = re.compile(r"(\d{4}-\d\d-\d\d)(Z|[-+]\d\d:\d\d)")
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,3})?Z?")
_BOOLEANS = {"true": 1, "1": 1, "false": 0, "0": 0}
_SHOWN = 80
FIRST_DAY, LAST_DAY = date(1700, 1, 1), date(4000, 12, 31)
"""The range of dates ("Primitive Data Types")."""


def checked(
    target: ObjectSchema, given: Mapping[FieldSchema, str | None], creating: bool, cut_long: bool
) -> dict[str, Stored]:
    """The values to store, with defaults. Raises `InvalidRecord` with all errors."""
    errors = [*_not_writable(given, creating), *_missing(target, given, creating)]
    values: dict[str, Stored] = {}
    for field, text in given.items():
        try:
            values[field.name] = None if text is None else stored_value(field, text, cut_long)
        except InvalidRecord as invalid:
            errors += invalid.errors
    if errors:
        raise InvalidRecord(*errors)
    if creating:
        values = {**target.defaults, **values}
    return values


def _not_writable(given: Mapping[FieldSchema, str | None], creating: bool) -> Iterator[RecordError]:
    locked = [field.name for field in given if not (field.createable if creating else field.updateable)]
    if locked == ["Id"]:
        yield RecordError("INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", ("Id",))
    elif locked:
        message = (
            f"Unable to create/update fields: {', '.join(locked)}. Please check the security settings of this"
            " field and verify that it is read/write for your profile or permission set."
        )
        yield RecordError("INVALID_FIELD_FOR_INSERT_UPDATE", message, tuple(locked))


def _missing(
    target: ObjectSchema, given: Mapping[FieldSchema, str | None], creating: bool
) -> Iterator[RecordError]:
    missing = [field.name for field, text in given.items() if text is None and not field.nillable]
    if creating:
        missing += [field.name for field in target.required if field not in given]
    if missing:
        message = f"Required fields are missing: [{', '.join(missing)}]"
        yield RecordError("REQUIRED_FIELD_MISSING", message, tuple(missing))


def stored_value(field: FieldSchema, text: str, cut_long: bool) -> Stored:
    """The value that the text stands for. Raises `InvalidRecord`."""
    text = without_controls(text)
    if field.type in TEXT_TYPES:
        return _text(field, text.strip(), cut_long)
    if field.type == "boolean":
        return _parsed(field, text, _BOOLEANS.get(text.strip().lower()))
    if field.type in NUMBER_TYPES:
        return _number(field, text.strip())
    if field.type == "date":
        return _parsed(field, text, stored_date(text.strip()))
    if field.type == "datetime":
        return _parsed(field, text, stored_datetime(text.strip()))
    if field.type == "time":
        return _parsed(field, text, stored_time(text.strip()))
    if field.type in ("reference", "id"):
        return _record_id(field, text.strip())
    return _text(field, text.strip(), cut_long)


def _parsed(field: FieldSchema, text: str, value: Stored) -> Stored:
    if value is None:
        message = f"{field.label}: value not of required type: {text[:_SHOWN]}"
        raise InvalidRecord(RecordError("INVALID_TYPE_ON_FIELD_IN_RECORD", message, (field.name,)))
    return value


def _number(field: FieldSchema, text: str) -> Stored:
    """The number as a double, whose digits before the point the field limits, and none behind it.

    Sources: Help articles 000387302 (more decimals than the scale are kept) and 000394530 (doubles).
    """
    number = float(text) if _NUMBER.fullmatch(text) else None
    if number is not None and field.type == "int":
        number = number if number.is_integer() else None
    whole_digits = field.digits or (field.precision - field.scale)
    if number is not None and abs(number) >= 10**whole_digits:
        message = f"{field.label}: value outside of valid range on numeric field: {text[:_SHOWN]}"
        raise InvalidRecord(RecordError("NUMBER_OUTSIDE_VALID_RANGE", message, (field.name,)))
    value = _parsed(field, text, number)
    return int(value) if field.type == "int" and isinstance(value, float) else value


def stored_date(text: str) -> str | None:
    """The date as stored; None if it is not a date. Drops a time or an offset after it, as the org does.

    Source: "Primitive Data Types" in the Object Reference, as for datetimes and times.
    """
    try:
        datetime.fromisoformat(_DAY_WITH_OFFSET.sub(r"\1T00:00\2", text))
        day = date.fromisoformat(text[:10])
    except ValueError:
        return None
    return day.isoformat() if FIRST_DAY <= day <= LAST_DAY else None


def stored_datetime(text: str) -> str | None:
    """The datetime as stored, in UTC; None if it is not one. Without an offset it is taken as UTC."""
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):  # outside the range of Python's dates
        return None
    return f"{moment.isoformat(timespec='milliseconds')}Z" if FIRST_DAY <= moment.date() <= LAST_DAY else None


def stored_time(text: str) -> str | None:
    """The time of day as stored; None if it is not one."""
    if not _TIME.fullmatch(text):
        return None
    return time.fromisoformat(text.removesuffix("Z")).isoformat(timespec="milliseconds") + "Z"


def _record_id(field: FieldSchema, text: str) -> str:
    record_id = full_id(text)
    if record_id is None:
        message = f"{field.label}: id value of incorrect type: {text[:_SHOWN]}"
        raise InvalidRecord(RecordError("MALFORMED_ID", message, (field.name,)))
    return record_id


def _text(field: FieldSchema, text: str, cut_long: bool) -> str | None:
    """The text as stored; e-mail fields keep no capital letters.

    Sources of the errors: StatusCode in "Core Data Types Used in API Calls" in the SOAP API Developer Guide.
    """
    if field.type == "email" and text and not is_email_address(text):
        message = f"{field.label}: invalid email address: {text[:_SHOWN]}"
        raise InvalidRecord(RecordError("INVALID_EMAIL_ADDRESS", message, (field.name,)))
    if field.restricted and any(one not in field.values for one in _chosen(field, text)):
        message = f"{field.label}: bad value for restricted picklist field: {text[:_SHOWN]}"
        raise InvalidRecord(RecordError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, (field.name,)))
    if field.length and size(text) > field.length:
        if cut_long:
            return truncated(text, field.length)
        message = f"{field.label}: data value too large: {text[:_SHOWN]} (max length={field.length})"
        raise InvalidRecord(RecordError("STRING_TOO_LONG", message, (field.name,)))
    if field.type == "email":
        text = text.lower()
    return text or None


def _chosen(field: FieldSchema, text: str) -> list[str]:
    """The picklist values in a text."""
    parts = [part.strip() for part in text.split(";")] if field.type == "multipicklist" else [text]
    return [part for part in parts if part]
