"""Names what kind of value a trait has, in the words of the mapping language's types."""

import re
from typing import Literal

from sfmap.engine.mapping.values.event import as_text
from sfmap.engine.mapping.values.parsing import Unfit, to_date, to_datetime, to_time
from sfmap.engine.mapping.values.record import Json
from sfmap.engine.mapping.values.values import clean_text, is_email

Kind = Literal[
    "string",
    "email",
    "url",
    "date",
    "datetime",
    "time",
    "integer",
    "number",
    "boolean",
    "null",
    "blank",
    "object",
    "list",
]
"""The kinds of values; `object` and `list` are empty ones, since others are known by their members."""

NO_VALUE: frozenset[Kind] = frozenset(("null", "blank", "object", "list"))
"""The kinds that fill no field."""

_LONGEST_READ = 2_000
"""In characters; no date, number or address is longer."""
_LONGEST_SHOWN = 60
_URL = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_INTEGER = re.compile(r"[+-]?\d{1,15}")
_NUMBER = re.compile(r"[+-]?\d{1,15}\.\d{1,15}")
_DATED = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}")
_TIMED = re.compile(r"\d{1,2}:\d{2}")
_LETTER = re.compile(r"[^\W\d_]")
_DIGIT = re.compile(r"\d")


def kind_of(value: Json) -> Kind:
    """The kind of a value without members."""
    if isinstance(value, str):
        return _kind_of_text(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, float):
        return "integer" if value.is_integer() else "number"
    return "integer" if isinstance(value, int) else "object" if isinstance(value, dict) else "list"


def _kind_of_text(text: str) -> Kind:
    if not text or text.isspace():
        return "blank"
    if len(text) > _LONGEST_READ:
        return "string"
    text = text.strip()
    if is_email(text):
        return "email"
    if text[0] in "0123456789+-":
        return _kind_of_digits(text)
    return "url" if _URL.fullmatch(text) else "boolean" if text.casefold() in ("true", "false") else "string"


def _kind_of_digits(text: str) -> Kind:
    if _INTEGER.fullmatch(text):
        # Digits behind a zero or a plus are a postal code, a phone number or an id.
        return "string" if len(text) > 1 and text[0] in "0+" else "integer"
    if _NUMBER.fullmatch(text):
        return "number"
    try:
        if _DATED.match(text):
            moment = to_datetime(text)
            return "date" if len(text) <= len("YYYY-MM-DD") and to_date(text) == moment[:10] else "datetime"
        if _TIMED.match(text):
            to_time(text)
            return "time"
    except Unfit:
        pass
    return "string"


def example_of(value: str | int | float | bool, *, mask: bool = False) -> str:
    """The value as text, cut if it is long; masked, with x for each letter and 9 for each digit."""
    text = clean_text(as_text(value[: _LONGEST_SHOWN + 1] if isinstance(value, str) else value))
    text = " ".join(text.split())
    if len(text) > _LONGEST_SHOWN:
        text = f"{text[: _LONGEST_SHOWN - 3]}..."
    return _DIGIT.sub("9", _LETTER.sub("x", text)) if mask and not isinstance(value, bool) else text
