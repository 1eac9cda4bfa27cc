"""The local org's objects and fields."""

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count, takewhile

from sfmap.engine.local_org.records.currencies import USUAL_CURRENCY
from sfmap.engine.local_org.records.object_rules import ObjectRules, PersonRules, Referable

TEXT_TYPES = ("string", "textarea", "email", "phone", "url", "picklist", "multipicklist")
NUMBER_TYPES = ("int", "double", "currency", "percent")
COMPOUND_TYPES = ("address", "location")
"""Of fields that consist of other fields."""
CODE = "Code"
"""The suffix of a picklist of codes, after the name of its text field."""
_NEVER_FILTERED = ("address", "location", "encryptedstring", "base64", "anyType", "complexvalue")
_GROUPED = (
    "boolean", "combobox", "date", "email", "id", "int",
    "phone", "picklist", "reference", "string", "textarea", "url",
)  # fmt: skip
_LONGEST_FILTERED = 255
"""In characters; queries cannot filter by longer text areas."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One value of a picklist."""

    value: str
    label: str
    active: bool = True
    valid_for: tuple[str, ...] = ()
    """In a dependent picklist: the controlling values for which it is valid."""


@dataclass(frozen=True, eq=False)
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
    entries: tuple[Entry, ...] = ()
    references: tuple[str, ...] = ()
    default: str | None = None
    relationship: str = ""
    """The relationship's name in a copied org, if it does not follow from the field's name."""
    controller: str = ""
    """The field that a dependent picklist depends on."""
    children: str = ""
    """By what name queries of the parent refer to the records with this reference, for a standard field."""
    cascades: bool = False
    """Whether a record is deleted together with the parent that this field refers to."""
    restricts: bool = False
    """Whether a parent that this field refers to cannot be deleted before the record."""
    compound: str = ""
    """The field that this one is a part of, such as an address."""
    unfiltered: bool = False
    """Whether a copied org cannot filter by the field although its type would allow it."""

    @cached_property
    def values(self) -> tuple[str, ...]:
        """The values of the active entries."""
        return tuple(entry.value for entry in self.entries if entry.active)

    @property
    def filterable(self) -> bool:
        """Whether a query may filter by the field."""
        is_long = self.type == "textarea" and self.length > _LONGEST_FILTERED
        return not (self.unfiltered or is_long or self.type in _NEVER_FILTERED)

    @property
    def sortable(self) -> bool:
        """Whether a query may order its records by the field."""
        return self.filterable and self.type != "multipicklist"

    @property
    def groupable(self) -> bool:
        """Whether a query may group its records by the field."""
        return self.sortable and self.type in _GROUPED

    @property
    def required(self) -> bool:
        """Whether a create must give it a value."""
        return self.createable and not self.nillable and not self.defaulted

    @property
    def relationship_name(self) -> str:
        """The name by which a write refers to the parent record; empty if the field is not a reference."""
        if self.type != "reference":
            return ""
        if self.relationship:
            return self.relationship
        return f"{self.name[:-1]}r" if self.custom else self.name.removesuffix("Id")

    @property
    def is_link(self) -> bool:
        """Whether a delete of the record that the field refers to changes the one that has the field."""
        return self.type == "reference" and (self.createable or self.updateable) and self.name != "OwnerId"

    @property
    def defaulted(self) -> bool:
        return self.default is not None or self.type == "boolean" or self.name == "OwnerId"


