"""The org's objects as records are fitted to them, and one record while it is fitted."""

from collections.abc import Mapping

from sfmap.engine.mapping.values.record import Note, Record, Value
from sfmap.engine.org.fields import VERBS, coded_fields, fitted, is_required, may, nearest_field, room
from sfmap.engine.org.port import FieldDescription, ObjectDescription

_MOST_MISSING = 10_000
"""The number of notes that are cached."""
_MOST_COMPARED = 500
"""The number of missing fields for which similar ones are searched, since senders may make up any number."""


class DoesNotFit(Exception):
    """The record cannot be written at all; the message says why."""


class ObjectShape:
    """The properties of an object's fields that every record needs, computed once."""

    def __init__(self, description: ObjectDescription) -> None:
        fields = description.fields.values()
        self.required = [field.name for field in fields if is_required(field)]
        self.createable = {field.name for field in fields if field.createable}
        self.updateable = {field.name for field in fields if field.updateable}
        self.writable = self.createable | self.updateable
        self.roomy = {field.name: sure for field in fields if (sure := room(field))}
        """By field that takes any text, how many characters are sure to fit."""
        self.coded = coded_fields(description)
        self.codes = {name: one for one in self.coded for name in (one.text.name, one.code.name)}
        self.allowed = {verb for verb in VERBS if may(description, verb)}
        """What the user may do with its records."""


class OrgObjects:
    """The objects that records are written to and point to, as the org describes them."""

    def __init__(self, descriptions: Mapping[str, ObjectDescription], currency: str = "") -> None:
        self.descriptions = descriptions
        self.currency = currency
        """The currency of the org; empty if it has several, or is unknown."""
        self.shapes = {name: ObjectShape(one) for name, one in descriptions.items()}
        self._missing: dict[tuple[str, str, str], Note] = {}

    def missing(self, object_name: str, field: str, origin: str) -> Note:
        """The note on a field that the object does not have."""
        known = self._missing.get((object_name, field, origin))
        if known is None:
            is_compared = len(self._missing) < _MOST_COMPARED
            near = nearest_field(self.descriptions[object_name], field, is_compared)
            near = near or "create it in Setup, or give the user access to it"
            known = Note(field, f"left out: {object_name} has no field {field} for {origin}; {near}")
            if len(self._missing) < _MOST_MISSING:
                self._missing[object_name, field, origin] = known
        return known


class Fitting:
    """One record while it is fitted."""

    def __init__(self, record: Record, objects: OrgObjects) -> None:
        self.record = record
        self.conventions = record.plan.conventions
        self.objects = objects
        self.shape = objects.shapes[record.object]
        self.description = objects.descriptions[record.object]
        self.notes: list[Note] = []
        self._converted: dict[str, tuple[Value, Value]] = {}
        """By field, the value that was given last, and as the field holds it."""

    def converted(self, field: FieldDescription, value: Value) -> Value:
        """The value as the field holds it. Raises `Unfit`."""
        given, found = self._converted.get(field.name, (None, value))
        if given is not value:
            found = fitted(field, value, self.conventions)
            self._converted[field.name] = value, found
        return found

    def note(self, name: str, what: str) -> None:
        self.notes.append(Note(name, what))

    def unknown(self, name: str) -> Note:
        """The note on a field of the record that its object does not have."""
        return self.objects.missing(self.description.name, name, self.origin(name))

    def origin(self, name: str) -> str:
        """Where the field's value comes from, for notes."""
        return self.record.origins.get(name, "its default")
