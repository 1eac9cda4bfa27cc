"""The restrictions of semi-joins and anti-joins ("Comparison Operators")."""

from collections.abc import Iterator

from sfmap.engine.local_org.records.object_schema import ObjectSchema
from sfmap.engine.local_org.soql.columns import Column
from sfmap.engine.local_org.soql.soql_tokens import misused
from sfmap.engine.local_org.soql.soql_tree import Condition, FieldName, Joined, Not, SemiJoin

_MOST = 2


def check_places(where: Condition | None, text: str) -> None:
    """Checks that semi-joins stand where a query may have them. Raises `Fault`."""
    top = where.conditions if isinstance(where, Joined) and where.word == "AND" else (where,)
    for condition in top:
        if isinstance(condition, Joined) and condition.word == "OR" and (found := _first(condition)):
            message = "Semi join sub-selects are not allowed with the 'OR' operator"
            raise misused(text, found.position, message)
        if not isinstance(condition, SemiJoin) and (found := _first(condition)):
            message = (
                "Semi join sub-selects are only allowed at the top level WHERE expressions and not in nested WHERE"
                " expressions."
            )
            raise misused(text, found.position, message)
        if isinstance(condition, SemiJoin) and (found := _first(condition.where)):
            raise misused(text, found.position, "Nesting of semi join sub-selects is not supported")
    joins = list(_semi_joins(where))
    if len(joins) > _MOST:
        raise misused(text, joins[_MOST].position, f"Maximum {_MOST} semi join sub-selects are allowed.")


def check_columns(join: SemiJoin, outer: tuple[ObjectSchema, Column], inner: tuple[ObjectSchema, Column]) -> str:
    """What is wrong with the fields of a semi-join; empty if nothing is."""
    (target, column), (inner_target, inner_column) = outer, inner
    if not _is_id(column) or not _has_no_dots(join.left):
        return (
            "The left operand field in the where expression for outer query should be an id field, cannot use:"
            f" '{column.name}'"
        )
    if not _is_id(inner_column) or not _has_no_dots(join.inner):
        return f"Semi join sub-selects can only query id fields, cannot use: '{inner_column.name}'"
    if target.name == inner_target.name:
        return "The inner and outer selects should not be on the same object type"
    if not set(_objects(target, column)).intersection(_objects(inner_target, inner_column)):
        return (
            f"The selected field '{inner_column.name}' in the subquery and the left operand field in the where"
            f" expression in the outer query '{column.name}' should point to the same object type"
        )
    return ""


def not_in_having(having: Condition | None, text: str) -> None:
    """Raises `Fault` for a semi-join in HAVING."""
    if found := _first(having):
        raise misused(text, found.position, "Semi join sub-selects are not allowed in the HAVING clause")


def _is_id(column: Column) -> bool:
    return column.field.type in ("id", "reference")


def _has_no_dots(expression: object) -> bool:
    return isinstance(expression, FieldName) and "." not in expression.text


def _objects(target: ObjectSchema, column: Column) -> tuple[str, ...]:
    """The objects whose ids the column holds."""
    return column.field.references or (target.name,)


def _first(condition: Condition | None) -> SemiJoin | None:
    return next(_semi_joins(condition), None)


def _semi_joins(condition: Condition | None) -> Iterator[SemiJoin]:
    match condition:
        case SemiJoin():
            yield condition
            yield from _semi_joins(condition.where)
        case Joined():
            for one in condition.conditions:
                yield from _semi_joins(one)
        case Not():
            yield from _semi_joins(condition.condition)
