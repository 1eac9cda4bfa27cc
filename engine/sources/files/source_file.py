"""A file of a source: where it is, and its rows once it is opened."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from sfmap.engine.sources.event_source import FileVersion
from sfmap.engine.sources.formats.compression import unpacked
from sfmap.engine.sources.formats.file_shape import FormatOptions, detect
from sfmap.engine.sources.formats.json_lines import JsonLines
from sfmap.engine.sources.rows import RowReader
from sfmap.engine.sources.stored_files import FileStore, StoredFile

_HEAD = 64 * 1024
"""Bytes that tell what a file is."""


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

    @property
    def name(self) -> str:
        return self.stored.name

    @property
    def identity(self) -> FileVersion:
        """What the journal knows it by; a local file is named by its whole path."""
        stored = self.stored
        name = os.path.abspath(stored.name) if self.is_on_this_machine else stored.name
        return FileVersion(name, stored.version or f"{stored.size} {stored.modified}")

    @property
    def is_local(self) -> bool:
        """Whether its content has to be compared, since it has no version."""
        return not self.stored.version

    @property
    def is_on_this_machine(self) -> bool:
        return "://" not in self.name

    @property
    def is_stream(self) -> bool:
        """Whether it can be read only once: standard input and named pipes."""
        return self.is_on_this_machine and not Path(self.name).is_file()

    @contextmanager
    def opened(self, options: FormatOptions) -> Iterator[OpenFile]:
        """Opens it, and tells its format by its content. Raises `SourceFailed` or `WrongShape`."""
        with closing(self.store.open(self.stored)) as stored:
            stream = unpacked(stored, self.name)
            reader = detect(_head(stream), self.name, options)
            is_plain = stream is stored and isinstance(reader, JsonLines)
            yield OpenFile(stream=stream, reader=reader, is_plain=is_plain)


def _head(stream: BinaryIO) -> bytes:
    """The first bytes, which are read again later."""
    peek = getattr(stream, "peek", None)
    return cast(bytes, peek(_HEAD))[:_HEAD] if peek else b""
