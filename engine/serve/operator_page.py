"""The operator's pages: what came and what became of it, what failed and why, and what an event would become."""

import time
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any

from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from sfmap.engine.http.live_stream import LiveStream
from sfmap.engine.http.pages import LOOK, SAFE, Link, static, templates
from sfmap.engine.inspect.explanation import as_text, explain
from sfmap.engine.inspect.formats import json_line
from sfmap.engine.journal.database import JournalFailed
from sfmap.engine.mapping.values.record import Event
from sfmap.engine.serve.delivery_requests import ALL
from sfmap.engine.serve.operations import Operations
from sfmap.engine.serve.page_guard import PageGuard
from sfmap.engine.serve.page_query import PageQuery
from sfmap.engine.sources.reading import NotJson, read_json

_PAGES = "sfmap.engine.serve.pages"
_MOST_TRIED = 20
_SAMPLE = """\
{"type": "identify", "userId": "ann", "traits": {"email": "ann@example.com", "name": "Ann Lee"},
 "integrations": {"Salesforce": true}}"""
_LINKS = (("Operations", "/"), ("Counts", "/counts"), ("Try an event", "/try"))

Context = dict[str, Any]


class OperatorPage:
    """The pages of one service; they make changes through `Operations` only."""

    def __init__(self, operations: Operations, host: str) -> None:
        self._operations = operations
        self._guard = PageGuard(host)
        self._stream = LiveStream(operations.versions)
        self._templates = templates(_PAGES)

    def routes(self) -> list[Route]:
        page, form = self._guard.page, self._guard.form
        return [
            Route("/", page(self._home), methods=["GET"]),
            Route("/counts", page(self._counts), methods=["GET"]),
            Route("/try", page(lambda _: self._try("")), methods=["GET"]),
            Route("/try", form(lambda asked: self._try(asked.get("event", ""))), methods=["POST"]),
            Route("/retry", form(self._changing(self._retry)), methods=["POST"]),
            Route("/discard", form(self._changing(self._discard)), methods=["POST"]),
            Route("/undo", form(self._changing(self._undo)), methods=["POST"]),
            Route("/stream", self._guard.stream(self._stream.answer), methods=["GET"]),
            static("look", LOOK),
            static("operations", files(_PAGES)),
        ]

    def _home(self, asked: Mapping[str, str]) -> Response:
        undo = asked.get("undo", "")
        said = {"said": asked.get("said", "")[:200], "undo": int(undo) if _is_number(undo) else 0}
        return self._shown("operations.html", "/", {**self._operations.page(PageQuery.read(asked)), **said})

    def _counts(self, _asked: Mapping[str, str]) -> Response:
        return self._shown("counts.html", "/counts", self._operations.counts())

    def _try(self, given: str) -> Response:
        context: Context = {"given": given or _SAMPLE, "problem": "", "told": [], "lines": []}
        if given:
            try:
                events = _events(given)
            except NotJson as error:
                return self._shown("try.html", "/try", {**context, "problem": str(error)})
            mapper = self._operations.mapper
            context["told"] = [as_text(place, one) for place, event in events for one in explain(mapper, event)]
            context["lines"] = [
                json_line(place, one).decode() for place, event in events for one in mapper.map(event)
            ]
        return self._shown("try.html", "/try", context)

    def _changing(self, act: Callable[[Mapping[str, str]], str]) -> Callable[[Mapping[str, str]], Response]:
        """Does what a form asks for, and returns to the page that it was on."""

        def answer(form: Mapping[str, str]) -> Response:
            try:
                more = act(form)
            except JournalFailed as error:
                return PlainTextResponse(f"{error}\n", 503, SAFE)
            back = form.get("back", "")
            place = back if back.startswith("/?") else "/?"
            return RedirectResponse(f"{place}{more}" if more else place.rstrip("?"), 303, SAFE)

        return answer

    def _retry(self, form: Mapping[str, str]) -> str:
        number, group = form.get("number", ""), form.get("group", "")
        if group:
            self._operations.retry_group(group)
        elif _is_number(number):
            self._operations.retry(int(number) or ALL)
        return ""

    def _discard(self, form: Mapping[str, str]) -> str:
        number = form.get("number", "")
        if _is_number(number) and self._operations.discard(int(number)):
            return f"&undo={number}"
        return ""

    def _undo(self, form: Mapping[str, str]) -> str:
        number = form.get("number", "")
        is_undone = _is_number(number) and self._operations.discards.undo(int(number))
        return "" if is_undone else "&said=too+late"

    def _shown(self, template: str, path: str, context: Context) -> Response:
        page = self._templates.get_template(template)
        links = [Link(text, href, is_current=href == path) for text, href in _LINKS]
        links += [Link(text, href) for text, href in self._operations.other_pages()]
        return HTMLResponse(
            page.render({"token": self._guard.token, "links": links, "now": time.time(), **context}), headers=SAFE
        )


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 18


def _events(given: str) -> list[tuple[int, Event]]:
    """The event, or the first few of a list or a batch, as clients send them. Raises `NotJson`."""
    if not given.strip():
        raise NotJson("nothing to show yet: paste an event")
    said = read_json(given.encode("utf-8", "replace"))
    batch = said.get("batch") if isinstance(said, dict) else None
    events = batch if isinstance(batch, list) else said if isinstance(said, list) else [said]
    found = [(place, event) for place, event in enumerate(events[:_MOST_TRIED], 1) if isinstance(event, dict)]
    if not found:
        raise NotJson("an event is a JSON object")
    return found
