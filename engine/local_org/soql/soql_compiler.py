"""Compiles SOQL to parameterized SQL with its names resolved; errors become the faults that the org would send."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sfmap.engine.local_org.faults.org_faults import (
    Fault,
    no_such_field,
    no_such_object,
    no_such_relationship,
    too_complicated,
    wrong_operator,
)
from sfmap.engine.local_org.records.ids import full_id
from sfmap.engine.local_org.records.object_schema import NUMBER_TYPES, FieldSchema, ObjectSchema, Schema
from sfmap.engine.local_org.records.store import Stored, fold
from sfmap.engine.local_org.soql.periods import period, within
from sfmap.engine.local_org.soql.soql_parser import (
    Aggregate,
    Among,
    Comparison,
    Condition,
    Includes,
    Joined,
    Like,
    Not,
    OrderTerm,
    PeriodLiteral,
    SoqlLiteral,
    parse_query,
)
from sfmap.engine.local_org.soql.soql_tokens import malformed

_LONGEST_QUERY = 100_000
_MOST_PARENTS = 5
_ANY_OBJECT = "Name"
"""The type that the org reports for a parent that may be one of several objects."""
_AGGREGATE = "*"
"""The field name of an aggregate, which no object has."""
_AGGREGATES = {
    "COUNT": ("int", "count({})"),
    "COUNT_DISTINCT": ("int", "count(DISTINCT {})"),
    "SUM": ("double", "sum({})"),
    "AVG": ("double", "avg({})"),
    "MIN": ("", "min({})"),
    "MAX": ("", "max({})"),
}
"""By aggregate, the type of its result, empty for the field's own, and its SQL."""
_NEGATIONS = {"!=": "=", "<>": "="}
_SIGNS = {"<>": "!="}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A field of the object or of a parent, or an aggregate of one."""

    path: tuple[str, ...]
    """Its path in the response: the relationships and the field, or the name of the aggregate."""
    field: FieldSchema
    sql: str
    owners: tuple[str, ...] = ()
    """The objects that the relationships lead to."""

    @property
    def name(self) -> str:
        return self.path[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledQuery:
    """A query ready to run."""

    target: ObjectSchema
    columns: tuple[Column, ...]
    """The selected columns, none for COUNT()."""
    statement: str
    parameters: tuple[Stored, ...]
    has_groups: bool
    """Whether its rows are groups instead of records."""

    @property
    def is_count(self) -> bool:
        """Whether it is COUNT(), with the number of records as its only row."""
        return not self.columns


def compile_query(text: str, schema: Schema, with_deleted: bool = False) -> CompiledQuery:
    """The query as SQL, including deleted records if requested.

    Raises `Fault`: MALFORMED_QUERY, QUERY_TOO_COMPLICATED, INVALID_FIELD, INVALID_TYPE,
    INVALID_QUERY_FILTER_OPERATOR.
    """
    if len(text) > _LONGEST_QUERY:
        raise too_complicated("The query is longer than 100,000 characters.")
    return _Compiler(text, schema).compiled(with_deleted)


class _Compiler:
    """Compiles one query; the methods for conditions return SQL and add their parameters in order."""

    def __init__(self, text: str, schema: Schema) -> None:
        self._query = parse_query(text)
        self._schema = schema
        target = schema.object(self._query.object_name)
        if target is None:
            raise no_such_object(self._query.object_name)
        self._target = target
        self._joins: dict[tuple[str, ...], str] = {}
        """Joins by the path of relationships, the alias that it starts from, and the object."""
        self._parameters: list[Stored] = []

    def compiled(self, with_deleted: bool) -> CompiledQuery:
        query = self._query
        columns = self._selected()
        condition = f" AND ({self._condition(query.where)})" if query.where else ""
        grouped = [self._column(name) for name in query.grouped]
        has_groups = bool(grouped) or any(column.field.name == _AGGREGATE for column in columns)
        order = ", ".join(map(self._order_term, query.order)) or ("" if has_groups else "t.Id")
        if has_groups:
            _check_grouped(columns, grouped)
        wanted = ", ".join(column.sql for column in columns) or "1"
        kept = "1" if with_deleted else "t.IsDeleted = 0"
        group = f" GROUP BY {', '.join(map(_compared, grouped))}" if grouped else ""
        statement = (
            f"SELECT {wanted} FROM {_quoted(self._target.name)} AS t{''.join(self._joins.values())}"  # noqa: S608
            f" WHERE {kept}{condition}{group}{f' ORDER BY {order}' if order else ''}"
            f" LIMIT {query.limit} OFFSET {query.offset}"
        )
        if not columns:
            statement = f"SELECT count(*) FROM ({statement})"  # noqa: S608
        return CompiledQuery(
            target=self._target,
            columns=columns,
            statement=statement,
            parameters=tuple(self._parameters),
            has_groups=has_groups,
        )

    def _selected(self) -> tuple[Column, ...]:
        columns: list[Column] = []
        unnamed = 0
        for selected in self._query.selected:
            if isinstance(selected, Aggregate):
                alias = selected.alias or f"expr{unnamed}"
                unnamed += not selected.alias
                columns.append(self._aggregate(selected, alias))
            else:
                columns.append(self._column(selected))
        return tuple(columns)

    def _aggregate(self, aggregate: Aggregate, alias: str) -> Column:
        column = self._column(aggregate.field)
        kind, sql = _AGGREGATES[aggregate.function]
        field = FieldSchema(_AGGREGATE, alias, kind or column.field.type)
        return Column(path=(alias,), field=field, sql=sql.format(column.sql))

    def _order_term(self, term: OrderTerm) -> str:
        direction = "DESC" if term.is_descending else "ASC"
        nulls = "LAST" if term.nulls_last else "FIRST"
        return f"{self._ordered_by(term.by)} {direction} NULLS {nulls}"

    def _ordered_by(self, by: str | Aggregate) -> str:
        if isinstance(by, str):
            return _compared(self._column(by))
        if not by.field:
            return "count(*)"
        _, sql = _AGGREGATES[by.function]
        return sql.format(self._column(by.field).sql)

    def _condition(self, condition: Condition) -> str:
        match condition:
            case Joined():
                return _joined([self._condition(one) for one in condition.conditions], condition.word)
            case Not():
                # An unknown result counts as false, as it does for != and NOT IN.
                return f"NOT coalesce(({self._condition(condition.condition)}), 0)"
            case Among():
                return self._among(condition)
            case Like():
                return self._like(condition)
            case Includes():
                return self._includes(condition)
            case Comparison():
                return self._comparison(condition)

    def _includes(self, condition: Includes) -> str:
        column = self._filterable(condition.field)
        if column.field.type != "multipicklist":
            raise wrong_operator("field that is not a multi-select picklist")
        choices = [self._all_of(column, values) for values in condition.choices]
        found = f"({' OR '.join(choices)})"
        return f"NOT {found}" if condition.is_negated else found

    def _all_of(self, column: Column, values: Sequence[str]) -> str:
        self._parameters += [f";{fold(value)};" for value in values]
        held = f"instr(';' || fold(coalesce({column.sql}, '')) || ';', ?) > 0"
        return f"({' AND '.join([held] * len(values))})"

    def _among(self, condition: Among) -> str:
        column = self._filterable(condition.field)
        values = [_stored(column.field, literal) for literal in condition.values]
        # One parameter for any number of values.
        self._parameters.append(json.dumps([value for value in values if value is not None]))
        inside = f"{_compared(column)} IN (SELECT value FROM json_each(?))"  # noqa: S608
        sql = column.sql
        if None in values:
            return (
                f"({sql} IS NOT NULL AND NOT {inside})" if condition.is_negated else f"({sql} IS NULL OR {inside})"
            )
        return f"({sql} IS NULL OR NOT {inside})" if condition.is_negated else inside

    def _like(self, condition: Like) -> str:
        column = self._filterable(condition.field)
        is_text = _wanted_kind(column.field) == "text"
        if not is_text or column.field.type in ("id", "reference"):
            raise wrong_operator(f"{'id' if is_text else column.field.type} field")
        self._parameters.append(fold(condition.pattern))
        return f"{_compared(column)} LIKE ? ESCAPE '\\'"

    def _comparison(self, condition: Comparison) -> str:
        column, sign = self._filterable(condition.field), condition.sign
        if isinstance(condition.value, PeriodLiteral):
            token = condition.value.token
            if column.field.type not in ("date", "datetime"):
                raise malformed(self._query.text, token)
            return within(column.sql, _SIGNS.get(sign, sign), period(token.text))
        value = _stored(column.field, condition.value)
        is_negated = sign in _NEGATIONS
        if value is None:
            if sign != "=" and not is_negated:  # null cannot be ordered
                return "0"
            return f"{column.sql} IS {'NOT ' if is_negated else ''}NULL"
        self._parameters.append(value)
        if is_negated:
            return f"({column.sql} IS NULL OR {_compared(column)} != ?)"
        return f"{_compared(column)} {sign} ?"

    def _filterable(self, name: str) -> Column:
        column = self._column(name)
        field = column.field
        if not field.filterable:
            message = f"field '{field.name}' can not be filtered in a query call"
            raise Fault("INVALID_FIELD", message, "InvalidFieldFault")
        return column

    def _column(self, name: str) -> Column:
        """The field of that name: the object's own, or one of a parent (`Owner.Name`).

        A reference may have several objects (a queue or a user): the parent is in one of them.
        """
        *relationships, last = name.split(".")
        own_names = (self._query.alias.casefold(), self._target.name.casefold())
        if relationships and relationships[0].casefold() in own_names:
            relationships = relationships[1:]
        path: list[str] = []
        owners: list[str] = []
        ends = [(self._target, "t")]
        for relationship in relationships:
            ways = [(way, alias) for target, alias in ends if (way := target.relationship(relationship))]
            parents = [
                (parent, self._joined_to(alias, way, parent, (*path, way.relationship_name)))
                for way, alias in ways
                for parent in filter(None, map(self._schema.object, way.references))
            ]
            if not parents:
                raise no_such_relationship(relationship, ends[0][0].name)
            path.append(ways[0][0].relationship_name)
            owners.append(parents[0][0].name if len(parents) == 1 else _ANY_OBJECT)
            ends = parents
        fields = [(field, alias) for target, alias in ends if (field := target.field(last))]
        if not fields:
            raise no_such_field(last, ends[0][0].name)
        found = [f"{alias}.{_quoted(field.name)}" for field, alias in fields]
        sql = found[0] if len(found) == 1 else f"coalesce({', '.join(found)})"
        field = fields[0][0]
        return Column(path=(*path, field.name), field=field, sql=sql, owners=tuple(owners))

    def _joined_to(self, child: str, reference: FieldSchema, parent: ObjectSchema, path: tuple[str, ...]) -> str:
        """The alias of the parent's table, joined once for each path."""
        way = (*path, child, parent.name)
        if way not in self._joins:
            if len(path) > _MOST_PARENTS:
                message = f"Maximum number of levels of parent relationships exceeded: {'.'.join(path)}"
                raise Fault("MALFORMED_QUERY", message, "MalformedQueryFault", place=(1, 1))
            alias = f"p{len(self._joins)}"
            on = f"{alias}.Id = {child}.{_quoted(reference.name)}"
            self._joins[way] = f" LEFT JOIN {_quoted(parent.name)} AS {alias} ON {on}"
            return alias
        return f"p{list(self._joins).index(way)}"


