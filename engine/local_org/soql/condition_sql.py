"""Conditions as SQL; every value that a query contains becomes a parameter."""

import json
from collections.abc import Sequence

from sfmap.engine.local_org.faults.org_faults import Fault, no_id, wrong_operator
from sfmap.engine.local_org.records.ids import full_id
from sfmap.engine.local_org.records.object_schema import NUMBER_TYPES, FieldSchema
from sfmap.engine.local_org.records.store import Stored, fold
from sfmap.engine.local_org.soql.columns import Column, Parameters
from sfmap.engine.local_org.soql.periods import period, within
from sfmap.engine.local_org.soql.query_fields import QueryFields, not_allowed
from sfmap.engine.local_org.soql.semi_joins import check_columns
from sfmap.engine.local_org.soql.soql_functions import Expressions
from sfmap.engine.local_org.soql.soql_tokens import at_place, malformed, misused
from sfmap.engine.local_org.soql.soql_tree import (
    Among,
    Comparison,
    Condition,
    Expression,
    Includes,
    Joined,
    Like,
    Not,
    PeriodLiteral,
    SemiJoin,
    SoqlLiteral,
)

_NEGATIONS = {"!=": "=", "<>": "="}
_SIGNS = {"<>": "!="}
_PLAIN_KINDS = ("boolean", "date", "datetime")


