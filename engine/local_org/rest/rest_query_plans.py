"""What a query would return, and how it would be run: for clients that ask before they run it."""

from collections.abc import Mapping, Sequence

from starlette.responses import JSONResponse, Response

from sfmap.engine.local_org.calls.query_pages import found_by
from sfmap.engine.local_org.calls.sessions import USER_ID
from sfmap.engine.local_org.records.object_schema import NUMBER_TYPES
from sfmap.engine.local_org.rest.rest_call import RestCall
from sfmap.engine.local_org.rest.rest_list_views import list_view_query
from sfmap.engine.local_org.soql.row_layout import CompoundCell, ParentCell, RowCell, ValueCell
from sfmap.engine.local_org.soql.soql_compiler import CompiledQuery, compile_query

_APEX_TYPES = {
    "id": "Id", "reference": "Id", "boolean": "Boolean", "int": "Integer", "double": "Decimal",
    "currency": "Decimal", "percent": "Decimal", "date": "Date", "datetime": "Datetime", "time": "Time",
}  # fmt: skip
_SCAN_COST = 2.8
"""The cost of reading a whole table, in relation to what the org's optimizer accepts for an index."""


def described_columns(call: RestCall, text: str) -> Response:
    """The columns of a query, as clients that print tables ask for them."""
    query = compile_query(text, call.schema, user_id=USER_ID)
    return JSONResponse(
        {
            "columnMetadata": _columns(query, query.cells),
            "entityName": query.target.name,
            "groupBy": query.has_groups,
            "idSelected": any(column.path == ("Id",) for column in query.columns),
            "keyPrefix": query.target.key_prefix,
        }
    )


def explained(call: RestCall, text: str) -> Response:
    """The plan of a query, or of a list view's: the local org reads all records of the object."""
    text = list_view_query(call.schema, text) or text
    found = found_by(text, call.schema, call.store, with_deleted=False)
    target = found.query.target
    plan = {
        "cardinality": found.total,
        "fields": [],
        "leadingOperationType": "TableScan",
        "notes": [],
        "relativeCost": _SCAN_COST,
        "sobjectCardinality": call.store.count(target),
        "sobjectType": target.name,
    }
    return JSONResponse({"plans": [plan], "sourceQuery": text})


def _columns(query: CompiledQuery, cells: Sequence[RowCell]) -> list[Mapping[str, object]]:
    return [_column(query, cell) for cell in cells]


def _column(query: CompiledQuery, cell: RowCell) -> Mapping[str, object]:
    if isinstance(cell, ValueCell):
        return _value(query, cell)
    if isinstance(cell, CompoundCell):
        return _described(cell.name, cell.kind.capitalize())
    if isinstance(cell, ParentCell):
        return _described(cell.name, "SObject", joined=_columns(query, cell.kinds[0].cells))
    child = query.children[cell.number]
    return _described(cell.name, "List<SObject>", is_aggregate=True, joined=_columns(child, child.cells))


def _value(query: CompiledQuery, cell: ValueCell) -> Mapping[str, object]:
    field = cell.column.field
    return {
        **_described(cell.name, _APEX_TYPES.get(field.type, "String"), is_aggregate=cell.column.is_aggregate),
        "booleanType": field.type == "boolean",
        "custom": field.custom,
        "insertable": field.createable and not query.has_groups,
        "numberType": field.type in NUMBER_TYPES,
        "textType": field.type not in _APEX_TYPES,
        "updatable": field.updateable and not query.has_groups,
    }


def _described(
    name: str, apex_type: str, *, is_aggregate: bool = False, joined: Sequence[Mapping[str, object]] = ()
) -> dict[str, object]:
    return {
        "aggregate": is_aggregate,
        "apexType": apex_type,
        "booleanType": False,
        "columnName": name,
        "custom": False,
        "displayName": name,
        "foreignKeyName": None,
        "insertable": False,
        "joinColumns": joined,
        "numberType": False,
        "textType": False,
        "updatable": False,
    }
