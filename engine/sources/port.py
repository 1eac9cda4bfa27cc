"""What delivery needs of a source of events: the events in order, each with where it stands."""

from collections.abc import Iterator
from hashlib import blake2b
from typing import NamedTuple, Protocol

from sfmap.engine.mapping.record import Event


class Position(NamedTuple):
    """How far a source has been read."""

    number: int = 0
    """Events so far."""
    file: int = 0
    """Index of the file, counted from 0."""
    offset: int = 0
    """Bytes of that file."""
    line: int = 0
    """Lines of that file."""
    digest: bytes = b""
    """Of all bytes so far, for a source that can be read again; empty where nobody asked for it."""


START = Position()


class Received(NamedTuple):
    """One event as it came, or what stands in its place."""

    number: int
    """Counts the events of a run from 1."""
    file: str
    line: int
    raw: bytes
    """As it came, without the end of its line."""
    event: Event | None
    problem: str = ""
    """Why there is no event."""
    only: tuple[str, int] | None = None
    """The mapping and the item of the one record of it that is meant; None for all of them."""
    file_index: int = 0
    """Of the file, counted from 0."""
    end: int = 0
    """Where it ends in the file, in bytes."""
    all_digest: bytes = b""
    """Of all bytes of the source up to there; empty where nobody asked for it."""

    @property
    def position(self) -> Position:
        """Where the source stands after it: what is delivered again moves no source."""
        if self.only:
            return START
        return Position(self.number, self.file_index, self.end, self.line, self.all_digest)

    @property
    def digest(self) -> str:
        """Tells its bytes from others."""
        return blake2b(self.raw, digest_size=8).hexdigest()

    @property
    def place(self) -> str:
        """For messages."""
        return f"{self.file}:{self.line}"


class SourceFailed(Exception):
    """A source that could not be read on; the message names it."""


class EventSource(Protocol):
    def __iter__(self) -> Iterator[Received]:
        """The events in order. Raises `SourceFailed`."""
