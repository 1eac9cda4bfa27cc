"""What a described field accepts and can be used for: rules shared by check, delivery and describe."""

import sys
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from sfmap.engine.language.model import CONVENTIONS, Conventions, ValueType
from sfmap.engine.mapping.values.event import as_text
from sfmap.engine.mapping.values.values import Unfit, convert, cut, length
from sfmap.engine.org.port import ChildReference, FieldDescription, ObjectDescription, PicklistEntry, Value
from sfmap.engine.org.soql import too_long_for_lookup
from sfmap.engine.yaml_files.diagnostics import did_you_mean, listed

Verb = Literal["create", "update", "delete"]
VERBS: tuple[Verb, ...] = get_args(Verb)

VALUE_TYPES: Mapping[str, ValueType] = {
    "boolean": "boolean",
    "int": "integer",
    "long": "number",
    "double": "number",
    "currency": "number",
    "percent": "number",
    "date": "date",
    "datetime": "datetime",
    "time": "time",
    "email": "email",
    "reference": "id",
    "id": "id",
}
"""The API's field types (Object Reference, "Field Types") as the mapping's types; all others are text."""

_ALSO_FIT: Mapping[ValueType, tuple[ValueType, ...]] = {
    "number": ("integer",),
    "date": ("datetime",),
    "datetime": ("date",),
}
"""By the type of a field: other types whose values it accepts."""
_LENGTHS: Mapping[ValueType, int] = {"date": 10, "time": 13, "datetime": 24, "id": 18}
"""The length of a text of the type; one that is cut is meaningless."""
_MULTISELECT = "multipicklist"
_PICKLISTS = frozenset({"picklist", _MULTISELECT})
"""Never cut (docs/behaviour.md, row 8): the org decides about the value."""
_UNQUOTED = frozenset({"date", "datetime", "time"})
"""Queries write these without quotes, which lookups do not support."""


def find_field(described: ObjectDescription, name: str, refers: bool = False) -> FieldDescription | None:
    """The field of that name; for a reference, also by the name of its relationship."""
    if refers and name not in described.fields:
        return next((field for field in described.fields.values() if field.relationship_name == name), None)
    return described.fields.get(name)


def no_such_object(name: str) -> str:
    """Says that an object is not among those that the org describes to this user."""
    return f"the org has no object {name}, or this user may not see it"


def nearest_field(described: ObjectDescription, name: str, is_compared: bool = True) -> str:
    """A hint at the field that was probably meant; empty if none is similar.

    With `is_compared`, similar names are searched, which takes a while; otherwise only those of another casing.
    """
    same = described.by_casefold.get(name.casefold())
    if same:
        return f"it has {same}, and the casing must agree"
    return did_you_mean(name, described.fields) if is_compared else ""


def is_writable(field: FieldDescription) -> bool:
    return field.createable or field.updateable


def is_required(field: FieldDescription) -> bool:
    """Whether a create must give it a value."""
    return field.createable and not field.nillable and not field.defaulted_on_create


def may(described: ObjectDescription, verb: Verb) -> bool:
    """Whether the user may do this with records of the object."""
    allowed = {"create": described.createable, "update": described.updateable, "delete": described.deletable}
    return allowed[verb]


def is_key(field: FieldDescription) -> bool:
    """Whether the org itself can find records by the field."""
    return field.external_id or field.id_lookup


def why_not_looked_up(field: FieldDescription) -> str:
    """Why a lookup cannot use the field; empty if it can."""
    if not field.filterable:
        return f"the org cannot filter by it ({_called(field)})"
    if field.type in _UNQUOTED:
        return f"it is of type {field.type}, which lookups do not support"
    return ""


def why_not_pointed(field: FieldDescription, object_name: str) -> str:
    """Why the field cannot hold the id of a record of that object; empty if it can."""
    if object_name in field.reference_to:
        return ""
    return f"it points to {listed(field.reference_to)}" if field.reference_to else "it points to no record"


def fitted(field: FieldDescription, value: Value, conventions: Conventions = CONVENTIONS) -> Value:
    """The value as the field holds it: cut to its length, e-mail in small letters. Raises `Unfit`."""
    if field.type == "base64":
        return _base64(as_text(value))
    value_type = VALUE_TYPES.get(field.type)
    found = convert(value, value_type, conventions) if value_type else as_text(value)
    if value_type in ("integer", "number") and isinstance(found, (int, float)):
        return _within_precision(field, found)
    if not isinstance(found, str):
        return found
    if not 0 < field.length < length(found) or field.type in _PICKLISTS:
        return _in_small_letters(found) if field.type == "email" else found
    if field.type == "email":
        raise Unfit(f"is longer than {field.length} characters, and an e-mail address is never cut")
    shortened = cut(found, field.length)
    if not shortened:
        raise Unfit(f"has no character that fits in {field.length}")
    return shortened


def _in_small_letters(address: str) -> str:
    """The address as the org stores it, so that a record that has it is known as unchanged."""
    small = address.lower()
    return small if length(small) == length(address) else address


def fitted_for_lookup(field: FieldDescription, value: Value, conventions: Conventions = CONVENTIONS) -> Value:
    """The value as a lookup compares it: the same as written, so that it is found again. Raises `Unfit`."""
    return fit_for_lookup(fitted(field, value, conventions))


def fit_for_lookup(fitted_value: Value) -> Value:
    """The value that `fitted` returned, if a query can hold it. Raises `Unfit`."""
    if too_long_for_lookup(fitted_value):
        raise Unfit("is too long for a query")
    return fitted_value


