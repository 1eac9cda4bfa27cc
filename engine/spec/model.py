"""A mapping as its file says it: typed, frozen, with the place of everything that can still prove wrong later.

Texts that the mapping stage compiles (source paths, templates) stay texts here; each knows its span.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from sfmap.engine.spec.diagnostics import Source, Span
from sfmap.engine.spec.source import ScalarNode

Constant = str | int | float | bool

EventType = Literal["identify", "group", "track", "page", "screen", "alias"]
Operation = Literal["create", "update", "upsert", "delete"]
OnMany = Literal["newest", "oldest", "error"]
OnDuplicate = Literal["fail", "save", "update"]
Write = Literal["always", "create", "update", "empty"]
OnLong = Literal["truncate", "reject"]
OnInvalid = Literal["drop", "reject"]
OnMissing = Literal["drop", "reject"]
OnNone = Literal["skip", "error"]
OnNull = Literal["ignore", "clear"]
ObjectShape = Literal["skip", "json", "flatten"]
ListShape = Literal["skip", "json", "join"]
Rename = Literal["snake", "camel"]
ValueType = Literal[
    "string", "integer", "number", "boolean", "date", "datetime", "time", "email", "phone", "url", "picklist", "id"
]
DecimalMark = Literal["point", "comma"]

EVENT_TYPES: tuple[EventType, ...] = get_args(EventType)
OPERATIONS: tuple[Operation, ...] = get_args(Operation)
ON_MANY: tuple[OnMany, ...] = get_args(OnMany)
ON_DUPLICATE: tuple[OnDuplicate, ...] = get_args(OnDuplicate)
WRITES: tuple[Write, ...] = get_args(Write)
ON_LONG: tuple[OnLong, ...] = get_args(OnLong)
ON_INVALID: tuple[OnInvalid, ...] = get_args(OnInvalid)
ON_MISSING: tuple[OnMissing, ...] = get_args(OnMissing)
ON_NONE: tuple[OnNone, ...] = get_args(OnNone)
ON_NULL: tuple[OnNull, ...] = get_args(OnNull)
OBJECT_SHAPES: tuple[ObjectShape, ...] = get_args(ObjectShape)
LIST_SHAPES: tuple[ListShape, ...] = get_args(ListShape)
RENAMES: tuple[Rename, ...] = get_args(Rename)
VALUE_TYPES: tuple[ValueType, ...] = get_args(ValueType)
DECIMAL_MARKS: tuple[DecimalMark, ...] = get_args(DecimalMark)


@dataclass(frozen=True, slots=True)
class Conventions:
    """How texts are read where neither they nor a filter's arguments say it."""

    timezone: str = ""
    """The name of the time zone in which moments count; empty for the one that they are written with, or UTC."""
    decimal: DecimalMark = "point"


CONVENTIONS = Conventions()
"""Those of a mapping that says nothing."""


@dataclass(frozen=True, slots=True)
class SourcePath:
    """A source as text: a JSONPath with optional pipes; in an address part, the base and the part joined."""

    text: str
    node: ScalarNode
    base: ScalarNode | None = None
    """Where an address's parts are: what stands before `node`'s text and a dot."""

    def span(self, start: int, width: int) -> Span:
        """Where `width` characters of `text` from `start` on stand in the file."""
        if self.base is None:
            return self.node.part(start, width)
        joined = len(self.base.text) + 1
        return self.base.part(start, width) if start < joined else self.node.part(start - joined, width)


@dataclass(frozen=True, slots=True)
class Default:
    value: Constant
    write: Write | None
    """None: as its rule."""


@dataclass(frozen=True, slots=True)
class ReferenceTo:
    """The record a field points to: its field `by` has the rule's value."""

    objects: tuple[str, ...]
    """The first that has such a record wins."""
    by: ScalarNode
    on_missing: OnMissing = "drop"
    where: ScalarNode | None = None
    """A SOQL condition that it must meet."""
    on_many: OnMany = "newest"


@dataclass(frozen=True, slots=True)
class FieldRule:
    """How one field gets its value; the keys of the field rule in the language reference."""

    field: str
    span: Span
    sources: tuple[SourcePath, ...] = ()
    template: ScalarNode | None = None
    bases: tuple[SourcePath, ...] = ()
    """Of an address part: where its template finds the names that are no part of an event."""
    value: Constant | None = None
    default: Default | None = None
    values: dict[str, Constant] | None = None
    otherwise: Constant | None = None
    """The key `else`."""
    keeps_others: bool = False
    """Whether a value without an entry stays as it is: `else: keep`."""
    type: ValueType | None = None
    max: int | None = None
    on_long: OnLong = "truncate"
    on_invalid: OnInvalid = "drop"
    on_null: OnNull = "ignore"
    on_blank: OnNull = "ignore"
    blank_values: tuple[Constant, ...] = ()
    """Besides those of the mapping."""
    required: bool = False
    write: Write = "always"
    when: ScalarNode | None = None
    reference: ReferenceTo | None = None
    conventions: Conventions = CONVENTIONS
    """Those of its mapping."""
    add: bool = False
    """Whether a multi-select picklist keeps what it holds."""
    currency: ScalarNode | None = None
    """Of an amount: the field that holds its currency."""


