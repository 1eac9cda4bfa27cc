"""The harness finds what is wrong with a page: barriers, errors of scripts, and pages that are too wide."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from .browsers import BOTH_AT_LENGTH, Browser, browse

GOOD = (
    "<!doctype html><html lang=en><title>Shop</title>"
    "<style>:root{color-scheme:light dark}button{height:30px}</style>"
    "<main><h1>Shop</h1><button>Buy</button> <button>Sell</button></main>"
)
PAGES = {
    "/": GOOD,
    "/barrier": GOOD.replace("<button>Buy", "<button style='background:#fff;color:#ddd'>Buy"),
    "/wide": GOOD.replace("<h1>", "<div style='width:2000px'>wide</div><h1>"),
    "/error": GOOD.replace("</main>", "</main><script>missing.call()</script>"),
}


class Shop(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = PAGES.get(self.path, "").encode()
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def shop() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.mark.parametrize("browser", BOTH_AT_LENGTH)
def test_a_good_page_has_nothing_wrong_and_is_walked_by_tab(shop: str, browser: Browser) -> None:
    found = browse("harness_trial.mjs", f"{shop}/", browser)
    assert found["wrong"] == {}
    assert [(stop["role"], stop["name"]) for stop in found["stops"]] == [("button", "Buy"), ("button", "Sell")]
    assert all(stop["isOutlined"] and stop["isInSight"] for stop in found["stops"])


def test_barriers_are_found_in_each_state(shop: str) -> None:
    wrong = browse("harness_trial.mjs", f"{shop}/barrier")["wrong"]
    assert list(wrong) == [
        f"start {width} {scheme}" for width in (390, 1280, 1440) for scheme in ("light", "dark")
    ]
    assert all("color-contrast" in broken[0] for broken in wrong.values())


def test_a_page_wider_than_its_window_is_found(shop: str) -> None:
    assert "2008" in str(browse("harness_trial.mjs", f"{shop}/wide")["wrong"]["start 1440 light"])


def test_an_error_of_a_script_fails_the_test(shop: str) -> None:
    with pytest.raises(AssertionError, match="missing"):
        browse("harness_trial.mjs", f"{shop}/error")
