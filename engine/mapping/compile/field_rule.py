"""Compiles a field rule into a function of an event: the first source whose value fits the field wins."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from sfmap.engine.language.model import Constant, FieldRule, ValueType, Write
from sfmap.engine.mapping.compile.blanks import blank_keys, table_key
from sfmap.engine.mapping.compile.sandbox import TemplateFailed
from sfmap.engine.mapping.compile.source_paths import CompiledSource, compile_source, is_below
from sfmap.engine.mapping.compile.templates import below, compile_condition, compile_template
from sfmap.engine.mapping.values.event import IDS, as_text
from sfmap.engine.mapping.values.record import Addition, Event, FieldContent, Json, RecordReference, Value
from sfmap.engine.mapping.values.values import (
    INVISIBLE_TAKEN_OUT,
    Unfit,
    UnreadableValue,
    clean_text,
    convert,
    cut,
    holds_value,
    length,
    scalar,
    visible,
    visible_text,
)
from sfmap.engine.yaml_files import kinds
from sfmap.engine.yaml_files.diagnostics import listed
from sfmap.engine.yaml_files.reader import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldResult:
    """The result of a rule for one event: something to write and when, a reason to reject, or nothing."""

    content: FieldContent = None
    write: Write = "always"
    origin: str = ""
    """The source's text; empty for a default, which does not identify a record."""
    notes: tuple[str, ...] = ()
    """Notes on what was cut, cleaned or left out."""
    rejected: str = ""
    is_null: bool = False
    """Whether the field is to be emptied."""


_NOTHING = FieldResult()


class Refusal(NamedTuple):
    """A value of the event that the field cannot take, and why."""

    source: CompiledSource
    why: str

    def __str__(self) -> str:
        return f"{self.source.text} {self.why}"

    def is_made_up_for(self, giver: CompiledSource) -> bool:
        """Whether the source that gave the value reads the same trait or a part of it."""
        return giver is not self.source and any(
            is_below(one, other) or is_below(other, one) for one in self.source.reads for other in giver.reads
        )


@dataclass(frozen=True, slots=True)
class CompiledRule:
    rule: FieldRule
    sources: tuple[CompiledSource, ...]
    """In order; a template or a constant is a single source."""
    when: CompiledSource | None
    values: dict[str, Constant] | None
    """The table of values, by `table_key`."""
    blanks: frozenset[str] = frozenset()
    """Values that count as no value in this rule only, by `table_key`."""
    strip: Callable[[str], str] | None = None
    """Removes invisible characters from texts that identify records."""

    def find(self, event: Event) -> FieldResult:
        """The result of the rule for the event view."""
        doing = "when"
        try:
            if self.when and not self.when.get(event):
                return _NOTHING
            doing = "template"
            found = self._find(event)
        except TemplateFailed as failure:
            return FieldResult(rejected=f"{self.rule.field}: its {doing} failed: {failure}")
        if self.rule.add and isinstance(found.content, (str, int, float)):
            return replace(found, content=Addition(as_text(found.content)))
        to = self.rule.reference
        if to and found.content is not None:
            assert not isinstance(found.content, (RecordReference, Addition))
            where = to.where.text.strip() if to.where else ""
            constant = self._is_constant(found)
            content = RecordReference(
                objects=to.objects,
                by=to.by.text,
                value=found.content,
                on_missing=to.on_missing,
                where=where,
                on_many=to.on_many,
                is_constant=constant,
            )
            return replace(found, content=content)
        return found

    def _is_constant(self, found: FieldResult) -> bool:
        """Whether the value is the mapping's own: a constant, an entry of `values`, or a template of constants."""
        rule = self.rule
        tabled = (*(rule.values or {}).values(), *([] if rule.otherwise is None else [rule.otherwise]))
        of_nothing = rule.template is not None and not any(source.names for source in self.sources)
        return rule.value is not None or not found.origin or of_nothing or found.content in tabled

    def _find(self, event: Event) -> FieldResult:
        refusals: list[Refusal] = []
        for source in self.sources:
            raw = _read(source, event, refusals)
            value, notes = self._cleaned(raw)
            if value is None:
                if isinstance(raw, (dict, list)) and holds_value(raw):
                    kind = "an object" if isinstance(raw, dict) else "a list"
                    refusals.append(Refusal(source, f"is {kind}, not a single value"))
                continue
            try:
                found = self._fitted(source.text, self._from_table(value), notes)
            except Unfit as unfit:
                refusals.append(Refusal(source, str(unfit)))
                continue
            return self._beside(found, [one for one in refusals if not one.is_made_up_for(source)])
        if not refusals and self._clears(event):
            return FieldResult(write=self.rule.write, is_null=True)
        return self._beside(self._without_value(refusals), refusals)

    def _beside(self, found: FieldResult, refusals: Sequence[Refusal]) -> FieldResult:
        """The same with notes on values of the event that the field does not get."""
        if refusals and self.rule.on_invalid == "reject":
            return FieldResult(rejected=f"{self.rule.field}: {refusals[0]}")
        if not refusals or found.rejected:
            return found
        return replace(found, notes=(*(f"left out: {refusal}" for refusal in refusals), *found.notes))

    def _cleaned(self, raw: Json) -> tuple[Value | None, tuple[str, ...]]:
        """The value as a field can hold it, and notes on what was removed."""
        value = scalar(raw)
        notes = () if value == raw else ("characters that XML cannot carry were removed",)
        if self.strip is None or not isinstance(value, str):
            return value, notes
        stripped = self.strip(value)
        return scalar(stripped), notes if stripped == value else (*notes, INVISIBLE_TAKEN_OUT)

    def _clears(self, event: Event) -> bool:
        rule = self.rule
        return (rule.on_null == "clear" and any(source.is_null(event) for source in self.sources)) or (
            rule.on_blank == "clear" and any(source.is_blank(event) for source in self.sources)
        )

    def _from_table(self, value: Value) -> Value:
        if self.values is None:
            return value
        found = self.values.get(table_key(value), self.rule.otherwise)
        if found is None and not self.rule.keeps_others:
            raise Unfit("is not an entry of values")
        return value if found is None else found

    def _fitted(self, origin: str, value: Value, notes: tuple[str, ...]) -> FieldResult:
        rule = self.rule
        fitted = convert(value, _value_type(rule), rule.conventions)
        if rule.max is None or not isinstance(fitted, str) or length(fitted) <= rule.max:
            return FieldResult(content=fitted, write=rule.write, origin=origin, notes=notes)
        if rule.type == "email":
            raise Unfit(f"is longer than {rule.max} characters, and an e-mail address is never cut")
        if rule.on_long == "reject":
            return FieldResult(rejected=f"{rule.field}: longer than {rule.max} characters")
        shortened = cut(fitted, rule.max)
        if not shortened or shortened.isspace():
            raise Unfit(f"has no character that fits in {rule.max}")
        noted = (*notes, f"cut to {rule.max} characters")
        return FieldResult(content=shortened, write=rule.write, origin=origin, notes=noted)

    def _without_value(self, refusals: Sequence[Refusal]) -> FieldResult:
        default = self.rule.default
        if default is not None:
            return FieldResult(content=default.value, write=default.write or self.rule.write)
        if self.rule.required:
            why = "; ".join(map(str, refusals)) or self._nothing_found()
            return FieldResult(rejected=f"{self.rule.field} is required: {why}")
        return _NOTHING

    def _nothing_found(self) -> str:
        if self.rule.template is not None:
            return "its template gave no text"
        tried = [source.text for source in self.sources]
        return f"{listed(tried, 'and')} {'has' if len(tried) == 1 else 'have'} no value"


