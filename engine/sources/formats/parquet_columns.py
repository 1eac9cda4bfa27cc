"""Turns columns of Arrow into JSON values, most of them all at once."""

from collections.abc import Callable, Sequence
from datetime import UTC, tzinfo
from types import ModuleType
from typing import Any

from sfmap.engine.mapping.values.record import Json
from sfmap.engine.sources.row_values import Absent, json_value

Values = Sequence[Json]
"""A value for each row; None where the row has none."""
ReadColumn = Callable[[Any], Values]


def column_reader(arrow: ModuleType, kind: Any, zone: tzinfo) -> ReadColumn:
    """What turns a column of that type into values. `zone` is that of times that do not say theirs."""
    types = arrow.types
    if types.is_dictionary(kind):
        inner = column_reader(arrow, kind.value_type, zone)
        return lambda column: inner(column.dictionary_decode())
    if types.is_string(kind) or types.is_large_string(kind) or types.is_integer(kind) or types.is_boolean(kind):
        return lambda column: column.to_pylist()
    if types.is_floating(kind):
        return lambda column: [None if value is None else _number(value) for value in column.to_pylist()]
    if types.is_date32(kind):
        return lambda column: column.cast(arrow.string()).to_pylist()
    if types.is_timestamp(kind) and (kind.tz or zone is UTC):
        return lambda column: _times(arrow, column)
    readable = _readable(arrow, kind)
    return lambda column: _one_by_one(column.cast(readable, safe=False), zone)


def _number(value: float) -> float | None:
    """The number; None for infinity and what is not a number."""
    return value if value - value == 0 else None


def _times(arrow: ModuleType, column: Any) -> Values:
    """Times in UTC, as `json_value` writes them."""
    micros = column.cast(arrow.timestamp("us", column.type.tz), safe=column.type.unit != "ns")
    texts = micros.view(arrow.timestamp("us")).cast(arrow.string()).to_pylist()
    return [text and text.replace(" ", "T").removesuffix(".000000") + "Z" for text in texts]


def _one_by_one(column: Any, zone: tzinfo) -> Values:
    try:
        given = column.to_pylist(maps_as_pydicts="lossy")
    except (ValueError, OverflowError):  # a time beyond the years that Python knows
        given = [_python_value(scalar) for scalar in column]
    values = (json_value(value, zone) for value in given)
    return [None if isinstance(value, Absent) else value for value in values]


def _python_value(scalar: Any) -> object:
    try:
        return scalar.as_py()
    except (ValueError, OverflowError):
        return str(scalar.cast("string")) if not hasattr(scalar, "values") else None


def _readable(arrow: ModuleType, kind: Any) -> Any:
    """The type without nanoseconds, which Python's types of times do not have."""
    types = arrow.types
    if types.is_timestamp(kind):
        return arrow.timestamp("us", kind.tz)
    if types.is_time64(kind):
        return arrow.time64("us")
    if types.is_duration(kind):
        return arrow.duration("us")
    if types.is_struct(kind):
        fields = [kind.field(index) for index in range(kind.num_fields)]
        return arrow.struct([one.with_type(_readable(arrow, one.type)) for one in fields])
    if types.is_large_list(kind):
        return arrow.large_list(kind.value_field.with_type(_readable(arrow, kind.value_type)))
    if types.is_list(kind):
        return arrow.list_(kind.value_field.with_type(_readable(arrow, kind.value_type)))
    return kind
