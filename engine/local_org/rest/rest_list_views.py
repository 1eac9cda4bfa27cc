"""The list views of an object over REST: all of its records, and those of the user."""

from dataclasses import dataclass

from starlette.responses import JSONResponse, Response

from sfmap.engine.local_org.calls.http_requests import sent_number
from sfmap.engine.local_org.calls.query_pages import found_by
from sfmap.engine.local_org.calls.sessions import USER_ID
from sfmap.engine.local_org.faults.org_faults import Fault
from sfmap.engine.local_org.records.ids import full_id, new_id
from sfmap.engine.local_org.records.object_schema import ObjectSchema, Schema
from sfmap.engine.local_org.rest.rest_call import RestCall
from sfmap.engine.local_org.rest.rest_router import RestResource
from sfmap.engine.local_org.rest.rest_values import json_value
from sfmap.engine.local_org.soql.row_layout import ValueCell

_VIEWS = "/sobjects/{object}/listviews"
_VIEW = f"{_VIEWS}/{{view}}"
_USUAL, _MOST = 25, 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _ListView:
    id: str
    name: str
    label: str
    target: ObjectSchema
    is_own: bool
    """Whether it lists only the user's records."""

    @property
    def columns(self) -> list[str]:
        shown = (self.target.name_field, "CreatedDate", "LastModifiedDate", "SystemModstamp", "Id")
        return [name for name in shown if name in self.target.fields]

    @property
    def query(self) -> str:
        where = f" WHERE OwnerId = '{USER_ID}'" if self.is_own else ""
        order = " ORDER BY Id ASC NULLS FIRST"
        return f"SELECT {', '.join(self.columns)} FROM {self.target.name}{where}{order}"  # noqa: S608


def list_view_query(schema: Schema, view_id: str) -> str | None:
    """The query of the list view with this id; None if there is none."""
    views = (view for target in schema.objects.values() for view in _all(schema, target))
    return next((view.query for view in views if view.id == full_id(view_id)), None)


def _all(schema: Schema, target: ObjectSchema) -> list[_ListView]:
    number = 2 * list(schema.objects).index(target.name)
    plural = target.plural
    kinds = [("All", False), ("My", True)] if "OwnerId" in target.fields else [("All", False)]
    return [
        _ListView(
            id=new_id("00B", number + place),
            name=f"{prefix}{plural.replace(' ', '')}",
            label=f"{prefix} {plural}",
            target=target,
            is_own=is_own,
        )
        for place, (prefix, is_own) in enumerate(kinds, 1)
    ]


def _named(call: RestCall) -> _ListView:
    """The view that the path names. Raises `Fault`."""
    for view in _all(call.schema, call.target()):
        if call.params["view"] == view.name or full_id(call.params["view"]) == view.id:
            return view
    raise Fault("NOT_FOUND", "The requested resource does not exist", "UnexpectedErrorFault")


def _list(call: RestCall) -> Response:
    views = []
    for view in _all(call.schema, call.target()):
        url = f"{call.root}/sobjects/{view.target.name}/listviews/{view.id}"
        views.append(
            {
                "describeUrl": f"{url}/describe",
                "developerName": view.name,
                "id": view.id,
                "label": view.label,
                "resultsUrl": f"{url}/results",
                "soqlCompatible": True,
                "url": url,
            }
        )
    target = call.target()
    answer = {"done": True, "listviews": views, "nextRecordsUrl": None, "size": len(views)}
    return JSONResponse({**answer, "sobjectType": target.name})


def _columns(view: _ListView) -> list[dict[str, object]]:
    return [
        {
            "ascendingLabel": None,
            "descendingLabel": None,
            "fieldNameOrPath": name,
            "hidden": name != view.target.name_field,
            "label": view.target.fields[name].label,
            "searchable": False,
            "selectListItem": name,
            "sortDirection": "ascending" if name == "Id" else None,
            "sortIndex": 0 if name == "Id" else None,
            "sortable": view.target.fields[name].sortable,
            "type": view.target.fields[name].type,
        }
        for name in view.columns
    ]


def _describe(call: RestCall) -> Response:
    view = _named(call)
    return JSONResponse(
        {
            "columns": _columns(view),
            "id": view.id,
            "orderBy": [{"fieldNameOrPath": "Id", "nullsPosition": "first", "sortDirection": "ascending"}],
            "query": view.query,
            "relatedEntityId": None,
            "scope": None,
            "scopeEntityId": None,
            "sobjectType": view.target.name,
            "whereCondition": None,
        }
    )


def _results(call: RestCall) -> Response:
    view = _named(call)
    asked, skipped = (call.query.get(name, "") for name in ("limit", "offset"))
    start, wanted = sent_number(skipped) or 0, sent_number(asked)
    most = _USUAL if wanted is None else min(wanted, _MOST)
    found = found_by(view.query, call.schema, call.store, with_deleted=False)
    cells = [cell for cell in found.query.cells if isinstance(cell, ValueCell)]
    records = [
        {
            "columns": [
                {"fieldNameOrPath": cell.name, "value": json_value(cell.column.field, row[cell.position])}
                for cell in cells
            ]
        }
        for row in found.rows[start : start + most]
    ]
    return JSONResponse(
        {
            "columns": _columns(view),
            "developerName": view.name,
            "done": True,
            "id": view.id,
            "label": view.label,
            "records": records,
            "size": len(records),
        }
    )


LIST_VIEW_RESOURCES = (
    RestResource(path=_VIEWS, resource=_list, operation="listViews"),
    RestResource(path=f"{_VIEW}/describe", resource=_describe, operation="listViews"),
    RestResource(path=f"{_VIEW}/results", resource=_results, operation="query"),
)
