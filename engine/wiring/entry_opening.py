"""Opens a source of sfmap.yaml: files, or a query."""

import os
from collections.abc import Mapping
from datetime import tzinfo
from pathlib import Path

from sfmap.engine.mapping.values.parsing import time_zone
from sfmap.engine.project.project_file import ProjectFile
from sfmap.engine.project.source_entry import STORE_KEYS, SourceEntry
from sfmap.engine.sources.event_source import ResumableSource
from sfmap.engine.sources.files.file_source import FileSource
from sfmap.engine.sources.formats.format_options import FormatOptions
from sfmap.engine.sources.queries.query_settings import QuerySettings
from sfmap.engine.sources.queries.query_source import QuerySource
from sfmap.engine.sources.shapes.dotted_columns import COLUMNS
from sfmap.engine.sources.stored_files import is_remote
from sfmap.engine.sources.stores.listing_order import FileOrder
from sfmap.engine.sources.stores.object_store_settings import Credentials, ObjectStoreSettings
from sfmap.engine.wiring.source_opening import NoSuchSource, SourceOptions, StoreChoice, members_of


def open_entry(project: ProjectFile, entry: SourceEntry, options: SourceOptions) -> ResumableSource:
    """Raises `NoSuchSource`, `SourceFailed`, `SecretMissing` or `ExtraMissing`."""
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
    members = list(members_of(patterns, chosen))
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


def _settings(texts: Mapping[str, str]) -> ObjectStoreSettings:
    """What sfmap.yaml says of an object store."""
    said = {key: texts.get(key, "") for key in STORE_KEYS}
    credentials = Credentials(said.pop("credentials"))
    return ObjectStoreSettings(**said, credentials=credentials)


def _in_project(folder: Path, pattern: str) -> str:
    return pattern if is_remote(pattern) or os.path.isabs(pattern) else str(folder / pattern)