class Conditions:
    """Compiles the conditions of one clause, which may use some of the functions."""

    def __init__(
        self,
        fields: QueryFields,
        expressions: Expressions,
        parameters: Parameters,
        *,
        usable: frozenset[str],
        with_deleted: bool,
        grouped: frozenset[str] | None = None,
    ) -> None:
        """`grouped` gives the SQL of the columns that HAVING may compare besides aggregates."""
        self._fields = fields
        self._expressions = expressions
        self._parameters = parameters
        self._usable = usable
        self._with_deleted = with_deleted
        self._grouped = grouped
        self._text = fields.text

    def sql(self, condition: Condition) -> str:
        match condition:
            case Joined():
                return _joined([self.sql(one) for one in condition.conditions], condition.word)
            case Not():
                # An unknown result counts as false, as it does for != and NOT IN.
                return f"({self.sql(condition.condition)}) IS NOT TRUE"
            case Among():
                return self._among(condition)
            case SemiJoin():
                return self._semi_join(condition)
            case Like():
                return self._like(condition)
            case Includes():
                return self._includes(condition)
            case Comparison():
                return self._comparison(condition)

    def _semi_join(self, condition: SemiJoin) -> str:
        outer = self._filterable(condition.left)
        fields = self._fields.of(condition.object_name)
        expressions = Expressions(fields, self._parameters)
        inner = expressions.column(condition.inner, frozenset())
        if wrong := check_columns(condition, (self._fields.target, outer), (fields.target, inner)):
            raise misused(self._text, condition.position, wrong)
        inner_conditions = Conditions(
            fields, expressions, self._parameters, usable=self._usable, with_deleted=self._with_deleted
        )
        where = f" AND ({inner_conditions.sql(condition.where)})" if condition.where else ""
        kept = "1" if self._with_deleted else "t.IsDeleted = 0"
        inside = (
            f"{outer.sql} IN (SELECT {inner.sql} FROM {fields.tables}"  # noqa: S608
            f" WHERE {kept} AND {inner.sql} IS NOT NULL{where})"
        )
        return f"({outer.sql} IS NULL OR NOT {inside})" if condition.is_negated else inside

    def _includes(self, condition: Includes) -> str:
        column = self._filterable(condition.left)
        if column.field.type != "multipicklist":
            raise self._at(condition.left, wrong_operator("field that is not a multi-select picklist"))
        choices = [self._all_of(column, values) for values in condition.choices]
        found = _joined(choices, "OR")
        return f"NOT {found}" if condition.is_negated else found

    def _all_of(self, column: Column, values: Sequence[str]) -> str:
        wanted = [self._parameters.add(f";{fold(value)};") for value in values]
        held = f"';' || fold(coalesce({column.sql}, '')) || ';'"
        return _joined([f"(instr({held}, {one}) > 0)" for one in wanted], "AND")

    def _among(self, condition: Among) -> str:
        column = self._filterable(condition.left)
        values = [self._stored(column, condition.left, literal) for literal in condition.values]
        # One parameter for any number of values.
        listed = self._parameters.add(json.dumps([value for value in values if value is not None]))
        inside = f"{column.compared} IN (SELECT value FROM json_each({listed}))"  # noqa: S608
        sql = column.sql
        if None in values:
            return (
                f"({sql} IS NOT NULL AND NOT {inside})" if condition.is_negated else f"({sql} IS NULL OR {inside})"
            )
        return f"({sql} IS NULL OR NOT {inside})" if condition.is_negated else inside

    def _like(self, condition: Like) -> str:
        column = self._filterable(condition.left)
        is_text = _wanted_kind(column.field) == "text"
        if not is_text or column.field.type in ("id", "reference"):
            raise self._at(condition.left, wrong_operator(f"{'id' if is_text else column.field.type} field"))
        return f"{column.compared} LIKE {self._parameters.add(fold(condition.pattern))} ESCAPE '\\'"

    def _comparison(self, condition: Comparison) -> str:
        column, sign = self._filterable(condition.left), condition.sign
        if isinstance(condition.value, PeriodLiteral):
            token = condition.value.token
            if column.field.type not in ("date", "datetime"):
                raise malformed(self._text, token)
            return within(column.sql, _SIGNS.get(sign, sign), period(token.text))
        value = self._stored(column, condition.left, condition.value)
        is_negated = sign in _NEGATIONS
        if value is None:
            if sign != "=" and not is_negated:  # null cannot be ordered
                return "0"
            return f"{column.sql} IS {'NOT ' if is_negated else ''}NULL"
        compared = self._parameters.add(value)
        if is_negated:
            return f"({column.sql} IS NULL OR {column.compared} != {compared})"
        return f"{column.compared} {sign} {compared}"

    def _filterable(self, expression: Expression) -> Column:
        column = self._expressions.column(expression, self._usable)
        if not column.field.filterable:
            raise self._at(expression, not_allowed(column.field, "filtered"))
        if self._grouped is not None and not column.is_aggregate and column.sql not in self._grouped:
            message = f"Having clause field must be grouped or aggregated: {column.name}"
            raise misused(self._text, expression.position, message)
        return column

    def _stored(self, column: Column, expression: Expression, literal: SoqlLiteral) -> Stored:
        """The literal in the form of the column's values. Raises `Fault` if it is of another type."""
        if literal.kind == "null":
            return None
        wanted = _wanted_kind(column.field)
        if literal.kind != wanted:
            quotes = "should be" if wanted == "text" else "should not be"
            message = (
                f"value of filter criterion for field '{column.name}' must be of type {column.field.type} and"
                f" {quotes} enclosed in quotes"
            )
            raise self._at(expression, Fault("INVALID_FIELD", message, "InvalidFieldFault"))
        if not isinstance(literal.value, str) or literal.kind != "text":
            return literal.value
        if column.field.type in ("id", "reference"):
            if literal.value and full_id(literal.value) is None:
                raise self._at(expression, no_id(literal.value))
            return full_id(literal.value)
        return fold(literal.value.strip()) or None  # the org treats an empty text as null

    def _at(self, expression: Expression, fault: Fault) -> Fault:
        return at_place(self._text, expression.position, fault)


def _joined(parts: Sequence[str], word: str) -> str:
    """Joins the parts as a tree, since SQLite refuses a chain of more than a thousand."""
    if len(parts) == 1:
        return parts[0]
    middle = len(parts) // 2
    return f"({_joined(parts[:middle], word)} {word} {_joined(parts[middle:], word)})"


def _wanted_kind(field: FieldSchema) -> str:
    if field.type in NUMBER_TYPES:
        return "number"
    return field.type if field.type in _PLAIN_KINDS else "text"
