"""Opens the source of events that a command names: files, standard input, or a source of sfmap.yaml."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

import orjson

from sfmap.engine.errors import SfmapError
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.mapping.values.parsing import time_zone
from sfmap.engine.project.project_file import ProjectFile
from sfmap.engine.project.source_entry import STORE_KEYS, SourceEntry
from sfmap.engine.sources.event_source import ResumableSource, SourceFailed
from sfmap.engine.sources.files.file_source import FileSource
from sfmap.engine.sources.files.records_source import RecordsSource
from sfmap.engine.sources.files.source_file import SourceFile, source_files
from sfmap.engine.sources.formats.file_shape import FormatOptions
from sfmap.engine.sources.queries.query_settings import QuerySettings
from sfmap.engine.sources.queries.query_source import QuerySource
from sfmap.engine.sources.record_lines import NotARecord, RecordsSummary
from sfmap.engine.sources.shapes.dotted_columns import COLUMNS
from sfmap.engine.sources.stored_files import FileStore, is_remote, printable_name
from sfmap.engine.sources.stores.file_stores import is_on_the_web, store_of
from sfmap.engine.sources.stores.listing_order import FileOrder
from sfmap.engine.sources.stores.name_patterns import is_pattern, most_similar
from sfmap.engine.sources.stores.object_store_settings import Credentials, ObjectStoreSettings
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
        return _open_entry(project, project.sources[named[0]], options)
    _check_spelling(project, names)
    chosen = StoreChoice(standard_input=options.standard_input, environment=project.environment())
    return FileSource(
        name=orjson.dumps([_lasting(name) for name in names]).decode(),
        members=tuple(_members(names, chosen)),
        options=FormatOptions(format=options.format),
    )


def open_records(
    project: ProjectFile, name: str, mapper: Mapper, org_name: str | None, options: SourceOptions
) -> RecordsSource:
    """The records in a folder that a back-fill has made, or in one file of it.

    Raises `NoSuchSource`, `SourceFailed`, `SecretMissing` or `ExtraMissing`.
    """
    chosen = StoreChoice(standard_input=options.standard_input, environment=project.environment())
    is_folder = "." not in name.rpartition("/")[2] if is_remote(name) else os.path.isdir(name)
    folder = name.rstrip("/")
    if is_folder:
        _check_records(_summary_of(chosen.store(name), folder), folder, mapper, org_name)
    pattern = f"{folder}/records/part-*" if is_folder else name
    return RecordsSource(
        lines=FileSource(
            name=orjson.dumps([_lasting(folder)]).decode(),
            members=tuple(_members([pattern], chosen)),
            options=FormatOptions(format="ndjson"),
        )
    )


def _summary_of(store: FileStore, folder: str) -> RecordsSummary:
    try:
        with closing(store.open(store.list(f"{folder}/summary.json")[0])) as stream:
            return RecordsSummary.of_json(stream.read())
    except (SourceFailed, NotARecord):
        raise NoSuchSource(
            f"{printable_name(folder)} has no summary.json: sfmap backfill has not made it, or did not end"
        ) from None


def _check_records(summary: RecordsSummary, folder: str, mapper: Mapper, org_name: str | None) -> None:
    """Checks that the records are of these mappings and this org. Raises `NoSuchSource`."""
    if summary.mappings != mapper.digest:
        raise NoSuchSource(
            f"the mappings have changed since the records in {printable_name(folder)} were made: run sfmap"
            " backfill again"
        )
    if summary.org != (org_name or ""):
        made = f"--org {summary.org}" if summary.org else "without --org"
        raise NoSuchSource(
            f"the records in {printable_name(folder)} were made for the objects of another org ({made})"
        )


def _check_spelling(project: ProjectFile, names: Sequence[str]) -> None:
    """Raises `NoSuchSource` for the name of no file that is almost that of a source."""
    for name in names:
        near = most_similar(name, project.sources)
        if near and not is_pattern(name) and not os.path.lexists(name):
            raise NoSuchSource(
                f"cannot read {printable_name(name)}: did you mean the source {near} of sfmap.yaml?"
            )


def _open_entry(project: ProjectFile, entry: SourceEntry, options: SourceOptions) -> ResumableSource:
    if entry.kafka:
        raise NoSuchSource(f"{entry.name.text} is a topic: only sfmap run reads it")
    if entry.sql:
        return _open_query(project, entry, options)
    texts = {key: project.filled_in_of_source(entry, node) for key, node in entry.store.items()}
    patterns = [_in_project(project.folder, project.filled_in_of_source(entry, node)) for node in entry.files]
    since = entry.since if options.since is None else options.since
    chosen = StoreChoice(
        standard_input=options.standard_input,
        settings=_settings(texts),
        environment=project.environment(),
        order=FileOrder(entry.order),
    )
    members = list(_members(patterns, chosen))
    return FileSource(
        name=f"source {entry.name.text}",
        members=tuple(file for file in members if not file.stored.modified < since),
        older=tuple(file for file in members if file.stored.modified < since),
        options=FormatOptions(
            format=options.format or entry.format.format,
            csv=entry.format.csv,
            zone=_zone(entry),
        ),
        shape=entry.columns,
        remembers=True,
        takes_changed=options.takes_changed,
    )


def _open_query(project: ProjectFile, entry: SourceEntry, options: SourceOptions) -> QuerySource:
    texts = {key: project.filled_in_of_source(entry, node) for key, node in entry.sql.items()}
    return QuerySource(
        name=entry.name.text,
        settings=QuerySettings(
            url=texts["url"],
            table=texts.get("table", ""),
            query=texts.get("query", ""),
            cursor=entry.cursor,
            overlap=entry.overlap,
            cursor_is_set_by_database=texts.get("cursor_is_set_by_database") == "true",
            zone=_zone(entry),
        ),
        shape=entry.columns or COLUMNS,
        say=options.say,
    )


def _zone(entry: SourceEntry) -> tzinfo:
    """The time zone of times that do not say theirs."""
    return time_zone(entry.columns.timezone if entry.columns else "")


def _members(patterns: Sequence[str], chosen: StoreChoice) -> Iterator[SourceFile]:
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


def _settings(texts: Mapping[str, str]) -> ObjectStoreSettings:
    """What sfmap.yaml says of an object store."""
    said = {key: texts.get(key, "") for key in STORE_KEYS}
    credentials = Credentials(said.pop("credentials"))
    return ObjectStoreSettings(**said, credentials=credentials)


def _in_project(folder: Path, pattern: str) -> str:
    return pattern if is_remote(pattern) or os.path.isabs(pattern) else str(folder / pattern)


def _lasting(name: str) -> str:
    """The name of events in the journal: a whole path, or a URL without user and signature."""
    if name == STANDARD_INPUT:
        return name
    if not is_remote(name):
        return printable_name(str(Path(name).absolute()))
    if not name.startswith(("https://", "http://")):  # any character can be part of the name of an object
        return name
    parts = urlsplit(name)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
