"""A mapping against the objects that an org has: what would be left out, cut or refused there."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from sfmap.engine.mapping.values import Unfit, convert
from sfmap.engine.org.local.schema import FieldSchema, ObjectSchema
from sfmap.engine.org.local.schema_file import load_schema
from sfmap.engine.org.port import FieldDescription, ObjectDescription, PicklistEntry
from sfmap.engine.spec import kinds
from sfmap.engine.spec.diagnostics import Diagnostic, Severity, Span, did_you_mean, listed
from sfmap.engine.spec.kinds import Kind
from sfmap.engine.spec.model import Constant, FieldRule, ReferenceTo, ValueType
from sfmap.engine.spec.model import Mapping as MappingSpec

Descriptions = Mapping[str, ObjectDescription]

_TYPES: Mapping[str, ValueType] = {
    "boolean": "boolean",
    "int": "integer",
    "double": "number",
    "currency": "number",
    "percent": "number",
    "date": "date",
    "datetime": "datetime",
    "email": "email",
}
_CUSTOM = "__c"


def plain_org(schema: Path | None) -> Descriptions:
    """The objects of an org as it comes, with those of a schema file; custom ones are unknown but for these.

    Raises `Mistakes` or `CannotRead` for the schema file.
    """
    return {name: _described(known) for name, known in load_schema(schema).objects.items()}


def review(mapping: MappingSpec, objects: Descriptions, is_whole: bool) -> list[Diagnostic]:
    """What does not go with the objects. Where they are not the org's whole truth, all of it is a warning, and
    nothing is said of what a person may have added to the org.
    """
    return list(_Review(mapping, objects, is_whole).diagnostics())


class _Review:
    def __init__(self, mapping: MappingSpec, objects: Descriptions, is_whole: bool) -> None:
        self.mapping = mapping
        self.objects = objects
        self.is_whole = is_whole
        self.severity: Severity = "error" if is_whole else "warning"

    def diagnostics(self) -> Iterator[Diagnostic]:
        name = self.mapping.object
        described = self.objects.get(name)
        if described is None:
            if self._is_surely_missing(name):
                yield self._said(
                    kinds.UNKNOWN_OBJECT,
                    self.mapping.span,
                    f"the org has no object {name}",
                    did_you_mean(name, self.objects),
                )
            return
        for rule in self.mapping.rules:
            yield from self._rule(rule, described)
        written = {rule.field for rule in self.mapping.rules}
        for lookup in self.mapping.lookups:
            for node in lookup.fields:
                if node.text in written or self.mapping.custom:
                    yield from self._looked_up(node.text, node.span, described)
        yield from self._unfilled(described)

    def _is_surely_missing(self, name: str) -> bool:
        return self.is_whole or not name.endswith(_CUSTOM)

    def _said(self, kind: Kind, span: Span, message: str, help: str = "") -> Diagnostic:  # noqa: A002
        return Diagnostic(kind, span, message, help, self.severity)

    def _rule(self, rule: FieldRule, described: ObjectDescription) -> Iterator[Diagnostic]:
        field = _field(rule.field, bool(rule.reference), described)
        if field is None:
            if self._is_surely_missing(rule.field) and not rule.field.endswith("__r"):
                yield self._said(
                    kinds.UNKNOWN_FIELD,
                    rule.span,
                    f"{described.name} has no field {rule.field}",
                    _nearest(rule.field, described),
                )
            return
        if not (field.createable or field.updateable):
            yield self._said(
                kinds.READ_ONLY_FIELD,
                rule.span,
                f"{described.name}.{field.name} is read-only: it is never written",
            )
        if rule.reference:
            yield from self._reference(rule.span, rule.reference, field)
            return
        if rule.max and 0 < field.length < rule.max:
            message = f"{rule.field} holds {field.length} characters, and max is {rule.max}"
            yield Diagnostic(
                kinds.SHORTER_FIELD, rule.span, message, "longer values are cut to the field's length", "warning"
            )
        for key, value in _constants(rule):
            yield from self._constant(rule.span, key, value, field)

    def _reference(self, span: Span, to: ReferenceTo, field: FieldDescription) -> Iterator[Diagnostic]:
        if to.object not in field.reference_to:
            points = (
                f"it points to {listed(field.reference_to)}" if field.reference_to else "it points to no record"
            )
            yield self._said(kinds.WRONG_REFERENCE, span, f"{field.name} cannot point to {to.object}", points)
            return
        target = self.objects.get(to.object)
        if target and to.by.text not in target.fields and self._is_surely_missing(to.by.text):
            message = f"{to.object} has no field {to.by.text}"
            yield self._said(kinds.UNKNOWN_FIELD, to.by.span, message, _nearest(to.by.text, target))

    def _constant(self, span: Span, key: str, value: Constant, field: FieldDescription) -> Iterator[Diagnostic]:
        try:
            value_type = _TYPES.get(field.type)
            fitted = convert(value, value_type) if value_type else value
        except Unfit as unfit:
            yield self._said(
                kinds.UNFIT_FOR_FIELD,
                span,
                f"the {key} of {field.name} {unfit}",
                f"the field is of type {field.type}",
            )
            return
        if field.restricted_picklist and fitted not in field.picklist_values:
            near = did_you_mean(str(fitted), field.picklist_values)
            yield self._said(
                kinds.UNFIT_FOR_FIELD, span, f'"{fitted}" is no value of the picklist {field.name}', near
            )

    def _looked_up(self, name: str, span: Span, described: ObjectDescription) -> Iterator[Diagnostic]:
        field = described.fields.get(name)
        if field is None:
            if self._is_surely_missing(name):
                message = f"{described.name} has no field {name} to look up by"
                yield self._said(kinds.UNKNOWN_FIELD, span, message, _nearest(name, described))
        elif self.mapping.external_id == name and not (field.external_id or field.id_lookup):
            yield self._said(
                kinds.NO_EXTERNAL_ID, span, f"{described.name}.{name} is no external id", f"write match: {name}"
            )

    def _unfilled(self, described: ObjectDescription) -> Iterator[Diagnostic]:
        """Fields that a create must have and that no rule fills."""
        if self.mapping.operation not in ("create", "upsert"):
            return
        filled = {
            field.name
            for rule in self.mapping.rules
            if rule.write != "update" and (field := _field(rule.field, bool(rule.reference), described))
        }
        required = [
            field.name
            for field in described.fields.values()
            if field.createable
            and not field.nillable
            and not field.defaulted_on_create
            and field.name not in filled
        ]
        if required:
            message = f"a new {described.name} needs {listed(required, 'and')}, and no rule gives that"
            yield self._said(kinds.EMPTY_REQUIRED_FIELD, self.mapping.span, message)


def _field(name: str, refers: bool, described: ObjectDescription) -> FieldDescription | None:
    if refers and name not in described.fields:
        return next((f for f in described.fields.values() if f.relationship_name == name), None)
    return described.fields.get(name)


def _constants(rule: FieldRule) -> Iterable[tuple[str, Constant]]:
    if rule.value is not None and not rule.values:
        yield "value", rule.value
    if rule.default is not None:
        yield "default", rule.default.value
    for value in (rule.values or {}).values():
        yield "value table", value
    if rule.otherwise is not None:
        yield "else", rule.otherwise


def _nearest(name: str, described: ObjectDescription) -> str:
    same = [field for field in described.fields if field.casefold() == name.casefold()]
    return f"it has {same[0]}: the casing must agree" if same else did_you_mean(name, described.fields)


def _described(known: ObjectSchema) -> ObjectDescription:
    fields = {name: _described_field(field) for name, field in known.fields.items()}
    return ObjectDescription(known.name, known.label, known.key_prefix, True, True, fields)


def _described_field(known: FieldSchema) -> FieldDescription:
    return FieldDescription(
        name=known.name,
        label=known.label,
        type=known.type,
        length=known.length,
        createable=known.createable,
        updateable=known.updateable,
        nillable=known.nillable,
        defaulted_on_create=known.defaulted,
        id_lookup=known.id_lookup,
        external_id=known.external_id,
        restricted_picklist=known.restricted,
        entries=tuple(PicklistEntry(value, value) for value in known.values),
        reference_to=known.references,
        relationship_name=known.relationship_name,
        precision=known.precision,
        scale=known.scale,
        unique=known.unique,
    )
