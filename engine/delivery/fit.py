"""Fits a record to its object as the org describes it: what would be refused is left out or cut, and noted."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from sfmap.engine.mapping.event import as_text
from sfmap.engine.mapping.record import Note, Record, Value
from sfmap.engine.mapping.values import Unfit, convert, cut, length
from sfmap.engine.org.port import FieldDescription, ObjectDescription
from sfmap.engine.org.soql import too_long_for_lookup
from sfmap.engine.spec.diagnostics import did_you_mean
from sfmap.engine.spec.model import ValueType

_TYPES: Mapping[str, ValueType] = {
    "boolean": "boolean",
    "int": "integer",
    "long": "number",
    "double": "number",
    "currency": "number",
    "percent": "number",
    "date": "date",
    "datetime": "datetime",
    "email": "email",
    "reference": "id",
    "id": "id",
}
"""The API's field types (Object Reference, "Field Types") as the mapping's; every other one is text."""

_PICKLISTS = frozenset({"picklist", "multipicklist"})
"""Never cut (row 8 of behaviour.md): the org says what it thinks of the value."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A record that the org can take: what to send when it is created and when it is updated."""

    match: tuple[Mapping[str, Value], ...]
    on_create: Mapping[str, Value]
    on_update: Mapping[str, Value]
    notes: tuple[Note, ...]
    doubtful: bool = False
    """Whether the org is likely to refuse it: a value stands outside a restricted picklist."""
    complete: bool = True
    """Whether it has all that a create needs."""


class DoesNotFit(Exception):
    """A record that cannot be written at all; the message says why."""


def fit(record: Record, description: ObjectDescription) -> Fitted:
    """The record as the org can take it. Raises `DoesNotFit`."""
    if not (description.createable and description.updateable):
        lacking = "create" if not description.createable else "update"
        raise DoesNotFit(f"this user may not {lacking} {description.name} records; its profile must allow it")
    fitting = _Fitting(record, description)
    fields = fitting.fitted(record.fields, lambda field: field.createable or field.updateable)
    create_only = fitting.fitted(record.create_only, lambda field: field.createable)
    update_only = fitting.fitted(record.update_only, lambda field: field.updateable)
    of = description.fields
    return Fitted(
        match=fitting.match(),
        on_create={name: value for name, value in fields.items() if of[name].createable} | create_only,
        on_update={name: value for name, value in fields.items() if of[name].updateable} | update_only,
        notes=(*record.notes, *fitting.notes),
        doubtful=fitting.doubtful,
        complete=_is_complete(description, {**fields, **create_only}),
    )


def _is_complete(description: ObjectDescription, values: Mapping[str, Value]) -> bool:
    return all(
        field.name in values or field.nillable or field.defaulted_on_create or not field.createable
        for field in description.fields.values()
    )


class _Fitting:
    def __init__(self, record: Record, description: ObjectDescription) -> None:
        self.record = record
        self.description = description
        self.notes: list[Note] = []
        self.doubtful = False

    def fitted(
        self, values: Mapping[str, Value], writable: Callable[[FieldDescription], bool]
    ) -> dict[str, Value]:
        """The values that the org's fields can hold; a note for every other one."""
        kept = {}
        for name, value in values.items():
            field = self.description.fields.get(name)
            if field is None:
                self._note(name, self._unknown(name))
            elif not writable(field):
                self._note(name, f"left out: {self.description.name}.{name} is read-only for this user")
            else:
                fitted = self._value(field, value)
                if fitted is not None:
                    kept[name] = fitted
        return kept

    def match(self) -> tuple[Mapping[str, Value], ...]:
        """The lookups with their values as the org compares them."""
        return tuple(
            {name: self._match_value(name, value) for name, value in lookup.items()}
            for lookup in self.record.match
        )

    def _match_value(self, name: str, value: Value) -> Value:
        """The value as it is written, too: what is cut must be looked up cut, or it is never found again."""
        field = self.description.fields.get(name)
        if field is None:
            raise DoesNotFit(f"cannot look up by {name}: {self._unknown(name).removeprefix('left out: ')}")
        try:
            fitted = _fitted(field, value)
        except Unfit as unfit:
            raise DoesNotFit(f"cannot look up by {name}: {self._origin(name)} {unfit}") from None
        if field.type in ("date", "datetime"):
            raise DoesNotFit(f"cannot look up by {name}: it is of type {field.type}, which lookups cannot use yet")
        if too_long_for_lookup(fitted):
            raise DoesNotFit(f"cannot look up by {name}: {self._origin(name)} is too long for a query")
        return fitted

    def _value(self, field: FieldDescription, value: Value) -> Value | None:
        try:
            fitted = _fitted(field, value)
        except Unfit as unfit:
            what = f"left out: {self._origin(field.name)} {unfit} ({field.name} is of type {field.type})"
            self._note(field.name, what)
            return None
        if field.type not in _TYPES and fitted != as_text(value):
            self._note(field.name, f"cut to {field.length} characters, the field's length in the org")
        if field.restricted_picklist and fitted not in field.picklist_values:
            self.doubtful = True
        return fitted

    def _unknown(self, name: str) -> str:
        """Row 11 of behaviour.md: the trait, the field, and whether the name or its casing is the matter."""
        fields = self.description.fields
        missing = f"left out: {self.description.name} has no field {name} for {self._origin(name)}"
        same = [field for field in fields if field.casefold() == name.casefold()]
        if same:
            return f"{missing}; it has {same[0]}, and the casing must agree"
        return f"{missing}; {_hint(name, tuple(fields))}"

    def _origin(self, name: str) -> str:
        return self.record.origins.get(name, "its default")

    def _note(self, name: str, what: str) -> None:
        self.notes.append(Note(name, what))


@lru_cache(maxsize=1024)
def _hint(name: str, fields: tuple[str, ...]) -> str:
    return did_you_mean(name, fields) or "create it in Setup, or give the user access to it"


def _fitted(field: FieldDescription, value: Value) -> Value:
    """The value as the field can hold it. Raises `Unfit`."""
    value_type = _TYPES.get(field.type)
    fitted = convert(value, value_type) if value_type else as_text(value)
    if not isinstance(fitted, str) or not 0 < field.length < length(fitted) or field.type in _PICKLISTS:
        return fitted
    if field.type == "email":
        raise Unfit(f"is longer than {field.length} characters, and an e-mail address is not cut")
    shortened = cut(fitted, field.length)
    if not shortened:
        raise Unfit(f"has no character that fits in {field.length}")
    return shortened
