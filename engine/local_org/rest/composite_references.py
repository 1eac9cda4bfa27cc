"""References in composite requests: `@{reference.path}` stands for a part of an earlier response."""

import re
from collections.abc import Mapping

from sfmap.engine.local_org.calls.http_requests import sent_number

_REFERENCE = re.compile(r"@\{(\w+)((?:\.\w+|\[[^\]]*\])*)\}")
_STEP = re.compile(r"\w+")
_MOST_NESTED = 100
"""How deep the values of a body may be nested."""


class NoValue(Exception):
    """A reference to what no response has, or a body that cannot be sent; the message is the API's."""


def resolved(value: object, responses: Mapping[str, object]) -> object:
    """The value with its references replaced; `responses` are the earlier bodies by id. Raises `NoValue`."""
    if isinstance(value, str):
        whole = _REFERENCE.fullmatch(value)
        return _found(whole, responses) if whole else resolved_text(value, responses)
    if isinstance(value, list):
        return [resolved(one, responses) for one in value]
    if isinstance(value, dict):
        return {name: resolved(one, responses) for name, one in value.items()}
    return value


def check_nesting(value: object, depth: int = 0) -> None:
    """Raises `NoValue` for a value that is nested too deeply."""
    if depth > _MOST_NESTED:
        raise NoValue("The body of the request is nested too deeply")
    inner = value if isinstance(value, list) else value.values() if isinstance(value, dict) else ()
    for one in inner:
        check_nesting(one, depth + 1)


def resolved_text(text: str, responses: Mapping[str, object]) -> str:
    """The text with its references replaced. Raises `NoValue`."""
    return _REFERENCE.sub(lambda reference: str(_found(reference, responses)), text)


def _found(reference: re.Match[str], responses: Mapping[str, object]) -> object:
    name, path = reference[1], reference[2]
    value = responses.get(name)
    for step in _STEP.findall(path):
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list):
            place = sent_number(step)
            value = value[place] if place is not None and place < len(value) else None
        else:
            value = None
    if value is None:
        wanted = f"{name}{path}"
        raise NoValue(f"Invalid reference specified. No value for {wanted} found in {name}")
    return value
