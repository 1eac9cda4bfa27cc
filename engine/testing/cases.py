"""The sample events of a project as test cases, and their renderings."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml

from sfmap.engine.errors import SfmapError
from sfmap.engine.inspect.payload import payload
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.mapping.values.record import Event
from sfmap.engine.mapping.values.values import replace_half_pairs
from sfmap.engine.project.loading import chosen_mappings, compile_mappings
from sfmap.engine.project.project_file import PROJECT_FILE, load_project
from sfmap.engine.sources.reading import read_event

EVENTS_FOLDER = Path("tests/events")
"""The folder of sample events in a project."""

_ENDINGS = (".json", ".ndjson")
_UNFIT_FOR_FILES = re.compile(r"[^\w .@+=-]|^[. ]|[. ]$")
_LONGEST_NAME = 100


class NoEvent(SfmapError):
    """The sample is not an event; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    event: Event
    line: int = 1


def project_of(path: Path) -> Path | None:
    """The folder of the project that the file belongs to; None if it is not a sample file."""
    if path.suffix not in _ENDINGS:
        return None
    for folder in path.parents:
        if (folder / PROJECT_FILE).is_file():
            return folder if path.is_relative_to(folder / EVENTS_FOLDER) else None
    return None


@dataclass(frozen=True, slots=True)
class NoCase:
    """A line of a file that is not an event."""

    line: int
    problem: str


def cases(path: Path) -> Iterator[Case]:
    """The events of a file: one in a `.json` file, one per line in an `.ndjson` file. Raises `NoEvent`.

    A case is named by its event's messageId or else its line, or by the file if it has one event.
    """
    other = next((path.with_suffix(ending) for ending in _ENDINGS if ending != path.suffix), path)
    if other.exists():
        raise NoEvent(f"{path} and {other.name} would share their snapshots; rename one")
    for case in read_cases(path, path.read_bytes()):
        if isinstance(case, NoCase):
            place = path if path.suffix == ".json" else f"{path}:{case.line}"
            raise NoEvent(f"{place}: {case.problem}")
        yield case


def read_cases(path: Path, data: bytes) -> Iterator[Case | NoCase]:
    """What a sample file of this name and content has."""
    if path.suffix == ".json":
        event, problem = read_event(data)
        yield NoCase(1, problem) if event is None else Case(path.stem, event)
        return
    seen: set[str] = set()
    for number, line in enumerate(data.splitlines(), 1):
        if line.strip():
            event, problem = read_event(line)
            if event is None:
                yield NoCase(number, problem)
                continue
            message_id = event.get("messageId")
            name = _UNFIT_FOR_FILES.sub("-", message_id)[:_LONGEST_NAME] if isinstance(message_id, str) else ""
            name = name if name and name.casefold() not in seen else f"line {number}"
            seen.add(name.casefold())
            yield Case(name, event, number)


@lru_cache(maxsize=8)
def project_mapper(folder: Path) -> Mapper:
    """The project's active mappings. Raises `Mistakes` or `CannotRead`."""
    return Mapper(compile_mappings(chosen_mappings(load_project(folder), None, None)))


def rendered(mapper: Mapper, event: Event) -> list[dict[str, object]]:
    """The rendering of the event, without its number in a run."""
    return [payload(mapped) for mapped in mapper.map(event)]


def as_snapshot(rendering: list[dict[str, object]]) -> str:
    """The rendering as YAML with a field on each line, for review in a pull request."""
    text: str = yaml.safe_dump(
        replace_half_pairs(rendering),  # type: ignore[arg-type]  # a rendering is JSON
        sort_keys=False,
        allow_unicode=True,
        width=10_000,
    )
    return text


def from_snapshot(text: str) -> list[dict[str, object]]:
    """The rendering in a snapshot; empty if the file is not one."""
    try:
        rendering = yaml.safe_load(text)
    except yaml.YAMLError:
        return []
    is_rendering = isinstance(rendering, list) and all(isinstance(record, dict) for record in rendering)
    return rendering if is_rendering else []
