"""References in composite requests: `@{reference.path}` stands for a part of an earlier response."""

import re
from collections.abc import Mapping

_REFERENCE = re.compile(r"@\{(\w+)((?:\.\w+|\[[^\]]*\])*)\}")
_STEP = re.compile(r"\w+")


_MOST_NESTED = 100
"""How deep the values of a body may be nested."""


class NoValue(Exception):
    """A reference to what no response has; the message is the API's."""


def resolved(value: object, responses: Mapping[str, object], depth: int = 0) -> object:
    """The value with its references replaced; `responses` are the earlier bodies by id. Raises `NoValue`."""
    if depth > _MOST_NESTED:
        raise NoValue("The body of the request is nested too deeply")
    if isinstance(value, str):
        whole = _REFERENCE.fullmatch(value)
        return _found(whole, responses) if whole else resolved_text(value, responses)
    if isinstance(value, list):
        return [resolved(one, responses, depth + 1) for one in value]
    if isinstance(value, dict):
        return {name: resolved(one, responses, depth + 1) for name, one in value.items()}
    return value


def resolved_text(text: str, responses: Mapping[str, object]) -> str:
    """The text with its references replaced. Raises `NoValue`."""
    return _REFERENCE.sub(lambda reference: str(_found(reference, responses)), text)


def _found(reference: re.Match[str], responses: Mapping[str, object]) -> object:
    name, path = reference[1], reference[2]
    value = responses.get(name)
    for step in _STEP.findall(path):
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            value = None
    if value is None:
        wanted = f"{name}{path}"
        raise NoValue(f"Invalid reference specified. No value for {wanted} found in {name}")
    return value
