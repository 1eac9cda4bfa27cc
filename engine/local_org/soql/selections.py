"""The SELECT clause: its columns, and what the rows contain besides them."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, islice

from sfmap.engine.local_org.faults.org_faults import Fault, no_such_children, no_such_field, no_such_object
from sfmap.engine.local_org.records.object_schema import COMPOUND_TYPES, ChildRelationship
from sfmap.engine.local_org.soql.columns import Column, quoted
from sfmap.engine.local_org.soql.query_fields import JoinedObject, QueryFields
from sfmap.engine.local_org.soql.row_layout import (
    ChildrenCell,
    CompoundCell,
    ParentCell,
    ParentKind,
    RowCell,
    ValueCell,
)
from sfmap.engine.local_org.soql.soql_functions import IN_SELECT, Expressions
from sfmap.engine.local_org.soql.soql_tokens import at_place, misused
from sfmap.engine.local_org.soql.soql_tree import (
    Among,
    ChildQuery,
    Comparison,
    Condition,
    FieldName,
    FunctionCall,
    Joined,
    ObjectFields,
    Query,
    Selected,
    Selection,
    TypeOf,
)

_MOST_WITH_ALL_FIELDS = 200
_Placed = tuple[tuple[str, ...], RowCell]
"""A cell with its path in the response."""


class Selections:
    """Compiles a SELECT clause."""

    def __init__(self, query: Query, fields: QueryFields, expressions: Expressions, *, has_groups: bool) -> None:
        self._query = query
        self._fields = fields
        self._expressions = expressions
        self._has_groups = has_groups
        self._text = fields.text
        self._hidden: list[str] = []
        """The SQL of the columns after those of the SELECT clause."""
        self._visible = 0

    def columns(self) -> tuple[Column, ...]:
        """The columns of the fields and functions, named as in the response. Raises `Fault`."""
        columns: dict[tuple[str, ...], Column] = {}
        unnamed = 0
        for selected in chain.from_iterable(map(self._spelled_out, self._query.selected)):
            column = self._expressions.column(selected.expression, IN_SELECT)
            if self._has_groups:
                is_field = isinstance(selected.expression, FieldName)
                name = selected.alias or (column.name if is_field else f"expr{unnamed}")
                unnamed += not (is_field or selected.alias)
                column = replace(column, path=(name,))
            elif selected.alias:
                column = replace(column, path=(self._alias(selected),))
            if column.path in columns:
                raise self._duplicate(column.name, selected.expression.position)
            columns[column.path] = column
        self._visible = len(columns)
        return tuple(columns.values())

    def cells(self, columns: Sequence[Column]) -> tuple[tuple[RowCell, ...], tuple[str, ...], int]:
        """What the rows contain, the SQL of the columns that this needs besides, and the position of the id."""
        values = iter([(column.path, self._value(column, position)) for position, column in enumerate(columns)])
        if self._has_groups:
            return tuple(cell for _, cell in values), (), -1
        id_position = self._position("t.Id")
        children = (
            ((child.name,), ChildrenCell(child.name, number)) for number, child in enumerate(self.children())
        )
        placed: list[_Placed] = []
        for selection in self._query.selected:
            if isinstance(selection, ChildQuery):
                placed.append(next(children))
            elif isinstance(selection, TypeOf):
                placed.append(self._type_of(selection))
            else:
                placed += islice(values, len(self._spelled_out(selection)))
        names = [path[0] for path, _ in placed if len(path) == 1] + list(
            {path[0] for path, _ in placed if path[1:]}
        )
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise self._duplicate(twice, 0)
        return self._nested(placed, ()), tuple(self._hidden), id_position

    def _value(self, column: Column, position: int) -> RowCell:
        if column.field.type not in COMPOUND_TYPES or self._has_groups:
            return ValueCell(column.name, position, column)
        end = self._fields.known(column.path[:-1]).ends[0]
        cells = []
        for name, part in end.target.parts(column.field).items():
            found = Column(path=(name,), field=part, sql=f"{end.alias}.{quoted(part.name)}")
            cells.append(ValueCell(name, self._position(found.sql), found))
        return CompoundCell(column.name, column.field.type, tuple(cells))

    def children(self) -> tuple[ChildRelationship, ...]:
        """The relationships of the child queries. Raises `Fault`."""
        queries = [one.query for one in self._query.selected if isinstance(one, ChildQuery)]
        return tuple(self._child(query.object_name) for query in queries)

    def _child(self, name: FieldName) -> ChildRelationship:
        wanted = name.text.rpartition(".")[2].casefold()
        known = self._fields.schema.children(self._fields.target)
        found = next((child for child in known if child.name and child.name.casefold() == wanted), None)
        if found is None:
            raise at_place(self._text, name.position, no_such_children(name.text))
        return found

    def _spelled_out(self, selection: Selection) -> list[Selected]:
        """The fields and functions of a part of the SELECT clause."""
        if isinstance(selection, Selected):
            return [selection]
        if isinstance(selection, ObjectFields):
            return [Selected(FieldName(name, selection.position)) for name in self._names_of(selection)]
        if self._has_groups:
            place = self._query.object_name.position
            raise misused(self._text, place, "Only root queries support aggregate expressions")
        return []

    def _names_of(self, selection: ObjectFields) -> list[str]:
        known = self._fields.target.fields.values()
        names = [
            field.name
            for field in known
            if selection.kind == "ALL" or field.custom is (selection.kind == "CUSTOM")
        ]
        is_bounded = 0 <= self._query.limit <= _MOST_WITH_ALL_FIELDS or _has_few_ids(self._query.where)
        if selection.kind != "STANDARD" and not is_bounded:
            message = f"The SOQL FIELDS function must have a LIMIT of at most {_MOST_WITH_ALL_FIELDS}"
            raise misused(self._text, selection.position, message)
        if not names:
            message = "The SOQL FIELDS function must result in at least one field being selected"
            raise misused(self._text, selection.position, message)
        return names

    def _alias(self, selected: Selected) -> str:
        if not isinstance(selected.expression, FunctionCall):
            message = "only aggregate expressions use field aliasing"
            raise misused(self._text, selected.expression.position, message)
        return selected.alias

    def _duplicate(self, name: str, position: int) -> Fault:
        if self._has_groups:
            return misused(self._text, position, f"duplicate alias: {name}")
        return Fault("INVALID_FIELD", f"duplicate field selected: {name}", "InvalidFieldFault")

    def _position(self, sql: str) -> int:
        """The position of a column that the SELECT clause does not have."""
        if sql not in self._hidden:
            self._hidden.append(sql)
        return self._visible + self._hidden.index(sql)

    def _nested(self, placed: Sequence[_Placed], above: tuple[str, ...]) -> tuple[RowCell, ...]:
        """The cells in order; those of one parent together, at the position of the first."""
        cells: list[RowCell] = []
        done: set[str] = set()
        for path, cell in placed:
            name = path[0]
            if len(path) == 1:
                cells.append(cell)
            elif name not in done:
                done.add(name)
                below = [(other[1:], one) for other, one in placed if len(other) > 1 and other[0] == name]
                cells.append(self._parent((*above, name), below))
        return tuple(cells)

    def _parent(self, path: tuple[str, ...], below: Sequence[_Placed]) -> ParentCell:
        way, cells = self._fields.known(path), self._nested(below, path)
        return ParentCell(path[-1], tuple(self._kind(end, way.shown, cells) for end in way.ends))

    def _kind(self, end: JoinedObject, shown: str, cells: tuple[RowCell, ...]) -> ParentKind:
        position = self._position(f"{end.alias}.Id")
        return ParentKind(shown=shown, object_name=end.target.name, id_position=position, cells=cells)

    def _type_of(self, selection: TypeOf) -> _Placed:
        name = selection.relationship
        way = self._fields.way([name.text], name)
        if not way.is_polymorphic:
            raise misused(self._text, name.position, f"TYPEOF needs a polymorphic relationship, not {name.text}")
        kinds: list[ParentKind] = []
        for object_name, fields in selection.cases:
            end = next(
                (one for one in way.ends if one.target.name.casefold() == object_name.text.casefold()), None
            )
            if end is None:
                raise at_place(self._text, object_name.position, no_such_object(object_name.text))
            kinds.append(self._kind(end, end.target.name, self._fields_of(end, fields)))
        done = {kind.object_name for kind in kinds}
        for end in way.ends if selection.otherwise else ():
            if end.target.name not in done:
                known = [one for one in selection.otherwise if end.target.field(one.text)]
                kinds.append(self._kind(end, end.target.name, self._fields_of(end, known)))
        return (way.path[-1],), ParentCell(way.path[-1], tuple(kinds))

    def _fields_of(self, end: JoinedObject, names: Sequence[FieldName]) -> tuple[RowCell, ...]:
        cells = []
        for name in names:
            field = end.target.field(name.text)
            if field is None:
                raise at_place(self._text, name.position, no_such_field(name.text, end.target.name))
            column = Column(path=(field.name,), field=field, sql=f"{end.alias}.{quoted(field.name)}")
            cells.append(ValueCell(field.name, self._position(column.sql), column))
        return tuple(cells)


def _has_few_ids(where: Condition | None) -> bool:
    """Whether a condition lets no more records through than a query with all fields may have."""
    match where:
        case Among(FieldName(text), values, False):
            return text.casefold() == "id" and len(values) <= _MOST_WITH_ALL_FIELDS
        case Comparison(FieldName(text), "="):
            return text.casefold() == "id"
        case Joined("AND", conditions):
            return any(map(_has_few_ids, conditions))
        case Joined(_, conditions):
            return len(conditions) <= _MOST_WITH_ALL_FIELDS and all(map(_has_few_ids, conditions))
    return False