def _check_grouped(columns: Sequence[Column], grouped: Sequence[Column]) -> None:
    known = {column.path for column in grouped}
    for column in columns:
        if column.field.name != _AGGREGATE and column.path not in known:
            message = f"Field must be grouped or aggregated: {column.name}"
            raise Fault("MALFORMED_QUERY", message, "MalformedQueryFault", place=(1, 1))


def _joined(parts: Sequence[str], word: str) -> str:
    """Joins the parts as a tree, since SQLite refuses a chain of more than a thousand."""
    if len(parts) == 1:
        return parts[0]
    middle = len(parts) // 2
    return f"({_joined(parts[:middle], word)} {word} {_joined(parts[middle:], word)})"


def _stored(field: FieldSchema, literal: SoqlLiteral) -> Stored:
    """The literal in the form of the field's stored values. Raises `Fault` if it is of another type."""
    if literal.kind == "null":
        return None
    if literal.kind != _wanted_kind(field):
        quotes = "should be" if _wanted_kind(field) == "text" else "should not be"
        message = (
            f"value of filter criterion for field '{field.name}' must be of type {field.type} and {quotes}"
            " enclosed in quotes"
        )
        raise Fault("INVALID_FIELD", message, "InvalidFieldFault")
    if not isinstance(literal.value, str) or literal.kind != "text":
        return literal.value
    if field.type in ("id", "reference"):
        return full_id(literal.value) or literal.value or None
    return fold(literal.value.strip()) or None  # the org treats an empty text as null


def _wanted_kind(field: FieldSchema) -> str:
    if field.type in NUMBER_TYPES:
        return "number"
    return field.type if field.type in ("boolean", "date", "datetime") else "text"


def _compared(column: Column) -> str:
    """The column as the org compares it: text case-insensitively, ids and numbers exactly."""
    field = column.field
    plain = field.type in NUMBER_TYPES or field.type in ("boolean", "date", "datetime", "id", "reference")
    return column.sql if plain else f"fold({column.sql})"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
