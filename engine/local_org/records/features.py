"""The features of an org that change its objects: each may be switched on, and stays on."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from importlib.resources import files
from typing import Final

import yaml

from sfmap.engine.errors import SfmapError
from sfmap.engine.local_org.records.object_rules import PersonRules
from sfmap.engine.local_org.records.object_schema import Entry, FieldSchema, ObjectSchema
from sfmap.engine.yaml_files.diagnostics import did_you_mean

STATES: Final = "state_country_picklists"
CURRENCIES: Final = "multi_currency"
PERSONS: Final = "person_accounts"
FEATURES: Final = (STATES, CURRENCIES, PERSONS)


class UnknownFeature(SfmapError):
    """The local org has no feature of that name; the message says which there are."""

    def __init__(self, name: str) -> None:
        hint = did_you_mean(name, FEATURES) or f"there are {', '.join(FEATURES)}"
        super().__init__(f"The local org has no feature {name}: {hint}.")


def checked_features(names: Collection[str]) -> frozenset[str]:
    """The features of these names. Raises `UnknownFeature`."""
    for name in names:
        if name not in FEATURES:
            raise UnknownFeature(name)
    return frozenset(names)


def usual_countries() -> tuple[list[Entry], list[Entry]]:
    """The countries and states that an org has before an administrator changes them."""
    text = files("sfmap.engine.local_org.records").joinpath("countries.yaml").read_text("utf-8")
    loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
    data: Mapping[str, Mapping[str, Mapping[str, str] | str]] = yaml.load(text, Loader=loader)  # noqa: S506 - safe
    countries = [Entry(code, str(country["label"])) for code, country in data.items()]
    states = [
        Entry(state, name, valid_for=(code,))
        for code, country in data.items()
        if isinstance(known := country.get("states", {}), Mapping)
        for state, name in known.items()
    ]
    return countries, states


def with_persons(objects: Mapping[str, ObjectSchema]) -> dict[str, ObjectSchema]:
    """The objects, with the fields of persons in those whose records may be persons."""
    found = dict(objects)
    for name, target in objects.items():
        if target.person:
            copies = {one.name: one for one in _person_fields(target.person, objects[target.person.object])}
            found[name] = replace(target, fields={**target.fields, **copies}, person_fields=frozenset(copies))
    return found


def _person_fields(rules: PersonRules, behind: ObjectSchema) -> Iterator[FieldSchema]:
    for known in behind.fields.values():
        if known.createable and known.name not in rules.without:
            yield replace(
                known,
                name=rules.name_of(known.name),
                controller=rules.name_of(known.controller) if known.controller else "",
                nillable=known.type != "boolean",
                id_lookup=False,
                external_id=False,
                unique=False,
                cascades=False,
                children="",
            )
