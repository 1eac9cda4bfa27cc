"""Evaluates simple conditions in SOQL on values that only the plan knows."""

import re
from collections.abc import Callable, Mapping

from sfmap.engine.delivery.item import comparable, comparable_number

_PART = re.compile(
    r"\s*(?P<name>[A-Za-z]\w*)\s*(?P<sign>!=|<>|=)\s*(?P<value>'(?:[^'\\]|\\.)*'|true|false|null|-?\d+(?:\.\d+)?)\s*",
    re.IGNORECASE,
)
_AND = re.compile(r"\s*\bAND\b", re.IGNORECASE)

Read = Callable[[str], str | None]
"""Returns the value of a field."""


def names_in(where: str) -> tuple[str, ...]:
    """The fields that a simple condition compares; none if it is not simple."""
    return tuple(part["name"] for part in _parts(where) or ())


def holds_for(where: str, fields: Mapping[str, str | None]) -> bool | None:
    """Whether the condition holds for these values; None if that cannot be told here."""
    parts = _parts(where)
    held = {name.lower(): text for name, text in fields.items()}
    if parts is None or any(part["name"].lower() not in held for part in parts):
        return None
    return all(_is(held[part["name"].lower()], part["value"]) == (part["sign"] == "=") for part in parts)


def _parts(where: str) -> list[re.Match[str]] | None:
    """The comparisons, which AND joins; None if the condition has anything else."""
    found: list[re.Match[str]] = []
    position = 0
    while True:
        part = _PART.match(where, position)
        if not part:
            return None
        found.append(part)
        if part.end() == len(where):
            return found
        joint = _AND.match(where, part.end())
        if not joint:
            return None
        position = joint.end()


def _is(text: str | None, literal: str) -> bool:
    if literal.lower() == "null":
        return text is None
    if text is None:
        return False
    if literal.startswith("'"):
        return comparable(text) == comparable(re.sub(r"\\(.)", r"\1", literal[1:-1]))
    if literal.lower() in ("true", "false"):
        return text.lower() == literal.lower()
    try:
        return comparable_number(text) == comparable_number(literal)
    except ArithmeticError:
        return False
