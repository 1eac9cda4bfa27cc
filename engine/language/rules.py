"""Reads the rules of a mapping: fields, references and address parts, in document order."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from math import isfinite

from sfmap.engine.language.key import API_NAME_PATTERN, names
from sfmap.engine.language.keys import ADDRESS
from sfmap.engine.language.model import (
    ON_INVALID,
    ON_LONG,
    ON_MANY,
    ON_MISSING,
    ON_NULL,
    VALUE_TYPES,
    WRITES,
    Constant,
    Default,
    FieldRule,
    ReferenceTo,
    SourcePath,
)
from sfmap.engine.language.overlay import ORIGINS, entry
from sfmap.engine.language.rule_keys import DEFAULT, MATCH_REFERENCE, MATCH_VALUE, REFERENCE, RULE, UNLESS_FOUND
from sfmap.engine.yaml_files import kinds
from sfmap.engine.yaml_files.diagnostics import Span, did_you_mean, listed
from sfmap.engine.yaml_files.nodes import ListNode, Node, ScalarNode, TableNode
from sfmap.engine.yaml_files.reader import DiagnosticReport, Table, node_kind

_API_NAME = re.compile(API_NAME_PATTERN)
_BOTH = "both"
_KEEP = "keep"


def read_rules(table: Table) -> tuple[FieldRule, ...]:
    """The rules below `fields` and `address`; errors go to the table's report."""
    rules: dict[str, FieldRule] = {}
    for key, _ in table.node.entries:
        if key.text == "fields":
            found: Iterable[FieldRule] = _fields(table)
        elif key.text == "address":
            found = _address(table)
        else:
            continue
        for rule in found:
            if rule.field in rules:
                first = rules[rule.field].span
                place = f"line {first.line}" if first.source is rule.span.source else str(first)
                table.report.error(
                    kinds.WRITTEN_TWICE, rule.span, f"{rule.field} is written twice", f"first on {place}"
                )
            rules.setdefault(rule.field, rule)
    return tuple(rules.values())


def _fields(table: Table) -> Iterable[FieldRule]:
    node = table.get("fields")
    if not isinstance(node, TableNode):
        if node:
            table.report.error(
                kinds.WRONG_VALUE, node.span, f"fields must be a table (Field: rule), not {node_kind(node)}"
            )
        return
    for key, value in node.entries:
        if is_api_name(key, table.report):
            known = names(REFERENCE if _is_reference(value) else RULE)
            yield _rule(key, value, table.report, known)


def read_match_value(key: ScalarNode, node: Node, report: DiagnosticReport) -> FieldRule:
    """The rule for a value that records are found by and that is not written."""
    return _rule(key, node, report, names(MATCH_REFERENCE if _is_reference(node) else MATCH_VALUE))


def read_unless_found(table: Table) -> tuple[FieldRule, ...]:
    """The rules of `unless_found`, each of which refers to records."""
    return table.items(
        "unless_found",
        "a table such as {object: Plan__c, by: Code__c, from: traits.plan}, or a list of them",
        lambda node: _unless_found(table.key("unless_found"), node, table.report),
    )


def _unless_found(key: ScalarNode, node: Node, report: DiagnosticReport) -> FieldRule | None:
    if not isinstance(node, TableNode):
        return None
    return _rule(replace(key, span=node.span), node, report, names(UNLESS_FOUND), is_reference=True)


def _is_reference(node: Node) -> bool:
    return bool(entry(node, "object") or entry(node, "by"))


