"""Which objects and fields the local org has: the shipped standard ones and those of a user's schema file."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import TypedDict

import yaml

from sfmap.engine.spec.diagnostics import Mistakes, did_you_mean
from sfmap.engine.spec.files import read_source
from sfmap.engine.spec.reader import Report, Table
from sfmap.engine.spec.source import ScalarNode, TableNode, read_yaml

_CUSTOM_PREFIX = "a0"
_API_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

TEXT_TYPES = ("string", "textarea", "email", "phone", "url", "picklist", "multipicklist")
NUMBER_TYPES = ("int", "double", "currency", "percent")
_CUSTOM_TYPES = (*TEXT_TYPES, *NUMBER_TYPES, "boolean", "date", "datetime", "reference")
_DEFAULT_LENGTHS = {"email": 80, "phone": 40, "reference": 18, "textarea": 32_000}
_FIELD_KEYS = (
    "type", "label", "length", "precision", "scale", "required", "unique", "external_id", "default",
    "values", "restricted", "to",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FieldSchema:
    name: str
    label: str
    type: str
    length: int = 0
    precision: int = 0
    scale: int = 0
    digits: int = 0
    nillable: bool = True
    createable: bool = True
    updateable: bool = True
    id_lookup: bool = False
    external_id: bool = False
    unique: bool = False
    restricted: bool = False
    custom: bool = False
    values: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    default: str | None = None

    @property
    def required(self) -> bool:
        """Whether a create must give it a value."""
        return self.createable and not self.nillable and not self.defaulted

    @property
    def relationship_name(self) -> str:
        """What a write calls the record that the field refers to; empty where it refers to none."""
        if self.type != "reference":
            return ""
        return f"{self.name[:-1]}r" if self.custom else self.name.removesuffix("Id")

    @property
    def defaulted(self) -> bool:
        return self.default is not None or self.type == "boolean" or self.name == "OwnerId"


@dataclass(frozen=True, slots=True)
class Lock:
    """A boolean field that, once true, keeps a record from being updated, and what the org says then."""

    when: str
    code: str
    message: str


@dataclass(frozen=True)
class ObjectSchema:
    name: str
    label: str
    plural: str
    key_prefix: str
    fields: Mapping[str, FieldSchema]
    """By API name, in the order of describe."""
    compose: Mapping[str, str] = field(default_factory=dict)
    """Read-only fields made of others: `{Name: "{FirstName} {LastName}"}`."""
    number: Mapping[str, int] = field(default_factory=dict)
    """Fields that count the records, and their digits."""
    lock: Lock | None = None
    seed: tuple[Mapping[str, str | int], ...] = ()
    """The records that every org has of it."""
    index: tuple[str, ...] = ()
    """Fields that are often looked up, besides those made for it."""
    custom: bool = False

    @cached_property
    def _by_folded_name(self) -> dict[str, FieldSchema]:
        return {name.casefold(): schema for name, schema in self.fields.items()}

    def field(self, name: str) -> FieldSchema | None:
        """The field of that name, whatever its casing."""
        return self._by_folded_name.get(name.casefold())

    @cached_property
    def _by_relationship(self) -> dict[str, FieldSchema]:
        return {f.relationship_name.casefold(): f for f in self.fields.values() if f.relationship_name}

    def relationship(self, name: str) -> FieldSchema | None:
        """The reference field whose relationship has that name, whatever its casing."""
        return self._by_relationship.get(name.casefold())


@dataclass(frozen=True)
class Schema:
    objects: Mapping[str, ObjectSchema]

    @cached_property
    def _by_folded_name(self) -> dict[str, ObjectSchema]:
        return {name.casefold(): schema for name, schema in self.objects.items()}

    def object(self, name: str) -> ObjectSchema | None:
        """The object of that name, whatever its casing."""
        return self._by_folded_name.get(name.casefold())

    @cached_property
    def _by_key_prefix(self) -> dict[str, ObjectSchema]:
        return {schema.key_prefix: schema for schema in self.objects.values()}

    def object_of(self, record_id: str) -> ObjectSchema | None:
        """The object whose records have ids like this one."""
        return self._by_key_prefix.get(record_id[:3])


class _FieldData(TypedDict, total=False):
    label: str
    type: str
    length: int
    precision: int
    scale: int
    digits: int
    flags: str
    values: list[str]
    references: list[str]


class _ObjectData(TypedDict, total=False):
    name: str
    label: str
    plural: str
    key_prefix: str
    compose: dict[str, str]
    defaults: dict[str, str]
    number: dict[str, int]
    locked: dict[str, str]
    index: list[str]
    seed: list[dict[str, str | int]]
    fields: dict[str, _FieldData]


def load_schema(custom: Path | None) -> Schema:
    """The shipped objects, with what the user's file adds. Raises `Mistakes` or `CannotRead`."""
    shipped = {schema.name: schema for schema in _shipped()}
    blank = shipped.pop("")
    objects = dict(shipped)
    if custom is None:
        return Schema(objects)
    root, mistakes = read_yaml(read_source(custom))
    report = Report(mistakes)
    table = Table.open(root, report, "the schema", ("objects",))
    entries = list(table.tables("objects")) if table else []
    referable = _referable(shipped.values()) | {name.text for name, _ in entries}
    for name, node in entries:
        if name.text in shipped:
            objects[name.text] = _extended(shipped[name.text], node, referable, report)
        else:
            objects[name.text] = _custom(blank, name, node, objects, referable, report)
    if report.diagnostics:
        raise Mistakes(report.diagnostics)
    return Schema(objects)


