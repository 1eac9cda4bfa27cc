"""Records in JSON: the values of a body as the writer takes them, and stored values as responses contain them."""

from collections.abc import Mapping

from sfmap.engine.local_org.faults.org_faults import Fault, InvalidRecord, unexpected
from sfmap.engine.local_org.records.object_schema import NUMBER_TYPES, FieldSchema, ObjectSchema
from sfmap.engine.local_org.records.record_writer import SentRecord
from sfmap.engine.local_org.records.references import SentParent
from sfmap.engine.local_org.records.store import Stored, response_value
from sfmap.engine.local_org.records.validation import stored_value

_WRONG_TYPE = "INVALID_TYPE_ON_FIELD_IN_RECORD"
_SHOWN = 80


def json_value(field: FieldSchema, value: Stored) -> Stored | bool:
    """The stored value as JSON contains it: datetimes with an offset."""
    if field.type == "datetime" and isinstance(value, str):
        return json_moment(value)
    return response_value(field, value)


def json_moment(stored: str) -> str:
    """A stored time as JSON contains it."""
    return f"{stored.removesuffix('Z')}+0000"


def compound_value(
    target: ObjectSchema, field: FieldSchema, row: Mapping[str, Stored]
) -> dict[str, object] | None:
    """The parts of a compound field, such as those of an address, by their names in responses."""
    values = {name: json_value(part, row[part.name]) for name, part in target.parts(field).items()}
    return dict(values) if any(value is not None for value in values.values()) else None


def sent_record(target: ObjectSchema, members: Mapping[str, object], body: bytes) -> SentRecord:
    """The record whose members these are. Raises `Fault` for names and types that the object does not have."""
    values: dict[str, str | None] = {}
    parents: dict[str, SentParent] = {}
    for name, value in members.items():
        field = target.field(name)
        if name == "attributes":
            continue
        if field:
            values[field.name] = _text(field, name, value, body)
        elif target.relationship(name) and isinstance(value, dict):
            parents[name] = _parent(name, value, body)
        elif not (target.relationship(name) and value is None):
            raise _no_such_column(name, target)
    return SentRecord(target.name, values, parents)


def attribute(members: Mapping[str, object], name: str) -> str:
    """An attribute of a record, such as its type; empty if it has none."""
    attributes = members.get("attributes")
    value = attributes.get(name) if isinstance(attributes, dict) else None
    return value if isinstance(value, str) else ""


def _parent(name: str, members: Mapping[str, object], body: bytes) -> SentParent:
    values: dict[str, str] = {}
    for key, value in members.items():
        if key == "attributes":
            continue
        if isinstance(value, list | dict):
            raise _not_deserialized("reference", name, value, body)
        values[key] = "" if value is None else _plain(value)
    return SentParent(attribute(members, "type"), values)


def _text(field: FieldSchema, name: str, value: object, body: bytes) -> str | None:
    """The value as text; None for a field to empty. Raises `Fault` for a value that the field cannot have."""
    if value is None or (isinstance(value, str) and _is_text(field) and not value.strip()):
        return None
    if not _is_taken(field, value):
        raise _not_deserialized(field.type, name, value, body)
    return _plain(value)


def _is_taken(field: FieldSchema, value: object) -> bool:
    """Whether the field takes the value: every field text, numbers and booleans their own type, too."""
    if isinstance(value, bool):
        return field.type == "boolean"
    if isinstance(value, int | float):
        return field.type in NUMBER_TYPES and _is_readable(field, str(value))
    return isinstance(value, str) and (_is_text(field) or _is_readable(field, value))


def _is_text(field: FieldSchema) -> bool:
    return field.type not in (*NUMBER_TYPES, "boolean", "date", "datetime", "time")


def _is_readable(field: FieldSchema, text: str) -> bool:
    if field.type == "boolean":
        return text.lower() in ("true", "false")
    if field.type == "datetime" and " " in text:
        return False
    try:
        stored_value(field, text, cut_long=True)
    except InvalidRecord as invalid:
        return invalid.errors[0].code != _WRONG_TYPE
    return True


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _not_deserialized(kind: str, name: str, value: object, body: bytes) -> Fault:
    token, shown = _token(value)
    message = (
        f"Cannot deserialize instance of {kind} from {token} value {shown[:_SHOWN]} or request may be missing a"
        f" required field at {_place(name, body)}"
    )
    return unexpected("JSON_PARSER_ERROR", message)


def _token(value: object) -> tuple[str, str]:
    """What the API calls a JSON value, and how it shows it."""
    if isinstance(value, bool):
        return f"VALUE_{value}".upper(), str(value).lower()
    if isinstance(value, list):
        return "START_ARRAY", "["
    if isinstance(value, dict):
        return "START_OBJECT", "{"
    names = {int: "VALUE_NUMBER_INT", float: "VALUE_NUMBER_FLOAT"}
    return names.get(type(value), "VALUE_STRING"), str(value)


def _place(name: str, body: bytes) -> str:
    """Where the first member of that name is in the body."""
    before = body[: max(0, body.find(f'"{name}"'.encode()))].decode("utf-8", "replace")
    return f"[line:{before.count(chr(10)) + 1}, column:{len(before) - before.rfind(chr(10))}]"


def _no_such_column(name: str, target: ObjectSchema) -> Fault:
    message = f"No such column '{name[:_SHOWN]}' on sobject of type {target.name}"
    return Fault("INVALID_FIELD", message, "InvalidFieldFault")
