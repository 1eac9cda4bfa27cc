"""Where a query continues, as the text that the journal keeps."""

from dataclasses import dataclass
from typing import Any

import orjson

from sfmap.engine.sources.queries.database_port import CursorValues


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryCursor:
    relation: str
    """The digest of the table or query that it is for."""
    columns: tuple[str, ...]
    """The columns of the cursor."""
    mark: CursorValues | None = None
    """The last row of the runs before; None for the first run, and for one that reads everything."""
    last: CursorValues | None = None
    """The last row to read in this run; None if it has not begun."""
    after: CursorValues | None = None
    """The last row that was read in this run."""
    rows: int | None = None
    """About how many rows the run has, if that is known."""

    @property
    def text(self) -> str:
        return orjson.dumps(self).decode()

    def is_for(self, relation: str, columns: tuple[str, ...]) -> bool:
        return (self.relation, self.columns) == (relation, columns)


def read_query_cursor(text: str) -> QueryCursor | None:
    """The cursor of a position; None for the beginning."""
    if not text:
        return None
    found = orjson.loads(text)
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in found.items()
    }
    return QueryCursor(**values)
