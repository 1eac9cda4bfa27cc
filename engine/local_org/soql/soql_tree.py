"""The syntax tree of a query, whose names are not resolved yet."""

from dataclasses import dataclass
from typing import Literal

from sfmap.engine.local_org.records.store import Stored
from sfmap.engine.local_org.soql.soql_tokens import SoqlToken

LiteralKind = Literal["text", "number", "boolean", "date", "datetime", "null"]


@dataclass(frozen=True, slots=True)
class FieldName:
    """A field as written, such as `Owner.Name`."""

    text: str
    position: int
    """Where in the query it is."""


@dataclass(frozen=True, slots=True)
class FunctionCall:
    function: str
    """In upper case."""
    argument: "Expression | None"
    """None in COUNT()."""
    position: int


Expression = FieldName | FunctionCall


@dataclass(frozen=True, slots=True)
class Selected:
    """A selected field or function."""

    expression: Expression
    alias: str = ""


@dataclass(frozen=True, slots=True)
class ObjectFields:
    """FIELDS(): all fields of the object, or the standard or custom ones."""

    kind: str
    position: int


@dataclass(frozen=True, slots=True)
class TypeOf:
    """TYPEOF: fields of a parent, by the object that the parent is of."""

    relationship: FieldName
    cases: tuple[tuple[FieldName, tuple[FieldName, ...]], ...]
    """The objects, each with its fields."""
    otherwise: tuple[FieldName, ...]


@dataclass(frozen=True, slots=True)
class ChildQuery:
    """A query in the SELECT clause; its object is the name of a child relationship."""

    query: "Query"


Selection = Selected | ObjectFields | TypeOf | ChildQuery


@dataclass(frozen=True, slots=True)
class SoqlLiteral:
    kind: LiteralKind
    value: Stored


@dataclass(frozen=True, slots=True)
class PeriodLiteral:
    """A date literal for a period, such as TODAY."""

    token: SoqlToken


@dataclass(frozen=True, slots=True)
class Comparison:
    left: Expression
    sign: str
    value: SoqlLiteral | PeriodLiteral


@dataclass(frozen=True, slots=True)
class Among:
    """IN, or NOT IN."""

    left: Expression
    values: tuple[SoqlLiteral, ...]
    is_negated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SemiJoin:
    """IN, or NOT IN, with a query: a semi-join, or an anti-join."""

    left: Expression
    inner: Expression
    """What the query selects."""
    object_name: FieldName
    where: "Condition | None"
    is_negated: bool
    position: int


@dataclass(frozen=True, slots=True)
class Like:
    left: Expression
    pattern: str
    """For SQLite, with \\ as its escape character."""


@dataclass(frozen=True, slots=True)
class Includes:
    """INCLUDES, or EXCLUDES: whether a multi-select picklist has all the values of one of the choices."""

    left: Expression
    choices: tuple[tuple[str, ...], ...]
    is_negated: bool


@dataclass(frozen=True, slots=True)
class Not:
    condition: "Condition"


@dataclass(frozen=True, slots=True)
class Joined:
    word: str
    """AND or OR."""
    conditions: tuple["Condition", ...]


Condition = Comparison | Among | SemiJoin | Like | Includes | Not | Joined


@dataclass(frozen=True, slots=True)
class OrderTerm:
    by: Expression
    is_descending: bool
    nulls_last: bool


@dataclass(frozen=True, slots=True)
class Grouping:
    by: tuple[Expression, ...]
    subtotals: str = ""
    """ROLLUP, CUBE, or empty."""


@dataclass(frozen=True, slots=True)
class ObjectAlias:
    """An alias in the FROM clause, and the relationships that it stands for; none for the object itself."""

    name: str
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    object_name: FieldName
    aliases: tuple[ObjectAlias, ...]
    selected: tuple[Selection, ...]
    """Empty for COUNT()."""
    scope: SoqlToken | None
    where: Condition | None
    grouping: Grouping
    having: Condition | None
    order: tuple[OrderTerm, ...]
    limit: int
    """-1 without one."""
    offset: int
