"""Compiles a mapping of the language into its plan and functions, and reports what cannot be compiled."""

from collections.abc import Callable
from functools import partial

from sfmap.engine.language.model import EventPattern, Mapping
from sfmap.engine.mapping.compile.codegen import generate
from sfmap.engine.mapping.compile.custom_fields import compile_custom
from sfmap.engine.mapping.compile.execute import execute
from sfmap.engine.mapping.compile.field_rule import plan_condition, plan_field
from sfmap.engine.mapping.compile.read_paths import consumed_paths, holders, spellings
from sfmap.engine.mapping.compile.rule_checks import check_rules
from sfmap.engine.mapping.compile.source_checks import check_names
from sfmap.engine.mapping.compile.source_paths import compile_source
from sfmap.engine.mapping.run.compiled_mapping import CompiledMapping
from sfmap.engine.mapping.run.mapping_plan import MappingPlan
from sfmap.engine.mapping.values.blanks import blank_keys
from sfmap.engine.mapping.values.event import name_pattern
from sfmap.engine.mapping.values.record import Json, RecordPlan
from sfmap.engine.yaml_files.diagnostics import Diagnostic
from sfmap.engine.yaml_files.reader import DiagnosticReport


def compile_mapping(mapping: Mapping) -> tuple[CompiledMapping, list[Diagnostic]]:
    """The compiled mapping and its diagnostics; with errors it must not be used."""
    report = DiagnosticReport()
    plan = _planned(mapping, report)
    check_rules(mapping, report)
    plans = (*plan.fields, *plan.match_values.values(), *plan.unless_found)
    check_names(mapping, plan.when, zip(mapping.all_rules, plans, strict=True), report)
    return CompiledMapping(plan=plan, generated=lambda: execute(generate(plan), plan)), report.diagnostics


def _planned(mapping: Mapping, report: DiagnosticReport) -> MappingPlan:
    blanks = blank_keys(mapping.blank_values)
    looked_up = frozenset(name for lookup in mapping.lookups for name in lookup.names)
    source_of = partial(compile_source, report=report, conventions=mapping.conventions, blanks=blanks)
    opt_in = source_of(mapping.opt_in, exact=True) if mapping.opt_in else None
    for_each = source_of(mapping.for_each, several=True) if mapping.for_each else None
    plan_rule = partial(plan_field, report=report, blanks=blanks)
    fields = tuple(plan_rule(rule, identifies=rule.field in looked_up) for rule in mapping.rules)
    match_values = {slot: plan_rule(rule, identifies=True) for slot, rule in mapping.match_values.items()}
    # Those of unless_found are like conditions: they do not consume traits.
    reading = (*fields, *match_values.values())
    consumed = consumed_paths(opt_in, for_each, reading)
    taken = [rule.field for rule in mapping.rules]
    custom = compile_custom(mapping.custom, consumed, taken, looked_up, source_of) if mapping.custom else ()
    return MappingPlan(
        mapping=mapping,
        record_plan=_record_plan(mapping),
        patterns=tuple(_compile_pattern(pattern) for pattern in mapping.events),
        opt_in=opt_in,
        when=plan_condition(mapping.when, report, mapping.conventions),
        for_each=for_each,
        fields=fields,
        match_values=match_values,
        unless_found=tuple(plan_rule(rule, identifies=True) for rule in mapping.unless_found),
        custom=custom,
        blanks=blanks,
        holders=holders(for_each, reading, custom),
        spellings=spellings(reading, custom),
    )


def _record_plan(mapping: Mapping) -> RecordPlan:
    written = (*mapping.rules, *mapping.match_values.values())
    has_more = any(rule.reference or rule.add or rule.clears for rule in written)
    return RecordPlan(
        mapping=mapping.name,
        object=mapping.object,
        operation=mapping.operation,
        on_many=mapping.on_many,
        external_id=mapping.external_id,
        where=mapping.where.text.strip() if mapping.where else "",
        headers=mapping.headers,
        on_none=mapping.on_none,
        on_duplicate=mapping.on_duplicate,
        skip_unchanged=mapping.skip_unchanged,
        timestamp_guard=mapping.timestamp_guard,
        batch_size=mapping.batch_size,
        bulk=mapping.bulk,
        conventions=mapping.conventions,
        has_values_alone=not has_more and not (mapping.custom and mapping.custom.clears),
        currencies=tuple((rule.field, rule.currency.text) for rule in mapping.rules if rule.currency),
        finds_by_another_value=any(lookup.finds_by_another_value for lookup in mapping.lookups),
    )


def _compile_pattern(pattern: EventPattern) -> Callable[[Json, Json], bool]:
    if pattern.name is None:
        return lambda event_type, _: event_type == pattern.type
    takes = name_pattern(pattern.name.text)
    return lambda event_type, event_name: (
        event_type == pattern.type and isinstance(event_name, str) and takes(event_name)
    )
