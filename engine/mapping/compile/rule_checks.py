"""Checks what the parts of a mapping ask of each other: its events, lookups, writes and currencies."""

from sfmap.engine.language.model import EventPattern, Mapping
from sfmap.engine.mapping.values.event import name_pattern
from sfmap.engine.yaml_files import kinds
from sfmap.engine.yaml_files.diagnostics import did_you_mean
from sfmap.engine.yaml_files.reader import DiagnosticReport


def check_rules(mapping: Mapping, report: DiagnosticReport) -> None:
    """Reports parts of the mapping that do not fit together."""
    _check_events(mapping, report)
    _check_lookups(mapping, report)
    _check_writes(mapping, report)
    _check_currencies(mapping, report)


def _check_events(mapping: Mapping, report: DiagnosticReport) -> None:
    seen: list[EventPattern] = []
    for pattern in mapping.events:
        for other in seen:
            covered = other.name is None or (
                pattern.name is not None and name_pattern(other.name.text)(pattern.name.text)
            )
            if other.type == pattern.type and covered:
                span = pattern.name.span if pattern.name else mapping.span
                report.warning(
                    kinds.EVENT_TAKEN_ABOVE, span, f"{pattern.type} events are already taken by an entry above"
                )
                break
        seen.append(pattern)


def _check_lookups(mapping: Mapping, report: DiagnosticReport) -> None:
    rules = {rule.field: rule for rule in mapping.rules}
    for field in (field for lookup in mapping.lookups for field in lookup.fields if not field.rule):
        rule = rules.get(field.name)
        is_custom = mapping.custom is not None and field.name.endswith(mapping.custom.suffix)
        if rule is None and not is_custom:
            message = f"match names {field.name}, and no rule gives it a value"
            report.error(kinds.WRONG_MATCH, field.node.span, message, did_you_mean(field.name, rules))
        elif rule and rule.add:
            report.error(kinds.WRONG_MATCH, field.node.span, f"{field.name} contains more than the added values")
        elif rule and rule.default and not (rule.sources or rule.template or rule.value is not None):
            message = f"{field.name} has only a default, which finds no record"
            report.error(kinds.WRONG_MATCH, field.node.span, message)


def _check_writes(mapping: Mapping, report: DiagnosticReport) -> None:
    """Reports rules whose field the mapping's operation never writes."""
    never = {"create": ("update",), "update": ("create",)}.get(mapping.operation, ())
    looked_up = {slot for lookup in mapping.lookups for slot in lookup.slots}
    for rule in mapping.rules:
        if rule.write in never:
            message = f"{rule.field} is never written: the mapping's operation is {mapping.operation}"
            report.warning(kinds.NEVER_WRITTEN, rule.span, message)
        elif mapping.operation == "delete" and rule.field not in looked_up:
            report.warning(kinds.NEVER_WRITTEN, rule.span, f"{rule.field} is never written: the mapping deletes")
        if rule.write == "empty" and rule.clears:
            report.error(
                kinds.CONFLICTING_KEYS,
                rule.span,
                f"{rule.field} is written only if it is empty: nothing to clear",
            )


def _check_currencies(mapping: Mapping, report: DiagnosticReport) -> None:
    """Amounts whose currency nothing writes."""
    rules = {rule.field: rule for rule in mapping.rules}
    for rule, named in ((rule, rule.currency) for rule in mapping.rules if rule.currency):
        other = rules.get(named.text)
        is_custom = mapping.custom is not None and named.text.endswith(mapping.custom.suffix)
        if other is rule or (other and (other.reference or other.add)):
            message = f"{named.text} is not a currency field: use a separate field with a code such as EUR"
            report.error(kinds.WRONG_VALUE, named.span, message)
        elif other is None and not is_custom:
            message = f"currency names {named.text}, and no rule gives it a value"
            report.error(kinds.UNKNOWN_RULE, named.span, message, did_you_mean(named.text, rules))
