"""SOQL's functions as columns: aggregates, parts of dates, labels, and formatted values."""

import json
from dataclasses import replace

from sfmap.engine.local_org.faults.org_faults import Fault
from sfmap.engine.local_org.records.object_schema import NUMBER_TYPES, FieldSchema
from sfmap.engine.local_org.soql.columns import Column, Parameters
from sfmap.engine.local_org.soql.localized import localized
from sfmap.engine.local_org.soql.query_fields import QueryFields
from sfmap.engine.local_org.soql.soql_tokens import SoqlToken, at_place, malformed
from sfmap.engine.local_org.soql.soql_tree import Expression, FunctionCall

_AGGREGATES = {
    "COUNT": ("int", "count({})"),
    "COUNT_DISTINCT": ("int", "count(DISTINCT {})"),
    "SUM": ("double", "sum({})"),
    "AVG": ("double", "avg({})"),
    "MIN": ("", "min({})"),
    "MAX": ("", "max({})"),
}
"""By aggregate, the type of its result, empty for the field's own, and its SQL."""
_ONLY_NUMBERS = ("SUM", "AVG")
_YEAR, _MONTH = "CAST(strftime('%Y', {0}) AS INTEGER)", "CAST(strftime('%m', {0}) AS INTEGER)"
_DAY, _DAY_IN_YEAR = "CAST(strftime('%d', {0}) AS INTEGER)", "CAST(strftime('%j', {0}) AS INTEGER)"
_QUARTER = f"(({_MONTH} + 2) / 3)"
_DATE_PARTS = {
    "CALENDAR_YEAR": _YEAR,
    "CALENDAR_QUARTER": _QUARTER,
    "CALENDAR_MONTH": _MONTH,
    "FISCAL_YEAR": _YEAR,
    "FISCAL_QUARTER": _QUARTER,
    "FISCAL_MONTH": _MONTH,
    "DAY_IN_MONTH": _DAY,
    "DAY_IN_WEEK": "(CAST(strftime('%w', {0}) AS INTEGER) + 1)",
    "DAY_IN_YEAR": _DAY_IN_YEAR,
    "WEEK_IN_MONTH": f"(({_DAY} + 6) / 7)",
    "WEEK_IN_YEAR": f"(({_DAY_IN_YEAR} + 6) / 7)",
    "HOUR_IN_DAY": "CAST(strftime('%H', {0}) AS INTEGER)",
    "DAY_ONLY": "substr({0}, 1, 10)",
}
"""By function, its SQL ("Date Functions"): the fiscal year is the calendar's, and first weeks start on a first."""
_ONLY_DATETIMES = ("HOUR_IN_DAY", "DAY_ONLY")
_LABEL, _FORMAT, _CURRENCY, _ZONE, _GROUPING = (
    "TOLABEL",
    "FORMAT",
    "CONVERTCURRENCY",
    "CONVERTTIMEZONE",
    "GROUPING",
)

IN_WHERE = frozenset({*_DATE_PARTS, _LABEL, _CURRENCY})
IN_GROUP_BY = frozenset(_DATE_PARTS)
IN_HAVING = frozenset({*_DATE_PARTS, *_AGGREGATES, _GROUPING})
IN_ORDER_BY = frozenset({*IN_HAVING, _LABEL, _CURRENCY})
IN_SELECT = frozenset({*IN_ORDER_BY, _FORMAT})
"""The functions that a clause may use."""
_INSIDE = {
    _FORMAT: frozenset({_CURRENCY, *_AGGREGATES}),
    _CURRENCY: frozenset(_AGGREGATES),
    **dict.fromkeys(_DATE_PARTS, frozenset({_ZONE})),
}
"""By function, the functions that it may be applied to; none by default."""


def is_grouping(expression: Expression | None) -> bool:
    """Whether an expression makes rows of groups instead of records."""
    if not isinstance(expression, FunctionCall):
        return False
    grouping = {*_AGGREGATES, *_DATE_PARTS, _GROUPING}
    return expression.function in grouping or is_grouping(expression.argument)


