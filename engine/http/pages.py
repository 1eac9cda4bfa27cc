"""What all pages share: a style sheet, and headers that isolate them from other sites."""

from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response

SAFE = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


async def style_sheet(_request: Request) -> Response:
    text = (files("sfmap.engine.http") / "style.css").read_text("utf-8")
    return Response(text, media_type="text/css", headers=SAFE)
