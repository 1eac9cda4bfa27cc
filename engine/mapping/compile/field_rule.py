"""Compiles a field rule into the plan of its field."""

from collections.abc import Iterator

from sfmap.engine.language.model import Constant, Conventions, FieldRule, ValueType
from sfmap.engine.mapping.compile.source_paths import compile_source
from sfmap.engine.mapping.run.compiled_source import CompiledSource
from sfmap.engine.mapping.run.field_plan import Fallback, FieldPlan, GivenBy, ValueTable
from sfmap.engine.mapping.values.blanks import blank_keys, table_key
from sfmap.engine.mapping.values.event import IDS
from sfmap.engine.mapping.values.values import Unfit, clean_text, convert, length, visible, visible_text
from sfmap.engine.yaml_files import kinds
from sfmap.engine.yaml_files.nodes import ScalarNode
from sfmap.engine.yaml_files.reader import DiagnosticReport


def plan_field(
    rule: FieldRule, report: DiagnosticReport, *, blanks: frozenset[str] = frozenset(), identifies: bool = False
) -> FieldPlan:
    """The plan of the rule's field; reports errors in its paths, template or constants.

    `blanks` count as no value in the whole mapping; `identifies` means that records are looked up by the field.
    """
    own = blank_keys(rule.blank_values)
    sources = tuple(source for source in _sources(rule, report, blanks | own) if source)
    when = plan_condition(rule.when, report, rule.conventions)
    _check_constants(rule, report)
    identifies = identifies or rule.reference is not None or any(map(_reads_an_id, sources))
    default = rule.default
    return FieldPlan(
        field=rule.field,
        span=rule.span,
        sources=sources,
        given_by=_given_by(rule),
        when=when,
        blanks=own,
        type=_value_type(rule),
        conventions=rule.conventions,
        max=rule.max,
        on_long=rule.on_long,
        on_invalid=rule.on_invalid,
        table=_table(rule),
        strip=visible if rule.type in ("email", "id") else visible_text if identifies else None,
        default=Fallback(default.value, default.write or rule.write, default.span) if default else None,
        required=rule.required,
        clears_null=rule.on_null == "clear",
        clears_blank=rule.on_blank == "clear",
        write=rule.write,
        reference=rule.reference,
        add=rule.add,
    )


def plan_condition(
    when: ScalarNode | None, report: DiagnosticReport, conventions: Conventions
) -> CompiledSource | None:
    """The condition as a function that returns some text if it is true; None if there is none or it is invalid."""
    if when is None:
        return None
    from sfmap.engine.mapping.compile.templates import compile_condition

    return compile_condition(when, report, conventions)


def _sources(rule: FieldRule, report: DiagnosticReport, blanks: frozenset[str]) -> Iterator[CompiledSource | None]:
    if rule.template is not None:
        # Jinja2 takes longer to import than a mapping without templates takes to compile.
        from sfmap.engine.mapping.compile.templates import below, compile_template

        template = compile_template(rule.template, report, rule.conventions)
        bases = [base for path in rule.bases if (base := compile_source(path, report))]
        yield below(template, bases) if template else None
    elif (value := rule.value) is not None:
        yield CompiledSource(text="a constant", span=rule.value_span, get=lambda _: value)
    else:
        for source in rule.sources:
            yield compile_source(source, report, blanks=blanks, conventions=rule.conventions)


def _given_by(rule: FieldRule) -> GivenBy:
    if rule.template is not None:
        return "template"
    return "sources" if rule.value is None else "constant"


def _reads_an_id(source: CompiledSource) -> bool:
    return any(path and path[0] in IDS for path in source.reads)


def _value_type(rule: FieldRule) -> ValueType | None:
    """The rule's type; `max` without a type implies text: `{from: groupId, max: 40}`."""
    return rule.type or ("string" if rule.max is not None else None)


def _table(rule: FieldRule) -> ValueTable | None:
    if not rule.values:
        return None
    entries = {table_key(key): value for key, value in rule.values.items()}
    return ValueTable(entries, rule.otherwise, rule.keeps_others)


def _check_constants(rule: FieldRule, report: DiagnosticReport) -> None:
    if rule.value is not None and not rule.values:
        _check_constant(rule, "value", rule.value, report)
    if rule.default is not None:
        _check_constant(rule, "default", rule.default.value, report)
    if rule.type == "picklist" and rule.max is not None:
        report.error(
            kinds.CONFLICTING_KEYS,
            rule.span,
            f"{rule.field} is a picklist: its values are never cut",
            "leave out max",
        )
    for value in (*(rule.values or {}).values(), *([] if rule.otherwise is None else [rule.otherwise])):
        _check_constant(rule, "value table", value, report)


def _check_constant(rule: FieldRule, key: str, value: Constant, report: DiagnosticReport) -> None:
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
