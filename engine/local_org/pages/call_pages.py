"""What the pages of API calls show: the list, and one call with its request, response and records."""

import json
import shlex
from collections.abc import Sequence
from typing import Any

from lxml import etree
from starlette.requests import Request

from sfmap.engine.local_org.pages.record_pages import link_to
from sfmap.engine.local_org.records.exchanges import KeptExchange
from sfmap.engine.local_org.records.object_schema import Schema
from sfmap.engine.local_org.records.store import LoggedCall, Store

_PARTS = ("request", "response", "records")

Context = dict[str, Any]


def calls_context(store: Store, schema: Schema, request: Request) -> Context | None:
    """The calls, the newest first, and the one of the address."""
    asked = request.query_params
    text, only_faults = asked.get("q", ""), asked.get("faults") == "1"
    number = request.path_params.get("number")
    call = store.logged_call(number) if number else None
    if number and call is None:
        return None
    query = {"q": text, "faults": "1" if only_faults else ""}
    return {
        "title": "API calls" if number is None else f"API call {number}",
        "calls": _found(store.logged(), text, only_faults),
        "query": {key: value for key, value in query.items() if value},
        "opened": _opened(store, schema, number, asked.get("part", "")) if number and call else None,
    }


def _found(logged: Sequence[tuple[int, LoggedCall]], text: str, only_faults: bool) -> list[tuple[int, LoggedCall]]:
    def has(call: LoggedCall) -> bool:
        words = f"{call.operation} {call.object_name} {call.outcome} {call.fault}".casefold()
        return text.casefold() in words and (bool(call.fault) or not only_faults)

    return [(number, call) for number, call in logged if has(call)]


def _opened(store: Store, schema: Schema, number: int, part: str) -> Context:
    call = store.logged_call(number)
    assert call
    exchange = store.exchange(number)
    part = part if part in _PARTS else _PARTS[0]
    body = {"request": exchange.request, "response": exchange.response}.get(part, b"") if exchange else b""
    return {
        "number": number,
        "call": call,
        "exchange": exchange,
        "part": part,
        "parts": _PARTS,
        "body": pretty(body),
        "curl": curl(exchange, call.operation) if exchange else "",
        "records": [(one, verb, link_to(schema, one)) for one, verb in store.changed_by(number)],
        "sizes": f"{_size(exchange.sent)} sent, {_size(exchange.received)} received" if exchange else "",
    }


def pretty(body: bytes) -> str:
    """XML or JSON with line ends and indentation; what was cut is shown as far as it goes."""
    text = body.decode("utf-8", "replace")
    if text.lstrip().startswith(("{", "[")):
        try:
            return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
        except ValueError:
            return text
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_blank_text=True, recover=True
    )
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        return text
    return text if root is None else etree.tostring(root, pretty_print=True, encoding="unicode").strip()


def curl(exchange: KeptExchange, operation: str) -> str:
    """A command that sends the request again, but for its session id; empty for what the org does by itself."""
    if not exchange.url.startswith("http"):
        return ""
    command = ["curl", exchange.url]
    if exchange.request.lstrip().startswith(b"<"):
        command += ["-H", "Content-Type: text/xml", "-H", 'SOAPAction: ""']
    else:
        command += ["-X", operation.removeprefix("REST "), "-H", "Authorization: Bearer ..."]
    if exchange.request:
        kind = "application/json" if exchange.request[:1] in (b"{", b"[") else "text/csv"
        command += ["-H", f"Content-Type: {kind}"] if "-X" in command else []
        command += ["--data-binary", exchange.request.decode("utf-8", "replace")]
    return shlex.join(command)


def _size(count: int) -> str:
    return f"{count} bytes" if count < 1_000 else f"{count / 1_000:.1f} kB"
