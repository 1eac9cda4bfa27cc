"""What the formats of files share: rows, readers of rows, and shapes that make events of rows."""

from collections.abc import Iterator, Mapping
from typing import BinaryIO, NamedTuple, Protocol

from sfmap.engine.errors import ExitCode, SfmapError
from sfmap.engine.mapping.values.record import Event, Json
from sfmap.engine.sources.event_source import SourceFailed


class SourceRow(NamedTuple):
    """One row of a file: an event, or a line of a table."""

    end: int
    """Where the next row begins: bytes of the unpacked file, or rows of a Parquet file."""
    line: int
    """The line on which it begins, from 1; in a Parquet file the number of the row, from 1."""
    raw: bytes
    """Its bytes in the unpacked file; empty for Parquet. Of a batch with common fields: the event with them."""
    values: dict[str, Json] | None
    """An event, or the values by column; None if it cannot be read."""
    problem: str = ""
    """Why it cannot be read."""
    place: str = ""
    """How messages name its place in the file, if not by its line, such as `#7`."""


class RowReader(Protocol):
    """Reads one format."""

    @property
    def is_table(self) -> bool:
        """Whether rows have columns, instead of being events."""

    def rows(self, stream: BinaryIO, offset: int = 0, line: int = 0) -> Iterator[SourceRow]:
        """The rows from a position on, which is that of a row's end.

        `stream` is the unpacked file, at its beginning and seekable. Raises `FileDamaged` or `SourceFailed`.
        """


class RowShape(Protocol):
    """Makes events of rows."""

    def event(self, values: Mapping[str, Json], identity: bytes) -> tuple[Event | None, str]:
        """The event, or the reason why there is none.

        `identity` names the row for good: it becomes the message id where no column gives one.
        """


class FileDamaged(SourceFailed):
    """A file is cut short or damaged: everything before that was read. The message says what is wrong."""

    exit_code = ExitCode.NOT_FINISHED


class WrongShape(SfmapError):
    """A file holds no events; the message says what it is and what to do."""
