"""The operator's page: recent events, dead letters, and what an event would become."""

import hmac
import secrets
from collections.abc import Callable
from itertools import islice
from typing import Any
from urllib.parse import parse_qsl

from jinja2 import Environment, PackageLoader
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from sfmap.engine.delivery.outcome import FATES
from sfmap.engine.http.address import is_forwarded, is_loopback
from sfmap.engine.http.bodies import UnreadableBody, read_body
from sfmap.engine.http.pages import LOOK, SAFE, static, style_sheet
from sfmap.engine.inspect.explanation import as_text, explain
from sfmap.engine.inspect.formats import json_line
from sfmap.engine.journal.database import Database, JournalFailed
from sfmap.engine.journal.dead_letter_store import DeadLetterRoom, count_dead_letters, dead_letters
from sfmap.engine.journal.service_nodes import Nodes
from sfmap.engine.journal.spool import Spool
from sfmap.engine.mapping.values.record import Event
from sfmap.engine.serve.background import Background
from sfmap.engine.serve.metrics import Metrics
from sfmap.engine.serve.node_list import node_lines
from sfmap.engine.sources.reading import NotJson, read_json

_SHOWN = 30
_LETTERS_SHOWN = 10
_MOST_TRIED = 20
_LARGEST_FORM = 256 * 1024
_SAMPLE = """\
{"type": "identify", "userId": "ann", "traits": {"email": "ann@example.com", "name": "Ann Lee"},
 "integrations": {"Salesforce": true}}"""

Context = dict[str, Any]


class OperatorPage:
    """The page of one service; it makes changes through `Background` only."""

    def __init__(
        self,
        *,
        spool: Spool,
        letters: DeadLetterRoom,
        journal: Database,
        background: Background,
        metrics: Metrics,
        nodes: Nodes | None,
        host: str,
    ) -> None:
        self._spool = spool
        self._letters = letters
        self._journal = journal
        self._background = background
        self._metrics = metrics
        self._nodes = nodes
        self._names = {"127.0.0.1", "localhost", "::1", host} if is_loopback(host) else set()
        self._token = secrets.token_urlsafe()
        """Included in the page's own forms, so that no other page can submit them."""
        loader = PackageLoader("sfmap.engine.serve.pages", ".")
        self._templates = Environment(loader=loader, autoescape=True, trim_blocks=True)

    def routes(self) -> list[Route]:
        return [
            Route("/", self._guarded(self._home), methods=["GET"]),
            Route("/try", self._guarded(self._try), methods=["GET", "POST"]),
            Route("/retry", self._guarded(self._retry), methods=["POST"]),
            Route("/style.css", style_sheet, methods=["GET"]),
            static("look", LOOK),
        ]

    def _guarded(self, show: Callable[[dict[str, str] | None], Response]) -> Callable[[Request], Any]:
        """Calls the handler with the submitted form, if any, after checking the host name and the token."""

        async def answer(request: Request) -> Response:
            if not self._is_for(request):
                return PlainTextResponse("There is nothing here.\n", 404, SAFE)
            form = None
            if request.method == "POST":
                try:
                    body = await read_body(request, _LARGEST_FORM)
                except UnreadableBody as error:
                    return PlainTextResponse(f"{error}\n", 400, SAFE)
                except ClientDisconnect:
                    return Response(status_code=400)
                form = dict(parse_qsl(body.decode("utf-8", "replace")))
                if not hmac.compare_digest(form.get("token", "").encode(), self._token.encode()):
                    return PlainTextResponse("This form has expired; load the page again.\n", 403, SAFE)
            return await run_in_threadpool(show, form)

        return answer

    def _is_for(self, request: Request) -> bool:
        """Whether the page may be shown: only to requests from this machine, at its own address.

        Requests through a proxy, or by a host name that a web page has pointed at loopback, are refused.
        """
        return not self._names or (request.url.hostname in self._names and not is_forwarded(request.headers))

    def _home(self, _form: dict[str, str] | None) -> Response:
        org = self._background.org
        seen = self._metrics.figures()
        trouble = self._metrics.trouble
        stored: Context = {"letters": [], "letters_count": 0, "nodes": []}
        try:
            stored = self._stored(org.key() if org else "")
        except JournalFailed as error:
            trouble = str(error)
        deliverer = next((node.name for node in stored["nodes"] if node.delivers), "")
        if stored["nodes"] and not deliverer:
            trouble = trouble or "No node delivers at the moment."
        return self._shown(
            "home.html",
            {
                "where": org.where if org else "",
                "fates": [(fate, seen.fates.get(fate, 0)) for fate in FATES],
                "seen": seen,
                "spool": self._spool,
                "held": self._metrics.held(),
                "trouble": trouble,
                "is_delivering": self._metrics.is_delivering,
                "deliverer": deliverer,
                "retries": self._background.requests.retries,
                "usage": self._metrics.usage,
                "recent": [one for one in seen.recent if one.fate != "skipped"][:_SHOWN],
                "full": self._letters.full,
                **stored,
            },
        )

    def _stored(self, org: str) -> Context:
        """What the journal has for the org of that key; empty for none. Raises `JournalFailed`."""
        return {
            "letters": list(islice(dead_letters(self._journal, org), _LETTERS_SHOWN)) if org else [],
            "letters_count": count_dead_letters(self._journal, org) if org else 0,
            "nodes": node_lines(self._nodes, org) if self._nodes else [],
        }

    def _try(self, form: dict[str, str] | None) -> Response:
        given = form.get("event", "") if form else _SAMPLE
        context: Context = {"given": given, "problem": "", "told": [], "lines": []}
        if form:
            try:
                events = _events(given)
            except NotJson as error:
                return self._shown("try.html", {**context, "problem": str(error)})
            mapper = self._background.requests.mapper
            context["told"] = [as_text(place, one) for place, event in events for one in explain(mapper, event)]
            context["lines"] = [
                json_line(place, one).decode() for place, event in events for one in mapper.map(event)
            ]
        return self._shown("try.html", context)

    def _retry(self, form: dict[str, str] | None) -> Response:
        number = (form or {}).get("number", "")
        if number.isdecimal() and len(number) < 18:
            self._background.requests.retry(int(number))
        return RedirectResponse("/", 303, SAFE)

    def _shown(self, template: str, context: Context) -> Response:
        page = self._templates.get_template(template)
        return HTMLResponse(page.render({"token": self._token, **context}), headers=SAFE)


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
