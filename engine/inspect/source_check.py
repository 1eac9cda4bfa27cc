"""Checks the sources of a project against its mappings, by the first rows of files on this machine."""

from collections.abc import Iterator, Sequence
from itertools import islice

from sfmap.engine.errors import SfmapError
from sfmap.engine.inspect.coverage import cover
from sfmap.engine.mapping.run.compiled_mapping import CompiledMapping
from sfmap.engine.mapping.values.record import Event
from sfmap.engine.mapping.values.values import shown
from sfmap.engine.project.project_file import ProjectFile
from sfmap.engine.project.source_entry import SourceEntry
from sfmap.engine.sources.rows import WrongShape
from sfmap.engine.sources.stored_files import is_remote
from sfmap.engine.wiring.source_opening import USUAL_OPTIONS, open_source
from sfmap.engine.yaml_files import kinds
from sfmap.engine.yaml_files.diagnostics import Diagnostic, listed

_FIRST = 100
_SWITCHES = "integrations"


def check_sources(project: ProjectFile, mappings: Sequence[CompiledMapping]) -> Iterator[Diagnostic]:
    """The warnings about each source."""
    for entry in project.sources.values():
        if _is_never_opted_in(entry, mappings):
            yield Diagnostic(
                kinds.NEVER_OPTED_IN,
                entry.name.span,
                f"no row of {entry.name.text} has integrations.Salesforce, so that each would be skipped",
                "write opt_in: true under event, if the people agreed",
                "warning",
            )
        if entry.files and not any(is_remote(one.text) for one in entry.files):
            yield from _about_rows(project, entry, mappings)


def _is_never_opted_in(entry: SourceEntry, mappings: Sequence[CompiledMapping]) -> bool:
    columns = entry.columns
    if columns is None or columns.opt_in is not None:
        return False
    switches = [mapping.plan.opt_in for mapping in mappings]
    return bool(switches) and all(one and one.text.startswith(f"{_SWITCHES}.") for one in switches)


def _about_rows(
    project: ProjectFile, entry: SourceEntry, mappings: Sequence[CompiledMapping]
) -> Iterator[Diagnostic]:
    name = entry.name.text
    try:
        source = open_source(project, [name], USUAL_OPTIONS)
        source.check()
        events = [one.event for one in islice(source, _FIRST) if one.event]
    except WrongShape as wrong:
        yield Diagnostic(kinds.NO_EVENTS_IN_SOURCE, entry.name.span, str(wrong), "", "warning")
        return
    except SfmapError:
        return  # files that are not there yet, or cannot be read now: a run says so
    unread = _unread(mappings, events) if entry.columns else []
    if unread:
        yield Diagnostic(
            kinds.UNREAD_COLUMN,
            entry.name.span,
            f"no mapping reads {listed([shown(one) for one in unread], 'and')} of {name}",
            "write a rule, or leave it out: event: {except: [...]}",
            "warning",
        )


def _unread(mappings: Sequence[CompiledMapping], events: Sequence[Event]) -> list[str]:
    """The traits that reach no field of any mapping that takes the events."""
    opted_in: list[Event] = [{**event, _SWITCHES: {"Salesforce": True, "All": True}} for event in events]
    taking = [one for one in cover(mappings, opted_in) if one.events]
    return [trait for trait in (taking[0].unread if taking else ()) if all(trait in one.unread for one in taking)]