def _read(source: CompiledSource, event: Event, refusals: list[Refusal]) -> Json:
    """The value of the source; adds values that a filter could not read to the refusals."""
    try:
        return source.get(event)
    except Unfit as unfit:
        refusals.append(Refusal(source, str(unfit)))
        return unfit.instead if isinstance(unfit, UnreadableValue) else None


def compile_rule(
    rule: FieldRule, report: Report, blanks: frozenset[str] = frozenset(), identifies: bool = False
) -> CompiledRule:
    """The compiled rule; reports errors in its paths, template or constants.

    `blanks` count as no value in the whole mapping; `identifies` means that records are looked up by the field.
    """
    own = blank_keys(rule.blank_values)
    if rule.template is not None:
        template = compile_template(rule.template, report, rule.conventions)
        bases = [base for path in rule.bases if (base := compile_source(path, report))]
        compiled = [below(template, bases) if template else None]
    elif rule.value is not None:
        compiled = [_constant(rule.value)]
        if not rule.values:
            _check_constant(rule, "value", rule.value, report)
    else:
        compiled = [
            compile_source(source, report, blanks=blanks | own, conventions=rule.conventions)
            for source in rule.sources
        ]
    if rule.default is not None:
        _check_constant(rule, "default", rule.default.value, report)
    if rule.type == "picklist" and rule.max is not None:
        report.error(
            kinds.CONFLICTING_KEYS,
            rule.span,
            f"{rule.field} is a picklist: its values are never cut",
            "leave out max",
        )
    when = compile_condition(rule.when, report, rule.conventions) if rule.when else None
    values = {table_key(key): value for key, value in rule.values.items()} if rule.values else None
    for value in (*(rule.values or {}).values(), *([] if rule.otherwise is None else [rule.otherwise])):
        _check_constant(rule, "value table", value, report)
    sources = tuple(source for source in compiled if source)
    identifies = identifies or rule.reference is not None or any(map(_reads_an_id, sources))
    strip = visible if rule.type in ("email", "id") else visible_text if identifies else None
    return CompiledRule(rule, sources, when, values, own, strip)


def _reads_an_id(source: CompiledSource) -> bool:
    return any(path[0] in IDS for path in source.reads)


def _value_type(rule: FieldRule) -> ValueType | None:
    """The rule's type; `max` without a type implies text: `{from: groupId, max: 40}`."""
    return rule.type or ("string" if rule.max is not None else None)


def _constant(value: Constant) -> CompiledSource:
    return CompiledSource("a constant", lambda _: value, ())


def _check_constant(rule: FieldRule, key: str, value: Constant, report: Report) -> None:
    if isinstance(value, str) and clean_text(value) != value:
        report.error(
            kinds.UNFIT_CONSTANT,
            rule.span,
            f"the {key} of {rule.field} has characters that XML cannot carry",
            "leave them out",
        )
        return
    try:
        fitted = convert(value, _value_type(rule), rule.conventions)
    except Unfit as unfit:
        report.error(kinds.UNFIT_CONSTANT, rule.span, f"the {key} of {rule.field} {unfit}")
        return
    if rule.max is not None and isinstance(fitted, str) and length(fitted) > rule.max:
        report.error(
            kinds.UNFIT_CONSTANT, rule.span, f"the {key} of {rule.field} is longer than its max of {rule.max}"
        )
