"""The rows of a database as events: page by page, from where the last run ended."""

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeVar

from sfmap.engine.sources.event_source import START, Begun, FileVersion, Position, Received, SourceFailed
from sfmap.engine.sources.queries.database_port import (
    ConnectionLost,
    CursorValues,
    DatabaseRow,
    Keyset,
    QueryDatabase,
    RowRange,
    TableColumn,
)
from sfmap.engine.sources.queries.opening_databases import open_database
from sfmap.engine.sources.queries.query_cursor import QueryCursor, read_query_cursor
from sfmap.engine.sources.queries.query_notes import QueryNotes
from sfmap.engine.sources.queries.query_settings import QuerySettings
from sfmap.engine.sources.reading import json_bytes
from sfmap.engine.sources.row_values import json_values
from sfmap.engine.sources.rows import RowShape

_ROWS_OF_PAGE = 2000
_BYTES_OF_PAGE = 64 * 1024 * 1024
_WAITS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
"""Seconds between the attempts to reach a database whose connection was lost."""

_Answer = TypeVar("_Answer")


class _Row(NamedTuple):
    """A row that was read, without its place in the run."""

    cursor: CursorValues
    received: Received


class _Page(NamedTuple):
    rows: Sequence[_Row]
    is_last: bool
    is_large: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class QuerySource:
    """A table or query as a `ResumableSource`."""

    settings: QuerySettings
    name: str
    """The name of the source in sfmap.yaml, by which the journal and messages know it."""
    shape: RowShape
    start: Position = START
    say: Callable[[str], object] = field(default=lambda note: None, compare=False)
    """Takes notes for the user: each once a run."""
    wait: Callable[[float], None] = field(default=time.sleep, compare=False)
    rows_of_page: int = _ROWS_OF_PAGE
    bytes_of_page: int = _BYTES_OF_PAGE

    @property
    def is_stream(self) -> bool:
        """A query can be read again."""
        return False

    @property
    def remembers(self) -> bool:
        """Whether a run reads only what came since the last one; else it reads the whole table."""
        return bool(self.settings.cursor)

    @property
    def may_repeat(self) -> bool:
        """A run after another one reads its last rows again; a first or restarted one has none to leave out."""
        cursor = read_query_cursor(self.start.cursor)
        return cursor is not None and cursor.mark is not None

    @property
    def files(self) -> Sequence[FileVersion]:
        """A query has none."""
        return ()

    def check(self) -> None:
        """Connects, and checks the columns. Raises `SourceFailed` or `ExtraMissing`."""
        self.columns()

    def starting_at(self, start: Position) -> "QuerySource":
        return replace(self, start=start)

    def share(self, position: Position) -> float | None:
        """By the database's own estimate; None if it has none."""
        cursor = read_query_cursor(position.cursor)
        return min(1.0, position.line / cursor.rows) if cursor and cursor.rows else None

    def begun(self, position: Position, delivered: Sequence[FileVersion]) -> Begun:
        start = self.next_start(position)
        has_changed = bool(position.cursor) and self.remembers and start == START
        words = "Table, query or cursor have changed since the last run: all rows are read." if has_changed else ""
        return Begun(source=self, start=start, words=words)

    def continued(self, position: Position, files: Sequence[FileVersion]) -> "QuerySource | None":
        """The same rows, if the position is one of this table or query."""
        return self if self.is_unchanged_up_to(position) else None

    def next_start(self, known: Position) -> Position:
        """Where a new run starts after a finished one: at its end less the overlap, or at START."""
        cursor = read_query_cursor(known.cursor)
        if cursor is None or not self.remembers or not self._is_for(cursor, self.settings.cursor):
            return START
        return Position(
            cursor=replace(cursor, mark=cursor.last or cursor.mark, last=None, after=None, rows=None).text
        )

    def is_unchanged_up_to(self, position: Position) -> bool:
        """Whether the position is one of this table or query, read in the same order."""
        cursor = read_query_cursor(position.cursor)
        return cursor is None or self._is_for(cursor, self.settings.cursor or cursor.columns)

    def columns(self) -> tuple[str, ...]:
        """The names of the columns. Raises `SourceFailed`."""
        with closing(_Reading(self)) as reading:
            return tuple(column.name for column in reading.columns)

    def __iter__(self) -> Iterator[Received]:
        with closing(_Reading(self)) as reading:
            yield from reading.received()

    def _is_for(self, cursor: QueryCursor, columns: tuple[str, ...]) -> bool:
        return cursor.is_for(self.settings.relation_digest, columns)


