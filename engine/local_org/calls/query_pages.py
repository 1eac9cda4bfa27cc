"""The pages of queries, and the cursors by which clients fetch the next ones."""

from collections.abc import Sequence
from dataclasses import dataclass

from sfmap.engine.local_org.calls.http_requests import sent_number
from sfmap.engine.local_org.calls.sessions import USER_ID, ApiSession
from sfmap.engine.local_org.faults.org_faults import Fault
from sfmap.engine.local_org.records.ids import new_id
from sfmap.engine.local_org.records.object_schema import Schema
from sfmap.engine.local_org.records.store import Store
from sfmap.engine.local_org.soql.query_runs import FoundRows, Row, run_query
from sfmap.engine.local_org.soql.soql_compiler import compile_query

_SMALLEST, _LARGEST = 200, 2_000
_MOST_CURSORS = 10
_MOST_WITH_CHILDREN = 1_000
"""Cursors of child queries; a page may open one for each of its records."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPage:
    found: FoundRows
    rows: Sequence[Row]
    further: str
    """The locator of the next page; empty after the last."""


def found_by(text: str, schema: Schema, store: Store, *, with_deleted: bool) -> FoundRows:
    """What the query of a client finds. Raises `Fault`."""
    return run_query(compile_query(text, schema, with_deleted, USER_ID), store)


def page_size(asked: str) -> int:
    """The number of records of a page, from what the client asked for."""
    number = sent_number(asked)
    return _LARGEST if number is None else min(max(number, _SMALLEST), _LARGEST)


def first_page(session: ApiSession, found: FoundRows, size: int, *, is_child: bool = False) -> FoundPage:
    """The first page; opens a cursor if there are more, and closes the oldest if there are too many."""
    if found.query.is_count or len(found.rows) <= size:
        return FoundPage(found=found, rows=[] if found.query.is_count else found.rows, further="")
    session.opened += 1
    locator = new_id("01g", session.opened)
    while len(session.cursors) >= (_MOST_WITH_CHILDREN if is_child else _MOST_CURSORS):
        del session.cursors[next(iter(session.cursors))]
    session.cursors[locator] = found
    return _page(session, locator, 0, size)


def next_page(session: ApiSession, locator: str, size: int) -> FoundPage:
    """The page of a locator. Raises `Fault` if its cursor is not open, or no longer."""
    name, _, place = locator.rpartition("-")
    start = sent_number(place)
    if name not in session.cursors or start is None:
        raise Fault("INVALID_QUERY_LOCATOR", "invalid query locator", "InvalidQueryLocatorFault")
    return _page(session, name, start, size)


def _page(session: ApiSession, locator: str, start: int, size: int) -> FoundPage:
    """A page from that row on; closes the cursor after the last."""
    found, end = session.cursors[locator], start + size
    is_last = end >= len(found.rows)
    if is_last:
        del session.cursors[locator]
    return FoundPage(found=found, rows=found.rows[start:end], further="" if is_last else f"{locator}-{end}")
