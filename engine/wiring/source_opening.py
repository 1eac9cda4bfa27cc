"""Opens the source of events that a command names: files, standard input, or a source of sfmap.yaml."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

import orjson

from sfmap.engine.errors import SfmapError
from sfmap.engine.project.project_file import ProjectFile
from sfmap.engine.sources.event_source import ResumableSource
from sfmap.engine.sources.files.file_source import FileSource
from sfmap.engine.sources.files.source_file import SourceFile, source_files
from sfmap.engine.sources.formats.format_options import FormatOptions
from sfmap.engine.sources.stored_files import FileStore, is_remote, printable_name
from sfmap.engine.sources.stores.file_stores import is_on_the_web, store_of
from sfmap.engine.sources.stores.listing_order import FileOrder
from sfmap.engine.sources.stores.name_patterns import is_pattern, most_similar
from sfmap.engine.sources.stores.object_store_settings import ObjectStoreSettings
from sfmap.engine.sources.stores.standard_input import STANDARD_INPUT, StandardInput


class NoSuchSource(SfmapError):
    """The events cannot be opened as named: the message says what they could be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOptions:
    """What a command says about the events besides their names."""

    standard_input: BinaryIO | None = None
    """None if it is closed."""
    format: str = ""
    """Overrides what the content tells; empty for that."""
    since: float | None = None
    """Overrides that of the source: seconds since 1970."""
    takes_changed: bool = False
    """Whether files that have changed since they were delivered are delivered again."""
    say: Callable[[str], object] = lambda note: None
    """Takes notes on the events for the user."""


USUAL_OPTIONS = SourceOptions()
NO_SETTINGS = ObjectStoreSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreChoice:
    """What the store of a name is chosen and reached by."""

    standard_input: BinaryIO | None
    settings: ObjectStoreSettings = NO_SETTINGS
    environment: Mapping[str, str]
    order: FileOrder = FileOrder.NAME

    def store(self, pattern: str) -> FileStore:
        if pattern == STANDARD_INPUT:
            return StandardInput(self.standard_input)
        return store_of(pattern, self.settings, self.environment, self.order)


def open_source(project: ProjectFile, names: Sequence[str], options: SourceOptions) -> ResumableSource:
    """The events of files, patterns and URLs, of standard input (`-`), or of one source of the project.

    Raises `NoSuchSource`, `SourceFailed`, `SecretMissing` or `ExtraMissing`.
    """
    named = [name for name in names if name in project.sources]
    if named and len(names) > 1:
        raise NoSuchSource(f"{named[0]} is a source of sfmap.yaml: name it alone")
    if named:
        from sfmap.engine.wiring.entry_opening import open_entry

        return open_entry(project, project.sources[named[0]], options)
    _check_spelling(project, names)
    chosen = StoreChoice(standard_input=options.standard_input, environment=project.environment())
    return FileSource(
        name=orjson.dumps([lasting_name(name) for name in names]).decode(),
        members=tuple(members_of(names, chosen)),
        options=FormatOptions(format=options.format),
    )


def _check_spelling(project: ProjectFile, names: Sequence[str]) -> None:
    """Raises `NoSuchSource` for the name of no file that is almost that of a source."""
    for name in names:
        if os.path.lexists(name) or is_pattern(name):
            continue
        if near := most_similar(name, project.sources):
            raise NoSuchSource(
                f"cannot read {printable_name(name)}: did you mean the source {near} of sfmap.yaml?"
            )


def members_of(patterns: Sequence[str], chosen: StoreChoice) -> Iterator[SourceFile]:
    """The files of patterns, each once. Raises `NoSuchSource` if two URLs have the same name."""
    found: dict[str, str] = {}
    for pattern in dict.fromkeys(patterns):
        store = chosen.store(pattern)
        for stored in store.list(pattern):
            name = stored.lasting_name
            first = found.setdefault(name, pattern)
            if first == pattern:
                yield from source_files(stored, store)
            elif is_on_the_web(pattern):
                raise NoSuchSource(
                    f"two URLs differ only after {name}: name them one at a time, or in sources of their own,"
                    " since the journal knows a file by its URL without the query"
                )


def lasting_name(name: str) -> str:
    """The name of events in the journal: a whole path, or a URL without user and signature."""
    if name == STANDARD_INPUT:
        return name
    if not is_remote(name):
        return printable_name(str(Path(name).absolute()))
    if not name.startswith(("https://", "http://")):  # any character can be part of the name of an object
        return name
    parts = urlsplit(name)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
