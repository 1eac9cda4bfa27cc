"""The sample events of a project: found in its files, named, and added to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson

from sfmap.engine.mapping.values.event_title import event_title
from sfmap.engine.mapping.values.record import Event, Json
from sfmap.engine.sources.reading import NotJson, json_bytes, read_json
from sfmap.engine.testing.cases import EVENTS_FOLDER, NoCase, read_cases
from sfmap.engine.workbench.editable_files import EditableFiles, FileRefused

MOST = 2_000
"""The most samples that are listed."""
USUAL_FILE = (EVENTS_FOLDER / "samples.ndjson").as_posix()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    id: str
    """File and case, as `sfmap test` names it."""
    file: str
    line: int
    event: Event | None
    """None for a line that is not an event."""
    problem: str = ""
    snapshot: Path | None = None

    def as_json(self) -> dict[str, object]:
        return {
            "id": self.id,
            "file": self.file,
            "line": self.line,
            **about(self.event or {}),
            "problem": self.problem,
        }


def about(event: Event) -> dict[str, str]:
    """What tells an event from others: whom it is about, its type and its messageId."""
    said = {"type": _text(event.get("type")), "message_id": _text(event.get("messageId"))}
    return {"title": event_title(event), **said}


class SampleEvents:
    def __init__(self, files: EditableFiles) -> None:
        self._files = files

    def all(self, unsaved: Mapping[str, str]) -> list[Sample]:
        """The samples, those of unsaved texts instead of the files."""
        return [sample for _, sample in zip(range(MOST), self._all(unsaved), strict=False)]

    def find(self, sample_id: str, unsaved: Mapping[str, str]) -> Event:
        """The event of that sample. Raises `FileRefused`."""
        for sample in self._all(unsaved):
            if sample.id == sample_id:
                if sample.event is None:
                    raise FileRefused(f"{sample.file}, line {sample.line}: {sample.problem}")
                return sample.event
        raise FileRefused("there is no such sample any more")

    def add(self, event: Event, name: str) -> str:
        """Adds the event to the end of a file of samples, which is made if needed; returns the sample's id.

        Raises `FileRefused` or `FileChanged`.
        """
        if not name.endswith(".ndjson"):
            raise FileRefused(f"events are added to .ndjson files, such as {USUAL_FILE}")
        if not any(file.name == name for file in self._files.all()):
            self._files.create(name, "")
        file = self._files.find(name)
        before = self._files.read(file)
        end = "" if not before.text or before.text.endswith("\n") else "\n"
        self._files.write(file, f"{before.text}{end}{json_bytes(event).decode()}\n", before.etag)
        return [sample.id for sample in self._all({}) if sample.file == name][-1]

    def _all(self, unsaved: Mapping[str, str]) -> Iterator[Sample]:
        for file in self._files.all():
            if file.kind != "samples" or file.location is None:
                continue
            try:
                own = unsaved.get(file.name)
                data = self._files.read(file).text.encode() if own is None else own.encode("utf-8", "replace")
            except FileRefused as why:
                yield Sample(id=file.name, file=file.name, line=1, event=None, problem=str(why))
                continue
            snapshots = file.location.parent / "__snapshots__" / file.location.stem
            for case in read_cases(file.location, data):
                if isinstance(case, NoCase):
                    name = f"{file.name}::line {case.line}"
                    yield Sample(id=name, file=file.name, line=case.line, event=None, problem=case.problem)
                else:
                    yield Sample(
                        id=f"{file.name}::{case.name}",
                        file=file.name,
                        line=case.line,
                        event=case.event,
                        snapshot=snapshots / f"{case.name}.yaml",
                    )


def read_given_event(said: object) -> Event:
    """The event of a request. Raises `FileRefused`."""
    try:
        event = read_json(said.encode("utf-8", "replace") if isinstance(said, str) else orjson.dumps(said))
    except (NotJson, orjson.JSONEncodeError) as error:
        raise FileRefused(f"this is not an event: {error}") from None
    if not isinstance(event, dict):
        raise FileRefused("an event is a JSON object")
    return event


def _text(value: Json) -> str:
    return value[:200] if isinstance(value, str) else ""
