"""The values of fields as JSON contains them."""

from sfmap.engine.local_org.records.object_schema import FieldSchema
from sfmap.engine.local_org.records.store import Stored, response_value


def json_value(field: FieldSchema, value: Stored) -> Stored | bool:
    """The value in a REST response; datetimes have an offset there where SOAP writes Z."""
    shown = response_value(field, value)
    if field.type == "datetime" and isinstance(shown, str):
        return f"{shown.removesuffix('Z')}+0000"
    return shown
