"""Values as the org's APIs write them, and the characters that they cannot carry."""

import re
from decimal import Decimal
from math import isfinite

from sfmap.engine.org.port import Value

NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""The characters that XML cannot contain."""


def api_text(value: Value) -> str:
    """The value as SOAP and CSV write it. Raises ValueError for a number that is not finite."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return plain(value)


def plain(number: float) -> str:
    """The number without an exponent."""
    if not isfinite(number):
        raise ValueError(f"not a number that can be written: {number}")
    return format(Decimal(repr(number)), "f")


def why_not_text(value: Value) -> str:
    """Why no API takes the value, as the end of a sentence that begins with the field; empty if one may."""
    if isinstance(value, float) and not isfinite(value):
        return f"{value} is not a number that a field can hold"
    if isinstance(value, str) and not value.isprintable() and (bad := NOT_XML.search(value)):
        return f"the value contains U+{ord(bad[0]):04X}, a character that XML cannot carry"
    return ""
