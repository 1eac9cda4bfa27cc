"""What the places of files share: the files they hold, and their bytes."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO, Protocol

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A file or an object, as it was listed."""

    name: str
    """The name for messages, results and the journal: a path as given, or a URL without user and query."""
    size: int = 0
    """Bytes as stored; 0 if unknown."""
    version: str = ""
    """What changes with its content, such as the etag; empty for a local file, whose content is compared."""
    modified: float = 0.0
    """Seconds since 1970; 0 if unknown."""
    is_stream: bool = False
    """Whether it can be read only once: standard input and named pipes."""

    @property
    def is_remote(self) -> bool:
        """Whether it is not on this machine."""
        return is_remote(self.name)

    @property
    def lasting_name(self) -> str:
        """The name from any folder: a whole path, or the URL."""
        return self.name if self.is_remote else os.path.abspath(self.name)


class FileStore(Protocol):
    """A place of files."""

    def list(self, pattern: str) -> Sequence[StoredFile]:
        """The files of a name, folder or glob, in order. Raises `SourceFailed`, also if there are none."""

    def open(self, file: StoredFile) -> BinaryIO:
        """The bytes of that version of the file, seekable. Raises `SourceFailed`."""


def scheme_of(name: str) -> str:
    """The scheme of a URL; empty for a path."""
    found = _URL.match(name)
    return found[1] if found else ""


def is_remote(name: str) -> bool:
    """Whether a name or pattern is of files that are not on this machine."""
    return bool(scheme_of(name))


def printable_name(path: str) -> str:
    """The path as text that can be printed and kept: bytes that are not UTF-8 as `\\xe4`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
