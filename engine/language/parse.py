"""Parses YAML text into a `Mapping`, and reports all errors of form at once."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sfmap.engine.language.conventions import read_conventions
from sfmap.engine.language.key import names
from sfmap.engine.language.keys import CUSTOM, EVENT, EXTERNAL_ID, LANGUAGE_VERSION, MAPPING
from sfmap.engine.language.model import (
    BULK_MODES,
    EVENT_TYPES,
    LIST_SHAPES,
    OBJECT_SHAPES,
    ON_DUPLICATE,
    ON_MANY,
    ON_NONE,
    ON_NULL,
    OPERATIONS,
    RENAMES,
    Conventions,
    CustomFields,
    EventPattern,
    FieldRule,
    Lookup,
    Mapping,
    MatchField,
    OnNone,
    Operation,
    SourcePath,
)
from sfmap.engine.language.overlay import Library, entry, extended, laid_over
from sfmap.engine.language.rules import (
    is_api_name,
    read_blank_values,
    read_default,
    read_match_value,
    read_rules,
    read_unless_found,
)
from sfmap.engine.language.write_options import read_batch_size, read_headers
from sfmap.engine.yaml_files import kinds
from sfmap.engine.yaml_files.diagnostics import Diagnostic, Source, did_you_mean, listed
from sfmap.engine.yaml_files.nodes import ListNode, Node, ScalarNode, TableNode
from sfmap.engine.yaml_files.reader import DiagnosticReport, Table, Word, node_kind

SETTINGS = (
    "match",
    "where",
    "unless_found",
    "on_many",
    "opt_in",
    "when",
    "blank_values",
    "timezone",
    "decimal",
    "address",
    "defaults",
)
"""The keys that `sfmap.yaml` may set for a mapping."""


def _stands_alone(_name: str, _source: Source) -> None:
    return None


def parse_mapping(
    name: str,
    source: Source,
    library: Library = _stands_alone,
    settings: Sequence[TableNode] = (),
    usual: TableNode | None = None,
) -> tuple[Mapping | None, list[Diagnostic]]:
    """The mapping in `source` merged over those it extends and under `settings`, and all errors of form.

    `usual` has the defaults for keys that are in none of them.

    The mapping leaves out what is wrong, so that the next stage can report more errors; it is None if it cannot
    be used at all. Raises `Mistakes` if the text is not YAML.
    """
    report = DiagnosticReport()
    root = extended(source, library, report)
    defaults: list[tuple[ScalarNode, Node]] = []
    if isinstance(root, TableNode):
        root = laid_over(usual, root) if usual else root
        for setting in settings:
            root = _set(root, setting, f"the settings of {name}", report, defaults)
    table = Table.open(root, report, "the mapping", names(MAPPING))
    mapping = _mapping(name, source, table) if table else None
    if mapping:
        mapping = replace(mapping, rules=_with_defaults(mapping.rules, defaults, report))
    return mapping, report.diagnostics


def _set(
    root: TableNode,
    setting: TableNode,
    name: str,
    report: DiagnosticReport,
    defaults: list[tuple[ScalarNode, Node]],
) -> TableNode:
    table = Table(setting, report, name, SETTINGS)
    address = table.get("address")
    if address:
        Table.open(address, report, f"the address in {name}", ("to",))
        if not isinstance(entry(root, "address"), TableNode):
            report.error(kinds.CONFLICTING_KEYS, table.key("address").span, "this mapping has no address")
            return root
    own = table.get("defaults")
    if isinstance(own, TableNode):
        defaults += own.entries
    elif own:
        report.error(kinds.WRONG_VALUE, own.span, f"defaults must be a table (Field: value), not {node_kind(own)}")
    return laid_over(root, TableNode(tuple(e for e in setting.entries if e[0].text in SETTINGS[:-1]), root.span))


def _with_defaults(
    rules: tuple[FieldRule, ...], defaults: Iterable[tuple[ScalarNode, Node]], report: DiagnosticReport
) -> tuple[FieldRule, ...]:
    by_field = {rule.field: rule for rule in rules}
    for key, node in defaults:
        if key.text not in by_field:
            report.error(
                kinds.UNKNOWN_RULE, key.span, f"no rule writes {key.text}", did_you_mean(key.text, by_field)
            )
            continue
        rule = by_field[key.text]
        table = Table(TableNode(((replace(key, text="default"), node),), key.span), report, key.text, ("default",))
        removed = isinstance(node, ScalarNode) and node.value is None
        by_field[key.text] = replace(rule, default=None if removed else read_default(table) or rule.default)
    return tuple(by_field.values())


def _mapping(name: str, source: Source, table: Table) -> Mapping:
    _check_version(table)
    operation = table.choice("operation", OPERATIONS) or "upsert"
    match = table.get("match")
    external_id = _external_id(match, table.report) if isinstance(match, TableNode) else ""
    conventions = read_conventions(table)
    return Mapping(
        name=name,
        source=source,
        span=(table.get("object") or table.node).span,
        active=table.boolean("active") is not False,
        events=_events(table),
        opt_in=_path(table.text("opt_in")),
        when=table.text("when"),
        for_each=_path(table.text("for_each")),
        object=_object(table),
        operation=operation,
        lookups=tuple(_with_conventions(lookup, conventions) for lookup in _lookups(table, operation)),
        external_id=external_id,
        where=table.text("where"),
        blank_values=read_blank_values(table),
        unless_found=tuple(replace(rule, conventions=conventions) for rule in read_unless_found(table)),
        on_many=table.choice("on_many", ON_MANY) or "newest",
        on_none=_on_none(table, operation),
        on_duplicate=table.choice("on_duplicate", ON_DUPLICATE) or "fail",
        skip_unchanged=table.boolean("skip_unchanged") or False,
        timestamp_guard=table.boolean("timestamp_guard") or False,
        batch_size=read_batch_size(table),
        bulk=table.choice("bulk", BULK_MODES),
        headers=read_headers(table.get("headers"), table.report),
        rules=tuple(replace(rule, conventions=conventions) for rule in read_rules(table)),
        conventions=conventions,
        custom=_custom(table),
    )


def _check_version(table: Table) -> None:
    node = table.require("sfmap", f"the language's version: sfmap: {LANGUAGE_VERSION}")
    if node and not (isinstance(node, ScalarNode) and type(node.value) is int and node.value == LANGUAGE_VERSION):
        message = f"sfmap must be {LANGUAGE_VERSION}, the version of the mapping language, not {node_kind(node)}"
        table.report.error(kinds.WRONG_VALUE, node.span, message)


def _events(table: Table) -> tuple[EventPattern, ...]:
    table.require("event", f"which events it takes: {listed(EVENT_TYPES)}")
    return table.items(
        "event",
        f"{listed(EVENT_TYPES)}, a list of them, or {{type: track, name: ...}}",
        lambda node: _event_pattern(node, table.report),
        EVENT_TYPES,
    )


def _event_pattern(node: Node, report: DiagnosticReport) -> EventPattern | None:
    if isinstance(node, TableNode):
        pattern = Table(node, report, "the event", names(EVENT))
        kind = pattern.choice("type", EVENT_TYPES) or "track"
        name = pattern.text("name")
        if name and kind != "track":
            report.error(
                kinds.CONFLICTING_KEYS,
                pattern.key("name").span,
                f"{kind} events have no name; only track events have one",
            )
        return EventPattern(kind, name)
    if isinstance(node, ScalarNode) and node.text in EVENT_TYPES:
        return EventPattern(EVENT_TYPES[EVENT_TYPES.index(node.text)])
    return None


def _object(table: Table) -> str:
    table.require("object", "the API name of the object the events become")
    node = table.text("object")
    return node.text if node and is_api_name(node, table.report) else ""


def _lookups(table: Table, operation: Operation) -> tuple[Lookup, ...]:
    node = table.get("match")
    if operation == "create":
        for key in ("match", "where", "on_many"):
            if key in table:
                table.report.error(
                    kinds.CONFLICTING_KEYS,
                    table.key(key).span,
                    f"a mapping that creates does not look records up: leave out {key}",
                )
        return ()
    table.require("match", "the fields to find an existing record by")
    if isinstance(node, TableNode):
        if "where" in table:
            table.report.error(
                kinds.CONFLICTING_KEYS,
                table.key("where").span,
                "the org's own lookup by external id cannot have a condition",
            )
        field = entry(node, "external_id")
        return (Lookup((MatchField(field),)),) if isinstance(field, ScalarNode) else ()
    return table.items(
        "match",
        "a field name, a list of them, or lists within the list for fields that must all be equal, or"
        " {Field: source} in the list",
        lambda node: _lookup(node, table.report),
    )


def _with_conventions(lookup: Lookup, conventions: Conventions) -> Lookup:
    fields = (
        replace(field, rule=replace(field.rule, conventions=conventions)) if field.rule else field
        for field in lookup.fields
    )
    return Lookup(tuple(fields))


def _on_none(table: Table, operation: Operation) -> OnNone:
    chosen = table.choice("on_none", ON_NONE)
    if chosen and operation not in ("update", "delete"):
        message = f"on_none is for update and delete: a mapping that {operation}s creates the record"
        table.report.error(kinds.CONFLICTING_KEYS, table.key("on_none").span, message, "leave out on_none")
    return chosen or "skip"


def _external_id(node: TableNode, report: DiagnosticReport) -> str:
    table = Table(node, report, "match", names(EXTERNAL_ID))
    help_ = (
        "match: {external_id: Field__c}; for a lookup by another value, a list: match: [{Field__c: traits.old}]"
    )
    table.require("external_id", help_)
    field = table.text("external_id")
    return field.text if field and is_api_name(field, report) else ""


def _lookup(node: Node, report: DiagnosticReport) -> Lookup | None:
    fields: list[MatchField] = []
    for item in node.items if isinstance(node, ListNode) else (node,):
        if isinstance(item, TableNode) and item.entries:
            fields += (MatchField(key, read_match_value(key, value, report)) for key, value in item.entries)
        elif isinstance(item, ScalarNode) and isinstance(item.value, str):
            fields.append(MatchField(item))
        else:
            return None
    for number, field in enumerate(fields):
        if field.name in (before.name for before in fields[:number]):
            message = f"{field.name} appears twice in one lookup: it cannot equal two values"
            report.error(kinds.WRONG_MATCH, field.node.span, message)
    return Lookup(tuple(field for field in fields if is_api_name(field.node, report))) if fields else None


def _custom(table: Table) -> CustomFields | None:
    node = table.get("custom")
    custom = Table.open(node, table.report, "custom", names(CUSTOM)) if node else None
    if custom is None:
        return None
    custom.require("from", "where the traits are: from: traits")
    bases = custom.texts("from")
    suffix = custom.text("suffix")
    objects, separator = _shape(custom, "objects", OBJECT_SHAPES, "flatten")
    lists, joint = _shape(custom, "lists", LIST_SHAPES, "join")
    if not bases:
        return None
    return CustomFields(
        bases=tuple(SourcePath(base.text, base) for base in bases),
        suffix=suffix.text if suffix else "__c",
        excluded=tuple(node.text for node in custom.texts("except")),
        only=tuple(node.text for node in custom.texts("only")),
        objects=objects,
        separator="_" if separator is None else separator,
        lists=lists,
        joint=";" if joint is None else joint,
        rename=custom.choice("rename", RENAMES),
        on_null=custom.choice("on_null", ON_NULL) or "ignore",
        on_blank=custom.choice("on_blank", ON_NULL) or "ignore",
    )


def _shape(custom: Table, key: str, shapes: tuple[Word, ...], with_text: Word) -> tuple[Word, str | None]:
    """What to do with objects or lists: a word, or a table of the one word that takes a text."""
    node = custom.get(key)
    if isinstance(node, TableNode):
        inner = Table(node, custom.report, key, (with_text,))
        inner.require(with_text, f"{key}: {{{with_text}: _}}")
        text = inner.text(with_text)
        return with_text, text.text if text else None
    return custom.choice(key, shapes) or shapes[0], None


def _path(node: ScalarNode | None) -> SourcePath | None:
    return SourcePath(node.text, node) if node else None
