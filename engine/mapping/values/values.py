"""Converts values to the form of a field: cleans them, checks their type, and cuts them to a length."""

import json
import math
import re
from collections.abc import Callable, Iterable

import orjson

from sfmap.engine.language.model import CONVENTIONS, Conventions, ValueType
from sfmap.engine.mapping.values.event import as_text
from sfmap.engine.mapping.values.parsing import NUMBER_RANGE as NUMBER_RANGE
from sfmap.engine.mapping.values.parsing import Unfit as Unfit
from sfmap.engine.mapping.values.parsing import to_boolean, to_date, to_datetime, to_integer, to_number, to_time
from sfmap.engine.mapping.values.record import Json, Value

_LONGEST_SHOWN = 100
EMAIL = re.compile(r"[^\s@<>()\[\],;:\\\"]+@[^\s@<>()\[\],;:\\\"]+\.[^\s@<>()\[\],;:\\\".]+")
INVISIBLE_TAKEN_OUT = "invisible characters were removed"
_CAPITALS = {code: "1" if chr(code).isupper() else "0" for code in range(128)}
_ID_CHECK = {f"{bits:05b}"[::-1]: letter for bits, letter in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZ012345")}
_RECORD_ID = re.compile(r"[A-Za-z0-9]{15}([A-Za-z0-9]{3})?")

# XML 1.0 does not allow these, not even escaped (section 2.2, production Char).
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_SURROGATES = re.compile("[\ud800-\udfff]")
# Soft hyphens, zero-width characters and direction marks, which copied text often contains.
_INVISIBLE = "\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff"
_JOINERS = "\u200c\u200d"
_UNSEEN = re.compile(f"[{_INVISIBLE}]+")
# Emoji and many scripts need joiners between their characters; Latin letters never do.
_IDLE_JOINER = re.compile(f"(?<![^\x00-\u024f])[{_JOINERS}]|[{_JOINERS}](?![^\x00-\u024f])")
# Flags come first: in a long row of their halves, \X would count all before each one.
_GRAPHEME = r"\p{GCB=Regional_Indicator}{2}[\p{GCB=Extend}\p{GCB=ZWJ}\p{GCB=SpacingMark}]*|\X"


class UnreadableValue(Unfit):
    """A filter could not read a value."""

    def __init__(self, message: str, instead: Json) -> None:
        super().__init__(message)
        self.instead = instead
        """The result of the filters after it."""


def clean_text(text: str) -> str:
    """The text without characters that XML cannot carry; half a surrogate pair becomes U+FFFD."""
    if text.isprintable():
        return text
    return _SURROGATES.sub("\ufffd", _CONTROLS.sub("", text))


def visible(text: str) -> str:
    """An e-mail address or id without invisible characters."""
    return text if text.isprintable() else _UNSEEN.sub("", text.replace(_JOINERS[0], "").replace(_JOINERS[1], ""))


def visible_text(text: str) -> str:
    """Any text without invisible characters, except joiners that affect their neighbors."""
    return text if text.isprintable() else _IDLE_JOINER.sub("", _UNSEEN.sub("", text).strip(_JOINERS))


def shown(key: str) -> str:
    """A key as quoted in notes and reasons: cleaned, and cut if long."""
    return clean_text(key) if len(key) <= _LONGEST_SHOWN else f"{clean_text(key[:_LONGEST_SHOWN])}..."


def replace_half_pairs(value: Json) -> Json:
    """The value with every half surrogate pair, in keys too, as U+FFFD; senders make them by cutting emoji."""
    if isinstance(value, str):
        return _SURROGATES.sub("\ufffd", value)
    if isinstance(value, list):
        return [replace_half_pairs(item) for item in value]
    if isinstance(value, dict):
        return {_SURROGATES.sub("\ufffd", key): replace_half_pairs(item) for key, item in value.items()}
    return value


def json_text(value: Json) -> str:
    """The value as JSON, its numbers with all their digits. Raises `Unfit`."""
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:  # numbers beyond 64 bits, half surrogate pairs, deep nesting
        pass
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except RecursionError:
        raise Unfit("cannot be written as JSON") from None


def joined(texts: Iterable[str], separator: str) -> str:
    """The joined texts. A `;` within one of them becomes a comma if it is also the separator."""
    if separator.strip() == ";":
        texts = (text.replace(";", ",") for text in texts)
    return separator.join(texts)


def is_email(text: str) -> bool:
    # To look for the sign first takes a fraction of the time in a long text without one.
    return "@" in text and EMAIL.fullmatch(text) is not None


def length(text: str) -> int:
    """The length as Salesforce counts it, in UTF-16 code units: characters beyond U+FFFF count as two."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def cut(text: str, longest: int) -> str:
    """The longest prefix of `text` that fits and ends at a grapheme boundary."""
    if text.isascii() and "\r" not in text[:longest]:
        return text[:longest]
    import regex

    kept = 0
    units = 0
    for grapheme in regex.finditer(_GRAPHEME, text, endpos=min(len(text), longest + 1)):
        units += length(grapheme.group())
        if units > longest:
            break
        kept = grapheme.end()
    return text[:kept]


def full_record_id(text: str) -> str | None:
    """The 18-character form of a record id of either length; None if the text is not an id.

    Each of the last 3 characters encodes which of 5 earlier ones are upper case ("ID Field Type", Object
    Reference). If they do not match, a letter or its case is wrong, and it would be the id of another record.
    """
    if not _RECORD_ID.fullmatch(text):
        return None
    capitals = text[:15].translate(_CAPITALS)
    check = _ID_CHECK[capitals[:5]] + _ID_CHECK[capitals[5:10]] + _ID_CHECK[capitals[10:]]
    return text[:15] + check if text[15:] in ("", check) else None


def convert(value: Value, type: ValueType | None, conventions: Conventions = CONVENTIONS) -> Value:  # noqa: A002
    """The value in the JSON form of `type`; unchanged without a type.

    Raises `Unfit` with a message that follows the value's name.
    """
    if isinstance(value, float) and not math.isfinite(value):
        raise Unfit("is not a finite number")
    return _CONVERTERS[type](value, conventions) if type else value


def _text(value: Value) -> str:
    if isinstance(value, bool):
        raise Unfit("is true or false, not a text")
    return as_text(value)


def _email(value: Value) -> str:
    text = visible(as_text(value)).strip()
    if not is_email(text):
        raise Unfit("is not an e-mail address")
    return text


def _record_id(value: Value) -> str:
    text = visible(as_text(value)).strip()
    full = full_record_id(text)
    if full is None:
        if _RECORD_ID.fullmatch(text):
            raise Unfit(
                "is not a record id: its last 3 characters do not match the upper and lower case of the others"
            )
        raise Unfit("is not a record id (15 or 18 letters and digits)")
    return full


_CONVERTERS: dict[ValueType, Callable[[Value, Conventions], Value]] = {
    "string": lambda value, _: _text(value),
    "integer": lambda value, by: to_integer(value, by.decimal),
    "number": lambda value, by: to_number(value, by.decimal),
    "boolean": lambda value, _: to_boolean(value),
    "date": lambda value, by: to_date(value, by.timezone),
    "datetime": lambda value, by: to_datetime(value, by.timezone),
    "time": lambda value, by: to_time(value, by.timezone),
    "email": lambda value, _: _email(value),
    "phone": lambda value, _: _text(value).strip(),
    "url": lambda value, _: _text(value).strip(),
    "picklist": lambda value, _: _text(value).strip(),
    "id": lambda value, _: _record_id(value),
}


def scalar(value: Json | object) -> Value | None:
    """The value if a field can hold it, cleaned; None for null, blank text, objects and lists."""
    if isinstance(value, str):
        text = clean_text(value)
        return None if not text or text.isspace() else text
    return value if isinstance(value, (int, float)) else None


def is_blank(value: Json | object) -> bool:
    """Whether it is null or blank text."""
    return value is None or (isinstance(value, str) and scalar(value) is None)


def holds_value(value: Json | object) -> bool:
    """Whether it is a value that a field can hold, or an object or list that contains one."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, (dict, list)):
            waiting += one.values() if isinstance(one, dict) else one
        elif scalar(one) is not None:
            return True
    return False