def _rule(
    key: ScalarNode, node: Node, report: DiagnosticReport, known: tuple[str, ...], is_reference: bool = False
) -> FieldRule:
    """The rule; one without sources if invalid, so that a missing field is not reported too."""
    if isinstance(node, ScalarNode) and isinstance(node.value, str):
        return FieldRule(key.text, key.span, sources=(SourcePath(node.text, node),))
    if not isinstance(node, TableNode):
        message = f"{key.text} needs a source path or a table of keys, not {node_kind(node)}"
        help_ = f"{key.text}: {{value: {node.text}}}" if isinstance(node, ScalarNode) and node.text else ""
        report.error(kinds.WRONG_VALUE, node.span, message, help_ and f'for a constant write "{help_}"')
        return FieldRule(key.text, key.span)
    table = Table(node, report, f"the rule for {key.text}", known)
    _check_origin(key, table)
    values = _values(table)
    otherwise = _constant(table, "else") if values else None
    return FieldRule(
        field=key.text,
        span=key.span,
        sources=tuple(SourcePath(text.text, text) for text in table.texts("from")),
        template=table.text("template"),
        value=_constant(table, "value"),
        value_span=_span(table, "value"),
        default=read_default(table),
        values=values,
        otherwise=otherwise if otherwise != _KEEP else None,
        keeps_others=otherwise == _KEEP,
        type=table.choice("type", VALUE_TYPES),
        max=table.positive_integer("max"),
        on_long=table.choice("on_long", ON_LONG) or "truncate",
        on_invalid=table.choice("on_invalid", ON_INVALID) or "drop",
        on_null=table.choice("on_null", ON_NULL) or "ignore",
        on_blank=table.choice("on_blank", ON_NULL) or "ignore",
        blank_values=read_blank_values(table),
        required=table.boolean("required") or False,
        write=table.choice("write", WRITES) or "always",
        when=table.text("when"),
        reference=_reference(table) if is_reference or _is_reference(node) else None,
        add=_add(table),
        currency=table.text("currency"),
    )


def _add(table: Table) -> bool:
    add = table.boolean("add") or False
    if add and table.choice("write", WRITES) in ("create", "empty"):
        message = "add keeps the field's values, but this rule writes only if the field is empty"
        table.report.error(kinds.CONFLICTING_KEYS, table.key("add").span, message)
    return add


def _reference(table: Table) -> ReferenceTo | None:
    table.require("object", "the object of the record, or several")
    table.require("by", "the field to look it up by")
    objects, by = table.texts("object"), table.text("by")
    on_missing = table.choice("on_missing", ON_MISSING) or "drop"
    on_many = table.choice("on_many", ON_MANY) or "newest"
    where = table.text("where")
    named = [is_api_name(node, table.report) for node in (*objects, *([by] if by else []))]
    if not (objects and by and all(named)):
        return None
    return ReferenceTo(
        objects=tuple(node.text for node in objects), by=by, on_missing=on_missing, where=where, on_many=on_many
    )


def _check_origin(key: ScalarNode, table: Table) -> None:
    """Checks that a rule has one origin, either sources, a template or a constant, and only keys that fit it."""
    origins = [origin for origin in ORIGINS if origin in table]
    if not origins and "default" not in table:
        known = [origin for origin in (*ORIGINS, "default") if origin in table.known]
        message = f"{key.text} has no value: it needs {listed(known)}"
        table.report.error(kinds.NO_ORIGIN, key.span, message)
    for second in origins[1:]:
        message = f"{key.text} has {listed(origins, 'and')}: a rule has only one of them"
        table.report.error(kinds.CONFLICTING_KEYS, table.key(second).span, message)
    for unreachable, reason in _unreachable(table):
        table.report.warning(
            kinds.KEY_WITHOUT_EFFECT, table.key(unreachable).span, f"{unreachable} never matters here: {reason}"
        )
    if "else" in table and "values" not in table:
        table.report.error(
            kinds.CONFLICTING_KEYS, table.key("else").span, "else needs a table of values, and there is none"
        )


def _unreachable(table: Table) -> Iterator[tuple[str, str]]:
    if "value" in table:
        never = ("default", "required", "on_null", "on_blank", "blank_values")
        yield from ((key, "a constant is always there") for key in never if key in table)
    elif "default" in table and not isinstance(table.get("default"), TableNode) and table.boolean("required"):
        yield "required", "default is used if there is no value"
    if "template" in table:
        if "on_null" in table:
            yield "on_null", "a template gives text, never null"
        if "on_blank" in table:
            yield "on_blank", "a template does not read a single text of the event"
    if "on_long" in table and "max" not in table:
        yield "on_long", "there is no max"


def _values(table: Table) -> dict[str, Constant] | None:
    node = table.get("values")
    if node is None:
        return None
    entries = Table.open(node, table.report, "values", [key.text for key, _ in getattr(node, "entries", ())])
    if entries is None:
        return None
    found = {key.text: _constant(entries, key.text) for key, _ in entries.node.entries}
    return {key: value for key, value in found.items() if value is not None}


def read_blank_values(table: Table) -> tuple[Constant, ...]:
    """The values of `blank_values`; null and an empty list are the same as none."""
    node = table.get("blank_values")
    if (isinstance(node, ListNode) and not node.items) or (isinstance(node, ScalarNode) and node.value is None):
        return ()
    return table.items("blank_values", "a text, a number, a boolean or a list of them", _plain)


