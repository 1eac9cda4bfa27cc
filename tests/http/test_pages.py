"""The files that pages share: served with their types and a tag, and nothing else of the package."""

import asyncio
from importlib.resources import files

import pytest
from starlette.applications import Starlette

from sfmap.engine.http.pages import LOOK, Link, static, templates

APP = Starlette(routes=[static("look", LOOK)])


def get(path: str, headers: dict[str, str] | None = None) -> tuple[int, dict[str, str], bytes]:
    """The app's answer, through its real interface."""
    sent: list[dict[str, object]] = []
    raw = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": raw}

    async def receive() -> dict[str, object]:
        return {"type": "http.request"}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    asyncio.run(APP(scope, receive, send))  # type: ignore[arg-type]
    found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}  # type: ignore[attr-defined]
    return int(str(sent[0]["status"])), found, b"".join(bytes(one.get("body", b"")) for one in sent[1:])  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("tokens.css", "text/css; charset=utf-8"),
        ("base.css", "text/css; charset=utf-8"),
        ("live.js", "text/javascript; charset=utf-8"),
        ("table.js", "text/javascript; charset=utf-8"),
        ("keys.js", "text/javascript; charset=utf-8"),
        ("toast.js", "text/javascript; charset=utf-8"),
    ],
)
def test_a_file_has_its_type_and_isolates_itself(name: str, media_type: str) -> None:
    status, headers, body = get(f"/static/look/{name}")
    assert status == 200
    assert headers["content-type"] == media_type
    assert headers["x-content-type-options"] == "nosniff"
    assert body == (files("sfmap.engine.http.look") / name).read_bytes()


def test_a_file_that_the_browser_has_is_not_sent_again() -> None:
    _, headers, _ = get("/static/look/base.css")
    status, _, body = get("/static/look/base.css", {"if-none-match": headers["etag"]})
    assert (status, body) == (304, b"")


@pytest.mark.parametrize("name", ["__init__.py", "frame.html", "..", "%2e%2e", "nothing.css", "../pages.py"])
def test_nothing_else_is_served(name: str) -> None:
    assert get(f"/static/look/{name}")[0] == 404


def test_every_page_has_the_frame() -> None:
    frame = templates("sfmap.engine.http.look").get_template("look/frame.html")
    page = frame.render(links=[Link("Operations", "/", is_current=True), Link("<Org>", "http://localhost:1/")])
    assert '<a href="/" aria-current="page">Operations</a>' in page
    assert "&lt;Org&gt;" in page
