"""Reads files as text that can be parsed and shown in messages."""

import os
from collections.abc import Mapping
from pathlib import Path

from sfmap.engine.errors import SfmapError
from sfmap.engine.yaml_files.diagnostics import Source

Unsaved = Mapping[Path, str]
"""By absolute path, the texts of files as an editor has them: they are read instead of those on disk."""
SAVED: Unsaved = {}


class CannotRead(SfmapError):
    """A file or folder is missing, unreadable or empty; the message names it."""


def read_source(path: Path, hidden: bool = False, unsaved: Unsaved = SAVED) -> Source:
    """The text of a file; bytes that are not UTF-8 become lone surrogates, which the YAML reader reports.

    Raises `CannotRead`.
    """
    if unsaved and (own := unsaved.get(Path(os.path.abspath(path)))) is not None:
        return Source(str(path), own, hidden)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CannotRead(f"cannot read {path}: {error.strerror}") from None
    return Source(str(path), data.decode("utf-8-sig", "surrogateescape"), hidden)
