"""The standard objects of every local org, read from the data files in `objects`."""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, TypedDict

import yaml

from sfmap.engine.local_org.records.object_rules import read_person, read_referable, read_rules
from sfmap.engine.local_org.records.object_schema import (
    Becomes,
    Conversion,
    Entry,
    FieldSchema,
    Lock,
    ObjectSchema,
    RecordTypeFields,
    RecordTypeSchema,
)


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
    children: str
    cascades: bool
    restricts: bool
    parts: list[str]


class _ConversionData(TypedDict):
    flag: str
    day: str
    status: str
    statuses: list[str]
    becomes: list[dict[str, Any]]


class _FeatureData(TypedDict, total=False):
    """What an object has besides while a feature is on."""

    like_custom: bool
    """What custom objects have with the feature."""
    fields: dict[str, _FieldData]
    defaults: dict[str, str]
    person: dict[str, Any]
    record_types: list[dict[str, Any]]


class _ObjectData(TypedDict, total=False):
    name: str
    label: str
    plural: str
    key_prefix: str
    name_field: str
    merged_into: str
    converts: _ConversionData
    named_layouts: list[str]
    cannot: list[str]
    compose: dict[str, str]
    defaults: dict[str, str]
    number: dict[str, int]
    locked: dict[str, str]
    index: list[str]
    seed: list[dict[str, str | int | None]]
    seed_key: list[str]
    states: dict[str, str]
    rules: dict[str, Any]
    referable: list[dict[str, Any]]
    record_type_fields: dict[str, str]
    only_with: str
    """The feature without which the object does not exist."""
    features: dict[str, _FeatureData]
    fields: dict[str, _FieldData]


@cache
def shipped_objects(features: frozenset[str]) -> tuple[ObjectSchema, ...]:
    """The standard objects, and one without a name with the fields of every custom object."""
    loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
    folder = files("sfmap.engine.local_org.records.objects")
    paths = sorted((path for path in folder.iterdir() if path.name.endswith(".yaml")), key=lambda path: path.name)
    read: list[_ObjectData] = [
        yaml.load(path.read_text("utf-8"), Loader=loader)  # noqa: S506 - both are safe
        for path in paths
    ]
    custom = next(data.get("features", {}) for data in read if not data["name"])
    return tuple(
        _standard_object(data, _extras(data.get("features", {}), custom, features))
        for data in read
        if data.get("only_with", "") in ("", *features)
    )


def _extras(
    own: Mapping[str, _FeatureData], custom: Mapping[str, _FeatureData], features: frozenset[str]
) -> list[_FeatureData]:
    """What an object has besides with these features."""
    return [custom[one] if own[one].get("like_custom") else own[one] for one in own if one in features]


def _standard_object(data: _ObjectData, extras: Sequence[_FeatureData]) -> ObjectSchema:
    raw_fields, defaults = data["fields"], data.get("defaults", {})
    for extra in extras:
        raw_fields = {**raw_fields, **extra.get("fields", {})}
        defaults = {**defaults, **extra.get("defaults", {})}
    compounds = {part: name for name, raw in raw_fields.items() for part in raw.get("parts", ())}
    return ObjectSchema(
        name=data["name"],
        label=data["label"],
        plural=data["plural"],
        key_prefix=data["key_prefix"],
        name_field=data.get("name_field", "Name"),
        merged_into=data.get("merged_into", ""),
        converts=_conversion(data["converts"]) if "converts" in data else None,
        named_layouts=tuple(data.get("named_layouts", ())),
        cannot=tuple(data.get("cannot", ())),
        fields={
            name: _standard_field(name, raw, defaults.get(name), compounds.get(name, ""))
            for name, raw in raw_fields.items()
        },
        compose=data.get("compose", {}),
        number=data.get("number", {}),
        lock=Lock(**data["locked"]) if "locked" in data else None,
        index=tuple(data.get("index", ())),
        seed=tuple(data.get("seed", ())),
        seed_key=tuple(data.get("seed_key", ())),
        states=data.get("states", {}),
        rules=read_rules(data["rules"]) if "rules" in data else None,
        referable=read_referable(data.get("referable", ())),
        record_type_fields=RecordTypeFields(**kinds) if (kinds := data.get("record_type_fields")) else None,
        person=next((read_person(extra["person"]) for extra in extras if "person" in extra), None),
        record_types=tuple(RecordTypeSchema(**one) for extra in extras for one in extra.get("record_types", ())),
    )


def _conversion(data: _ConversionData) -> Conversion:
    return Conversion(
        flag=data["flag"],
        day=data["day"],
        status=data["status"],
        statuses=tuple(data["statuses"]),
        becomes=tuple(Becomes(**one) for one in data["becomes"]),
    )


def _standard_field(name: str, data: _FieldData, default: str | None, compound: str) -> FieldSchema:
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
        entries=tuple(Entry(value, value) for value in data.get("values", ())),
        references=tuple(data.get("references", ())),
        children=data.get("children", ""),
        cascades=data.get("cascades", False),
        restricts=data.get("restricts", False),
        default=default,
        compound=compound,
    )
