"""Recognizes files that hold no events, and says what to do with them."""

import codecs
import re

from sfmap.engine.sources.formats.beginning import is_zip
from sfmap.engine.sources.formats.compression import packing_of
from sfmap.engine.sources.rows import WrongShape

_UNPACK = "unpack it first"
_PICTURE = "a picture", "name a file of events"
_KINDS: dict[bytes, tuple[str, str]] = {
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": (
        "an old Office document, such as an Excel file (.xls)",
        "save it as CSV UTF-8",
    ),
    b"SQLite format 3\0": ("a SQLite database", "query it as a source with sql:"),
    b"PARE": ("an encrypted Parquet file", "write it without encryption"),
    b"Obj\x01": ("an Avro file", "convert it to Parquet or NDJSON"),
    b"%PDF-": ("a PDF document", "export the data as CSV"),
    b"7z\xbc\xaf\x27\x1c": ("a 7z archive", _UNPACK),
    b"Rar!\x1a\x07": ("a RAR archive", _UNPACK),
    b"\x1f\x9d": ("packed with compress", _UNPACK),
    b"\x04\x22\x4d\x18": ("packed with lz4", _UNPACK),
    b"\xff\x06\0\0sNaPpY": ("packed with snappy", _UNPACK),
    b"\x89LZO\0": ("packed with lzop", _UNPACK),
    b"\x89PNG\r\n": _PICTURE,
    b"\xff\xd8\xff": _PICTURE,
    b"GIF87a": _PICTURE,
    b"GIF89a": _PICTURE,
    b"\x7fELF": ("a program", "name a file of events"),
    b"{\\rtf": ("a text document (RTF)", "export the data as CSV"),
}
_TAR = slice(257, 262), b"ustar"
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\v\x1b"))
_BINARY = 0.02
"""The least share of control characters in binary files; texts have none, or some by mistake."""
_LEAST_WIDE = 16
_ZEROS = 0.4
_COLUMNS_OF_SNOWPLOW = 100
_TIME = re.compile(rb"(?:^|\t)\d{4}-\d\d-\d\d[ T]\d\d:")


def refuse_foreign(head: bytes, name: str) -> None:
    """Raises `WrongShape` if a file that begins so holds no events."""
    if found := _kind(head):
        what, hint = found
        raise WrongShape(f"cannot read {name}: it is {what}: {hint}")


def is_wide(head: bytes) -> bool:
    """Whether it is UTF-16, in which every second byte of most texts is zero."""
    return head.startswith(_WIDE) or (len(head) > _LEAST_WIDE and _ZEROS < head.count(0) / len(head) <= 0.5)


def refuse_wide(head: bytes, name: str) -> None:
    """Raises `WrongShape` for JSON or XML in UTF-16."""
    text = head.removeprefix(codecs.BOM_UTF16_LE).removeprefix(codecs.BOM_UTF16_BE).replace(b"\0", b"").lstrip()
    kind = {b"{": "JSON in UTF-16", b"[": "JSON in UTF-16", b"<": "XML or HTML in UTF-16"}
    if what := kind.get(text[:1]):
        raise WrongShape(f"cannot read {name}: it is {what}: save it as UTF-8")


def _kind(head: bytes) -> tuple[str, str] | None:
    for magic, kind in _KINDS.items():
        if head.startswith(magic):
            return kind
    place, magic = _TAR
    if head[place] == magic:
        return "a tar archive", _UNPACK
    if is_zip(head):
        return "a zip file in a pipe or in another file", _UNPACK
    if packing := packing_of(head):
        return f"packed too often (with {packing.name} at last)", _UNPACK
    return _markup(head) or _snowplow(head) or _binary(head)


def _markup(head: bytes) -> tuple[str, str] | None:
    text = head.removeprefix(codecs.BOM_UTF8).lstrip()[:1_000].lower()
    if not text.startswith(b"<"):
        return None
    if b"<html" in text or b"<!doctype html" in text:
        return "a web page (HTML), perhaps one to sign in", "check its address, and whether that needs a key"
    if b"<error>" in text:
        return "an error message (XML) instead of a file", "look into it, and check its address and keys"
    return "XML", "convert it to NDJSON or CSV"


def _snowplow(head: bytes) -> tuple[str, str] | None:
    line, _, _ = head.partition(b"\n")
    if line.count(b"\t") < _COLUMNS_OF_SNOWPLOW or not _TIME.search(line):
        return None
    return (
        "without a header and as wide as Snowplow's enriched events (TSV)",
        "convert them to JSON with Snowplow's analytics SDK",
    )


def _binary(head: bytes) -> tuple[str, str] | None:
    controls = len(head) - len(head.translate(None, _CONTROLS))
    if controls <= _BINARY * len(head) or is_wide(head) or head[:1] in b"{[":
        return None
    if head.startswith(b"ORC"):
        return "an ORC file", "convert it to Parquet or NDJSON"
    return "binary data of an unknown kind", "name a file of events"
