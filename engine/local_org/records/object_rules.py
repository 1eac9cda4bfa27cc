"""Rules of an object beyond those of its single fields, as its data file has them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Constant = str | int


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldsRule:
    """A rule about some fields together, and the error of a record that breaks it."""

    fields: tuple[str, ...]
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """While `field` refers to a record of `object`, `other` must be empty."""

    field: str
    object: str
    other: str
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Derivation:
    """The other fields' values for each value of `by`, where a write does not give them itself."""

    by: str
    values: Mapping[str, Mapping[str, Constant]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenValues:
    """Values taken from a record of another object."""

    object: str
    where: Mapping[str, str]
    """Its fields, each with the field of ours that is equal; the last one is replaced where none matches."""
    take: Mapping[str, str]
    """Our fields, each with the field of its that they are copies of."""
    default: str = ""
    """Its boolean field that marks the record to use where none matches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeWith:
    """Records that the org creates together with one, which their field `parent` refers to."""

    object: str
    parent: str
    rows: tuple[Mapping[str, Constant], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Referable:
    """What a record must be like for a reference to it; the message may name {id} and {object}."""

    code: str
    message: str
    fields: tuple[str, ...] = ()
    """The references that the rule is about; all if there are none."""
    when: Mapping[str, Constant]
    """Fields of the record and the values that they must have."""
    object: str = ""
    """The field of the record that names the object whose records may refer to it."""
    listed: Mapping[str, str] | None = None
    """`object`, whose records list the objects that may refer to it: `record` and `name` are its fields."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectRules:
    drops: Mapping[str, Sequence[str]]
    """Fields that are left out if another one is given."""
    one_of: tuple[FieldsRule, ...]
    """Fields of which a new record needs one."""
    unique_together: tuple[FieldsRule, ...]
    excludes: tuple[Exclusion, ...]
    derived: tuple[Derivation, ...]
    looked_up: tuple[TakenValues, ...]
    products: Mapping[str, Sequence[str]]
    """Numbers that are the product of others."""
    makes: tuple[MadeWith, ...]


def read_rules(data: Mapping[str, Any]) -> ObjectRules:
    """The rules of a data file that is ours."""
    return ObjectRules(
        drops=data.get("drops", {}),
        one_of=tuple(map(_fields_rule, data.get("one_of", ()))),
        unique_together=tuple(map(_fields_rule, data.get("unique_together", ()))),
        excludes=tuple(Exclusion(**one) for one in data.get("excludes", ())),
        derived=tuple(Derivation(by=by, values=values) for by, values in data.get("derived", {}).items()),
        looked_up=tuple(TakenValues(**one) for one in data.get("looked_up", ())),
        products=data.get("products", {}),
        makes=tuple(MadeWith(**{**one, "rows": tuple(one["rows"])}) for one in data.get("makes", ())),
    )


def read_referable(data: Sequence[Mapping[str, Any]]) -> tuple[Referable, ...]:
    return tuple(Referable(**{**one, "fields": tuple(one.get("fields", ()))}) for one in data)


def _fields_rule(data: Mapping[str, Any]) -> FieldsRule:
    return FieldsRule(fields=tuple(data["fields"]), code=data["code"], message=data["message"])


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRules:
    """How records of an object may be persons: one record with another of `object` behind it."""

    object: str
    flag: str
    """The boolean that marks persons, in both objects."""
    key: str
    """What a person must have."""
    name: str
    """What a person must not be given, and all others must have."""
    reference: str
    """The reference to the record behind a person."""
    parent: str
    """The reference back from it."""
    prefix: str
    """Begins the names of its fields here."""
    same: tuple[str, ...]
    """Its fields that have the same names here."""
    without: tuple[str, ...]
    """Its fields that do not exist here."""
    change: str
    """The error's message where a record would become a person, or would no longer be one."""

    def name_of(self, field: str) -> str:
        """The name that its field has here."""
        if field in self.same:
            return field
        return f"{field[:-1]}pc" if field.endswith("__c") else f"{self.prefix}{field}"


def read_person(data: Mapping[str, Any]) -> PersonRules:
    return PersonRules(**{**data, "same": tuple(data["same"]), "without": tuple(data["without"])})
