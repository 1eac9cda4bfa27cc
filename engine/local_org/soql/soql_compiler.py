"""Compiles SOQL to parameterized SQL with its names resolved; errors become the faults that the org would send."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from sfmap.engine.local_org.faults.org_faults import no_such_object, too_complicated, unexpected
from sfmap.engine.local_org.records.object_schema import ChildRelationship, ObjectSchema, Schema
from sfmap.engine.local_org.records.store import Stored
from sfmap.engine.local_org.soql.columns import Column, Parameters, quoted
from sfmap.engine.local_org.soql.condition_sql import Conditions
from sfmap.engine.local_org.soql.query_fields import QueryFields, not_allowed
from sfmap.engine.local_org.soql.row_layout import RowCell
from sfmap.engine.local_org.soql.selections import Selections
from sfmap.engine.local_org.soql.semi_joins import check_places, not_in_having
from sfmap.engine.local_org.soql.soql_functions import (
    IN_GROUP_BY,
    IN_HAVING,
    IN_ORDER_BY,
    IN_WHERE,
    Expressions,
    is_grouping,
)
from sfmap.engine.local_org.soql.soql_parser import parse_query
from sfmap.engine.local_org.soql.soql_tokens import at_place, malformed, misused
from sfmap.engine.local_org.soql.soql_tree import ChildQuery, Expression, Grouping, OrderTerm, Query, Selected

_LONGEST_QUERY = 100_000
_LARGEST_OFFSET = 2_000
_MOST_WITH_SUBTOTALS = 3
_OWNER = "OwnerId"
PARENTS = "parents"
"""The parameter of a child query: the ids of the parents as JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledQuery:
    """A query ready to run."""

    target: ObjectSchema
    columns: tuple[Column, ...]
    """The fields and functions of the SELECT clause, the first columns of each row."""
    cells: tuple[RowCell, ...]
    """What a record of the response contains."""
    id_position: int
    """Where each row has the record's id; negative if its rows are groups."""
    children: tuple["CompiledQuery", ...]
    """The child queries, whose rows end with the parent's id and the place among its children."""
    statement: str
    parameters: Mapping[str, Stored]
    has_groups: bool
    """Whether its rows are groups instead of records."""
    is_count: bool
    """Whether it is COUNT(), with the number of records as its only row."""


def compile_query(text: str, schema: Schema, with_deleted: bool = False, user_id: str = "") -> CompiledQuery:
    """The query of a user as SQL, including deleted records if requested.

    Raises `Fault`: MALFORMED_QUERY, QUERY_TOO_COMPLICATED, INVALID_FIELD, INVALID_TYPE,
    INVALID_QUERY_FILTER_OPERATOR, NUMBER_OUTSIDE_VALID_RANGE.
    """
    if len(text) > _LONGEST_QUERY:
        raise too_complicated("The query is longer than 100,000 characters.")
    query = parse_query(text)
    target = schema.object(query.object_name.text)
    if target is None:
        raise at_place(text, query.object_name.position, no_such_object(query.object_name.text))
    fields = QueryFields(schema, target, text, query.aliases)
    return _Compiler(query, fields, with_deleted=with_deleted, user_id=user_id).compiled()


