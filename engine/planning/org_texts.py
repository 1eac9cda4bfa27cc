"""Values as an org reports them in texts, and how these are compared."""

from sfmap.engine.delivery.item import comparable, comparable_number
from sfmap.engine.org.port import FieldDescription, Value

_NUMBERS = frozenset(("int", "long", "double", "currency", "percent"))
_SEVERAL = "multipicklist"


def as_held(value: Value) -> str | None:
    """The value as the org reports it once it is written."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return comparable_number(repr(value))
    return value.strip() or None


def as_read(text: str | None, like: Value) -> object:
    """The text as `comparable` gives a value of the same kind as `like`."""
    if text is None:
        return None
    if isinstance(like, bool):
        return text == "true"
    return _number(text) if isinstance(like, (int, float)) else comparable(text)


def is_entry(described: FieldDescription, text: str) -> bool:
    """Whether the text is an entry of the picklist, or several of them."""
    chosen = text.split(";") if described.type == _SEVERAL else [text]
    return all(one.strip() in described.picklist_values for one in chosen)


def is_same(described: FieldDescription | None, one: str | None, other: str | None) -> bool:
    """Whether the field holds the same value with both texts."""
    if one is None or other is None or described is None:
        return one == other
    if described.type in _NUMBERS:
        return _number(one) == _number(other)
    if described.type == _SEVERAL:
        return set(one.split(";")) == set(other.split(";"))
    return one.lower() == other.lower() if described.type == "email" else one.strip() == other.strip()


def _number(text: str) -> str:
    try:
        return comparable_number(text)
    except ArithmeticError:
        return text
