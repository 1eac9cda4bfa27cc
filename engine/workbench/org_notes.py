"""What an org would do with a value that a mapping writes: leave it out, cut it, or refuse it."""

from dataclasses import dataclass

from sfmap.engine.inspect.org_check import Descriptions
from sfmap.engine.language.model import Conventions
from sfmap.engine.mapping.values.record import Addition, FieldContent, RecordReference
from sfmap.engine.mapping.values.values import Unfit
from sfmap.engine.org.fields import find_field, fitted, is_cut, is_writable, unlisted
from sfmap.engine.org.port import FieldDescription, Value
from sfmap.engine.yaml_files.diagnostics import listed

_CUSTOM = "__c"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrgNotes:
    """The objects as far as they are known."""

    objects: Descriptions
    is_whole: bool
    """Whether the org has no other fields than those known."""

    def of(
        self, object_name: str, field_name: str, content: FieldContent, conventions: Conventions
    ) -> tuple[str, ...]:
        described = self.objects.get(object_name)
        if described is None:
            return ()
        field = find_field(described, field_name, isinstance(content, RecordReference))
        if field is None:
            return self._without_field(field_name)
        if not is_writable(field):
            return ("left out: this field is read-only",)
        if content is None or isinstance(content, (RecordReference, Addition)):
            return ()
        return _of_value(field, content, conventions)

    def _without_field(self, name: str) -> tuple[str, ...]:
        if self.is_whole:
            return ("not in the org: left out",)
        return () if name.endswith(_CUSTOM) else ("not a standard field: left out unless the org has it",)


def _of_value(field: FieldDescription, value: Value, conventions: Conventions) -> tuple[str, ...]:
    try:
        found = fitted(field, value, conventions)
    except Unfit as unfit:
        return (f"left out: it {unfit}; the field is of type {field.type}",)
    if is_cut(field, value, found):
        return (f"cut to {field.length} characters, the field's length",)
    if field.restricted_picklist and (others := unlisted(field, found)):
        return (f"refused: {listed(others, 'and')} is not among the values of this picklist",)
    return ()