class Expressions:
    """The fields of a query, and functions of them, as columns."""

    def __init__(self, fields: QueryFields, parameters: Parameters) -> None:
        self._fields = fields
        self._parameters = parameters
        self._text = fields.text
        self.left_out: frozenset[str] = frozenset()
        """The SQL of the columns that a row of subtotals is not grouped by."""

    def column(self, expression: Expression, usable: frozenset[str]) -> Column:
        """Raises `Fault` for a function that is not usable, or not with that field."""
        if not isinstance(expression, FunctionCall):
            return self._grouped(self._fields.column(expression))
        function = expression.function
        if function not in usable:
            raise malformed(self._text, SoqlToken("name", function, expression.position))
        if expression.argument is None:
            if function != "COUNT":
                raise malformed(self._text, SoqlToken("sign", ")", expression.position + len(function) + 1))
            return Column(path=("COUNT",), field=_result("int"), sql="count(*)", is_aggregate=True)
        if function in _AGGREGATES or function == _GROUPING:
            return self._aggregate(expression, expression.argument)
        inside = _INSIDE.get(function, frozenset()) & (usable | {_ZONE})
        column = self.column(expression.argument, inside)
        if function in _DATE_PARTS:
            return self._grouped(self._date_part(column, expression))
        if function == _LABEL:
            return self._labelled(column, expression)
        if function == _FORMAT:
            return replace(column, field=_result("string"), written=localized(column.field.type))
        return column  # one currency, one time zone

    def _grouped(self, column: Column) -> Column:
        return replace(column, sql="NULL") if column.sql in self.left_out else column

    def _aggregate(self, call: FunctionCall, argument: Expression) -> Column:
        if isinstance(argument, FunctionCall):
            raise malformed(self._text, SoqlToken("name", argument.function, argument.position))
        column, function = self._fields.column(argument), call.function
        if function == _GROUPING:
            sql = str(int(column.sql in self.left_out))
            return Column(path=(function,), field=_result("int"), sql=sql, is_aggregate=True)
        if function in _ONLY_NUMBERS and column.field.type not in NUMBER_TYPES:
            raise self._unfit(f"field {column.field.name} does not support aggregate operator {function}", call)
        kind, sql = _AGGREGATES[function]
        value = column.compared if function == "COUNT_DISTINCT" else column.sql
        field = _result(kind or column.field.type)
        return Column(path=(function,), field=field, sql=sql.format(value), is_aggregate=True)

    def _date_part(self, column: Column, call: FunctionCall) -> Column:
        usable = ("datetime",) if call.function in _ONLY_DATETIMES else ("date", "datetime")
        if column.field.type not in usable:
            raise self._unfit(f"field {column.field.name} does not support the function {call.function}", call)
        kind = "date" if call.function == "DAY_ONLY" else "int"
        return Column(path=column.path, field=_result(kind), sql=_DATE_PARTS[call.function].format(column.sql))

    def _labelled(self, column: Column, call: FunctionCall) -> Column:
        entries = column.field.entries
        if not entries and column.field.type not in ("picklist", "multipicklist", "combobox", "string"):
            raise self._unfit(f"field {column.field.name} does not support the function toLabel", call)
        labels = self._parameters.add(json.dumps({entry.value: entry.label for entry in entries}))
        found = f"(SELECT value FROM json_each({labels}) WHERE key = {column.sql})"  # noqa: S608
        return replace(column, sql=f"coalesce({found}, {column.sql})", field=_result("string"))

    def _unfit(self, message: str, call: FunctionCall) -> Fault:
        return at_place(self._text, call.position, Fault("INVALID_FIELD", message, "InvalidFieldFault"))


def _result(kind: str) -> FieldSchema:
    return FieldSchema("", "", kind)
