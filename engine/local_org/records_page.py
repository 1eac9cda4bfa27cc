"""A page that shows the local org's objects, records and API calls."""

from collections.abc import Callable
from typing import Any

from jinja2 import Environment, PackageLoader
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from sfmap.engine.http.pages import LOOK, SAFE, static, style_sheet
from sfmap.engine.local_org.api_calls import ApiCalls
from sfmap.engine.local_org.object_schema import ObjectSchema
from sfmap.engine.local_org.rest_call import base_url
from sfmap.engine.local_org.store import Store

_PAGE = 50
_LEADING = ("Id", "Name")
_TRAILING = ("LastModifiedDate",)
_MOST_COLUMNS = 8

Context = dict[str, Any]


class RecordsPage:
    """Renders the contents of the store, read-only."""

    def __init__(self, calls: ApiCalls) -> None:
        self._api = calls
        loader = PackageLoader("sfmap.engine.local_org.pages", ".")
        self._templates = Environment(loader=loader, autoescape=True, trim_blocks=True)

    def routes(self) -> list[Route]:
        return [
            Route("/", self._shown("objects.html", self._objects)),
            Route("/objects/{object}", self._shown("records.html", self._records)),
            Route("/objects/{object}/{id}", self._shown("record.html", self._record)),
            Route("/calls", self._shown("calls.html", self._calls)),
            Route("/style.css", style_sheet),
            static("look", LOOK),
        ]

    def _shown(self, template: str, look: Callable[[Store, Request], Context | None]) -> Callable[[Request], Any]:
        def render(request: Request) -> Response:
            with self._api.look() as store:
                context = look(store, request)
                common = {
                    "used": store.calls_today(),
                    "limit": self._api.daily_limit,
                    "url": base_url(request),
                }
            if context is None:
                return PlainTextResponse("There is no such object or record here.\n", 404, SAFE)
            return HTMLResponse(self._templates.get_template(template).render(common | context), headers=SAFE)

        async def answer(request: Request) -> Response:
            return await run_in_threadpool(render, request)

        return answer

    def _objects(self, store: Store, request: Request) -> Context:
        known = [
            {"name": target.name, "records": store.count(target), "fields": len(target.fields)}
            for target in self._api.schema.objects.values()
        ]
        return {"objects": known}

    def _records(self, store: Store, request: Request) -> Context | None:
        target = self._api.schema.object(request.path_params["object"])
        if target is None:
            return None
        asked = request.query_params
        start = int(asked["start"]) if asked.get("start", "").isdecimal() else 0
        descending = asked.get("desc") == "1"
        total, records = store.records(
            target,
            search=asked.get("q", ""),
            order=asked.get("sort", ""),
            descending=descending,
            most=_PAGE,
            start=min(start, 10**9),
        )
        return {
            "object": target.name,
            "columns": _columns(target, records),
            "records": records,
            "total": total,
            "q": asked.get("q", ""),
            "sort": asked.get("sort", ""),
            "descending": descending,
            "start": start,
            "page": _PAGE,
        }

    def _record(self, store: Store, request: Request) -> Context | None:
        target = self._api.schema.object(request.path_params["object"])
        record = store.get(target, request.path_params["id"]) if target else None
        if target is None or record is None:
            return None
        values = [(field.name, record[field.name]) for field in target.fields.values()]
        return {
            "object": target.name,
            "record": record,
            "filled": [(name, value) for name, value in values if value is not None],
            "empty": [name for name, value in values if value is None],
            "changes": store.changes(str(record["Id"])),
        }

    def _calls(self, store: Store, request: Request) -> Context:
        return {"calls": store.logged()}


def _columns(target: ObjectSchema, records: list[dict[str, Any]]) -> list[str]:
    """The id, the name, the fields that identify records, and then fields with a value on the page."""
    own = [name for name, field in target.fields.items() if field.createable and field.type != "boolean"]
    filled = [name for name in own if any(record[name] is not None for record in records) and name != "OwnerId"]
    finding = [name for name, field in target.fields.items() if field.id_lookup or name in target.index]
    leading = [name for name in dict.fromkeys((*_LEADING, *finding)) if name in target.fields]
    middle = [name for name in filled if name not in leading][:_MOST_COLUMNS]
    return [*leading, *middle, *(name for name in _TRAILING if name in target.fields)]
