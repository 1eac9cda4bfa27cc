"""The records of a back-fill: files of lines that say what to write, and of which events it was made."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from sfmap.engine.sources.event_source import START, Begun, FileVersion, Position, Received
from sfmap.engine.sources.files.file_source import FileSource
from sfmap.engine.sources.record_lines import NotARecord, read_record
from sfmap.engine.sources.rows import WrongShape


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordsSource:
    """The records of files, numbered by the events that they were made of."""

    lines: FileSource
    start: Position = START
    remembers: bool = False
    may_repeat: bool = False

    @property
    def name(self) -> str:
        return f"records {self.lines.name}"

    @property
    def is_stream(self) -> bool:
        return self.lines.is_stream

    @property
    def files(self) -> Sequence[FileVersion]:
        return self.lines.files

    def check(self) -> None:
        """Looks at the first record. Raises `WrongShape` or `SourceFailed`."""
        if self.is_stream:
            return
        for received in islice(self, 1):
            if received.problem:
                advice = "name the folder or a file that sfmap backfill has made"
                raise WrongShape(f"{received.place} is {received.problem}: {advice}")

    def starting_at(self, start: Position) -> "RecordsSource":
        return replace(self, lines=self.lines.starting_at(start), start=start)

    def share(self, position: Position) -> float | None:
        return self.lines.share(position)

    def begun(self, position: Position, delivered: Sequence[FileVersion]) -> Begun:
        return Begun(source=self)

    def continued(self, position: Position, files: Sequence[FileVersion]) -> "RecordsSource | None":
        lines = self.lines.continued(position, files)
        return replace(self, lines=lines) if lines else None

    def __iter__(self) -> Iterator[Received]:
        """The records in order. Raises `SourceFailed`."""
        number = self.start.number
        for received in self.lines:
            try:
                if received.event is None:
                    raise NotARecord(received.problem)
                record = read_record(received.event, received, number)
            except NotARecord as error:
                record = received._replace(number=number + 1, event=None, problem=str(error))
            number = record.number
            yield record