def _referable(shipped: Iterable[ObjectSchema]) -> frozenset[str]:
    """The shipped objects, and those of a plain org that they refer to."""
    known = list(shipped)
    referred = (name for target in known for field in target.fields.values() for name in field.references)
    return frozenset({target.name for target in known}.union(referred))


def _shipped() -> Iterator[ObjectSchema]:
    loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
    folder = files("sfmap.engine.org.local.objects")
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        if path.name.endswith(".yaml"):
            data: _ObjectData = yaml.load(path.read_text("utf-8"), Loader=loader)  # noqa: S506 - both are safe
            yield _standard_object(data)


def _standard_object(data: _ObjectData) -> ObjectSchema:
    defaults = data.get("defaults", {})
    fields = {name: _standard_field(name, raw, defaults.get(name)) for name, raw in data["fields"].items()}
    return ObjectSchema(
        name=data["name"],
        label=data["label"],
        plural=data["plural"],
        key_prefix=data["key_prefix"],
        fields=fields,
        compose=data.get("compose", {}),
        number=data.get("number", {}),
        lock=Lock(**data["locked"]) if "locked" in data else None,
        index=tuple(data.get("index", ())),
        seed=tuple(data.get("seed", ())),
    )


def _standard_field(name: str, data: _FieldData, default: str | None) -> FieldSchema:
    flags = data.get("flags", "")
    return FieldSchema(
        name=name,
        label=data["label"],
        type=data["type"],
        length=data.get("length", 0),
        precision=data.get("precision", 0),
        scale=data.get("scale", 0),
        digits=data.get("digits", 0),
        nillable="N" in flags,
        createable="C" in flags,
        updateable="U" in flags,
        id_lookup="X" in flags,
        restricted="R" in flags,
        values=tuple(data.get("values", ())),
        references=tuple(data.get("references", ())),
        default=default,
    )


def _extended(known: ObjectSchema, node: TableNode, referable: frozenset[str], report: Report) -> ObjectSchema:
    table = Table(node, report, f"the object {known.name}", ("fields",))
    return replace(known, fields={**known.fields, **_custom_fields(table, referable)})


def _custom(
    blank: ObjectSchema,
    name: ScalarNode,
    node: TableNode,
    objects: Mapping[str, ObjectSchema],
    referable: frozenset[str],
    report: Report,
) -> ObjectSchema:
    """A custom object: what each of them has, and the fields of the file."""
    if not name.text.endswith("__c"):
        message = f"{name.text} is no object of a plain org, and a custom object's name ends in __c"
        report.error(name.span, message, did_you_mean(name.text, objects))
    _check_name(name, report)
    table = Table(node, report, f"the object {name.text}", ("label", "plural", "fields"))
    label_node, plural_node = table.text("label"), table.text("plural")
    label = label_node.text if label_node else name.text.removesuffix("__c").replace("_", " ")
    count = sum(schema.custom for schema in objects.values())
    return ObjectSchema(
        name=name.text,
        label=label,
        plural=plural_node.text if plural_node else f"{label}s",
        key_prefix=_CUSTOM_PREFIX + _DIGITS[count % len(_DIGITS)],
        fields={**blank.fields, **_custom_fields(table, referable)},
        custom=True,
    )


def _check_name(name: ScalarNode, report: Report) -> None:
    if not _API_NAME.fullmatch(name.text):
        report.error(name.span, f'"{name.text}" is no API name', "ASCII letters, digits and _, a letter first")


def _custom_fields(table: Table, referable: frozenset[str]) -> dict[str, FieldSchema]:
    fields: dict[str, FieldSchema] = {}
    names: dict[str, str] = {}
    for name, node in table.tables("fields"):
        twin = names.setdefault(name.text.casefold(), name.text)
        if twin != name.text:
            table.report.error(name.span, f"{name.text} and {twin} are one field: case does not matter in names")
        fields[name.text] = _custom_field(name, node, referable, table.report)
    return fields


def _custom_field(name: ScalarNode, node: TableNode, referable: frozenset[str], report: Report) -> FieldSchema:
    table = Table(node, report, f"the field {name.text}", _FIELD_KEYS)
    if not name.text.endswith("__c"):
        report.error(name.span, "a custom field's name ends in __c", f"{name.text}__c")
    _check_name(name, report)
    table.require("type", "type: string")
    kind = table.choice("type", _CUSTOM_TYPES) or "string"
    if kind == "reference":
        table.require("to", "the object whose records it refers to")
    targets = table.texts("to")
    for target in targets:
        if target.text not in referable:
            report.error(target.span, f'there is no object "{target.text}"', did_you_mean(target.text, referable))
    label, default = table.text("label"), table.scalar("default")
    external_id = table.boolean("external_id") or False
    return FieldSchema(
        name=name.text,
        label=label.text if label else name.text.removesuffix("__c").replace("_", " "),
        type=kind,
        length=table.positive_integer("length") or _DEFAULT_LENGTHS.get(kind, 255 if kind in TEXT_TYPES else 0),
        precision=table.positive_integer("precision") or (18 if kind in NUMBER_TYPES else 0),
        scale=table.positive_integer("scale") or 0,
        digits=9 if kind == "int" else 0,
        nillable=not (table.boolean("required") or kind == "boolean"),
        id_lookup=external_id,
        external_id=external_id,
        unique=table.boolean("unique") or False,
        restricted=table.boolean("restricted") or False,
        custom=True,
        values=tuple(value.text for value in table.texts("values")),
        references=tuple(target.text for target in targets),
        default=default.text if default else None,
    )
