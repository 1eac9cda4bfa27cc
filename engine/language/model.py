"""A parsed mapping: typed and frozen, with the position of everything that later stages can report.

Source paths and templates are still texts here, with their spans; the mapping stage compiles them.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from sfmap.engine.yaml_files.diagnostics import Source, Span
from sfmap.engine.yaml_files.nodes import ScalarNode

Constant = str | int | float | bool

EventType = Literal["identify", "group", "track", "page", "screen", "alias"]
Operation = Literal["create", "update", "upsert", "delete"]
OnMany = Literal["newest", "oldest", "error"]
OnDuplicate = Literal["fail", "save", "update"]
BulkMode = Literal["auto", "always", "never"]
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
BULK_MODES: tuple[BulkMode, ...] = get_args(BulkMode)
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
    """Defaults for reading ambiguous texts."""

    timezone: str = ""
    """The name of the time zone for moments; empty for the one that they are written with, or UTC."""
    decimal: DecimalMark = "point"


CONVENTIONS = Conventions()
"""The defaults."""


@dataclass(frozen=True, slots=True)
class SourcePath:
    """A source as text: a JSONPath with optional pipes; in an address part, the base and the part joined."""

    text: str
    node: ScalarNode
    base: ScalarNode | None = None
    """The base of an address part, which precedes the text of `node` and a dot."""

    def span(self, start: int, width: int) -> Span:
        """The span in the file of `width` characters of `text` from `start` on."""
        if self.base is None:
            return self.node.part(start, width)
        joined = len(self.base.text) + 1
        return self.base.part(start, width) if start < joined else self.node.part(start - joined, width)


@dataclass(frozen=True, slots=True)
class Default:
    value: Constant
    write: Write | None
    """None means the same as the rule."""
    span: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceTo:
    """The record that a field points to: its field `by` has the rule's value."""

    objects: tuple[str, ...]
    """In order; the first that has such a record wins."""
    by: ScalarNode
    on_missing: OnMissing = "drop"
    where: ScalarNode | None = None
    """A SOQL condition that the record must meet."""
    on_many: OnMany = "newest"


@dataclass(frozen=True, slots=True)
class FieldRule:
    """How one field gets its value; see the keys of a field rule in the language reference."""

    field: str
    span: Span
    sources: tuple[SourcePath, ...] = ()
    template: ScalarNode | None = None
    bases: tuple[SourcePath, ...] = ()
    """For an address part, the sources in which its template looks up names that are not part of an event."""
    value: Constant | None = None
    value_span: Span | None = None
    default: Default | None = None
    values: dict[str, Constant] | None = None
    otherwise: Constant | None = None
    """The key `else`."""
    keeps_others: bool = False
    """Whether a value without an entry is kept: `else: keep`."""
    type: ValueType | None = None
    max: int | None = None
    on_long: OnLong = "truncate"
    on_invalid: OnInvalid = "drop"
    on_null: OnNull = "ignore"
    on_blank: OnNull = "ignore"
    blank_values: tuple[Constant, ...] = ()
    """In addition to those of the mapping."""
    required: bool = False
    write: Write = "always"
    when: ScalarNode | None = None
    reference: ReferenceTo | None = None
    conventions: Conventions = CONVENTIONS
    """The conventions of its mapping."""
    add: bool = False
    """Whether a multi-select picklist keeps its values in the org."""
    currency: ScalarNode | None = None
    """For an amount, the field of its currency."""

    @property
    def clears(self) -> bool:
        """Whether null or blank text in the event can empty the field."""
        return "clear" in (self.on_null, self.on_blank)


@dataclass(frozen=True, slots=True)
class CustomFields:
    """Every trait below `bases` that no rule reads becomes a field named by its key and `suffix`."""

    bases: tuple[SourcePath, ...]
    """Each trait comes from the first of these that has it."""
    suffix: str = "__c"
    excluded: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    """Empty if every trait may become a field."""
    objects: ObjectShape = "skip"
    separator: str = "_"
    """Joins the keys of a flattened object."""
    lists: ListShape = "skip"
    joint: str = ";"
    """Joins the items of a list."""
    rename: Rename | None = None
    on_null: OnNull = "ignore"
    on_blank: OnNull = "ignore"

    @property
    def clears(self) -> bool:
        """Whether null or blank text in the event can empty a field."""
        return "clear" in (self.on_null, self.on_blank)


@dataclass(frozen=True, slots=True)
class EventPattern:
    """Which events a mapping takes: a type and, for track events, optionally a name, with * for any text."""

    type: EventType
    name: ScalarNode | None = None


@dataclass(frozen=True, slots=True)
class MatchField:
    """A field that a lookup compares."""

    node: ScalarNode
    rule: FieldRule | None = None
    """The rule for the value; None if it is the written value."""

    @property
    def name(self) -> str:
        return self.node.text

    @property
    def slot(self) -> str:
        """The key of the value; the field's name is that of the written value."""
        return f"{self.name} of {self.node.span}" if self.rule else self.name


@dataclass(frozen=True, slots=True)
class Lookup:
    """One lookup of the record: fields that must all be equal."""

    fields: tuple[MatchField, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields)

    @property
    def slots(self) -> tuple[str, ...]:
        return tuple(field.slot for field in self.fields)

    @property
    def finds_by_another_value(self) -> bool:
        """Whether it compares a value that is not written."""
        return any(field.rule for field in self.fields)


@dataclass(frozen=True, slots=True)
class WriteHeaders:
    """Options for writing records; None and empty leave the org's default."""

    assignment_rule: str | None = None
    """`default`, `off`, or the id of a rule."""
    allow_duplicates: bool | None = None
    all_or_none: bool | None = None
    truncate: bool | None = None
    send_emails: bool | None = None
    package_versions: tuple[tuple[str, str], ...] = ()
    """Namespaces and versions."""


NO_HEADERS = WriteHeaders()


@dataclass(frozen=True, slots=True)
class Mapping:
    name: str
    """The file's name without extension, used in messages and settings."""
    source: Source
    span: Span
    """The span of the object's name, where messages about missing parts point."""
    active: bool
    """Whether it is used without being named."""
    events: tuple[EventPattern, ...]
    opt_in: SourcePath | None
    when: ScalarNode | None
    for_each: SourcePath | None
    object: str
    operation: Operation
    lookups: tuple[Lookup, ...]
    external_id: str
    """The field by which the org's upsert finds the record, which is then the only lookup; otherwise empty."""
    where: ScalarNode | None
    """A SOQL condition for the lookups."""
    blank_values: tuple[Constant, ...]
    """What counts as no value, in addition to blank text."""
    unless_found: tuple[FieldRule, ...]
    """The references of `unless_found`."""
    on_many: OnMany
    on_none: OnNone
    """What to do with an event for which an update or a delete finds no record."""
    on_duplicate: OnDuplicate
    """What to do if a duplicate rule of the org refuses the record."""
    skip_unchanged: bool
    timestamp_guard: bool
    """Whether an event older than the newest one written for its identity is skipped."""
    batch_size: int | None
    """The most records in one write; None for that of the org's entry."""
    bulk: BulkMode | None
    """Whether records travel by bulk jobs; None for what the org's entry says."""
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
        """All rules, including those of lookups."""
        return (*self.rules, *self.match_values.values(), *self.unless_found)
