"""The WSDL of one version of the partner API."""

import re
from importlib.resources import files
from xml.sax.saxutils import escape

_SINCE = re.compile(r' since="(\d+)"')


def served_wsdl(version: int, address: str) -> str:
    """The WSDL with what that version has, and the address at which it is served."""
    text = (files(__package__) / "partner.wsdl").read_text("utf-8")
    lines = (line for line in text.splitlines(keepends=True) if _first_version(line) <= version)
    return _SINCE.sub("", "".join(lines)).replace("{address}", escape(address, {'"': "&quot;"}))


def _first_version(line: str) -> int:
    found = _SINCE.search(line)
    return int(found[1]) if found else 0
