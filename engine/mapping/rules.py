"""One field rule as a function of an event: the first source that has a value, made fit for the field."""

from dataclasses import dataclass

from sfmap.engine.mapping.paths import CompiledSource, compile_source
from sfmap.engine.mapping.record import Event, Value
from sfmap.engine.mapping.templates import TemplateFailed, compile_template
from sfmap.engine.mapping.values import Unfit, convert, cut, length, scalar
from sfmap.engine.spec.diagnostics import listed
from sfmap.engine.spec.model import Constant, FieldRule, ValueType, Write
from sfmap.engine.spec.reader import Report


@dataclass(frozen=True, slots=True)
class Found:
    """What a rule found in one event: a value and when to write it, or a reason to reject, or nothing."""

    value: Value | None = None
    write: Write = "always"
    origin: str = ""
    """The source's text; empty for a default, which says nothing about who the record is."""
    notes: tuple[str, ...] = ()
    """What was cut, cleaned or left out."""
    rejected: str = ""


@dataclass(frozen=True, slots=True)
class CompiledRule:
    rule: FieldRule
    sources: tuple[CompiledSource, ...]
    """In the order to try them; a template or a constant is a single one."""

    def find(self, event: Event) -> Found:
        """What the rule makes of the event view."""
        try:
            origin, value, notes = self._first_value(event)
        except TemplateFailed as failure:
            return Found(rejected=f"{self.rule.field}: its template failed: {failure}")
        complaint = ""
        if value is not None:
            try:
                return self._fitted(origin, value, notes)
            except Unfit as unfit:
                complaint = f"{origin} {unfit}"
            if self.rule.on_invalid == "reject":
                return Found(rejected=f"{self.rule.field}: {complaint}")
            notes = (*notes, f"left out: {complaint}")
        return self._without_value(complaint, notes)

    def _first_value(self, event: Event) -> tuple[str, Value | None, tuple[str, ...]]:
        for source in self.sources:
            found = source.get(event)
            value = scalar(found)
            if value is not None:
                notes = () if value == found else ("characters that XML cannot carry were taken out",)
                return source.text, value, notes
        return "", None, ()

    def _fitted(self, origin: str, value: Value, notes: tuple[str, ...]) -> Found:
        rule = self.rule
        fitted = convert(value, _value_type(rule))
        if rule.max is None or not isinstance(fitted, str) or length(fitted) <= rule.max:
            return Found(fitted, rule.write, origin, notes)
        if rule.type == "email":
            raise Unfit(f"is longer than {rule.max} characters, and an e-mail address is not cut")
        if rule.on_long == "reject":
            return Found(rejected=f"{rule.field}: longer than {rule.max} characters")
        shortened = cut(fitted, rule.max)
        if not shortened or shortened.isspace():
            raise Unfit(f"has no character that fits in {rule.max}")
        return Found(shortened, rule.write, origin, (*notes, f"cut to {rule.max} characters"))

    def _without_value(self, complaint: str, notes: tuple[str, ...]) -> Found:
        default = self.rule.default
        if default is not None:
            write = self.rule.write if default.write == "always" else default.write
            return Found(default.value, write, notes=notes)
        if self.rule.required:
            why = complaint or self._nothing_found()
            return Found(rejected=f"{self.rule.field} is required: {why}")
        return Found(notes=notes)

    def _nothing_found(self) -> str:
        tried = [source.text for source in self.sources]
        return f"{listed(tried, 'and')} {'has' if len(tried) == 1 else 'have'} no value"


def compile_rule(rule: FieldRule, report: Report) -> CompiledRule:
    """The rule as a function; what is wrong with its paths, template or constants goes into the report."""
    if rule.template is not None:
        compiled = [compile_template(rule.template, report)]
    elif rule.value is not None:
        compiled = [_constant(rule.value)]
        _check_constant(rule, "value", rule.value, report)
    else:
        compiled = [compile_source(source, report) for source in rule.sources]
    if rule.default is not None:
        _check_constant(rule, "default", rule.default.value, report)
    if rule.type == "picklist" and rule.max is not None:
        report.error(rule.span, f"{rule.field} is a picklist: its values are never cut", "leave out max")
    return CompiledRule(rule, tuple(source for source in compiled if source))


def _value_type(rule: FieldRule) -> ValueType | None:
    """A longest length makes text of what has no type of its own: `{from: groupId, max: 40}`."""
    return rule.type or ("string" if rule.max is not None else None)


def _constant(value: Constant) -> CompiledSource:
    return CompiledSource("its value", lambda _: value, ())


def _check_constant(rule: FieldRule, key: str, value: Constant, report: Report) -> None:
    try:
        fitted = convert(value, _value_type(rule))
    except Unfit as unfit:
        report.error(rule.span, f"the {key} of {rule.field} {unfit}")
        return
    if rule.max is not None and isinstance(fitted, str) and length(fitted) > rule.max:
        report.error(rule.span, f"the {key} of {rule.field} is longer than its max of {rule.max}")
