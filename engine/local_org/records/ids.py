"""Record ids: new ones, and the 18-character form of those that a client sends."""

import re

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_CAPITALS = {ord(digit): "1" if "A" <= digit <= "Z" else "0" for digit in _DIGITS}
_ID = re.compile(r"([A-Za-z0-9]{15})([A-Z0-5]{3})?")


def new_id(key_prefix: str, number: int) -> str:
    """The 18-character id of the object's record with this number; ids ascend with their numbers."""
    digits = ""
    while number:
        number, digit = divmod(number, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    short = key_prefix + digits.rjust(12, "0")
    return short + _suffix(short)


def number_of(record_id: str) -> int:
    """The number that an id was made of."""
    number = 0
    for digit in record_id[3:15]:
        number = number * len(_DIGITS) + _DIGITS.index(digit)
    return number


def full_id(text: str) -> str | None:
    """The 18-character form of an id of either length; None if the text is not an id, or its suffix is wrong.

    Source: "ID Field Type" in the Object Reference: 15 characters whose case counts, or 18 whose case does not.
    """
    found = _ID.fullmatch(text)
    if found is None:
        return None
    short, suffix = found[1], _suffix(found[1])
    return short + suffix if found[2] in (None, suffix) else None


def _suffix(short: str) -> str:
    """Three characters that tell the capital letters of 15: each stands for five, the first for the lowest bit.

    Source: "ID Field Type" in the Object Reference.
    """
    capitals = short.translate(_CAPITALS)[::-1]
    return _SUFFIX[int(capitals[10:], 2)] + _SUFFIX[int(capitals[5:10], 2)] + _SUFFIX[int(capitals[:5], 2)]
