"""A file of a source: where it is, and its rows once it is opened."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import BinaryIO

from sfmap.engine.sources.event_source import FileVersion, SourceFailed
from sfmap.engine.sources.formats.beginning import beginning, is_zip
from sfmap.engine.sources.formats.compression import unpacked
from sfmap.engine.sources.formats.file_shape import HEAD, detect
from sfmap.engine.sources.formats.format_options import FormatOptions
from sfmap.engine.sources.formats.json_lines import JsonLines
from sfmap.engine.sources.rows import FileDamaged, RowReader
from sfmap.engine.sources.stored_files import FileStore, StoredFile

_MAGIC = 4
"""Bytes that tell a zip file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenFile:
    """A file as it is read."""

    stream: BinaryIO
    """Unpacked, at its beginning."""
    reader: RowReader
    is_plain: bool
    """Whether it has lines of events and is not packed: such a file may grow while it is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """One file of a source."""

    stored: StoredFile
    store: FileStore
    member: str = ""
    """The name of a member of a zip file."""

    @property
    def name(self) -> str:
        return f"{self.stored.name}/{self.member}" if self.member else self.stored.name

    @property
    def identity(self) -> FileVersion:
        """What the journal knows it by; a local file is named by its whole path."""
        stored = self.stored
        name = f"{stored.lasting_name}/{self.member}" if self.member else stored.lasting_name
        return FileVersion(name, stored.version or f"{stored.size} {stored.modified}")

    @property
    def is_local(self) -> bool:
        """Whether its content has to be compared, since it has no version."""
        return not self.stored.version

    @contextmanager
    def opened(self, options: FormatOptions) -> Iterator[OpenFile]:
        """Opens it, and tells its format by its content. Raises `SourceFailed` or `WrongShape`."""
        with closing(self.store.open(self.stored)) as stored:
            packed = _member(stored, self.stored.name, self.member) if self.member else stored
            stream = unpacked(packed, self.name)
            head, stream = beginning(stream, HEAD)
            reader = detect(head, self.name, options)
            is_plain = stream is stored and isinstance(reader, JsonLines)
            yield OpenFile(stream=stream, reader=reader, is_plain=is_plain)


def source_files(stored: StoredFile, store: FileStore) -> Iterator[SourceFile]:
    """The file, or the members of a zip file. Raises `SourceFailed` or `WrongShape`.

    Objects of a store are opened for that only if they are named `.zip`, since it takes a request for each.
    """
    file = SourceFile(stored=stored, store=store)
    may_be_zip = stored.name.lower().endswith(".zip") if stored.is_remote else not stored.is_stream
    members = _zip_members(stored, store) if may_be_zip else None
    if members is None:
        yield file
    for member in members or ():
        yield replace(file, member=member)


def _zip_members(stored: StoredFile, store: FileStore) -> list[str] | None:
    """The names of the members; None if it is no zip file."""
    with closing(store.open(stored)) as stream:
        head, stream = beginning(stream, _MAGIC)
        if not is_zip(head):
            return None
        from sfmap.engine.sources.formats.zip_members import zip_members

        try:
            return [one.name for one in zip_members(stream, stored.name).members]
        except FileDamaged as error:
            raise FileDamaged(f"{stored.name}: {error}") from None


def _member(stream: BinaryIO, name: str, member: str) -> BinaryIO:
    from sfmap.engine.sources.formats.zip_members import zip_members

    found = zip_members(stream, name)
    for one in found.members:
        if one.name == member:
            return found.open(one)
    raise SourceFailed(f"{name} no longer has the member {member}")
