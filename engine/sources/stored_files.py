"""What the places of files share: the files they hold, and their bytes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO, Protocol


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


class FileStore(Protocol):
    """A place of files."""

    def list(self, pattern: str) -> Sequence[StoredFile]:
        """The files of a name, folder or glob, in order. Raises `SourceFailed`, also if there are none."""

    def open(self, file: StoredFile) -> BinaryIO:
        """The bytes of that version of the file, seekable. Raises `SourceFailed`."""
