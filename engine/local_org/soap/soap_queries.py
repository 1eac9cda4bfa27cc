"""Queries and retrieves records over SOAP."""

import re
from collections.abc import Sequence

from sfmap.engine.local_org.calls.query_pages import FoundPage, first_page, found_by, next_page, page_size
from sfmap.engine.local_org.calls.searches import search
from sfmap.engine.local_org.faults.org_faults import no_such_field, unexpected
from sfmap.engine.local_org.records.ids import full_id
from sfmap.engine.local_org.records.store import Stored
from sfmap.engine.local_org.soap.envelope import element
from sfmap.engine.local_org.soap.soap_call import SoapCall
from sfmap.engine.local_org.soql.query_runs import FoundRows, Row
from sfmap.engine.local_org.soql.row_layout import ChildrenCell, CompoundCell, ParentCell, RowCell, ValueCell

_MOST_RETRIEVED = 2_000
_NAME = re.compile(r"\w+(\.\w+)*", re.ASCII)
_ID = "Id"


def query(call: SoapCall) -> str:
    return _first_page(call, with_deleted=False)


def query_all(call: SoapCall) -> str:
    return _first_page(call, with_deleted=True)


def query_more(call: SoapCall) -> str:
    page = next_page(call.session, call.request.text("queryLocator"), _page_size(call))
    return f"<result>{_members_of(call, page)}</result>"


def retrieve(call: SoapCall) -> str:
    """The records in the order of the ids; nil for those that do not exist."""
    target = call.object(call.request.text("sObjectType"))
    ids = [full_id(text.strip()) or "" for text in call.request.texts("ids")]
    if len(ids) > _MOST_RETRIEVED:
        raise unexpected("EXCEEDED_ID_LIMIT", f"cannot retrieve more than {_MOST_RETRIEVED} records")
    names = dict.fromkeys(name.strip() for name in call.request.text("fieldList").split(","))
    if wrong := next((name for name in names if not _NAME.fullmatch(name)), None):
        raise no_such_field(wrong, target.name)
    among = ", ".join(f"'{record_id}'" for record_id in ids) or "''"
    soql = f"SELECT {', '.join(names)} FROM {target.name} WHERE {_ID} IN ({among})"  # noqa: S608
    found = found_by(soql, call.schema, call.store, with_deleted=False)
    records = {row[found.query.id_position]: _record(call, found, row, "result") for row in found.rows}
    results = [records.get(record_id, '<result xsi:nil="true"/>') for record_id in ids]
    return "".join(call.injected.results(results) if call.injected else results)


def search_records(call: SoapCall) -> str:
    found = search(call.request.text("searchString"), call.schema, call.store)
    records = (f"<searchRecords>{_record(call, rows, row, 'record')}</searchRecords>" for rows, row in found)
    return f"<result><queryId></queryId>{''.join(records)}</result>"


def _first_page(call: SoapCall, *, with_deleted: bool) -> str:
    text = call.request.text("queryString")
    found = found_by(text, call.schema, call.store, with_deleted=with_deleted)
    page = first_page(call.session, found, _page_size(call))
    return f"<result>{_members_of(call, page)}</result>"


def _page_size(call: SoapCall) -> int:
    return page_size(call.request.header("QueryOptions", "batchSize"))


def _members_of(call: SoapCall, page: FoundPage) -> str:
    """The members of a query's result."""
    records = "".join(_record(call, page.found, row, "records") for row in page.rows)
    further = element("queryLocator", page.further or None)
    return f"{element('done', not page.further)}{further}{records}<size>{page.found.total}</size>"


def _record(call: SoapCall, found: FoundRows, row: Row, name: str) -> str:
    query = found.query
    kind = "AggregateResult" if query.has_groups else query.target.name
    record_id = _selected_id(row, query.cells)
    # A real org sends a selected id twice: on its own and as a field.
    head = f"<sf:type>{kind}</sf:type>{element('sf:Id', record_id)}"
    again = element("sf:Id", record_id) if record_id is not None else ""
    return f'<{name} xsi:type="sf:sObject">{head}{again}{_cells(call, found, row, query.cells)}</{name}>'


def _cells(call: SoapCall, found: FoundRows, row: Row, cells: Sequence[RowCell]) -> str:
    """All but the id."""
    return "".join(_cell(call, found, row, cell) for cell in cells if cell.name != _ID)


def _selected_id(row: Row, cells: Sequence[RowCell]) -> Stored:
    return next((row[cell.position] for cell in cells if isinstance(cell, ValueCell) and cell.name == _ID), None)


def _cell(call: SoapCall, found: FoundRows, row: Row, cell: RowCell) -> str:
    match cell:
        case ValueCell():
            return element(f"sf:{cell.name}", cell.column.response(row[cell.position]))
        case CompoundCell():
            values = [(part.name, part.column.response(row[part.position])) for part in cell.parts]
            if all(value is None for _, value in values):
                return element(f"sf:{cell.name}", None)
            parts = "".join(element(name, value) for name, value in values)
            return f'<sf:{cell.name} xsi:type="{cell.kind}">{parts}</sf:{cell.name}>'
        case ParentCell():
            kind = next((kind for kind in cell.kinds if row[kind.id_position] is not None), None)
            if kind is None:
                return element(f"sf:{cell.name}", None)
            head = f"<sf:type>{kind.shown}</sf:type>{element('sf:Id', _selected_id(row, kind.cells))}"
            members = f"{head}{_cells(call, found, row, kind.cells)}"
            return f'<sf:{cell.name} xsi:type="sf:sObject">{members}</sf:{cell.name}>'
        case ChildrenCell():
            children = found.children_of(row, cell.number)
            if not children.rows:
                return element(f"sf:{cell.name}", None)
            page = first_page(call.session, children, _page_size(call), is_child=True)
            return f'<sf:{cell.name} xsi:type="QueryResult">{_members_of(call, page)}</sf:{cell.name}>'
