"""The files of a project that the workbench reads and writes: mappings, sfmap.yaml and sample events."""

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Literal

from sfmap.engine.errors import SfmapError
from sfmap.engine.project.loading import mapping_sources
from sfmap.engine.project.project_file import PROJECT_FILE, read_project
from sfmap.engine.testing.cases import EVENTS_FOLDER
from sfmap.engine.workbench.line_ends import Unreadable, edited_text, stored_bytes
from sfmap.engine.yaml_files.files import CannotRead

Kind = Literal["mapping", "project", "samples"]

LARGEST = 4 * 1024 * 1024
"""The most bytes of a file that can be edited."""
_MAPPING_ENDINGS = (".yaml", ".yml")
_SAMPLE_ENDINGS = (".json", ".ndjson")
_NEW_NAME = re.compile(r"[A-Za-z0-9][\w-]{0,79}")
_NEW_MAPPING = """\
sfmap: 1
event: identify
opt_in: integrations.Salesforce

object:
operation: upsert
match:

fields:
"""


class FileRefused(SfmapError):
    """The workbench does not read or write a file; the message says why."""


class FileChanged(SfmapError):
    """A file has changed since it was read, so that it is not overwritten."""

    def __init__(self, message: str, now: "FileText | None") -> None:
        super().__init__(message)
        self.now = now
        """What the file holds; None if it is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EditableFile:
    name: str
    """The path from the project's folder, with slashes; of a shipped mapping, its name in messages."""
    kind: Kind
    location: Path | None
    """None for a shipped mapping."""
    is_readonly: bool = False
    """Whether it is outside of the project's folder, or shipped."""


@dataclass(frozen=True, slots=True)
class FileText:
    text: str
    etag: str


