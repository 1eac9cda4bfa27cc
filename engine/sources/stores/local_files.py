"""Files on this machine: paths, folders and patterns."""

import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO

from sfmap.engine.sources.event_source import SourceFailed
from sfmap.engine.sources.stored_files import StoredFile, printable_name
from sfmap.engine.sources.stores.listing_order import FileOrder, in_order
from sfmap.engine.sources.stores.name_patterns import (
    NamePattern,
    fixed_folder,
    is_marker,
    is_pattern,
    most_similar,
)

_BUFFER = 64 * 1024
"""Lines are read in half the time that they take in pieces of Python's usual 8 KiB."""
_ESCAPED = re.compile(rb"\\x([89a-f][0-9a-f])")


@dataclass(frozen=True, slots=True)
class LocalFiles:
    """The files of this machine.

    A folder stands for all files below it. Hidden files and markers such as `_SUCCESS` are left out, and links to
    folders are not followed.
    """

    order: FileOrder = FileOrder.NAME

    def list(self, pattern: str) -> list[StoredFile]:
        """The files of a path, folder or pattern, in order. Raises `SourceFailed`, also if there are none.

        A name that exists is taken as it is, even if it looks like a pattern.
        """
        path = _path(pattern)
        try:
            if os.path.isdir(path):
                found = _all_stored(_below(path))
            elif os.path.lexists(path):
                found = [_stored(path)]
            else:
                found = _matching(pattern)
        except OSError as error:
            raise _unreadable(error.filename or pattern, error) from None
        if not found:
            raise SourceFailed(f"no file matches {printable_name(pattern)}{_nearest(pattern)}")
        return in_order(found, self.order)

    def open(self, file: StoredFile) -> BinaryIO:
        """The bytes of the file; those of a named pipe cannot be sought. Raises `SourceFailed`."""
        try:
            return open(_path(file.name), "rb", _BUFFER)
        except OSError as error:
            raise _unreadable(file.name, error) from None


def _matching(pattern: str) -> list[StoredFile]:
    if not is_pattern(pattern):
        raise SourceFailed(f"cannot read {pattern}: no such file or folder{_nearest(pattern)}")
    start, wanted = fixed_folder(pattern), NamePattern(pattern)
    depth = None if wanted.depth is None else wanted.depth - start.count("/")
    if not os.path.isdir(_path(start) or "."):
        return []
    by_name = {printable_name(path): path for path in _below(_path(start), depth, wanted.marks)}
    return _all_stored(by_name[name] for name in wanted.of(by_name))


def _below(folder: str, depth: int | None = None, marks: str = "") -> Iterator[str]:
    """The files below a folder, at most that many folders deep. Raises `OSError`."""
    with os.scandir(folder or ".") as entries:
        kept = [entry for entry in entries if not is_marker(entry.name, marks)]
    for entry in kept:
        path = os.path.join(folder, entry.name)
        if entry.is_file():
            yield path
        elif depth != 0 and entry.is_dir(follow_symlinks=depth is not None):
            yield from _below(path, depth and depth - 1, marks)


def _all_stored(paths: Iterable[str]) -> list[StoredFile]:
    """The files that are still there."""
    found = []
    for path in paths:
        with suppress(FileNotFoundError):
            found.append(_stored(path))
    return found


def _stored(path: str) -> StoredFile:
    known = os.stat(path)
    is_file = stat.S_ISREG(known.st_mode)
    return StoredFile(
        name=printable_name(path),
        size=known.st_size if is_file else 0,
        modified=known.st_mtime,
        is_stream=not is_file,
    )


def _path(name: str) -> str:
    """The path of a name that `printable_name` made, or that a user wrote."""
    if os.path.lexists(name):
        return name
    written = os.fsencode(name)
    return os.fsdecode(_ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()), written))


def _nearest(pattern: str) -> str:
    """Says what exists nearest to a path or pattern that matches nothing."""
    folder = ""
    for part in re.findall("[^/]*/*", pattern):
        if not os.path.isdir(_path(folder + part)):
            break
        folder += part
    try:
        names = sorted(entry.name for entry in os.scandir(_path(folder) or ".") if not is_marker(entry.name))
    except OSError:
        return ""
    near = most_similar(part.rstrip("/"), names)
    if near and not is_pattern(pattern):
        return f"; did you mean {printable_name(folder + near)}?"
    if not names:
        return f": the folder {folder} is empty" if folder else ""
    return f"; the nearest that exists is {printable_name(folder + (near or names[0]))}"


def _unreadable(name: str, error: OSError) -> SourceFailed:
    return SourceFailed(f"cannot read {printable_name(name)}: {error.strerror}")
