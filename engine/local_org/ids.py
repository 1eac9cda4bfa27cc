"""New record ids: a key prefix, the record's number, and the check characters."""

from sfmap.engine.mapping.values.values import full_record_id

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def new_id(key_prefix: str, number: int) -> str:
    """The 18-character id of the object's record with this number; ids ascend with their numbers."""
    digits = ""
    while number:
        number, digit = divmod(number, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    short = key_prefix + digits.rjust(12, "0")
    return full_record_id(short) or short