class EditableFiles:
    """The files below one folder. A name that a client sends is only looked up among them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._writing = Lock()

    def all(self) -> list[EditableFile]:
        """The files, each once, in the order in which a person looks at them."""
        return [*self._mappings(), *self._project(), *self._samples()]

    def find(self, name: str) -> EditableFile:
        """The file of that name. Raises `FileRefused`."""
        found = next((one for one in self.all() if one.name == name), None)
        if found is None:
            raise FileRefused(f"{name[:200]!r} is not a mapping, sfmap.yaml or a sample file of this project")
        return found

    def read(self, file: EditableFile) -> FileText:
        """Raises `FileRefused`."""
        if file.location is None:
            shipped = next(one for one in mapping_sources(None).values() if one.file == file.name)
            return FileText(shipped.text, etag_of(shipped.text.encode()))
        return _text(file.name, _bytes(file.name, file.location))

    def write(self, file: EditableFile, text: str, etag: str) -> str:
        """Writes the file if it is as it was read, and returns its new etag.

        Line ends and a byte order mark stay as they are. Raises `FileChanged` or `FileRefused`.
        """
        if file.location is None or file.is_readonly:
            raise FileRefused(f"{file.name} is outside of this project, and is only shown here")
        with self._writing:
            try:
                before = file.location.read_bytes()
            except FileNotFoundError:
                raise FileChanged(f"{file.name} was deleted or renamed meanwhile", None) from None
            except OSError as error:
                raise FileRefused(f"cannot read {file.name}: {error.strerror}") from None
            if etag_of(before) != etag:
                message = f"{file.name} was changed by another program since you opened it"
                raise FileChanged(message, _text(file.name, before))
            after = _stored(file.name, text, before)
            _replace(file.name, file.location, after)
        return etag_of(after)

    def create(self, name: str, text: str | None = None) -> tuple[str, str]:
        """Makes a new mapping or sample file; returns its name and etag. Raises `FileRefused`."""
        place = self._place_for(name)
        content = (_NEW_MAPPING if text is None else text).encode()
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            with place.open("xb") as file:
                file.write(content)
        except FileExistsError:
            raise FileRefused(f"there is a file {name} already; choose another name") from None
        except OSError as error:
            raise FileRefused(f"cannot write {name}: {error.strerror}") from None
        return name, etag_of(content)

    def mappings_folder(self) -> Path:
        """Where a new mapping goes."""
        try:
            project, _ = read_project(self.folder)
        except CannotRead:
            return self.folder / "mappings"
        return project.mappings or self.folder / "mappings"

    def _place_for(self, name: str) -> Path:
        folder, _, last = name.rpartition("/")
        stem, dot, ending = last.rpartition(".")
        mappings, samples = self.mappings_folder(), self.folder / EVENTS_FOLDER
        wanted = {
            _relative(mappings, self.folder): (mappings, _MAPPING_ENDINGS),
            _relative(samples, self.folder): (samples, _SAMPLE_ENDINGS),
        }
        if folder not in wanted or not _is_inside(wanted[folder][0].resolve(), self.folder):
            raise FileRefused(f"a new file goes into {' or '.join(wanted)}")
        place, endings = wanted[folder]
        if dot + ending not in endings or not _NEW_NAME.fullmatch(stem):
            raise FileRefused(f"name it with letters, digits, - and _, such as {folder}/name{endings[0]}")
        return place / last

    def _mappings(self) -> Iterator[EditableFile]:
        folder = self.mappings_folder()
        found = _files(folder, _MAPPING_ENDINGS)
        is_readonly = not _is_inside(folder.resolve(), self.folder)
        for path in found:
            name = _relative(path, self.folder)
            yield EditableFile(name=name, kind="mapping", location=path, is_readonly=is_readonly)
        if not found:
            for source in mapping_sources(None).values():
                yield EditableFile(name=source.file, kind="mapping", location=None, is_readonly=True)

    def _project(self) -> Iterator[EditableFile]:
        path = self.folder / PROJECT_FILE
        if path.is_file() and not path.is_symlink():
            yield EditableFile(name=PROJECT_FILE, kind="project", location=path)

    def _samples(self) -> Iterator[EditableFile]:
        top = self.folder / EVENTS_FOLDER
        folders = [top, *sorted(path for path in top.rglob("*") if path.is_dir())] if top.is_dir() else []
        for folder in folders:
            if _is_inside(folder.resolve(), self.folder):
                for path in _files(folder, _SAMPLE_ENDINGS):
                    yield EditableFile(name=_relative(path, self.folder), kind="samples", location=path)


def etag_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]


def _files(folder: Path, endings: tuple[str, ...]) -> list[Path]:
    """The files directly in the folder; not links, which could lead anywhere."""
    try:
        paths = sorted(folder.iterdir())
    except OSError:
        return []
    return [path for path in paths if path.suffix in endings and path.is_file() and not path.is_symlink()]


def _is_inside(path: Path, folder: Path) -> bool:
    return path.is_relative_to(folder)


def _relative(path: Path, folder: Path) -> str:
    return Path(os.path.relpath(path, folder)).as_posix()


def _bytes(name: str, location: Path) -> bytes:
    try:
        if location.stat().st_size > LARGEST:
            raise FileRefused(f"{name} is larger than {LARGEST // 1024 // 1024} MB: edit it with another program")
        return location.read_bytes()
    except OSError as error:
        raise FileRefused(f"cannot read {name}: {error.strerror}") from None


def _text(name: str, data: bytes) -> FileText:
    try:
        return FileText(edited_text(data), etag_of(data))
    except Unreadable as why:
        raise FileRefused(f"{name} {why}") from None


def _stored(name: str, text: str, before: bytes) -> bytes:
    try:
        return stored_bytes(text, before)
    except Unreadable as why:
        raise FileRefused(f"{name} {why}") from None


def _replace(name: str, location: Path, data: bytes) -> None:
    """Replaces the file as a whole, so that no reader sees half of it."""
    beside = location.with_name(f".{location.name}.{os.getpid()}.saving")
    try:
        beside.write_bytes(data)
        beside.chmod(location.stat().st_mode & 0o7777)
        beside.replace(location)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        raise FileRefused(f"cannot write {name}: {error.strerror}") from None