def _plain(node: Node) -> Constant | None:
    """The entry; null in a list is the text, since a null in an event counts as no value anyway."""
    if not isinstance(node, ScalarNode):
        return None
    return node.text if node.value is None else node.value


def _span(table: Table, key: str) -> Span | None:
    node = table.get(key)
    return node.span if node else None


def _constant(table: Table, key: str) -> Constant | None:
    node = table.scalar(key)
    if node is None or node.value is None:
        return None
    if isinstance(node.value, float) and not isfinite(node.value):
        table.report.error(
            kinds.WRONG_VALUE, node.span, f"{key} must be a number that JSON can write, not {node.text}"
        )
        return None
    return node.value


def read_default(table: Table) -> Default | None:
    """The value of the key `default`."""
    node = table.get("default")
    if isinstance(node, TableNode):
        inner = Table(node, table.report, "default", names(DEFAULT))
        inner.require("value", "default: {value: n/a, write: create}")
        value = _constant(inner, "value")
        return None if value is None else Default(value, inner.choice("write", WRITES[:3]), _span(inner, "value"))
    value = _constant(table, "default")
    return None if value is None else Default(value, None, _span(table, "default"))


def _address(table: Table) -> Iterable[FieldRule]:
    node = table.get("address")
    address = Table.open(node, table.report, "address", names(ADDRESS)) if node else None
    if address is None:
        return
    bases = address.texts("from")
    address.require("from", "where the parts are, such as [traits.address, traits]")
    parts = address.require("parts", "the parts of the address, such as {Part: trait}")
    if not isinstance(parts, TableNode):
        if parts:
            table.report.error(
                kinds.WRONG_VALUE, parts.span, f"parts must be a table (Part: rule), not {node_kind(parts)}"
            )
        return
    paths = tuple(SourcePath(base.text, base) for base in bases)
    rules = [_rule(key, value, table.report, names(RULE)) for key, value in parts.entries]
    for prefix in _address_prefixes(address):
        for rule in rules:
            if not _API_NAME.fullmatch(prefix + rule.field):
                table.report.error(kinds.WRONG_NAME, rule.span, f'"{prefix}{rule.field}" is not an API name')
            sources = dict.fromkeys(_joined(base, part) for base in bases for part in rule.sources)
            yield replace(rule, field=prefix + rule.field, sources=tuple(sources), bases=paths)


def _joined(base: ScalarNode, part: SourcePath) -> SourcePath:
    if part.text.startswith("$."):
        return part
    return SourcePath(f"{base.text}.{part.text}", part.node, base)


def _address_prefixes(address: Table) -> list[str]:
    """The prefixes of the chosen targets, or an empty one without targets."""
    targets = _targets(address)
    chosen = address.texts("to")
    if not targets:
        for node in chosen:
            address.report.error(
                kinds.CONFLICTING_KEYS, node.span, "to selects from targets, and this address has none"
            )
        return [""]
    address.require("to", f"which targets to fill: {listed([*targets, _BOTH])}")
    prefixes: dict[str, str] = {}
    for node in chosen:
        if node.text == _BOTH:
            prefixes |= targets
        elif node.text in targets:
            prefixes[node.text] = targets[node.text]
        else:
            message = f"to must be {listed([*targets, _BOTH])}, not {node_kind(node)}"
            address.report.error(kinds.WRONG_VALUE, node.span, message, did_you_mean(node.text, [*targets, _BOTH]))
    return list(prefixes.values())


def _targets(address: Table) -> dict[str, str]:
    node = address.get("targets")
    if node is None:
        return {}
    if isinstance(node, TableNode):
        scalars = {key.text: value for key, value in node.entries if isinstance(value, ScalarNode)}
        if len(scalars) == len(node.entries):
            return {name: value.text for name, value in scalars.items()}
    address.report.error(
        kinds.WRONG_VALUE, node.span, "targets must be a table of prefixes, such as {billing: Billing}"
    )
    return {}


def is_api_name(node: ScalarNode, report: DiagnosticReport) -> bool:
    """Whether the text can be the name of an object or a field; reports it if not."""
    if _API_NAME.fullmatch(node.text):
        return True
    report.error(
        kinds.WRONG_NAME,
        node.span,
        f'"{node.text}" is not an API name: use letters, digits and _, starting with a letter',
    )
    return False
