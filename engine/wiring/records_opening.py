"""Opens the records that a back-fill has made."""

import os
from contextlib import closing

import orjson

from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.project.project_file import ProjectFile
from sfmap.engine.sources.event_source import SourceFailed
from sfmap.engine.sources.files.file_source import FileSource
from sfmap.engine.sources.files.records_source import RecordsSource
from sfmap.engine.sources.formats.format_options import FormatOptions
from sfmap.engine.sources.record_lines import NotARecord, RecordsSummary
from sfmap.engine.sources.stored_files import FileStore, is_remote, printable_name
from sfmap.engine.wiring.source_opening import (
    NoSuchSource,
    SourceOptions,
    StoreChoice,
    lasting_name,
    members_of,
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
            name=orjson.dumps([lasting_name(folder)]).decode(),
            members=tuple(members_of([pattern], chosen)),
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
