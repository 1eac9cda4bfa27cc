"""Checks a mapping against an org's objects: what would be left out, cut or refused there."""

from collections.abc import Iterable, Iterator, Mapping

from sfmap.engine.language.model import Constant, FieldRule, Operation, ReferenceTo
from sfmap.engine.language.model import Mapping as MappingSpec
from sfmap.engine.mapping.compile.templates import has_text_of_its_own
from sfmap.engine.mapping.values.values import Unfit
from sfmap.engine.org.fields import (
    VALUE_TYPES,
    Coded,
    Verb,
    always_fits,
    coded_fields,
    find_field,
    fitted,
    is_cut,
    is_key,
    is_required,
    is_writable,
    may,
    nearest_entry,
    nearest_field,
    no_such_object,
    unlisted,
    why_not_looked_up,
    why_not_pointed,
)
from sfmap.engine.org.port import FieldDescription, ObjectDescription
from sfmap.engine.org.soql import compared_fields
from sfmap.engine.yaml_files import kinds
from sfmap.engine.yaml_files.diagnostics import Diagnostic, Severity, Span, did_you_mean, listed
from sfmap.engine.yaml_files.kinds import Kind
from sfmap.engine.yaml_files.nodes import ScalarNode

Descriptions = Mapping[str, ObjectDescription]

_CUSTOM = "__c"
_VERBS: Mapping[Operation, tuple[Verb, ...]] = {
    "create": ("create",),
    "update": ("update",),
    "upsert": ("create", "update"),
    "delete": ("delete",),
}


def check_against_org(mapping: MappingSpec, objects: Descriptions, is_whole: bool) -> list[Diagnostic]:
    """The problems with the objects. If `is_whole` is False, they are not a complete description of the org: all
    problems are warnings, and custom objects and fields are not checked.
    """
    return list(_OrgCheck(mapping, objects, is_whole).diagnostics())