class _Reading:
    """One reading of a source, with its connection."""

    def __init__(self, source: QuerySource) -> None:
        """Checks the settings and columns. Raises `SourceFailed`."""
        self._source = source
        self._settings = source.settings
        self._is_connected = False
        self._notes = QueryNotes(source.name, source.say)
        try:
            self._settings.check()
            self._database = open_database(source.settings.url, name=source.name, timeout=source.settings.timeout)
        except SourceFailed as error:
            raise self._failed(error) from None
        self.columns = self.ask(lambda database: database.columns(self._settings.relation))
        self._names = tuple(column.name for column in self.columns)
        self.keyset = Keyset(
            relation=self._settings.relation, cursor=self._cursor_columns(), zone=self._settings.zone
        )
        self._start = self._known()

    def close(self) -> None:
        self._database.close()

    def ask(self, question: Callable[[QueryDatabase], _Answer]) -> _Answer:
        """The answer; a lost connection is opened again, unless there never was one. Raises `SourceFailed`."""
        waits = iter(_WAITS)
        while True:
            try:
                answer = question(self._database)
                self._is_connected = True
                return answer
            except ConnectionLost as lost:
                wait = next(waits, None) if self._is_connected else None
                if wait is None:
                    raise self._failed(lost) from None
                self._source.wait(wait)
            except SourceFailed as error:
                raise self._failed(error) from None

    def range(self) -> RowRange | None:
        """What to read; None if there is nothing."""
        known = self._start
        last = known.last or self.ask(lambda database: database.highest(self.keyset))
        if last is None:
            return None
        mark = known.mark
        low = mark[0] if mark else None
        after = known.after
        if mark and after is None:
            overlap = self._settings.overlap
            low = self.ask(lambda database: database.earlier(self.keyset, mark[0], overlap))
            if low is None:
                self._notes.no_overlap(self.keyset.cursor[0].name)
                after = mark
        return RowRange(low=low, after=after, last=last)

    def received(self) -> Iterator[Received]:
        rows = self.range()
        self._note_what_is_not_read(rows)
        number, limit = self._source.start.number, self._source.rows_of_page
        begun = number - self._source.start.line
        at = replace(self._start, last=rows.last, rows=self._total(rows)) if rows else self._start
        is_last = rows is None
        while rows and not is_last:
            page = self._page(rows, limit)
            for row in page.rows:
                number += 1
                yield _placed(row, number, number - begun, at)
            if page.rows:
                rows = replace(rows, after=page.rows[-1].cursor)
            is_last = page.is_last
            limit = max(1, len(page.rows) // 2) if page.is_large else limit

    def _page(self, rows: RowRange, limit: int) -> _Page:
        def read(database: QueryDatabase) -> _Page:
            found: list[_Row] = []
            size = 0
            # One row more shows whether the page is the last, and whether its last row is unique.
            with database.page(self.keyset, rows, limit + 1) as read:
                for row in read:
                    if found and row.cursor == found[-1].cursor:
                        raise SourceFailed(self._ambiguous(row.cursor))
                    if len(found) == limit or size > self._source.bytes_of_page:
                        return _Page(rows=found, is_last=False, is_large=size > self._source.bytes_of_page)
                    found.append(self._row(row))
                    size += len(found[-1].received.raw)
            return _Page(rows=found, is_last=True, is_large=False)

        return self.ask(read)

    def _row(self, row: DatabaseRow) -> _Row:
        values, left_out = json_values(self._names, row.values, self._settings.zone)
        self._notes.left_out(left_out)
        identity = hashlib.blake2b(json_bytes([self._source.name, row.cursor, values]), digest_size=16)
        event, problem = self._source.shape.event(values, identity.digest())
        received = Received(
            number=0,
            file=self._source.name,
            line=0,
            raw=json_bytes(values if event is None else event),
            event=event,
            problem=problem,
            row=f"[{', '.join(self._database.shown(value) for value in row.cursor)}]",
            repeat_key=identity.hexdigest() if self._source.remembers else "",
        )
        return _Row(row.cursor, received)

    def _total(self, rows: RowRange) -> int | None:
        """About how many rows the run has: as many as when it began, if it is continued."""
        is_continued = self._start.last is not None
        return (
            self._start.rows if is_continued else self.ask(lambda database: database.estimate(self.keyset, rows))
        )

    def _known(self) -> QueryCursor:
        columns = tuple(column.name for column in self.keyset.cursor)
        relation = self._settings.relation_digest
        known = read_query_cursor(self._source.start.cursor)
        if known and not known.is_for(relation, columns):
            raise self._failed("table, query or cursor have changed since the last run: --restart reads all rows")
        return known or QueryCursor(relation=relation, columns=columns)

    def _cursor_columns(self) -> tuple[TableColumn, ...]:
        """Raises `SourceFailed`."""
        twice = {name for name in self._names if self._names.count(name) > 1}
        if twice:
            raise self._failed(f"two columns of the query are named {min(twice)}: rename one with AS")
        try:
            self._settings.check_clock(self._names)
        except SourceFailed as error:
            raise self._failed(error) from None
        relation = self._settings.relation
        chosen = self._settings.cursor or self.ask(lambda database: database.primary_key(relation))
        if not chosen:
            raise self._failed(
                f"{relation.shown} has no primary key: write its cursor, such as cursor: [updated_at, id]"
            )
        by_name = {column.name: column for column in self.columns}
        if missing := [name for name in chosen if name not in by_name]:
            raise self._failed(
                f"{relation.shown} has no column {missing[0]} for the cursor; it has {', '.join(self._names)}"
            )
        return tuple(by_name[name] for name in chosen)

    def _note_what_is_not_read(self, rows: RowRange | None) -> None:
        names = [column.name for column in self.keyset.cursor]
        self._notes.unread(self.ask(lambda database: database.unread(self.keyset)), names)
        if rows and self.ask(lambda database: database.sorts(self.keyset, rows)):
            self._notes.no_index(self._settings.relation.shown, names)

    def _ambiguous(self, cursor: CursorValues) -> str:
        names = ", ".join(column.name for column in self.keyset.cursor)
        shown = ", ".join(self._database.shown(value) for value in cursor)
        return (
            f"two rows have the same {names}: {shown}; rows could be missed:"
            " add a column to the cursor that makes it unique"
        )

    def _failed(self, why: object) -> SourceFailed:
        return SourceFailed(f"{self._source.name}: {why}")


def _placed(row: _Row, number: int, line: int, at: QueryCursor) -> Received:
    return row.received._replace(number=number, line=line, end=line, cursor=replace(at, after=row.cursor).text)
