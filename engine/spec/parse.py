"""YAML text → `Mapping`: reads the language's tables and reports every mistake of form in one go."""

import re
from collections.abc import Iterable
from dataclasses import replace
from math import isfinite

from sfmap.engine.spec.diagnostics import Diagnostic, Source, did_you_mean, listed
from sfmap.engine.spec.model import (
    EVENT_TYPES,
    ON_INVALID,
    ON_LONG,
    ON_MANY,
    OPERATIONS,
    VALUE_TYPES,
    WRITES,
    Constant,
    CustomFields,
    Default,
    EventPattern,
    FieldRule,
    Lookup,
    Mapping,
    Operation,
    Settings,
    SourcePath,
)
from sfmap.engine.spec.reader import Report, Table, node_kind
from sfmap.engine.spec.source import ListNode, Node, ScalarNode, TableNode, read_yaml

LANGUAGE_VERSION = 1

_MAPPING_KEYS = (
    "sfmap", "event", "opt_in", "object", "operation", "match", "on_many", "fields", "address", "custom",
)  # fmt: skip
_PART_KEYS = ("from", "default", "type", "max", "on_long", "on_invalid", "required", "write")
_RULE_KEYS = (*_PART_KEYS, "template", "value")
_ADDRESS_KEYS = ("from", "to", "targets", "parts")
_CUSTOM_KEYS = ("from", "suffix", "except")

_API_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_BOTH = "both"


def parse_mapping(
    name: str, source: Source, settings: Settings | None = None
) -> tuple[Mapping | None, list[Diagnostic]]:
    """The mapping in `source`, and all mistakes of form in it.

    The mapping leaves out what was wrong, so that the next stage can look for more; it is None where there is
    nothing to go on. Raises `Mistakes` where the text is no YAML.
    """
    root, mistakes = read_yaml(source)
    report = Report(mistakes)
    table = Table.open(root, report, "the mapping", _MAPPING_KEYS)
    mapping = _mapping(name, source, table, settings or Settings()) if table else None
    return mapping, report.diagnostics


def _mapping(name: str, source: Source, table: Table, settings: Settings) -> Mapping:
    _check_version(table)
    return Mapping(
        name=name,
        source=source,
        events=_events(table),
        opt_in=_path(table.text("opt_in")),
        object=_object(table),
        operation=_operation(table),
        lookups=_lookups(table),
        on_many=table.choice("on_many", ON_MANY) or "newest",
        rules=_rules(table, settings),
        custom=_custom(table),
    )


def _check_version(table: Table) -> None:
    node = table.require("sfmap", f"the language's version: sfmap: {LANGUAGE_VERSION}")
    if node and not (isinstance(node, ScalarNode) and type(node.value) is int and node.value == LANGUAGE_VERSION):
        message = f"sfmap must be {LANGUAGE_VERSION}, the version of the mapping language, not {node_kind(node)}"
        table.report.error(node.span, message)


def _events(table: Table) -> tuple[EventPattern, ...]:
    table.require("event", f"which events it takes: {listed(EVENT_TYPES)}")
    return table.items(
        "event",
        f"{listed(EVENT_TYPES)}, a list of them, or {{type: track, name: ...}}",
        lambda node: _event_pattern(node, table.report),
        EVENT_TYPES,
    )


def _event_pattern(node: Node, report: Report) -> EventPattern | None:
    if isinstance(node, TableNode):
        pattern = Table(node, report, "the event", ("type", "name"))
        kind = pattern.choice("type", EVENT_TYPES) or "track"
        name = pattern.text("name")
        if name and kind != "track":
            report.error(pattern.key("name").span, f"{kind} events have no name; only track events have one")
        return EventPattern(kind, name.text if name else None)
    if isinstance(node, ScalarNode) and node.text in EVENT_TYPES:
        return EventPattern(EVENT_TYPES[EVENT_TYPES.index(node.text)])
    return None


def _object(table: Table) -> str:
    table.require("object", "the API name of the object the events become")
    node = table.text("object")
    return node.text if node and _is_api_name(node, table.report) else ""


def _operation(table: Table) -> Operation:
    return table.choice("operation", OPERATIONS) or "upsert"


def _lookups(table: Table) -> tuple[Lookup, ...]:
    table.require("match", "the fields to find an existing record by")
    return table.items(
        "match",
        "a field name, a list of them, or lists within the list for fields that must all be equal",
        lambda node: _lookup(node, table.report),
    )


def _lookup(node: Node, report: Report) -> Lookup | None:
    items = node.items if isinstance(node, ListNode) else (node,)
    names = [item for item in items if isinstance(item, ScalarNode) and isinstance(item.value, str)]
    if not names or len(names) != len(items):
        return None
    return Lookup(tuple(name for name in names if _is_api_name(name, report)))


def _rules(table: Table, settings: Settings) -> tuple[FieldRule, ...]:
    rules: dict[str, FieldRule] = {}
    for key, _ in table.node.entries:
        if key.text == "fields":
            found: Iterable[FieldRule] = _fields(table)
        elif key.text == "address":
            found = _address(table, settings)
        else:
            continue
        for rule in found:
            if rule.field in rules:
                first = rules[rule.field].span.line
                table.report.error(rule.span, f"{rule.field} is written twice", f"first on line {first}")
            rules.setdefault(rule.field, rule)
    return tuple(rules.values())


def _fields(table: Table) -> Iterable[FieldRule]:
    node = table.get("fields")
    if not isinstance(node, TableNode):
        if node:
            table.report.error(node.span, f"fields must be a table (Field: rule), not {node_kind(node)}")
        return
    for key, value in node.entries:
        if _is_api_name(key, table.report):
            yield _rule(key, value, table.report, _RULE_KEYS)