class _OrgCheck:
    def __init__(self, mapping: MappingSpec, objects: Descriptions, is_whole: bool) -> None:
        self.mapping = mapping
        self.objects = objects
        self.is_whole = is_whole
        self.severity: Severity = "error" if is_whole else "warning"

    def diagnostics(self) -> Iterator[Diagnostic]:
        described = self.objects.get(self.mapping.object)
        if described is None:
            yield from self._unknown_object(self.mapping.object)
            return
        for verb in _VERBS[self.mapping.operation]:
            if not may(described, verb):
                message = f"this user may not {verb} {described.name} records"
                yield self._said(kinds.NOT_ALLOWED, self.mapping.span, message, "its profile must allow it")
        for rule in self.mapping.rules:
            yield from self._rule(rule, described)
        yield from self._lookups(described)
        if "create" in _VERBS[self.mapping.operation] and not self._finds_by_id_alone(described):
            yield from self._required(described)
        if self.mapping.operation == "create":
            yield from self._created_twice(described)

    def _created_twice(self, described: ObjectDescription) -> Iterator[Diagnostic]:
        """A create that would make duplicates if the same events come again."""
        if any(self._keeps_a_second_out(rule, described) for rule in self.mapping.rules):
            return
        yield Diagnostic(
            kinds.CREATED_TWICE,
            self.mapping.span,
            f"running a file twice creates each {described.name} twice if its events have no messageId",
            "upsert by a unique external id, or write silence: [SF052] in sfmap.yaml if its events have one",
            "warning",
        )

    def _keeps_a_second_out(self, rule: FieldRule, described: ObjectDescription) -> bool:
        """Whether the rule writes a unique field. A custom field that the org has not been asked about counts if
        it gets the message id.
        """
        field = find_field(described, rule.field)
        if rule.write == "update" or rule.reference:
            return False
        if field:
            return field.unique
        texts = [source.text for source in rule.sources] + ([rule.template.text] if rule.template else [])
        return not self.is_whole and any("messageId" in text for text in texts)

    def _unknown_object(self, name: str) -> Iterator[Diagnostic]:
        near = did_you_mean(name, self.objects)
        if self.is_whole and name:
            yield self._said(
                kinds.UNKNOWN_OBJECT,
                self.mapping.span,
                no_such_object(name),
                near,
            )
        elif name and not name.endswith(_CUSTOM):
            message = f"{name} is not among the objects that sfmap knows without asking an org"
            yield self._said(
                kinds.UNKNOWN_OBJECT, self.mapping.span, message, near or "sfmap check --org NAME asks the org"
            )

    def _is_surely_missing(self, name: str) -> bool:
        return self.is_whole or not name.endswith(_CUSTOM)

    def _is_currency(self, name: str) -> bool:
        """Whether it holds the currency of an amount: an org with one currency has no field for that."""
        return any(rule.currency and rule.currency.text == name for rule in self.mapping.rules)

    def _said(self, kind: Kind, span: Span, message: str, help: str = "") -> Diagnostic:  # noqa: A002
        return Diagnostic(kind, span, message, help, self.severity)

    def _rule(self, rule: FieldRule, described: ObjectDescription) -> Iterator[Diagnostic]:
        field = find_field(described, rule.field, bool(rule.reference))
        if field is None:
            near = nearest_field(described, rule.field)
            is_told = near or not self._is_currency(rule.field)
            if is_told and self._is_surely_missing(rule.field) and not rule.field.endswith("__r"):
                message = f"{described.name} has no field {rule.field}"
                yield self._said(kinds.UNKNOWN_FIELD, rule.span, message, near)
            return
        if (why := _why_never_written(rule, field)) and not self._only_finds(field):
            yield self._said(
                kinds.READ_ONLY_FIELD, rule.span, f"{described.name}.{field.name} {why}: it is never written"
            )
        if rule.reference:
            for name in rule.reference.objects:
                yield from self._reference(rule, rule.reference, name, field)
            return
        if rule.max and 0 < field.length < rule.max:
            message = f"{rule.field} is {field.length} characters long, but max is {rule.max}"
            yield Diagnostic(
                kinds.SHORTER_FIELD, rule.span, message, "longer values are cut to the field's length", "warning"
            )
        coded = next((one for one in coded_fields(described) if field in (one.text, one.code)), None)
        for key, value in _constants(rule):
            yield from self._constant(rule.span, key, value, field, coded)
        if coded and coded.controller:
            yield from self._controlled(rule, coded.controller, described)

    def _controlled(
        self, rule: FieldRule, controller: FieldDescription, described: ObjectDescription
    ) -> Iterator[Diagnostic]:
        """Whether a rule writes the field that the field's entries depend on."""
        names = [one.text.name for one in coded_fields(described) if one.code == controller]
        if not {controller.name, *names}.intersection(other.field for other in self.mapping.rules):
            message = f"{rule.field} is left out without {listed((*names, controller.name))}"
            yield Diagnostic(kinds.NEVER_WRITTEN, rule.span, message, "add a rule for it", "warning")

    def _reference(
        self, rule: FieldRule, to: ReferenceTo, name: str, field: FieldDescription
    ) -> Iterator[Diagnostic]:
        if why := why_not_pointed(field, name):
            yield self._said(kinds.WRONG_REFERENCE, rule.span, f"{field.name} cannot point to {name}", why)
            return
        yield from self._sought(rule, to, name)

    def _sought(self, rule: FieldRule, to: ReferenceTo, name: str) -> Iterator[Diagnostic]:
        """Problems with the lookup of a record of that object."""
        target = self.objects.get(name)
        if target is None:
            if self.is_whole:
                yield self._said(
                    kinds.UNKNOWN_OBJECT,
                    rule.span,
                    no_such_object(name),
                )
            return
        by = target.fields.get(to.by.text)
        if by is None:
            if self._is_surely_missing(to.by.text):
                message = f"{name} has no field {to.by.text}"
                yield self._said(kinds.UNKNOWN_FIELD, to.by.span, message, nearest_field(target, to.by.text))
            return
        if why := why_not_looked_up(by):
            yield self._said(kinds.UNFILTERED_FIELD, to.by.span, f"{name} cannot be looked up by {by.name}", why)
        if to.where:
            yield from self._condition(to.where, target)
        for key, value in _constants(rule):
            yield from self._constant(rule.span, key, value, by)

    def _constant(
        self, span: Span, key: str, value: Constant, field: FieldDescription, coded: Coded | None = None
    ) -> Iterator[Diagnostic]:
        try:
            found = fitted(field, value, self.mapping.conventions)
        except Unfit as unfit:
            yield self._said(
                kinds.UNFIT_FOR_FIELD,
                span,
                f"the {key} of {field.name} {unfit}",
                f"the field is of type {field.type}",
            )
            return
        if is_cut(field, value, found):
            message = f"the {key} of {field.name} is cut to {field.length} characters, the field's length"
            yield Diagnostic(kinds.SHORTER_FIELD, span, message, "", "warning")
        if coded:
            if not coded.knows(str(found)):
                message = f'"{found}" is not a value of the picklist {coded.code.name}'
                yield self._said(kinds.UNFIT_FOR_FIELD, span, message, coded.nearest(str(found), None))
            return
        for one in unlisted(field, found):
            message, near = f'"{one}" is not a value of the picklist {field.name}', nearest_entry(field, one)
            if field.restricted_picklist:
                yield self._said(kinds.UNFIT_FOR_FIELD, span, message, near)
            else:
                yield Diagnostic(kinds.UNLISTED_VALUE, span, message, near, "warning")

    def _lookups(self, described: ObjectDescription) -> Iterator[Diagnostic]:
        written = {rule.field for rule in self.mapping.rules}
        for field in (field for lookup in self.mapping.lookups for field in lookup.fields):
            if field.rule or field.name in written or self.mapping.custom:
                yield from self._looked_up(field.name, field.node.span, described)
            if field.rule:
                yield from self._match_value(field.rule, described)
        if self.mapping.where:
            yield from self._condition(self.mapping.where, described)
        for rule in self.mapping.unless_found:
            if to := rule.reference:
                for name in to.objects:
                    yield from self._sought(rule, to, name)

    def _finds_by_id_alone(self, described: ObjectDescription) -> bool:
        """Whether every lookup is by record id: then none is ever created."""
        fields = [
            described.fields.get(names[0]) if len(names := lookup.names) == 1 else None
            for lookup in self.mapping.lookups
        ]
        return bool(fields) and all(field and field.type == "id" for field in fields)

    def _only_finds(self, field: FieldDescription) -> bool:
        """Whether the field's value is only needed to find the record."""
        is_known = field.type == "id" or self.mapping.operation == "update"
        return is_known and any(field.name in lookup.slots for lookup in self.mapping.lookups)

    def _looked_up(self, name: str, span: Span, described: ObjectDescription) -> Iterator[Diagnostic]:
        field = described.fields.get(name)
        if field is None:
            if self._is_surely_missing(name):
                message = f"{described.name} has no field {name} to look up by"
                yield self._said(kinds.UNKNOWN_FIELD, span, message, nearest_field(described, name))
        elif why := why_not_looked_up(field):
            yield self._said(kinds.UNFILTERED_FIELD, span, f"{described.name} cannot be looked up by {name}", why)
        elif self.mapping.external_id == name and not is_key(field):
            yield self._said(
                kinds.NO_EXTERNAL_ID,
                span,
                f"{described.name}.{name} is not an external id",
                f"write match: {name}",
            )

    def _match_value(self, rule: FieldRule, described: ObjectDescription) -> Iterator[Diagnostic]:
        """Problems with a value that records are found by and that is not written."""
        field = described.fields.get(rule.field)
        if field and rule.reference:
            for name in rule.reference.objects:
                yield from self._reference(rule, rule.reference, name, field)
        elif field:
            for key, value in _constants(rule):
                yield from self._constant(rule.span, key, value, field)

    def _condition(self, condition: ScalarNode, described: ObjectDescription) -> Iterator[Diagnostic]:
        """Fields in the condition of the lookups that the org cannot filter by."""
        known = {name.casefold(): field for name, field in described.fields.items()}
        for start, name in compared_fields(condition.text):
            span = condition.part(start, len(name))
            field = known.get(name.casefold())
            if field is None:
                if self._is_surely_missing(name):
                    near = did_you_mean(name, described.fields)
                    yield self._said(
                        kinds.UNKNOWN_FIELD, span, f"{described.name} has no field {name} to compare", near
                    )
            elif not field.filterable:
                message = f"{described.name} cannot be looked up by {field.name}"
                yield self._said(kinds.UNFILTERED_FIELD, span, message, why_not_looked_up(field))

    def _required(self, described: ObjectDescription) -> Iterator[Diagnostic]:
        """Fields required for a create that no rule is certain to fill."""
        rules: dict[str, list[FieldRule]] = {}
        for rule in self.mapping.rules:
            field = find_field(described, rule.field, bool(rule.reference))
            if field and rule.write != "update":
                rules.setdefault(field.name, []).append(rule)
        missing = []
        for field in filter(is_required, described.fields.values()):
            if field.name in rules:
                yield from self._filled(field, rules[field.name], described)
            elif self.mapping.custom and field.name.endswith(self.mapping.custom.suffix):
                message = f"a new {described.name} needs {field.name}, which only a trait of that name fills"
                yield Diagnostic(
                    kinds.MAY_STAY_EMPTY,
                    self.mapping.span,
                    message,
                    "give it a rule with required: true",
                    "warning",
                )
            else:
                missing.append(field.name)
        if missing:
            message = f"a new {described.name} needs {listed(missing, 'and')}, which no rule provides"
            yield self._said(kinds.EMPTY_REQUIRED_FIELD, self.mapping.span, message)

    def _filled(
        self, field: FieldDescription, rules: Iterable[FieldRule], described: ObjectDescription
    ) -> Iterator[Diagnostic]:
        """Reasons why a required field may stay empty; none if one of its rules is certain to fill it."""
        lookups = self.mapping.lookups
        has_match = bool(lookups) and all(field.name in lookup.slots for lookup in lookups)
        ways = [(rule, _ways_to_stay_empty(rule, field, has_match)) for rule in rules]
        if all(why for _, (why, _) in ways):
            rule, (why, what_to_do) = ways[0]
            message = f"a new {described.name} needs {field.name}, which stays empty {why}"
            yield Diagnostic(kinds.MAY_STAY_EMPTY, rule.span, message, what_to_do, "warning")


