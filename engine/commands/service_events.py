"""The events that a service of the project has accepted in the last days."""

from collections.abc import Iterator
from contextlib import closing

from sfmap.engine.journal.history_file import read_history
from sfmap.engine.mapping.values.record import Event
from sfmap.engine.project.project_file import ProjectFile
from sfmap.engine.sources.event_source import SourceFailed
from sfmap.engine.sources.reading import read_event


def service_events(project: ProjectFile) -> Iterator[Event]:
    """The events of the history, the oldest first. Raises `SourceFailed` or `JournalFailed`."""
    if project.shared_state:
        raise SourceFailed("--from-service reads the history of a service that keeps its state in this folder")
    history = read_history(project.state)
    if history is None:
        raise SourceFailed("no service of this project has kept events: sfmap serve keeps those of the last days")
    with closing(history):
        for one in history.all_events():
            event, _ = read_event(one.raw)
            if event is not None:
                yield event
