"""A file a person wrote, as text that can be read and shown in messages."""

from pathlib import Path

from sfmap.engine.spec.diagnostics import Source


class CannotRead(Exception):
    """A file or folder that is missing, unreadable or empty; the message names it."""


def read_source(path: Path, hidden: bool = False) -> Source:
    """A file's text; bytes that are not UTF-8 become half surrogate pairs, which the YAML reader reports.

    Raises `CannotRead`.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CannotRead(f"cannot read {path}: {error.strerror}") from None
    return Source(str(path), data.decode("utf-8-sig", "surrogateescape"), hidden)
