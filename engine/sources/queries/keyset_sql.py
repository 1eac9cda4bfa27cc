"""Writes the statements that read a keyset, for any dialect of SQL."""

from dataclasses import dataclass, field
from typing import Protocol

from sfmap.engine.sources.queries.database_port import (
    CursorValues,
    Keyset,
    Relation,
    RowRange,
    TableColumn,
)

ROWS = "sfmap_rows"
"""What statements call the relation."""


class SqlDialect(Protocol):
    """What differs between databases."""

    @property
    def has_row_comparison(self) -> bool:
        """Whether `(a, b) > (1, 2)` is understood and uses an index."""

    def quoted(self, name: str) -> str:
        """A name of one part as an identifier."""

    def literal(self, sql: str) -> str:
        """SQL of the user, such that nothing in it counts as a parameter."""

    def parameter(self, number: int, column: TableColumn) -> str:
        """The placeholder of a value of that column."""

    def text(self, expression: str, column: TableColumn) -> str:
        """An expression for what the cursor keeps of a value."""

    def finite(self, expression: str, column: TableColumn) -> str:
        """A condition that leaves out infinity; empty if the column cannot hold it."""


@dataclass(frozen=True, slots=True)
class KeysetSql:
    """Builds one statement: its text is returned, its parameters are gathered."""

    dialect: SqlDialect
    keyset: Keyset
    parameters: list[tuple[str, TableColumn]] = field(default_factory=list)

    def page(self, rows: RowRange, limit: int) -> str:
        texts = self._texts()
        return (
            f"SELECT {', '.join(texts)}, {ROWS}.* FROM {self._from()} WHERE {self._in_range(rows)}"
            f" ORDER BY {', '.join(self._names())} LIMIT {limit}"
        )

    def in_range(self, rows: RowRange, what: str) -> str:
        return f"SELECT {what} FROM {self._from()} WHERE {self._in_range(rows)}"

    def about_in_range(self, rows: RowRange) -> str:
        """The range by the first column alone, for which planners have statistics."""
        first = self.keyset.cursor[0]
        low = rows.after[0] if rows.after else rows.low
        above = f"{self.first()} >= {self.value(first, low)} AND " if low is not None else ""
        return f"SELECT 1 FROM {self._from()} WHERE {above}{self.first()} <= {self.value(first, rows.last[0])}"

    def highest(self, condition: str = "") -> str:
        """The last row; `condition` may use `first()` and parameters from `value`."""
        where = " AND ".join(filter(None, [*self._found(), condition])) or "1 = 1"
        order = ", ".join(f"{name} DESC" for name in self._names())
        return f"SELECT {', '.join(self._texts())} FROM {self._from()} WHERE {where} ORDER BY {order} LIMIT 1"

    def count(self, condition: str) -> str:
        return f"SELECT count(*) FROM {self._from()} WHERE {condition}"

    def is_null(self) -> str:
        """The condition for rows with NULL in the cursor; empty if there cannot be any."""
        nullable = (column for column in self.keyset.cursor if column.is_nullable)
        return " OR ".join(f"{self._name(column)} IS NULL" for column in nullable)

    def first(self) -> str:
        """The first column of the cursor."""
        return self._name(self.keyset.cursor[0])

    def value(self, column: TableColumn, value: str) -> str:
        """The placeholder of a value, which becomes the next parameter."""
        self.parameters.append((value, column))
        return self.dialect.parameter(len(self.parameters) - 1, column)

    def _in_range(self, rows: RowRange) -> str:
        conditions = self._found()
        if rows.after is not None:
            conditions.append(self._compared(">", rows.after))
        elif rows.low is not None:
            conditions.append(f"{self.first()} >= {self.value(self.keyset.cursor[0], rows.low)}")
        conditions.append(self._compared("<=", rows.last))
        return " AND ".join(conditions)

    def _found(self) -> list[str]:
        """The conditions that leave out rows whose cursor has no place in the order."""
        cursor = self.keyset.cursor
        present = [f"{self._name(column)} IS NOT NULL" for column in cursor if column.is_nullable]
        finite = self.dialect.finite(self.first(), cursor[0])
        return [*present, finite] if finite else present

    def _compared(self, sign: str, values: CursorValues) -> str:
        """The cursor compared with a row of it."""
        pairs = list(zip(self.keyset.cursor, values, strict=True))
        if self.dialect.has_row_comparison:
            given = ", ".join(self.value(column, value) for column, value in pairs)
            return f"({', '.join(self._names())}) {sign} ({given})"
        condition = f"{self._name(pairs[-1][0])} {sign} {self.value(*pairs[-1])}"
        for column, value in reversed(pairs[:-1]):
            name = self._name(column)
            condition = (
                f"{name} {sign[0]}= {self.value(column, value)}"
                f" AND ({name} {sign[0]} {self.value(column, value)} OR {condition})"
            )
        return f"({condition})"

    def _names(self) -> list[str]:
        return [self._name(column) for column in self.keyset.cursor]

    def _texts(self) -> list[str]:
        return [self.dialect.text(self._name(column), column) for column in self.keyset.cursor]

    def _name(self, column: TableColumn) -> str:
        return f"{ROWS}.{self.dialect.quoted(column.name)}"

    def _from(self) -> str:
        return source_sql(self.dialect, self.keyset.relation)


def source_sql(dialect: SqlDialect, relation: Relation) -> str:
    """The relation after FROM."""
    return f"{table_sql(dialect, relation)} AS {ROWS}"


def table_sql(dialect: SqlDialect, relation: Relation) -> str:
    """The name of the table, or the query in parentheses; a comment at its end cannot hide what follows."""
    if relation.table:
        return ".".join(dialect.quoted(part) for part in relation.table.split("."))
    return f"(\n{dialect.literal(relation.query.strip().rstrip(';'))}\n)"