@dataclass(frozen=True, slots=True)
class Lock:
    """A boolean field that, once true, keeps a record from being updated, and the error that results."""

    when: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class DuplicateRule:
    """A rule by which records with equal fields are duplicates."""

    name: str
    fields: tuple[str, ...]
    warns: bool
    """Whether a duplicate is saved if the call asks for it; otherwise it never is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Becomes:
    """One of the records that a conversion makes."""

    name: str
    """Its part in a call: account, contact or opportunity."""
    object_name: str
    kept_in: str
    """The field of the converted record that gets its id."""
    title: str = ""
    """The field that a call may name it by."""
    copies: Mapping[str, str] = field(default_factory=dict)
    """By field, the field of the converted record that it is copied from."""
    values: Mapping[str, str] = field(default_factory=dict)
    parents: Mapping[str, str] = field(default_factory=dict)
    """By reference field, the part whose record it refers to."""
    source: str = ""
    """The field of both that a call may have overwritten on an existing record."""
    ends_quarter: str = ""
    """The field that gets the last day of the quarter."""
    inherits: bool = False
    """Whether records that refer to the converted one then refer to this one, if they may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """What becomes of a record when it is converted."""

    flag: str
    day: str
    status: str
    statuses: tuple[str, ...]
    """The values of the status that a converted record may have."""
    becomes: tuple[Becomes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordTypeSchema:
    """A record type of an object."""

    name: str
    """The developer name, unique within the object."""
    label: str
    description: str | None = None
    active: bool = True
    default: bool = False
    """Whether a new record without a record type gets this one."""
    person: bool = False
    """Whether its records are persons."""
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """For picklists: the values that records of this type may have; all where a picklist is not listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordTypeFields:
    """By what fields the object of record types says what one is."""

    object: str
    name: str
    label: str
    description: str
    active: str
    person: str
    """Exists only in an org with persons."""


@dataclass(frozen=True)
class ObjectSchema:
    name: str
    label: str
    plural: str
    key_prefix: str
    fields: Mapping[str, FieldSchema]
    """By API name, in the order of describe."""
    compose: Mapping[str, str] = field(default_factory=dict)
    """Read-only fields composed of others: `{Name: "{FirstName} {LastName}"}`."""
    number: Mapping[str, int] = field(default_factory=dict)
    """Auto-number fields, and their digits."""
    lock: Lock | None = None
    seed: tuple[Mapping[str, str | int | None], ...] = ()
    """The records that every org starts with."""
    seed_key: tuple[str, ...] = ()
    """The fields by which a store finds out which of them it has; without any, one with records has them all."""
    index: tuple[str, ...] = ()
    """Fields that are often looked up, besides those that identify records."""
    custom: bool = False
    duplicate_rules: tuple[DuplicateRule, ...] = ()
    states: Mapping[str, str] = field(default_factory=dict)
    """Text fields for states, each with the field for its country."""
    name_field: str = "Name"
    """The field by which people know a record."""
    merged_into: str = ""
    """The field for the record that a deleted one was merged into; empty if the object has no merges."""
    converts: Conversion | None = None
    named_layouts: tuple[str, ...] = ()
    cannot: tuple[str, ...] = ()
    """What a describe denies of the object although others can, such as `deletable`."""
    rules: ObjectRules | None = None
    referable: tuple[Referable, ...] = ()
    """What its records must be like for references to them."""
    record_types: tuple[RecordTypeSchema, ...] = ()
    record_type_fields: RecordTypeFields | None = None
    """Set for the object whose records are the record types of the others."""
    person: PersonRules | None = None
    """Set if its records may be persons."""
    person_fields: frozenset[str] = frozenset()
    """The fields that only persons have."""

    @cached_property
    def required(self) -> tuple[FieldSchema, ...]:
        """The fields that a create must give a value; what persons need depends on the record."""
        kinds = self.person.name if self.person else ""
        return tuple(one for one in self.fields.values() if one.required and one.name != kinds)

    @cached_property
    def defaults(self) -> dict[str, str | int]:
        """The values that a new record has where a create gives none, as stored."""
        given = {one: one.default for one in self.fields.values() if one.default is not None}
        return {
            one.name: int(text.lower() == "true") if one.type == "boolean" else text for one, text in given.items()
        }

    @cached_property
    def coded(self) -> tuple[tuple[FieldSchema, FieldSchema], ...]:
        """Text fields with a picklist of codes, each with that picklist; countries before states."""
        codes = ((one, self.fields.get(f"{one.name}{CODE}")) for one in self.fields.values())
        pairs = [(text, code) for text, code in codes if code and code.type == "picklist"]
        return tuple(sorted(pairs, key=lambda pair: bool(pair[1].controller)))

    @cached_property
    def _by_folded_name(self) -> dict[str, FieldSchema]:
        return {name.casefold(): schema for name, schema in self.fields.items()}

    def field(self, name: str) -> FieldSchema | None:
        """The field of that name, in any casing."""
        return self._by_folded_name.get(name.casefold())

    @cached_property
    def _by_relationship(self) -> dict[str, FieldSchema]:
        return {f.relationship_name.casefold(): f for f in self.fields.values() if f.relationship_name}

    def parts(self, compound: FieldSchema) -> dict[str, FieldSchema]:
        """The fields of a compound field, by their names without what they share."""
        parts = {one.name: one for one in self.fields.values() if one.compound == compound.name}
        shared = sum(1 for _ in takewhile(lambda letters: len(set(letters)) == 1, zip(*parts, strict=False)))
        return dict(sorted((f"{name[shared].lower()}{name[shared + 1 :]}", part) for name, part in parts.items()))

    def relationship(self, name: str) -> FieldSchema | None:
        """The reference field whose relationship has that name, in any casing."""
        return self._by_relationship.get(name.casefold())


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildRelationship:
    """A reference, from the side of the object that it refers to."""

    child: ObjectSchema
    field: FieldSchema
    name: str
    """Empty if queries cannot follow it."""
    cascades: bool
    """Whether the children are deleted with their parent."""


@dataclass(frozen=True)
class Schema:
    objects: Mapping[str, ObjectSchema]
    currency: str = USUAL_CURRENCY
    """The ISO code of the org's currency, or `many` where it has several."""
    features: frozenset[str] = frozenset()
    """The features that are switched on."""

    @cached_property
    def _by_folded_name(self) -> dict[str, ObjectSchema]:
        return {name.casefold(): schema for name, schema in self.objects.items()}

    def object(self, name: str) -> ObjectSchema | None:
        """The object of that name, in any casing."""
        return self._by_folded_name.get(name.casefold())

    @cached_property
    def _by_key_prefix(self) -> dict[str, ObjectSchema]:
        return {schema.key_prefix: schema for schema in self.objects.values()}

    def object_of(self, record_id: str) -> ObjectSchema | None:
        """The object whose records have ids like this one."""
        return self._by_key_prefix.get(record_id[:3])

    @cached_property
    def record_type_object(self) -> ObjectSchema | None:
        """The object whose records are the record types of the others."""
        return next((one for one in self.objects.values() if one.record_type_fields), None)

    @cached_property
    def _record_type_fields(self) -> dict[str, str]:
        holder = self.record_type_object
        return {
            target.name: known.name
            for target in self.objects.values()
            for known in target.fields.values()
            if holder and known.references == (holder.name,)
        }

    def record_type_field(self, target: ObjectSchema) -> str:
        """The reference to a record's record type; empty if the object has none."""
        return self._record_type_fields.get(target.name, "")

    @cached_property
    def _children(self) -> dict[str, tuple[ChildRelationship, ...]]:
        found: dict[str, dict[tuple[str, str], ChildRelationship]] = {}
        for child in self.objects.values():
            for reference in child.fields.values():
                for parent in reference.references:
                    known = found.setdefault(parent.casefold(), {})
                    known[child.name, reference.name] = ChildRelationship(
                        child=child,
                        field=reference,
                        name=_children_name(child, reference, {one.name for one in known.values()}),
                        cascades=reference.cascades,
                    )
        return {parent: tuple(children.values()) for parent, children in found.items()}

    def children(self, target: ObjectSchema) -> tuple[ChildRelationship, ...]:
        """The references to the object, in the order of the objects that have them."""
        return self._children.get(target.name.casefold(), ())

    def links(self, target: ObjectSchema) -> tuple[ChildRelationship, ...]:
        """The references whose records change when the one that they refer to is deleted."""
        return tuple(one for one in self.children(target) if one.field.is_link)


def _children_name(child: ObjectSchema, reference: FieldSchema, taken: Container[str]) -> str:
    """The name of the child relationship; custom ones are numbered where an object has several to one parent."""
    if not reference.custom:
        return reference.children
    plural = "".join(part for part in child.plural if part.isalnum() or part == "_")
    names = (f"{plural}{number or ''}__r" for number in count())
    return next(name for name in names if name not in taken)
