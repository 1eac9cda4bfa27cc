"""Record ids: 15 characters that tell case apart, and 3 more that make them safe where case is lost."""

import re

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_SHAPE = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")


def new_id(key_prefix: str, number: int) -> str:
    """The 18-character id of the object's record with this number; ids ascend with their numbers."""
    digits = ""
    while number:
        number, digit = divmod(number, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return with_check(key_prefix + digits.rjust(12, "0"))


def with_check(short: str) -> str:
    """The 15-character id with its 3 check characters: each tells which of 5 characters are upper case."""
    chunks = (short[start : start + 5] for start in (0, 5, 10))
    return short + "".join(
        _CHECK[sum(1 << place for place, character in enumerate(chunk) if "A" <= character <= "Z")]
        for chunk in chunks
    )


def full_id(text: str) -> str | None:
    """The 18-character form of an id of either length; None where the text is no id."""
    return with_check(text[:15]) if _SHAPE.fullmatch(text) else None