def always_fits(field: FieldDescription, type: ValueType | None, longest: int | None) -> bool:  # noqa: A002
    """Whether every value of this type and maximum length fits the field.

    Numbers with too many digits and values missing from a picklist are not considered.
    """
    wanted = VALUE_TYPES.get(field.type)
    if wanted is None:
        return True
    if wanted == "email":
        return type == "email" and 0 < (longest or 0) <= field.length
    return type in (wanted, *_ALSO_FIT.get(wanted, ())) and (longest or sys.maxsize) >= _LENGTHS.get(type, 0)


def takes_several(field: FieldDescription) -> bool:
    """Whether the field is a multi-select picklist."""
    return field.type == _MULTISELECT


def several(text: str) -> list[str]:
    """The values of a multi-select picklist."""
    return [part.strip() for part in text.split(";") if part.strip()]


def is_cut(field: FieldDescription, value: Value, found: Value) -> bool:
    """Whether `fitted` cut the value."""
    return field.type not in VALUE_TYPES and found != as_text(value)


def room(field: FieldDescription) -> int:
    """How many characters of any text are sure to fit; 0 if that depends on the text."""
    if field.type in VALUE_TYPES or field.type == "base64" or field.restricted_picklist:
        return 0
    # A character beyond the basic plane counts as two: half the length is sure to fit.
    return field.length // 2 if field.length and field.type not in _PICKLISTS else sys.maxsize


def unlisted(field: FieldDescription, value: Value) -> list[str]:
    """The values that are not active entries of the picklist; none if the field is not a picklist."""
    if field.type not in _PICKLISTS or (not field.restricted_picklist and not field.picklist_values):
        return []
    text = as_text(value)
    chosen = several(text) if takes_several(field) else [text]
    return [one for one in chosen if one and one not in field.picklist_values]


@dataclass(frozen=True, slots=True)
class Coded:
    """A text field with a picklist of codes beside it, such as states and countries."""

    text: FieldDescription
    code: FieldDescription
    controller: FieldDescription | None
    """The controlling picklist of codes; None if every entry is always valid."""

    def entry(self, said: str, controlling: str | None) -> PicklistEntry | None:
        """The one entry with this code, or else with this label."""
        wanted = said.strip().casefold()
        entries = list(self._valid(controlling))
        by_code = [entry for entry in entries if entry.value.casefold() == wanted]
        by_label = [entry for entry in entries if entry.label.casefold() == wanted]
        for found in (by_code, by_label):
            if len(found) == 1:
                return found[0]
        return None

    def knows(self, said: str) -> bool:
        """Whether an entry has this code or label."""
        wanted = said.strip().casefold()
        return any(wanted in (one.value.casefold(), one.label.casefold()) for one in self._valid(None))

    def nearest(self, said: str, controlling: str | None) -> str:
        """A hint at the entry that was probably meant; empty if none is similar."""
        return did_you_mean(said, (word for one in self._valid(controlling) for word in (one.value, one.label)))

    def _valid(self, controlling: str | None) -> Iterator[PicklistEntry]:
        """The active entries that are valid for a value of the controlling picklist."""
        positions = _positions(self.controller, controlling) if self.controller and controlling else None
        for entry in self.code.entries:
            if entry.active and (positions is None or not positions.isdisjoint(entry.valid_for)):
                yield entry


def coded_fields(described: ObjectDescription) -> tuple[Coded, ...]:
    """The object's text fields with a picklist of codes (`X` and `XCode`); controlling ones come first."""
    fields = described.fields
    pairs = ((text, fields.get(f"{text.name}Code")) for text in fields.values() if text.type not in _PICKLISTS)
    found = [Coded(text, code, fields.get(code.controller)) for text, code in pairs if code and _is_list(code)]
    return tuple(sorted(found, key=lambda one: one.controller is not None))


def _is_list(field: FieldDescription) -> bool:
    return field.type in _PICKLISTS and bool(field.entries)


def _positions(controller: FieldDescription, value: str) -> set[int]:
    return {place for place, entry in enumerate(controller.entries) if entry.value == value}


def nearest_entry(field: FieldDescription, text: str) -> str:
    """A hint at the entry of the picklist that was probably meant; empty if none is similar."""
    return did_you_mean(text, (word for one in field.entries if one.active for word in (one.label, one.value)))


def _called(field: FieldDescription) -> str:
    return f"{field.type} of {field.length:,} characters" if field.length else field.type


def _within_precision(field: FieldDescription, number: int | float) -> int | float:
    """The number, if its digits before the point fit the field; the org keeps more of them after it.

    The org rounds numbers as doubles, whichever API they come by (Help article 000394530).
    """
    digits = field.precision - field.scale
    if digits > 0 and abs(number) >= 10**digits:
        raise Unfit(f"has more than {digits} digits before the point")
    if float(number) != number:
        raise Unfit("has more digits than a number field keeps: from the 16th on the org rounds")
    return number


def _base64(text: str) -> str:
    try:
        b64decode(text, validate=True)
    except ValueError:
        raise Unfit("is not base64") from None
    return text


def child_references(object_name: str, described: Mapping[str, ObjectDescription]) -> Iterator[ChildReference]:
    """The fields of described objects that refer to records of the object, of those that users can write."""
    for child in described[object_name].children if object_name in described else ():
        known = described.get(child.object)
        field = known.fields.get(child.field) if known else None
        if field and field.filterable and (field.createable or field.updateable):
            yield child
