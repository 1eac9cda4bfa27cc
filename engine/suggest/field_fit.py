"""Whether the values of a trait fit a field, and how the field reads them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sfmap.engine.inspect.traits.trait_inventory import PathSeen
from sfmap.engine.inspect.traits.value_kinds import NO_VALUE, Kind
from sfmap.engine.language.model import ValueType
from sfmap.engine.mapping.values.values import Unfit, convert
from sfmap.engine.org.fields import VALUE_TYPES
from sfmap.engine.org.port import FieldDescription

_TEXTS: frozenset[Kind] = frozenset(("string", "email", "url", "date", "datetime", "time", "integer", "number"))
_ACCEPTED: dict[str, frozenset[Kind]] = {
    "boolean": frozenset(("boolean",)),
    "integer": frozenset(("integer",)),
    "number": frozenset(("integer", "number")),
    "date": frozenset(("date", "datetime")),
    "datetime": frozenset(("date", "datetime")),
    "time": frozenset(("time",)),
    "email": frozenset(("email",)),
    "url": frozenset(("url", "string")),
    "phone": frozenset(("string", "integer")),
    "picklist": frozenset(("string", "integer", "number")),
    "multipicklist": frozenset(("string",)),
}
"""By the type of a field, the kinds of values that it takes; a text takes all but booleans."""
_NEARLY_ALL = 0.8
_MOST = 0.5
_READ = frozenset(("integer", "number", "boolean", "date", "datetime", "time"))
"""Types that are read from texts."""
_DOMAIN = re.compile(r"[\w-]+(\.[\w-]+)+(/\S*)?", re.ASCII)
_PHONE = re.compile(r"[+()\d\s./x-]{3,}", re.IGNORECASE)


def fits(field: FieldDescription, seen: PathSeen) -> bool:
    """Whether nearly all values of the trait are of a kind that the field takes."""
    if field.reference_to or field.type in ("id", "reference", "base64", "address", "location"):
        return False
    value_type = VALUE_TYPES.get(field.type)
    if value_type in _READ and "string" in seen.types and seen.examples:
        return sum(_can_be_read(text, value_type) for text in seen.examples) >= _MOST * len(seen.examples)
    accepted = _ACCEPTED.get(field.type) or _ACCEPTED.get(VALUE_TYPES.get(field.type, ""), _TEXTS)
    counted = {kind: count for kind, count in seen.types.items() if kind not in NO_VALUE}
    fitting = sum(count for kind, count in counted.items() if kind in accepted)
    return bool(counted) and fitting >= _NEARLY_ALL * sum(counted.values()) and _looks_right(field, seen)


def _can_be_read(text: str, value_type: ValueType | None) -> bool:
    try:
        convert(text, value_type)
    except Unfit:
        return False
    return True


def _looks_right(field: FieldDescription, seen: PathSeen) -> bool:
    """Whether the examples look like what the field is for; without examples, that is not known."""
    shape = {"url": _DOMAIN, "phone": _PHONE}.get(field.type)
    if shape is None or not seen.examples:
        return True
    return any(shape.search(text) if field.type == "url" else shape.fullmatch(text) for text in seen.examples)


@dataclass(frozen=True, slots=True)
class Entries:
    """The examples of a trait beside the entries of a picklist."""

    same: tuple[str, ...]
    translated: tuple[tuple[str, str], ...]
    """Examples that differ from an entry by their case only, each with the entry."""
    unknown: tuple[str, ...]

    @property
    def is_any_known(self) -> bool:
        return bool(self.same or self.translated)


def entries_of(field: FieldDescription, examples: Iterable[str]) -> Entries:
    by_name = {one.casefold(): one for one in field.picklist_values}
    by_name |= {one.label.casefold(): one.value for one in field.entries if one.active and one.label}
    known = {text: by_name.get(text.casefold()) for text in examples}
    return Entries(
        same=tuple(text for text, entry in known.items() if text == entry),
        translated=tuple((text, entry) for text, entry in known.items() if entry and text != entry),
        unknown=tuple(text for text, entry in known.items() if entry is None),
    )
