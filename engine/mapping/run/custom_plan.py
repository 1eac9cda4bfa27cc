"""Custom fields: every trait that no rule reads becomes a field named by its key and a suffix."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from sfmap.engine.language.model import CustomFields
from sfmap.engine.mapping.run.compiled_source import CompiledSource
from sfmap.engine.mapping.values.event import as_text
from sfmap.engine.mapping.values.record import Event, FieldContents, Json, Note, Value
from sfmap.engine.mapping.values.values import (
    INVISIBLE_TAKEN_OUT,
    Unfit,
    clean_text,
    convert,
    joined,
    json_text,
    scalar,
    shown,
    visible_text,
)
from sfmap.engine.yaml_files.diagnostics import Span

LONGEST_NAME: Final = 100
"""More than the org allows: 15 characters for a namespace, 40 for the name, plus separator and suffix."""
_MOST_FIELDS = 10_000
"""In one event; an object can have 800 in Salesforce ("Custom Fields Allowed Per Object")."""
_DEEPEST = 20


@dataclass(frozen=True, slots=True)
class CustomField:
    """The value of a custom field."""

    field: str
    value: Value | None
    """None empties the field."""
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomPlan:
    """Which traits of one source become custom fields, and how."""

    spec: CustomFields
    span: Span
    source: CompiledSource
    """The object whose members become fields."""
    is_wanted: Callable[[str], bool]
    """Whether the trait is a custom one: no rule reads it, and the mapping does not exclude it."""
    field_of: Callable[[str], str]
    """The field name for a trait key; empty if the key cannot become one."""
    taken: frozenset[str]
    """Fields that rules write, which traits do not overwrite."""
    looked_up: frozenset[str]
    """Fields that records are looked up by."""

    def find(self, event: Event, written: FieldContents) -> Iterator[CustomField | Note]:
        """The fields and their values, and a note for each trait that cannot be one; adds to `written`."""
        try:
            traits = self.source.get(event)
        except Unfit as unfit:
            yield Note("custom", f"left out: {self.source.text} {unfit}")
            return
        wanted = (
            found
            for key, raw in (traits.items() if isinstance(traits, dict) else ())
            if self.is_wanted(key)
            for found in self.of(key, raw, written)
        )
        yield from islice(wanted, _MOST_FIELDS)
        beyond = next(wanted, None)
        if beyond:
            written.pop(beyond.field, None)
            yield Note("custom", f"left out: {self.source.text} after the first {_MOST_FIELDS:,} traits")

    def of(self, key: str, raw: Json, written: FieldContents) -> Iterator[CustomField | Note]:
        """The fields and notes for one trait; `written` are the fields with a value, and is added to."""
        for path, value in self._leaves(key, raw, 0):
            seen = value
            if isinstance(value, str) and self.looked_up and self.field_of(path) in self.looked_up:
                seen = visible_text(value)
            found = self._field(path, seen, written)
            if found:
                yield found
            if seen is not value:
                yield Note(self.field_of(path), INVISIBLE_TAKEN_OUT)

    def origin(self, key: str) -> str:
        return f"{self.source.text}.{clean_text(key)}"

    def _leaves(self, key: str, value: Json, depth: int) -> Iterator[tuple[str, Json]]:
        """The trait, or the members of a flattened object by their joined keys."""
        if isinstance(value, dict) and self.spec.objects == "flatten" and depth < _DEEPEST:
            for inner, member in value.items():
                yield from self._leaves(self._joined(key, inner), member, depth + 1)
        else:
            yield key, value

    def _joined(self, key: str, inner: str) -> str:
        """The name of a member; one already too long for a field does not grow with every level."""
        return key if len(key) > LONGEST_NAME else f"{key}{self.spec.separator}{inner}"

    def _field(self, key: str, raw: Json, written: FieldContents) -> CustomField | Note | None:
        if raw is None and self.spec.on_null == "ignore":
            return None
        field = self.field_of(key)
        told = shown(key)
        if not field:
            return Note(told, "left out: this trait's name cannot be the name of a field")
        try:
            value = self._value(raw)
        except Unfit as unfit:
            return Note(field, f"left out: the trait {told} {unfit}")
        if value is None and raw is not None and not (isinstance(raw, str) and self.spec.on_blank == "clear"):
            return None
        if field in self.taken or field in written:
            if field not in self.taken and repr(written[field]) == repr(value):
                return None
            return Note(field, f"left out: the trait {told} would set this field a second time")
        written[field] = value
        return CustomField(field, value, self.origin(key))

    def _value(self, raw: Json) -> Value | None:
        if isinstance(raw, list) and self.spec.lists == "join":
            items = [item for item in raw if item is not None]
            if any(isinstance(item, (dict, list)) for item in items):
                raise Unfit("is a list of more than single values")
            texts = (as_text(item) for item in items if isinstance(item, (str, int, float)))
            raw = joined(texts, self.spec.joint)
        elif isinstance(raw, (dict, list)):
            if (self.spec.objects if isinstance(raw, dict) else self.spec.lists) != "json":
                raise Unfit("is not a single value")
            raw = json_text(raw)
        value = scalar(raw)
        return None if value is None else convert(value, None)