def _rule(key: ScalarNode, node: Node, report: Report, known: tuple[str, ...]) -> FieldRule:
    """The rule; one without sources where it is wrong, so that nobody complains of a missing field besides."""
    if isinstance(node, ScalarNode) and isinstance(node.value, str):
        return FieldRule(key.text, key.span, sources=(SourcePath(node.text, node),))
    if not isinstance(node, TableNode):
        message = f"{key.text} needs a source path or a table of keys, not {node_kind(node)}"
        help_ = f"{key.text}: {{value: {node.text}}}" if isinstance(node, ScalarNode) and node.text else ""
        report.error(node.span, message, help_ and f'for a constant write "{help_}"')
        return FieldRule(key.text, key.span)
    table = Table(node, report, f"the rule for {key.text}", known)
    _check_origin(key, table)
    return FieldRule(
        field=key.text,
        span=key.span,
        sources=tuple(SourcePath(text.text, text) for text in table.texts("from")),
        template=table.text("template") if "template" in known else None,
        value=_constant(table, "value") if "value" in known else None,
        default=_default(table),
        type=table.choice("type", VALUE_TYPES),
        max=table.positive_integer("max"),
        on_long=table.choice("on_long", ON_LONG) or "truncate",
        on_invalid=table.choice("on_invalid", ON_INVALID) or "drop",
        required=table.boolean("required") or False,
        write=table.choice("write", WRITES) or "always",
    )


def _check_origin(key: ScalarNode, table: Table) -> None:
    """A rule takes its value from one place: sources, a template, or a constant."""
    origins = [origin for origin in ("from", "template", "value") if origin in table]
    if not origins and "default" not in table:
        message = f"{key.text} has no value: it needs from, template, value or default"
        table.report.error(key.span, message)
    for second in origins[1:]:
        message = f"{key.text} has {listed(origins, 'and')}: a rule has only one of them"
        table.report.error(table.key(second).span, message)


def _constant(table: Table, key: str) -> Constant | None:
    node = table.scalar(key)
    if node is None or node.value is None:
        return None
    if isinstance(node.value, float) and not isfinite(node.value):
        table.report.error(node.span, f"{key} must be a number that JSON can write, not {node.text}")
        return None
    return node.value


def _default(table: Table) -> Default | None:
    node = table.get("default")
    if isinstance(node, TableNode):
        inner = Table(node, table.report, "default", ("value", "write"))
        inner.require("value", "default: {value: n/a, write: create}")
        value = _constant(inner, "value")
        return None if value is None else Default(value, inner.choice("write", WRITES) or "always")
    value = _constant(table, "default")
    return None if value is None else Default(value, "always")


def _address(table: Table, settings: Settings) -> Iterable[FieldRule]:
    node = table.get("address")
    address = Table.open(node, table.report, "address", _ADDRESS_KEYS) if node else None
    if address is None:
        return
    bases = address.texts("from")
    address.require("from", "where the parts are, such as [traits.address, traits]")
    parts = address.require("parts", "the parts of the address, such as {Part: trait}")
    if not isinstance(parts, TableNode):
        if parts:
            table.report.error(parts.span, f"parts must be a table (Part: rule), not {node_kind(parts)}")
        return
    rules = [_rule(key, value, table.report, _PART_KEYS) for key, value in parts.entries]
    for prefix in _address_prefixes(address, settings):
        for rule in rules:
            if not _API_NAME.fullmatch(prefix + rule.field):
                table.report.error(rule.span, f'"{prefix}{rule.field}" is no API name')
            sources = tuple(_joined(base, part) for base in bases for part in rule.sources)
            yield replace(rule, field=prefix + rule.field, sources=sources)


def _joined(base: ScalarNode, part: SourcePath) -> SourcePath:
    return SourcePath(f"{base.text}.{part.text}", part.node, joined=len(base.text) + 1)


def _address_prefixes(address: Table, settings: Settings) -> list[str]:
    """What stands before each part's name: the prefixes of the chosen targets, or nothing where there are none."""
    targets = _targets(address)
    chosen = settings.address_to or address.texts("to")
    if not targets:
        for node in chosen:
            address.report.error(node.span, "to chooses among targets, and this address has none")
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
            address.report.error(node.span, message, did_you_mean(node.text, [*targets, _BOTH]))
    return list(prefixes.values())


def _targets(address: Table) -> dict[str, str]:
    node = address.get("targets")
    if node is None:
        return {}
    if isinstance(node, TableNode):
        scalars = {key.text: value for key, value in node.entries if isinstance(value, ScalarNode)}
        if len(scalars) == len(node.entries):
            return {name: value.text for name, value in scalars.items()}
    address.report.error(node.span, "targets must be a table of prefixes, such as {billing: Billing}")
    return {}


def _custom(table: Table) -> CustomFields | None:
    node = table.get("custom")
    custom = Table.open(node, table.report, "custom", _CUSTOM_KEYS) if node else None
    if custom is None:
        return None
    custom.require("from", "where the traits are: from: traits")
    base = custom.text("from")
    suffix = custom.text("suffix")
    excluded = tuple(node.text for node in custom.texts("except"))
    if base is None:
        return None
    return CustomFields(SourcePath(base.text, base), suffix.text if suffix else "__c", excluded)


def _path(node: ScalarNode | None) -> SourcePath | None:
    return SourcePath(node.text, node) if node else None


def _is_api_name(node: ScalarNode, report: Report) -> bool:
    if _API_NAME.fullmatch(node.text):
        return True
    report.error(node.span, f'"{node.text}" is no API name: letters, digits and _, a letter first')
    return False
