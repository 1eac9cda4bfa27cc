"""The events that a service of this project has accepted, which can become samples."""

from contextlib import closing

from sfmap.engine.journal.database import JournalFailed
from sfmap.engine.journal.history_file import read_history
from sfmap.engine.mapping.values.record import Event
from sfmap.engine.project.project_file import ProjectFile
from sfmap.engine.sources.reading import read_event
from sfmap.engine.workbench.sample_events import about

_MOST = 200
_SHARED = "Events are caught from services that keep their state in this folder, not in a database."
_NONE = "No service of this project has kept events: sfmap serve keeps those of the last days."


def caught_events(project: ProjectFile) -> tuple[list[dict[str, object]], str]:
    """The newest events, the newest first, or why there are none."""
    if project.shared_state:
        return [], _SHARED
    try:
        history = read_history(project.state)
        if history is None:
            return [], _NONE
        with closing(history):
            past = history.events(limit=_MOST)
    except JournalFailed as failed:
        return [], str(failed)
    shown = []
    for one in past:
        event, _ = read_event(one.raw)
        if event is not None:
            shown.append(_shown(one.number, one.came, event))
    return shown, "" if shown else _NONE


def _shown(number: int, came: float, event: Event) -> dict[str, object]:
    return {"id": str(number), **about(event), "came": came, "event": event}
