"""Queries and retrieves records over SOAP."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from sfmap.engine.local_org.calls.sessions import Cursor
from sfmap.engine.local_org.faults.org_faults import Fault, unexpected
from sfmap.engine.local_org.records.ids import full_id, new_id
from sfmap.engine.local_org.records.store import Stored, response_value
from sfmap.engine.local_org.soap.envelope import element
from sfmap.engine.local_org.soap.soap_call import SoapCall
from sfmap.engine.local_org.soql.soql_compiler import CompiledQuery, compile_query

_MOST_RETRIEVED = 2_000
_SMALLEST_PAGE, _LARGEST_PAGE = 200, 2_000
_NUMBER = re.compile("[0-9]{1,9}")
_ID = ("Id",)


def query(call: SoapCall) -> str:
    return _first_page(call, with_deleted=False)


def query_all(call: SoapCall) -> str:
    return _first_page(call, with_deleted=True)


def query_more(call: SoapCall) -> str:
    locator, _, start = call.request.text("queryLocator").rpartition("-")
    if locator not in call.session.cursors or not _NUMBER.fullmatch(start):
        raise Fault("INVALID_QUERY_LOCATOR", "invalid query locator", "InvalidQueryLocatorFault")
    return _page(call, call.session.cursors[locator], int(start), locator)


def retrieve(call: SoapCall) -> str:
    """The records in the order of the ids; nil for those that do not exist."""
    target = call.object(call.request.text("sObjectType"))
    ids = [full_id(text.strip()) or text for text in call.request.texts("ids")]
    if len(ids) > _MOST_RETRIEVED:
        raise unexpected("EXCEEDED_ID_LIMIT", f"cannot retrieve more than {_MOST_RETRIEVED} records")
    names = [name.strip() for name in call.request.text("fieldList").split(",")]
    compiled = compile_query(f"SELECT {', '.join(names)} FROM {target.name}", call.schema)  # noqa: S608
    rows = []
    for record_id in ids:
        found = call.store.get(target, record_id)
        if found is None or found["IsDeleted"]:
            rows.append('<result xsi:nil="true"/>')
        else:
            rows.append(_row(compiled, [found[column.field.name] for column in compiled.columns], "result"))
    return "".join(rows)


def _first_page(call: SoapCall, *, with_deleted: bool) -> str:
    compiled = compile_query(call.request.text("queryString"), call.schema, with_deleted)
    rows = call.store.select(compiled.statement, compiled.parameters)
    if compiled.is_count:
        return f"<result><done>true</done>{element('queryLocator', None)}<size>{rows[0][0]}</size></result>"
    return _page(call, Cursor(compiled, rows), 0)


def _page(call: SoapCall, cursor: Cursor, start: int, locator: str = "") -> str:
    """A page from that row on; opens the cursor if there are more, and closes it after the last."""
    cursors, rows = call.session.cursors, cursor.rows
    end = start + _page_size(call)
    is_last = end >= len(rows)
    if not is_last and not locator:
        locator = new_id("01g", len(cursors) + 1)
        cursors[locator] = cursor
    if is_last:
        cursors.pop(locator, None)
    records = "".join(_row(cursor.query, row) for row in rows[start:end])
    further = element("queryLocator", None if is_last else f"{locator}-{end}")
    return f"<result>{element('done', is_last)}{further}{records}<size>{len(rows)}</size></result>"


def _page_size(call: SoapCall) -> int:
    asked = call.request.header("QueryOptions", "batchSize")
    return min(max(int(asked), _SMALLEST_PAGE), _LARGEST_PAGE) if _NUMBER.fullmatch(asked) else _LARGEST_PAGE


def _row(query: CompiledQuery, row: Sequence[Stored], name: str = "records") -> str:
    cells = [
        _Cell(column.path, column.owners, response_value(column.field, value))
        for column, value in zip(query.columns, row, strict=True)
    ]
    record_id = next((cell.value for cell in cells if cell.path == _ID), None)
    # A real org sends a selected id twice: on its own and as a field.
    again = element("sf:Id", record_id) if record_id is not None else ""
    kind = "AggregateResult" if query.has_groups else query.target.name
    head = f"<sf:type>{kind}</sf:type>{element('sf:Id', record_id)}"
    rest = _cells([cell for cell in cells if cell.path != _ID])
    return f'<{name} xsi:type="sf:sObject">{head}{again}{rest}</{name}>'


class _Cell(NamedTuple):
    path: tuple[str, ...]
    owners: tuple[str, ...]
    """The objects on the path."""
    value: Stored | bool

    def below(self) -> "_Cell":
        """As seen from the first parent of the path."""
        return _Cell(self.path[1:], self.owners[1:], self.value)


def _cells(cells: Sequence[_Cell]) -> str:
    """The values in order; those of one parent together, at the position of the first."""
    parts: list[str] = []
    done: set[str] = set()
    for cell in cells:
        name = cell.path[0]
        if len(cell.path) == 1:
            parts.append(element(f"sf:{name}", cell.value))
        elif name not in done:
            done.add(name)
            inner = [one.below() for one in cells if len(one.path) > 1 and one.path[0] == name]
            parts.append(_parent(name, cell.owners[0], inner))
    return "".join(parts)


def _parent(name: str, kind: str, cells: Sequence[_Cell]) -> str:
    if all(cell.value is None for cell in cells):
        return element(f"sf:{name}", None)
    record_id = next((cell.value for cell in cells if cell.path == _ID), None)
    rest = _cells([cell for cell in cells if cell.path != _ID])
    head = f"<sf:type>{kind}</sf:type>{element('sf:Id', record_id)}"
    return f'<sf:{name} xsi:type="sf:sObject">{head}{rest}</sf:{name}>'
