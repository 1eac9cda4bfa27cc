"""Standard input as the only file of its kind."""

from dataclasses import dataclass
from typing import BinaryIO

from sfmap.engine.sources.event_source import SourceFailed
from sfmap.engine.sources.stored_files import StoredFile

STANDARD_INPUT = "-"


@dataclass(frozen=True, slots=True)
class StandardInput:
    """Standard input, which can be read once."""

    stream: BinaryIO | None
    """None if it is closed."""

    def list(self, pattern: str) -> list[StoredFile]:
        return [StoredFile(name=pattern, is_stream=True)]

    def open(self, file: StoredFile) -> BinaryIO:
        """Standard input itself. Raises `SourceFailed`."""
        if self.stream is None:
            raise SourceFailed("cannot read standard input: it is closed")
        return self.stream