def _why_never_written(rule: FieldRule, field: FieldDescription) -> str:
    if not is_writable(field):
        return "is read-only"
    if rule.write == "create" and not field.createable:
        return "cannot be set on create"
    if rule.write == "update" and not field.updateable:
        return "cannot be set on update"
    return ""


def _ways_to_stay_empty(rule: FieldRule, field: FieldDescription, has_match: bool) -> tuple[str, str]:
    """When the rule gives a new record no valid value, and what to do; empty if it always gives one.

    `has_match` tells whether an event without this value has no identity, and is rejected.
    """
    if rule.when:
        return "if its condition is false", "leave out when"
    if rule.reference and rule.reference.on_missing != "reject":
        return "if no record is found", "write on_missing: reject"
    if rule.value is None and not rule.reference and not always_fits(field, rule.type, rule.max):
        wanted = VALUE_TYPES[field.type]
        longest = f", max: {field.length}" if wanted == "email" else " and no max" if rule.max else ""
        return "if a value does not fit", f"write type: {wanted}{longest}"
    says = rule.value is not None or (rule.template and not rule.bases and has_text_of_its_own(rule.template))
    is_constant = says and not (rule.values and rule.otherwise is None and not rule.keeps_others)
    default_write = rule.default.write or rule.write if rule.default else "update"
    if is_constant or rule.required or has_match or default_write != "update":
        return "", ""
    return "if an event has no value for it", "write required: true, or a default"


def _constants(rule: FieldRule) -> Iterable[tuple[str, Constant]]:
    if rule.value is not None and not rule.values:
        yield "value", rule.value
    if rule.default is not None:
        yield "default", rule.default.value
    for value in (rule.values or {}).values():
        yield "value table", value
    if rule.otherwise is not None:
        yield "else", rule.otherwise
