"""The events of files, one after the other, wherever the files are and whatever their format is."""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from sfmap.engine.mapping.values.record import Event
from sfmap.engine.messages.counts import counted
from sfmap.engine.messages.hints import again
from sfmap.engine.sources.event_source import START, Begun, FileVersion, Position, Received, SourceFailed
from sfmap.engine.sources.files.content_digest import ContentDigest, whole_content
from sfmap.engine.sources.files.first_rows import check_first_rows
from sfmap.engine.sources.files.source_file import OpenFile, SourceFile
from sfmap.engine.sources.formats.format_options import USUAL_FORMAT, FormatOptions
from sfmap.engine.sources.reading import json_bytes
from sfmap.engine.sources.rows import FileDamaged, RowShape, SourceRow, WrongShape
from sfmap.engine.sources.shapes.dotted_columns import COLUMNS

if TYPE_CHECKING:
    from hashlib import blake2b

_Read = tuple[Event | None, str, bytes]
"""An event, why there is none, and its JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSource:
    """The events of files."""

    name: str
    """The name of the source in the journal."""
    members: tuple[SourceFile, ...]
    older: tuple[SourceFile, ...] = ()
    """Files that a new run leaves out by their time."""
    options: FormatOptions = USUAL_FORMAT
    shape: RowShape | None = None
    """What makes events of rows; None if rows are events."""
    remembers: bool = False
    """Whether a run leaves out the files that earlier runs have delivered."""
    takes_changed: bool = False
    """Whether files that have changed since they were delivered are delivered again."""
    start: Position = START
    is_digested: bool = False
    """Whether each event carries the digest of everything up to its end, by which a later run can continue.

    That is of the event's file alone if files are remembered.
    """
    plain: set[int] = field(default_factory=set, compare=False)
    """The indexes of files that were read and are not packed, so that offsets tell how much of them is read."""

    @property
    def is_stream(self) -> bool:
        """Whether it can be read only once: standard input and named pipes."""
        return any(file.stored.is_stream for file in self.members)

    @property
    def may_repeat(self) -> bool:
        """A stream may be sent again after it was interrupted."""
        return self.is_stream

    @property
    def files(self) -> Sequence[FileVersion]:
        return () if self.is_stream else [file.identity for file in self.members]

    @property
    def size(self) -> int | None:
        """Bytes as stored; None if unknown."""
        are_known = all(file.stored.size or not file.stored.is_remote for file in self.members)
        return sum(file.stored.size for file in self.members) if are_known and not self.is_stream else None

    def check(self) -> None:
        """Looks at the first rows of the first and the last file. Raises `WrongShape` or `SourceFailed`."""
        if not self.is_stream:
            for file in {file.name: file for file in (*self.members[:1], *self.members[-1:])}.values():
                check_first_rows(file, self.options, self.shape)

    def share(self, position: Position) -> float | None:
        """The bytes before a position, of all as stored; a packed file counts once it is done."""
        size = self.size
        if not size:
            return None
        done = sum(file.stored.size for file in self.members[: position.file])
        return (done + (position.offset if position.file in self.plain else 0)) / size

    def up_to(self, index: int) -> "FileSource":
        """The files up to that one."""
        return replace(self, members=self.members[: index + 1])

    def reading_from(self, start: Position) -> "FileSource":
        """The events after a position, without digests."""
        return replace(self, start=start)

    def starting_at(self, start: Position) -> "FileSource":
        """The events after a position, with digests if they can be read again."""
        return replace(self, start=start, is_digested=not self.is_stream)

    def begun(self, position: Position, delivered: Sequence[FileVersion]) -> Begun:
        """Leaves out files that earlier runs have delivered."""
        if not self.remembers:
            return Begun(source=self)
        known = dict(delivered)
        listed = [(file, *file.identity) for file in self.members]
        changed = [file for file, name, version in listed if known.get(name, version) != version]
        taken = {
            name
            for _, name, version in listed
            if name not in known or (self.takes_changed and known[name] != version)
        }
        left = [file for file, name, _ in listed if name in taken]
        kept = {name for _, name, _ in listed}.union(file.identity.name for file in self.older) - taken
        return Begun(
            source=replace(self, members=tuple(left)),
            delivered=[one for one in delivered if one.name in kept],
            words=_words(left, [] if self.takes_changed else changed),
        )

    def continued(self, position: Position, files: Sequence[FileVersion]) -> "FileSource | None":
        """The files as the run began with them, if what it has read of them is unchanged. Raises `SourceFailed`.

        If files are remembered, those before the position count as delivered, even if they have changed or gone.
        """
        listed = {file.identity.name: file for file in (*self.members, *self.older)}
        current = listed.get(files[position.file].name) if position.file < len(files) else None
        members: list[SourceFile] = []
        for index, one in enumerate(files):
            found = listed.get(one.name)
            if found is None and index <= position.file:
                if current is None or not self.remembers:
                    return None
                found = current  # keeps the place of a delivered file, which is not opened
            if found:
                members.append(found)
        source = replace(self, members=tuple(members))
        return source if source._is_unchanged_up_to(position) else None

    def __iter__(self) -> Iterator[Received]:
        """The events. Raises `SourceFailed`, also at a file that holds none: those before it are delivered."""
        number = self.start.number
        digest = ContentDigest(self.start.digest) if self.is_digested else None
        try:
            for index in range(self.start.file, len(self.members)):
                number = yield from self._events(index, number, digest)
        except WrongShape as wrong:
            raise SourceFailed(str(wrong)) from wrong

    def _events(self, index: int, number: int, digest: ContentDigest | None) -> Generator[Received, None, int]:
        """The events of one file; `number` is that of the event before. Returns that of the last one."""
        file = self.members[index]
        before = self.start if index == self.start.file else START
        name = file.name
        with file.opened(self.options) as opened:
            if digest and not before.offset:
                if self.remembers:
                    digest = ContentDigest(b"")
                digest.begin_file(_version(file, opened))
            if opened.is_plain:
                self.plain.add(index)
            read = self._reading(file, opened)
            is_chained = digest is not None and opened.is_plain and file.is_local
            try:
                for row in opened.reader.rows(opened.stream, before.offset, before.line):
                    number += 1
                    if is_chained and digest:
                        digest.add(row.raw)
                    event, problem, raw = read(row)
                    up_to = digest.value if digest else b""
                    # By place, since names take three times as long.
                    yield Received(
                        number, name, row.line, raw, event, problem, index, row.end, up_to, row.place
                    )  # fmt: skip
            except FileDamaged as error:
                raise FileDamaged(f"{name}: {error}; event {number:,} is the last one before that") from error
            except OSError as error:
                raise SourceFailed(f"cannot read {name} past event {number:,}: {error.strerror}") from error
        return number

    def _reading(self, file: SourceFile, opened: OpenFile) -> Callable[[SourceRow], _Read]:
        """How rows of the file become events."""
        shape = self.shape or (COLUMNS if opened.reader.is_table else None)
        if shape is None:
            return _read_event
        from hashlib import blake2b

        named = blake2b(f"{self.name}\n{file.identity.name}\n".encode("utf-8", "replace"), digest_size=16)
        return partial(_read_row, shape, named)

    def _is_unchanged_up_to(self, position: Position) -> bool:
        if position.file == position.offset == 0:
            return True
        digest = ContentDigest(b"")
        for index in range(position.file if self.remembers else 0, min(position.file + 1, len(self.members))):
            end = position.offset if index == position.file else None
            if not self._digest_up_to(self.members[index], end, digest):
                return False
        return digest.value == position.digest

    def _digest_up_to(self, file: SourceFile, end: int | None, digest: ContentDigest) -> bool:
        """Digests the file up to the end of a row, or all of it; returns whether a row ends there."""
        if not file.is_local:
            digest.begin_file(file.stored.version.encode())
            return True
        with file.opened(self.options) as opened:
            digest.begin_file(_version(file, opened))
            if not opened.is_plain:
                return True
            if end == 0:
                return True
            for row in opened.reader.rows(opened.stream):
                digest.add(row.raw)
                if end is not None and row.end >= end:
                    return row.end == end
        return end is None


def _version(file: SourceFile, opened: OpenFile) -> bytes:
    """What the digest of the content begins with: empty if the content is added row by row."""
    if not file.is_local:
        return file.stored.version.encode()
    if opened.is_plain:
        return b""
    with closing(file.store.open(file.stored)) as stored:
        return whole_content(stored)


def _read_event(row: SourceRow) -> _Read:
    """The event that the row is."""
    raw = row.raw.strip()
    if b"\n" in raw and row.values is not None:
        raw = json_bytes(row.values)
    return row.values, row.problem, raw


def _read_row(shape: RowShape, named: "blake2b", row: SourceRow) -> _Read:
    """The event that the shape makes of the row."""
    if row.values is None:
        return None, row.problem, row.raw
    content = json_bytes(row.values)
    identity = named.copy()
    identity.update(b"%d %s" % (row.line, content))
    event, problem = shape.event(row.values, identity.digest())
    return event, problem, content if event is None else json_bytes(event)


def _words(left: Sequence[SourceFile], changed: Sequence[SourceFile]) -> str:
    """What a run over new files says."""
    if not left:
        words = "No file is new since the last run."
    elif len(left) == 1:
        words = f"1 new file: {left[0].name}."
    else:
        words = f"{len(left):,} new files, from {left[0].name} to {left[-1].name}."
    if changed:
        has = "has" if len(changed) == 1 else "have"
        words += f" {counted(len(changed), 'file')} {has} changed since delivered, such as {changed[0].name}."
        command = again("--changed")
        words += f" To deliver changed files, too: {command}" if command else ""
    return words
