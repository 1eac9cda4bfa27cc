"""What delivery needs from a source: its events in order, each with its position."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from sfmap.engine.errors import SfmapError
from sfmap.engine.mapping.values.record import Event


class Position(NamedTuple):
    """How far a source has been read."""

    number: int = 0
    """Events so far."""
    file: int = 0
    """The index of the file, from 0."""
    offset: int = 0
    """Bytes read of that file."""
    line: int = 0
    """Lines read of that file."""
    digest: bytes = b""
    """The digest of all bytes so far, for a source that can be read again; empty unless asked for."""
    cursor: str = ""
    """Where a query continues; empty for files."""


START = Position()


class Received(NamedTuple):
    """One event as received, or the reason why it cannot be read."""

    number: int
    """The number of the event in the run, from 1."""
    file: str
    line: int
    raw: bytes
    """The event as JSON, from which it can be read again: as received, without the line end."""
    event: Event | None
    problem: str = ""
    """Why there is no event; empty if there is one."""
    file_index: int = 0
    """The index of the file, from 0."""
    end: int = 0
    """The offset in the file where the event ends, in bytes."""
    all_digest: bytes = b""
    """The digest of all bytes of the source up to there; empty unless asked for."""
    row: str = ""
    """Where in the file it is, if not by its line, such as `#7`."""
    only: tuple[str, int] | None = None
    """The mapping and item of the one record to deliver; None for all records of the event."""
    is_dead_letter: bool = False
    """Whether the record is tried again after it failed for good."""
    cursor: str = ""
    """Where a query continues after the event."""
    repeat_key: str = ""
    """What a repeat of the event is recognized by, instead of its message id."""
    part: tuple[str, int] | None = None
    """The mapping and item of the one record of the event that the source has; None for all."""
    folded: int = 0
    """The number of events that were folded into this record, whose number is that of the last; 0 for an event."""

    @property
    def position(self) -> Position:
        """The position of the source after the event: an event delivered again does not move it."""
        if self.only:
            return START
        return Position(
            number=self.number,
            file=self.file_index,
            offset=self.end,
            line=self.line,
            digest=self.all_digest,
            cursor=self.cursor,
        )

    def shortened(self) -> "Received":
        """The same with an event of which only the message id is left; a folded record stays whole."""
        if not self.event or self.folded:
            return self
        return self._replace(event={"messageId": self.event["messageId"]} if "messageId" in self.event else {})

    @property
    def events(self) -> int:
        """The number of events that it stands for."""
        return self.folded or 1

    @property
    def digest(self) -> str:
        """The digest of its bytes."""
        from hashlib import blake2b

        return blake2b(self.raw, digest_size=8).hexdigest()

    @property
    def place(self) -> str:
        """The file and the line or row, for messages."""
        return f"{self.file}{self.row}" if self.row else f"{self.file}:{self.line}"


class SourceFailed(SfmapError):
    """A source could not be read further; the message names it."""


class EventSource(Protocol):
    def __iter__(self) -> Iterator[Received]:
        """The events in order. Raises `SourceFailed`."""


class FileVersion(NamedTuple):
    """A file and what changes with its content, as far as that is known without reading it."""

    name: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """What a new run delivers of a source and where it starts, and the message about it."""

    source: "ResumableSource"
    start: Position = START
    delivered: Sequence[FileVersion] = ()
    """The files to leave out of later runs, too."""
    words: str = ""


class ResumableSource(EventSource, Protocol):
    """A source that a later run can continue, or at least recognize."""

    @property
    def name(self) -> str:
        """The name of the source in the journal."""

    @property
    def is_stream(self) -> bool:
        """Whether the source can be read once only."""

    @property
    def remembers(self) -> bool:
        """Whether a run leaves out what earlier runs have delivered, although these have finished."""

    @property
    def may_repeat(self) -> bool:
        """Whether it may give events again that an earlier run has delivered, so that these must be recognized."""

    @property
    def files(self) -> Sequence[FileVersion]:
        """The files in their order; none for a stream or a query."""

    def check(self) -> None:
        """Looks at the first events, before anything is sent. Raises `SfmapError`."""

    def starting_at(self, start: Position) -> "ResumableSource":
        """The events after a position."""

    def share(self, position: Position) -> float | None:
        """How much of the source is before a position, from 0 to 1; None if unknown."""

    def begun(self, position: Position, delivered: Sequence[FileVersion]) -> Begun:
        """What a new run delivers; a source that `remembers` leaves out what earlier runs have delivered.

        That is what is before a position, or files. Raises `SourceFailed`.
        """

    def continued(self, position: Position, files: Sequence[FileVersion]) -> "ResumableSource | None":
        """The source as a run began with these files; None if anything before the position has changed.

        Raises `SourceFailed`.
        """
