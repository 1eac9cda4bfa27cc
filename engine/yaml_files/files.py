"""Reads files as text that can be parsed and shown in messages."""

from pathlib import Path

from sfmap.engine.errors import SfmapError
from sfmap.engine.yaml_files.diagnostics import Source


class CannotRead(SfmapError):
    """A file or folder is missing, unreadable or empty; the message names it."""


def read_source(path: Path, hidden: bool = False) -> Source:
    """The text of a file; bytes that are not UTF-8 become lone surrogates, which the YAML reader reports.

    Raises `CannotRead`.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CannotRead(f"cannot read {path}: {error.strerror}") from None
    return Source(str(path), data.decode("utf-8-sig", "surrogateescape"), hidden)
