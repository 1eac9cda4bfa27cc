"""What the texts of a column stand for, as `types` says."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

from sfmap.engine.language.model import DecimalMark
from sfmap.engine.mapping.values.parsing import Unfit, to_boolean, to_date, to_datetime, to_number
from sfmap.engine.mapping.values.record import Json

ColumnKind = Literal["number", "boolean", "json", "date", "datetime"]
COLUMN_KINDS: tuple[ColumnKind, ...] = get_args(ColumnKind)


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnType:
    """The type of a column."""

    kind: ColumnKind
    form: str | None = None
    """How dates are written, as for `strptime`; None for ISO 8601 and seconds or milliseconds since 1970."""
    decimal: DecimalMark = "point"
    timezone: str = ""
    """Of dates and times that are written without one; UTC if empty."""

    def value(self, text: Json) -> Json:
        """The value; a text that is not of the type stays as it is, for the mapping to judge."""
        if text is None or isinstance(text, (list, dict)):
            return text
        try:
            return _READERS[self.kind](self, text)
        except Unfit:
            return text


def _json(_: ColumnType, text: str | int | float | bool) -> Json:
    try:
        value: Json = json.loads(text) if isinstance(text, str) else text
    except (ValueError, RecursionError):
        return text
    return value


_READERS: dict[ColumnKind, Callable[[ColumnType, str | int | float | bool], Json]] = {
    "number": lambda column, text: to_number(text, column.decimal),
    "boolean": lambda _, text: to_boolean(text),
    "json": _json,
    "date": lambda column, text: to_date(text, column.timezone, column.form),
    "datetime": lambda column, text: to_datetime(text, column.timezone, column.form),
}