class _Compiler:
    """Compiles one query, or one child query."""

    def __init__(
        self,
        query: Query,
        fields: QueryFields,
        *,
        with_deleted: bool,
        user_id: str,
        relationship: ChildRelationship | None = None,
    ) -> None:
        self._query = query
        self._fields = fields
        self._text = fields.text
        self._with_deleted = with_deleted
        self._user_id = user_id
        self._relationship = relationship
        self._parameters = Parameters()
        self._expressions = Expressions(fields, self._parameters)
        self._has_groups = (
            bool(query.grouping.by)
            or query.having is not None
            or any(isinstance(one, Selected) and is_grouping(one.expression) for one in query.selected)
        )
        self._selections = Selections(query, fields, self._expressions, has_groups=self._has_groups)

    def compiled(self) -> CompiledQuery:
        query = self._query
        self._check()
        columns = self._selections.columns()
        cells, hidden, id_position = self._selections.cells(columns)
        children = self._children()
        if self._has_groups:
            statement = self._groups(len(columns))
        elif self._relationship:
            statement = self._child_records(columns, hidden)
        else:
            statement = f"{self._records(columns, hidden)} LIMIT {query.limit} OFFSET {query.offset}"
        if not query.selected:
            statement = f"SELECT count(*) FROM ({statement})"  # noqa: S608
        return CompiledQuery(
            target=self._fields.target,
            columns=columns,
            cells=cells,
            id_position=id_position,
            children=children,
            statement=statement,
            parameters=self._parameters.values,
            has_groups=self._has_groups,
            is_count=not query.selected,
        )

    def _check(self) -> None:
        query, place = self._query, self._query.object_name.position
        check_places(query.where, self._text)
        not_in_having(query.having, self._text)
        if query.offset > _LARGEST_OFFSET:
            raise unexpected("NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {_LARGEST_OFFSET}")
        if self._relationship and (self._has_groups or not query.selected):
            raise misused(self._text, place, "Only root queries support aggregate expressions")
        if self._has_groups and not query.selected:
            raise misused(self._text, place, "Grouped query cannot use COUNT(); count a field instead")
        if query.grouping.subtotals and len(query.grouping.by) > _MOST_WITH_SUBTOTALS:
            message = f"{query.grouping.subtotals} takes at most {_MOST_WITH_SUBTOTALS} fields"
            raise misused(self._text, query.grouping.by[-1].position, message)
        if self._has_groups and not query.grouping.by and query.limit >= 0:
            message = "Non-grouped query that uses overall aggregate functions cannot also use LIMIT"
            raise misused(self._text, place, message)

    def _children(self) -> tuple[CompiledQuery, ...]:
        queries = [one.query for one in self._query.selected if isinstance(one, ChildQuery)]
        return tuple(
            self._child(query, relationship)
            for query, relationship in zip(queries, self._selections.children(), strict=True)
        )

    def _child(self, query: Query, relationship: ChildRelationship) -> CompiledQuery:
        fields = QueryFields(self._fields.schema, relationship.child, self._text, query.aliases)
        compiler = _Compiler(
            query,
            fields,
            with_deleted=self._with_deleted,
            user_id=self._user_id,
            relationship=relationship,
        )
        return compiler.compiled()

    def _records(self, columns: Sequence[Column], hidden: Sequence[str]) -> str:
        wanted = ", ".join((*(column.sql for column in columns), *hidden)) or "1"
        where, order = self._where(), self._order()
        return f"SELECT {wanted} FROM {self._fields.tables} WHERE {where} ORDER BY {order}"  # noqa: S608

    def _child_records(self, columns: Sequence[Column], hidden: Sequence[str]) -> str:
        """The children of all parents, limited for each parent on its own."""
        assert self._relationship
        parent = f"t.{quoted(self._relationship.field.name)}"
        where = f"{parent} IN (SELECT value FROM json_each(:{PARENTS})) AND {self._where()}"  # noqa: S608
        wanted = ", ".join((*(column.sql for column in columns), *hidden))
        place = f"row_number() OVER (PARTITION BY {parent} ORDER BY {self._order()}) AS place"
        first, limit = self._query.offset, self._query.limit
        last = f" AND place <= {first + limit}" if limit >= 0 else ""
        return (
            f"SELECT * FROM (SELECT {wanted}, {parent}, {place} FROM {self._fields.tables} WHERE {where})"  # noqa: S608
            f" WHERE place > {first}{last} ORDER BY place"
        )

    def _groups(self, columns: int) -> str:
        query = self._query
        parts = [self._group(by) for by in _grouping_sets(query.grouping)]
        terms = [f"{number} {_direction(term)}" for number, term in enumerate(query.order, columns + 1)]
        order = f" ORDER BY {', '.join(terms)}" if terms else ""
        limits = f" LIMIT {query.limit} OFFSET {query.offset}"
        return f"SELECT * FROM ({' UNION ALL '.join(parts)}){order}{limits}"  # noqa: S608

    def _group(self, by: Sequence[Expression]) -> str:
        """The rows that are grouped by these fields, with what they are ordered by."""
        expressions = self._expressions
        expressions.left_out = frozenset()
        every = [expressions.column(one, IN_GROUP_BY) for one in self._query.grouping.by]
        grouped = [expressions.column(one, IN_GROUP_BY) for one in by]
        expressions.left_out = frozenset(column.sql for column in every) - {column.sql for column in grouped}
        columns = self._selections.columns()
        ordered = [expressions.column(term.by, IN_ORDER_BY) for term in self._query.order]
        known = {column.sql for column in every} | {"NULL"}
        self._check_grouped(every, columns, ordered, known)
        having = ""
        if self._query.having:
            having = f" HAVING {self._conditions(IN_HAVING, frozenset(known)).sql(self._query.having)}"
        wanted = ", ".join(column.sql for column in (*columns, *ordered))
        group = f" GROUP BY {', '.join(column.compared for column in grouped)}" if grouped else ""
        where = self._where()
        return f"SELECT {wanted} FROM {self._fields.tables} WHERE {where}{group}{having}"  # noqa: S608

    def _check_grouped(
        self, every: Sequence[Column], columns: Sequence[Column], ordered: Sequence[Column], known: set[str]
    ) -> None:
        place = self._query.object_name.position
        for column in columns:
            if not column.is_aggregate and column.sql not in known:
                raise misused(self._text, place, f"Field must be grouped or aggregated: {column.name}")
        for column in ordered:
            if not column.is_aggregate and column.sql not in known:
                raise misused(self._text, place, f"Ordered field must be grouped or aggregated: {column.name}")
        for column in every:
            if not column.field.groupable:
                raise at_place(self._text, place, not_allowed(column.field, "grouped"))

    def _where(self) -> str:
        kept = "1" if self._with_deleted else "t.IsDeleted = 0"
        where = self._query.where
        condition = f" AND ({self._conditions(IN_WHERE).sql(where)})" if where else ""
        return f"{kept}{self._scope()}{condition}"

    def _conditions(self, usable: frozenset[str], grouped: frozenset[str] | None = None) -> Conditions:
        return Conditions(
            self._fields,
            self._expressions,
            self._parameters,
            usable=usable,
            with_deleted=self._with_deleted,
            grouped=grouped,
        )

    def _scope(self) -> str:
        """The condition of USING SCOPE: all records, or those that the user owns."""
        scope, target = self._query.scope, self._fields.target
        if scope is None or scope.text.lower() == "everything":
            return ""
        if scope.text.lower() != "mine" or not target.field(_OWNER):
            raise malformed(self._text, scope)
        return f" AND t.{_OWNER} = {self._parameters.add(self._user_id)}"

    def _order(self) -> str:
        return ", ".join(map(self._ordered, self._query.order)) or "t.Id"

    def _ordered(self, term: OrderTerm) -> str:
        column = self._expressions.column(term.by, IN_ORDER_BY)
        if column.is_aggregate:
            message = f"Ordered field must be grouped or aggregated: {column.name}"
            raise misused(self._text, term.by.position, message)
        if not column.field.sortable:
            raise at_place(self._text, term.by.position, not_allowed(column.field, "sorted"))
        return f"{column.compared} {_direction(term)}"


def _direction(term: OrderTerm) -> str:
    return f"{'DESC' if term.is_descending else 'ASC'} NULLS {'LAST' if term.nulls_last else 'FIRST'}"


def _grouping_sets(grouping: Grouping) -> list[tuple[Expression, ...]]:
    """The fields that rows are grouped by: all, and for subtotals fewer."""
    by = grouping.by
    if grouping.subtotals == "ROLLUP":
        return [by[:number] for number in range(len(by), -1, -1)]
    if grouping.subtotals == "CUBE":
        return [part for number in range(len(by), -1, -1) for part in combinations(by, number)]
    return [by]
