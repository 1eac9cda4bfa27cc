"""Reads a user's schema file: custom fields and objects, or a complete copy of another org's."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from sfmap.engine.local_org.records.currencies import CURRENCIES, MANY, USUAL_CURRENCY
from sfmap.engine.local_org.records.features import (
    CURRENCIES as MANY_CURRENCIES,
)
from sfmap.engine.local_org.records.features import (
    FEATURES,
    STATES,
    checked_features,
    usual_countries,
    with_persons,
)
from sfmap.engine.local_org.records.object_schema import (
    NUMBER_TYPES,
    TEXT_TYPES,
    DuplicateRule,
    Entry,
    FieldSchema,
    ObjectSchema,
    Schema,
)
from sfmap.engine.local_org.records.picklists import with_codes
from sfmap.engine.local_org.records.record_types import record_type_seeds
from sfmap.engine.local_org.records.schema_record_types import read_record_types
from sfmap.engine.local_org.records.shipped import shipped_objects
from sfmap.engine.yaml_files import kinds
from sfmap.engine.yaml_files.diagnostics import Mistakes, did_you_mean, listed
from sfmap.engine.yaml_files.files import read_source
from sfmap.engine.yaml_files.nodes import Node, ScalarNode, TableNode, read_yaml
from sfmap.engine.yaml_files.reader import DiagnosticReport, Table

_CUSTOM_PREFIX = "a0"
_API_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_CUSTOM_TYPES = (*TEXT_TYPES, *NUMBER_TYPES, "boolean", "date", "datetime", "time", "reference")
_DEFAULT_LENGTHS = {"email": 80, "multipicklist": 4_099, "phone": 40, "reference": 18, "textarea": 32_000}
_FIELD_KEYS = (
    "type", "label", "length", "precision", "scale", "required", "unique", "external_id", "default",
    "values", "restricted", "controller", "to",
)  # fmt: skip
_COUNTRIES = "state_and_country_picklists"
_OBJECT_KEYS = ("fields", "duplicate_rules", "record_types")
_ENTRY_KEYS = ("value", "label", "active", "for")
_COPIED_KEYS = ("write", "finds", "relationship", "unfiltered")
_COPIED_TYPES = (
    "id", "address", "location", "combobox", "encryptedstring", "base64", "long", "anyType",
    "complexvalue",
)  # fmt: skip
_ALWAYS = ("Id", "IsDeleted", "CreatedDate", "LastModifiedDate", "SystemModstamp")
"""Fields that the local org itself needs on every object."""


def load_schema(custom: Path | None, features: Collection[str] = ()) -> Schema:
    """The shipped objects plus those of the user's file.

    Raises `Mistakes` or `CannotRead` for the file, and `UnknownFeature`.
    """
    asked = checked_features(features)
    if custom is None:
        shipped = _shipped(asked, None)
        return _finished({name: known for name, known in shipped.items() if name}, USUAL_CURRENCY, asked)
    root, mistakes = read_yaml(read_source(custom))
    report = DiagnosticReport(mistakes)
    table = Table.open(root, report, "the schema", ("objects", "currency", "features", _COUNTRIES))
    currency = _currency(table) if table else USUAL_CURRENCY
    asked |= _features(table) if table else frozenset()
    shipped = _shipped(asked, _countries(table) if table and _COUNTRIES in table else None)
    blank = shipped.pop("")
    objects = dict(shipped)
    entries = list(table.tables("objects")) if table else []
    referable = _referable(shipped.values()) | {name.text for name, _ in entries}
    for name, node in entries:
        if _is_complete(node):
            objects[name.text] = _complete(shipped.get(name.text, blank), name, node, report)
        elif name.text in shipped:
            objects[name.text] = _extended(shipped[name.text], node, referable, report)
        else:
            objects[name.text] = _custom(blank, name, node, objects, referable, report)
    if report.diagnostics:
        raise Mistakes(report.diagnostics)
    return _finished(objects, currency, asked)


def _shipped(
    features: frozenset[str], countries: tuple[list[Entry], list[Entry]] | None
) -> dict[str, ObjectSchema]:
    """The shipped objects by name, with picklists for states if countries are given, or the feature is on."""
    lists = usual_countries() if countries is None and STATES in features else countries
    shipped = {known.name: known for known in shipped_objects(features)}
    return {name: with_codes(known, *lists) for name, known in shipped.items()} if lists else shipped


def _finished(objects: Mapping[str, ObjectSchema], currency: str, features: frozenset[str]) -> Schema:
    """The schema with what follows from all objects together: the fields of persons, records of record types."""
    schema = Schema(
        with_persons(objects), currency=MANY if MANY_CURRENCIES in features else currency, features=features
    )
    holder = schema.record_type_object
    if holder is None:
        return schema
    seeded = replace(holder, seed=(*holder.seed, *record_type_seeds(schema)))
    return replace(schema, objects={**schema.objects, holder.name: seeded})


def _features(table: Table) -> frozenset[str]:
    names = table.texts("features")
    for one in names:
        if one.text not in FEATURES:
            message = f"there is no feature {one.text}"
            hint = did_you_mean(one.text, FEATURES) or f"there are {listed(FEATURES)}"
            table.report.error(kinds.WRONG_VALUE, one.span, message, hint)
    return frozenset(one.text for one in names if one.text in FEATURES)


def _currency(table: Table) -> str:
    node = table.text("currency")
    if node and node.text not in (*CURRENCIES, MANY):
        message = f"currency must be an ISO code such as {USUAL_CURRENCY}, or {MANY}, not {node.text}"
        table.report.error(kinds.WRONG_VALUE, node.span, message, did_you_mean(node.text, CURRENCIES))
    return node.text if node else USUAL_CURRENCY


def _countries(table: Table) -> tuple[list[Entry], list[Entry]]:
    """The entries of the picklists of countries and of states."""
    countries: list[Entry] = []
    states: list[Entry] = []
    for code, node in table.tables(_COUNTRIES):
        country = Table(node, table.report, f"the country {code.text}", ("label", "states"))
        label = country.text("label")
        countries.append(Entry(code.text, label.text if label else code.text))
        for state, name in country.named_texts("states"):
            states.append(Entry(state.text, name.text, valid_for=(code.text,)))
    return countries, states


def _referable(shipped: Iterable[ObjectSchema]) -> frozenset[str]:
    """The shipped objects, and the standard objects that they refer to."""
    known = list(shipped)
    referred = (name for target in known for field in target.fields.values() for name in field.references)
    return frozenset({target.name for target in known}.union(referred))


def _is_complete(node: TableNode) -> bool:
    return any(key.text == "complete" and isinstance(v, ScalarNode) and v.value is True for key, v in node.entries)


def _complete(known: ObjectSchema, name: ScalarNode, node: TableNode, report: DiagnosticReport) -> ObjectSchema:
    """An object copied from an org, with exactly the fields of the file."""
    _check_name(name, report)
    table = Table(node, report, f"the object {name.text}", ("complete", "label", "key_prefix", *_OBJECT_KEYS))
    label, key_prefix = table.text("label"), table.text("key_prefix")
    table.require("key_prefix", "the first three characters of its records' ids")
    copied = {field: _like(known.fields.get(field), one) for field, one in _fields(table, None).items()}
    needed = {field: known.fields[field] for field in _ALWAYS if field not in copied}
    _check_controllers(table, copied)
    return replace(
        known,
        name=name.text,
        label=label.text if label else name.text,
        plural=label.text if label else name.text,
        key_prefix=key_prefix.text if key_prefix else known.key_prefix,
        fields={**copied, **needed},
        compose={made: parts for made, parts in known.compose.items() if made in copied},
        number={counted: digits for counted, digits in known.number.items() if counted in copied},
        lock=known.lock if known.lock and known.lock.when in copied else None,
        custom=name.text.endswith("__c"),
        duplicate_rules=_duplicate_rules(table, copied),
        record_types=read_record_types(table, copied, ()),
        rules=None,
        person=None,
    )


def _like(known: FieldSchema | None, copied: FieldSchema) -> FieldSchema:
    """A copied field, completed with what a describe does not tell."""
    if known is None:
        return copied
    default = known.default if copied.default is None else copied.default
    return replace(
        copied,
        default=default,
        children=known.children,
        cascades=known.cascades,
        restricts=known.restricts,
        compound=known.compound,
    )


def _extended(
    known: ObjectSchema, node: TableNode, referable: frozenset[str], report: DiagnosticReport
) -> ObjectSchema:
    table = Table(node, report, f"the object {known.name}", _OBJECT_KEYS)
    fields = {**known.fields, **_fields(table, referable)}
    _check_controllers(table, fields)
    return replace(
        known,
        fields=fields,
        duplicate_rules=_duplicate_rules(table, fields),
        record_types=read_record_types(table, fields, known.record_types),
    )


def _custom(
    blank: ObjectSchema,
    name: ScalarNode,
    node: TableNode,
    objects: Mapping[str, ObjectSchema],
    referable: frozenset[str],
    report: DiagnosticReport,
) -> ObjectSchema:
    """A custom object: the fields that all have, and those of the file."""
    if not name.text.endswith("__c"):
        message = f"{name.text} is not a standard object, and the name of a custom object ends with __c"
        report.error(kinds.UNKNOWN_IN_SCHEMA, name.span, message, did_you_mean(name.text, objects))
    _check_name(name, report)
    table = Table(node, report, f"the object {name.text}", ("label", "plural", *_OBJECT_KEYS))
    fields = {**blank.fields, **_fields(table, referable)}
    _check_controllers(table, fields)
    label_node, plural_node = table.text("label"), table.text("plural")
    label = label_node.text if label_node else name.text.removesuffix("__c").replace("_", " ")
    count = sum(schema.custom for schema in objects.values())
    return ObjectSchema(
        name=name.text,
        label=label,
        plural=plural_node.text if plural_node else f"{label}s",
        key_prefix=_CUSTOM_PREFIX + _DIGITS[count % len(_DIGITS)],
        fields=fields,
        custom=True,
        duplicate_rules=_duplicate_rules(table, fields),
        record_types=read_record_types(table, fields, ()),
    )


def _check_name(name: ScalarNode, report: DiagnosticReport) -> None:
    if not _API_NAME.fullmatch(name.text):
        report.error(
            kinds.WRONG_NAME,
            name.span,
            f'"{name.text}" is not an API name',
            "use ASCII letters, digits and _, starting with a letter",
        )


def _fields(table: Table, referable: frozenset[str] | None) -> dict[str, FieldSchema]:
    """The fields, which may refer to the objects in `referable`; None allows any, for a complete object."""
    fields: dict[str, FieldSchema] = {}
    names: dict[str, str] = {}
    for name, node in table.tables("fields"):
        twin = names.setdefault(name.text.casefold(), name.text)
        if twin != name.text:
            table.report.error(
                kinds.WRITTEN_TWICE,
                name.span,
                f"{name.text} and {twin} are the same field: names are case-insensitive",
            )
        fields[name.text] = _field(name, node, referable, table.report)
    return fields


def _check_controllers(table: Table, fields: Mapping[str, FieldSchema]) -> None:
    """Checks that each dependent picklist names another picklist of the object, and values of that one."""
    for name, node in table.tables("fields"):
        field = fields.get(name.text)
        if field is None or not field.controller:
            continue
        controller = fields.get(field.controller)
        if controller is None or not controller.entries:
            hint = did_you_mean(field.controller, (one.name for one in fields.values() if one.entries))
            table.report.error(
                kinds.UNKNOWN_IN_SCHEMA, node.span, f'there is no picklist "{field.controller}" to depend on', hint
            )
            continue
        known = {entry.value for entry in controller.entries}
        for value in (value for entry in field.entries for value in entry.valid_for if value not in known):
            message = f'"{value}" is not a value of the picklist {controller.name}'
            table.report.error(kinds.UNKNOWN_IN_SCHEMA, node.span, message, did_you_mean(value, known))


def _duplicate_rules(table: Table, fields: Mapping[str, FieldSchema]) -> tuple[DuplicateRule, ...]:
    rules = []
    for name, node in table.tables("duplicate_rules"):
        rule = Table(node, table.report, f"the duplicate rule {name.text}", ("fields", "action"))
        rule.require("fields", "the fields that must be equal")
        compared = rule.texts("fields")
        for one in compared:
            if one.text not in fields:
                table.report.error(
                    kinds.UNKNOWN_IN_SCHEMA,
                    one.span,
                    f'there is no field "{one.text}"',
                    did_you_mean(one.text, fields),
                )
        names = tuple(one.text for one in compared if one.text in fields)
        rules.append(DuplicateRule(name.text, names, rule.choice("action", ("block", "warn")) != "block"))
    return tuple(rules)


def _field(
    name: ScalarNode, node: TableNode, referable: frozenset[str] | None, report: DiagnosticReport
) -> FieldSchema:
    is_copy = referable is None
    keys = (*_FIELD_KEYS, *_COPIED_KEYS) if is_copy else _FIELD_KEYS
    table = Table(node, report, f"the field {name.text}", keys)
    if not is_copy and not name.text.endswith("__c"):
        report.error(kinds.WRONG_NAME, name.span, "the name of a custom field ends with __c", f"{name.text}__c")
    _check_name(name, report)
    table.require("type", "type: string")
    kind = table.choice("type", (*_CUSTOM_TYPES, *_COPIED_TYPES) if is_copy else _CUSTOM_TYPES) or "string"
    if kind == "reference" and not is_copy:
        table.require("to", "the object whose records it refers to")
    targets = table.texts("to")
    for target in targets:
        if referable is not None and target.text not in referable:
            report.error(
                kinds.UNKNOWN_IN_SCHEMA,
                target.span,
                f'there is no object "{target.text}"',
                did_you_mean(target.text, referable),
            )
    label, default = table.text("label"), table.scalar("default")
    external_id = table.boolean("external_id") or False
    write = (table.choice("write", ("always", "create", "update", "never")) or "always") if is_copy else "always"
    relationship = table.text("relationship") if is_copy else None
    controller = table.text("controller")
    return FieldSchema(
        name=name.text,
        label=label.text if label else name.text.removesuffix("__c").replace("_", " "),
        type=kind,
        length=table.positive_integer("length") or _DEFAULT_LENGTHS.get(kind, 255 if kind in TEXT_TYPES else 0),
        precision=table.positive_integer("precision") or (18 if kind in NUMBER_TYPES else 0),
        scale=table.positive_integer("scale", least=0) or 0,
        digits=9 if kind == "int" else 0,
        nillable=not (table.boolean("required") or kind == "boolean"),
        createable=write in ("always", "create"),
        updateable=write in ("always", "update"),
        id_lookup=external_id or table.boolean("finds") or False,
        external_id=external_id,
        unique=table.boolean("unique") or False,
        restricted=table.boolean("restricted") or False,
        custom=name.text.endswith("__c"),
        relationship=relationship.text if relationship else "",
        entries=_entries(table),
        references=tuple(target.text for target in targets),
        default=default.text if default else None,
        controller=controller.text if controller else "",
        unfiltered=(is_copy and table.boolean("unfiltered")) or False,
    )


def _entries(table: Table) -> tuple[Entry, ...]:
    """The values of a picklist: each a text, or a table with a label and other keys."""

    def read(node: Node) -> Entry | None:
        if isinstance(node, ScalarNode):
            return Entry(node.text, node.text) if isinstance(node.value, str) else None
        if not isinstance(node, TableNode):
            return None
        entry = Table(node, table.report, "the value", _ENTRY_KEYS)
        entry.require("value", "what a record holds")
        value, label = entry.text("value"), entry.text("label")
        if value is None:
            return Entry("", "")
        valid_for = tuple(one.text for one in entry.texts("for"))
        return Entry(
            value=value.text,
            label=label.text if label else value.text,
            active=entry.boolean("active") is not False,
            valid_for=valid_for,
        )

    return table.items("values", "a text, or a table with the key value", read)
