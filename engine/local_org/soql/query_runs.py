"""Runs compiled queries: the rows of a query, with those of its child queries."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sfmap.engine.local_org.faults.org_faults import too_complicated
from sfmap.engine.local_org.records.store import Store, Stored
from sfmap.engine.local_org.soql.soql_compiler import PARENTS, CompiledQuery

Row = tuple[Stored, ...]
_TOO_DEEP = ("parser stack overflow", "Expression tree is too large")
"""What SQLite says of a statement with too many levels."""
_PARENT = -2
"""Where the row of a child query has the parent's id."""


@dataclass(frozen=True, slots=True)
class FoundRows:
    query: CompiledQuery
    rows: Sequence[Row]
    children: tuple[Mapping[Stored, Sequence[Row]], ...] = ()
    """By child query, the rows by the parent's id."""
    below: tuple["FoundRows", ...] = ()
    """The rows of the child queries, of all parents together."""

    def children_of(self, row: Row, number: int) -> "FoundRows":
        """The rows that a child query found for this row."""
        below = self.below[number]
        rows = self.children[number].get(row[self.query.id_position], ())
        return FoundRows(below.query, rows, below.children, below.below)

    @property
    def total(self) -> int:
        """The number of records; for COUNT() the number that it returns."""
        count = self.rows[0][0] if self.query.is_count else len(self.rows)
        assert isinstance(count, int)
        return count


def run_query(query: CompiledQuery, store: Store) -> FoundRows:
    """What the query finds. Raises `Fault`."""
    return _found(query, store, {})


def selected(query: CompiledQuery, store: Store, more: Mapping[str, Stored] | None = None) -> list[Row]:
    """The rows of the query, without those of its child queries. Raises `Fault`."""
    try:
        return store.select(query.statement, {**query.parameters, **(more or {})})
    except sqlite3.OperationalError as error:
        if str(error).startswith(_TOO_DEEP):
            raise too_complicated("The query joins too many conditions at too many levels.") from None
        raise


def _found(query: CompiledQuery, store: Store, more: Mapping[str, Stored]) -> FoundRows:
    rows = selected(query, store, more)
    parents = {PARENTS: json.dumps([row[query.id_position] for row in rows])} if query.children else {}
    below = tuple(_found(child, store, parents) for child in query.children)
    return FoundRows(query, rows, tuple(map(_by_parent, below)), below)


def _by_parent(found: FoundRows) -> Mapping[Stored, Sequence[Row]]:
    rows: dict[Stored, list[Row]] = {}
    for row in found.rows:
        rows.setdefault(row[_PARENT], []).append(row)
    return rows
