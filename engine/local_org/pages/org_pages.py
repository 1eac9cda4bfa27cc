"""The pages of the local org in a browser: records, API calls, faults, and how a client connects."""

import hmac
import secrets
from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from sfmap.engine.http.bodies import UnreadableBody, read_body
from sfmap.engine.http.pages import LOOK, SAFE, Link, static, templates
from sfmap.engine.local_org.calls import credentials
from sfmap.engine.local_org.calls.api_calls import ApiCalls
from sfmap.engine.local_org.calls.http_requests import base_url
from sfmap.engine.local_org.faults.faults_endpoint import FaultsEndpoint
from sfmap.engine.local_org.pages.call_pages import calls_context
from sfmap.engine.local_org.pages.fault_switches import switch, switches
from sfmap.engine.local_org.pages.job_pages import jobs_context
from sfmap.engine.local_org.pages.record_pages import csv_lines, record_context, record_json, records_context
from sfmap.engine.local_org.records.store import Store

_PAGES = "sfmap.engine.local_org.pages"
_LARGEST_FORM = 4 * 1024
_NOTHING = "There is no such object, record or call here.\n"

Context = dict[str, Any]
Look = Callable[[Store, Request], Context | None]


class OrgPages:
    """Renders what the store holds; only the faults can be changed here."""

    def __init__(self, calls: ApiCalls, faults: FaultsEndpoint) -> None:
        self._api = calls
        self._faults = faults
        self._templates = templates(_PAGES)
        self._templates.filters["combined"] = _combined
        self._token = secrets.token_urlsafe()
        """Included in the page's own forms, so that no other page can submit them."""

    def routes(self) -> list[Route]:
        return [
            Route("/", self._shown("overview.html", lambda _, __: {"title": "Objects"})),
            Route("/objects/{object}", self._shown("records.html", self._records)),
            Route("/objects/{object}/{id}", self._shown("record.html", self._record)),
            Route("/csv/{object}", self._looked(self._csv)),
            Route("/json/{object}/{id}", self._looked(self._json)),
            Route("/calls", self._shown("calls.html", self._calls)),
            Route("/calls/{number:int}", self._shown("calls.html", self._calls)),
            Route("/jobs", self._shown("jobs.html", lambda store, _: jobs_context(store))),
            Route("/faults/switches", self._shown("faults.html", self._switches), methods=["GET"]),
            Route("/faults/switches", self._switch, methods=["POST"]),
            Route("/connect", self._shown("connect.html", self._connect)),
            static("look", LOOK),
            static("org", files(_PAGES)),
        ]

    def _looked(self, look: Callable[[Store, Request], Response | None]) -> Callable[[Request], Any]:
        def answered(request: Request) -> Response:
            with self._api.look() as store:
                return look(store, request) or PlainTextResponse(_NOTHING, 404, SAFE)

        async def answer(request: Request) -> Response:
            return await run_in_threadpool(answered, request)

        return answer

    def _shown(self, template: str, look: Look) -> Callable[[Request], Any]:
        def page(store: Store, request: Request) -> Response | None:
            context = look(store, request)
            if context is None:
                return None
            common = self._common(store, request)
            return HTMLResponse(self._templates.get_template(template).render(common | context), headers=SAFE)

        return self._looked(page)

    def _common(self, store: Store, request: Request) -> Context:
        """What the header and the side bar of every page show."""
        known = [
            {"name": one.name, "label": one.label, "records": store.count(one), "fields": len(one.fields)}
            for one in sorted(self._api.schema.objects.values(), key=lambda one: one.name)
        ]
        return {
            "links": [Link("Local org", "/", is_current=True)],
            "used": store.calls_today(),
            "limit": self._api.daily_limit,
            "filled": [one for one in known if one["records"]],
            "empty": [one for one in known if not one["records"]],
            "current": request.path_params.get("object", ""),
            "path": request.url.path,
            "calls_kept": store.calls_logged(),
            "faults_on": sum(bool(one["is_on"]) for one in switches(self._faults.plan)),
        }

    def _records(self, store: Store, request: Request) -> Context | None:
        target = self._api.schema.object(request.path_params["object"])
        return records_context(store, target, request.query_params) if target else None

    def _record(self, store: Store, request: Request) -> Context | None:
        target = self._api.schema.object(request.path_params["object"])
        return record_context(store, self._api.schema, target, request.path_params["id"]) if target else None

    def _calls(self, store: Store, request: Request) -> Context | None:
        return calls_context(store, self._api.schema, request)

    def _csv(self, store: Store, request: Request) -> Response | None:
        target = self._api.schema.object(request.path_params["object"])
        if target is None:
            return None
        text = "".join(csv_lines(store, target, request.query_params))
        named = {**SAFE, "Content-Disposition": f'attachment; filename="{target.name}.csv"'}
        return Response(text, headers=named, media_type="text/csv")

    def _json(self, store: Store, request: Request) -> Response | None:
        target = self._api.schema.object(request.path_params["object"])
        found = record_json(store, target, request.path_params["id"]) if target else None
        return JSONResponse(found, headers=SAFE) if found else None

    def _switches(self, _store: Store, _request: Request) -> Context:
        return {"title": "Faults", "switches": switches(self._faults.plan), "token": self._token}

    async def _switch(self, request: Request) -> Response:
        try:
            form = dict(parse_qsl((await read_body(request, _LARGEST_FORM)).decode("utf-8", "replace")))
        except (UnreadableBody, ClientDisconnect):
            return PlainTextResponse("The form cannot be read.\n", 400, SAFE)
        if not hmac.compare_digest(form.get("token", "").encode(), self._token.encode()):
            return PlainTextResponse("This form has expired; load the page again.\n", 403, SAFE)
        if not switch(self._faults.plan, form.get("fault", ""), on=form.get("on") == "1"):
            return PlainTextResponse("There is no such fault.\n", 404, SAFE)
        return RedirectResponse("/faults/switches", 303, SAFE)

    def _connect(self, _store: Store, request: Request) -> Context:
        return {"title": "Connect a client", "url": base_url(request), "known": list(_known())}


def _combined(query: dict[str, str], more: dict[str, object]) -> dict[str, object]:
    """The parameters of an address with others; empty ones are left out."""
    return {key: value for key, value in {**query, **more}.items() if value not in ("", None)}


def _known() -> Iterator[tuple[str, str]]:
    """What a client signs in with, none of which is secret."""
    yield "User name", credentials.USERNAME
    yield "Password", credentials.PASSWORD
    yield "Security token", credentials.SECURITY_TOKEN
    yield "Client id", credentials.CLIENT_ID
    yield "Client secret", credentials.CLIENT_SECRET