@dataclass(frozen=True, slots=True)
class CustomFields:
    """Every trait below `bases` that no rule reads becomes a field: its key with `suffix`."""

    bases: tuple[SourcePath, ...]
    """The first of these that has a trait gives it."""
    suffix: str = "__c"
    excluded: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    """Empty where every trait may become a field."""
    objects: ObjectShape = "skip"
    separator: str = "_"
    """Between the keys of a flattened object."""
    lists: ListShape = "skip"
    joint: str = ";"
    """Between the items of a joined list."""
    rename: Rename | None = None
    on_null: OnNull = "ignore"
    on_blank: OnNull = "ignore"


@dataclass(frozen=True, slots=True)
class EventPattern:
    """Which events a mapping takes: a type and, for track events, perhaps a name, with * for any text."""

    type: EventType
    name: ScalarNode | None = None


@dataclass(frozen=True, slots=True)
class MatchField:
    """A field that a lookup compares."""

    node: ScalarNode
    rule: FieldRule | None = None
    """What gives the value; None where it is the one that is written."""

    @property
    def name(self) -> str:
        return self.node.text

    @property
    def slot(self) -> str:
        """What the value is kept by: the field's name is the written value's."""
        return f"{self.name} of {self.node.span}" if self.rule else self.name


@dataclass(frozen=True, slots=True)
class Lookup:
    """One way to find the record: the fields that must all be equal."""

    fields: tuple[MatchField, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields)

    @property
    def slots(self) -> tuple[str, ...]:
        return tuple(field.slot for field in self.fields)

    @property
    def finds_by_another_value(self) -> bool:
        """Whether some value is not the one that is written."""
        return any(field.rule for field in self.fields)


@dataclass(frozen=True, slots=True)
class WriteHeaders:
    """What the org is asked to do besides writing; None and empty leave it to the org's own ways."""

    assignment_rule: str | None = None
    """`default`, `off`, or the id of a rule."""
    allow_duplicates: bool | None = None
    all_or_none: bool | None = None
    truncate: bool | None = None
    send_emails: bool | None = None
    package_versions: tuple[tuple[str, str], ...] = ()
    """Namespace and version."""


NO_HEADERS = WriteHeaders()


@dataclass(frozen=True, slots=True)
class Mapping:
    name: str
    """The file's name without its ending; what messages and settings call it."""
    source: Source
    span: Span
    """Of the object's name: where to point for what the mapping lacks."""
    active: bool
    """Whether it is used without being chosen."""
    events: tuple[EventPattern, ...]
    opt_in: SourcePath | None
    when: ScalarNode | None
    for_each: SourcePath | None
    object: str
    operation: Operation
    lookups: tuple[Lookup, ...]
    external_id: str
    """The field that the org finds the record by; it is then the only lookup. Empty where there is none."""
    where: ScalarNode | None
    """A SOQL condition for the lookups."""
    blank_values: tuple[Constant, ...]
    """What counts as no value besides blank text."""
    unless_found: tuple[FieldRule, ...]
    """What points to the records for which none is written."""
    on_many: OnMany
    on_none: OnNone
    """What becomes of an event for which an update or a delete finds no record."""
    on_duplicate: OnDuplicate
    """What to do where a duplicate rule of the org refuses the record."""
    skip_unchanged: bool
    timestamp_guard: bool
    """Whether an event older than the newest one written for its identity is left out."""
    batch_size: int | None
    """The most records that one write carries; None where the org's entry says."""
    headers: WriteHeaders
    rules: tuple[FieldRule, ...]
    """Fields and address parts, in document order."""
    custom: CustomFields | None
    conventions: Conventions = CONVENTIONS

    @property
    def match_values(self) -> dict[str, FieldRule]:
        """By slot, the rules for values that records are found by and that are not written."""
        return {field.slot: field.rule for one in self.lookups for field in one.fields if field.rule}

    @property
    def all_rules(self) -> tuple[FieldRule, ...]:
        """All that may point to other records."""
        return (*self.rules, *self.match_values.values(), *self.unless_found)
