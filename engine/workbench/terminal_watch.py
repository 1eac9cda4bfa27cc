"""`sfmap dev --watch`: after each save, the mistakes and the samples that become something else, in a terminal."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from threading import Event as Flag

from sfmap.engine.errors import SfmapError
from sfmap.engine.inspect.payload_diff import differences
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.messages.counts import counted
from sfmap.engine.testing.cases import rendered
from sfmap.engine.workbench.compilations import Compilation
from sfmap.engine.workbench.edited_project import EditedProject
from sfmap.engine.yaml_files.diagnostics import Style, render_all

_LOOK_EVERY = 0.3
_MOST_SAMPLES = 20
"""Samples whose changes are printed after one save; the others are counted."""

Rendering = list[dict[str, object]]


def watch_project(folder: Path, org_name: str | None, say: Callable[[str], object], style: Style) -> None:
    """Looks at the project now and whenever it changes, until Ctrl-C. Raises the first failure to read it."""
    org_answered = Flag()
    watch = TerminalWatch(EditedProject(folder, org_name, org_answered.set), style)
    for line in watch.look():
        say(line)
    while True:
        time.sleep(_LOOK_EVERY)
        if not watch.has_changed() and not org_answered.is_set():
            continue
        org_answered.clear()
        say(f"\n{datetime.now():%H:%M:%S}")
        try:
            for line in watch.look():
                say(line)
        except SfmapError as error:
            say(f"Error: {error}")


class TerminalWatch:
    """Compares what the samples become with the last time that the mappings had no mistake."""

    def __init__(self, project: EditedProject, style: Style) -> None:
        self._project = project
        self._style = style
        self._before: dict[str, Rendering] | None = None

    def has_changed(self) -> bool:
        return any(what in ("files", "samples") for what in self._project.changed())

    def look(self) -> Iterator[str]:
        """What there is to say about the project as it is saved. Raises `CannotRead` or `NoSuchOrg`."""
        compilation = self._project.compiled({})
        if compilation.check.diagnostics:
            yield render_all(compilation.check.diagnostics, self._style)
        yield self._verdict(compilation)
        if compilation.mapper is not None:
            yield from self._samples(compilation.mapper)

    def _verdict(self, compilation: Compilation) -> str:
        errors = sum(one.severity == "error" for one in compilation.check.diagnostics)
        state = self._project.org.state(compilation.project)
        fields = sum(len(one.mapping.rules) for one in compilation.check.mappings)
        against = self._project.org.against(compilation.project, is_whole=compilation.check.is_whole)
        asked = f" {state.message}" if state.state == "away" else ""
        if errors:
            return f"{counted(errors, 'mistake')}, checked against {against}.{asked}"
        return f"No mistakes, {counted(fields, 'field')}, checked against {against}.{asked}"

    def _samples(self, mapper: Mapper) -> Iterator[str]:
        samples = [(one.id, one.event) for one in self._project.samples.all({}) if one.event is not None]
        now = {name: rendered(mapper, event) for name, event in samples}
        if self._before is not None:
            yield from self._changes(self._before, now)
        self._before = now
        head = self._project.head.mapper()
        if head is None:
            yield f"{counted(len(now), 'sample')}; nothing to compare with: {self._project.head.message}."
            return
        other = sum(bool(differences(rendered(head, event), now[name])) for name, event in samples)
        yield f"{counted(len(now), 'sample')}, {other} changed since HEAD."

    def _changes(self, before: dict[str, Rendering], now: dict[str, Rendering]) -> Iterator[str]:
        found = {name: differences(before.get(name, []), one) for name, one in now.items()}
        changed = {name: some for name, some in found.items() if some}
        for name, some in list(changed.items())[:_MOST_SAMPLES]:
            yield self._style(name, "place")
            yield from (f"  {one}" for one in some)
        if len(changed) > _MOST_SAMPLES:
            yield f"... and {counted(len(changed) - _MOST_SAMPLES, 'more sample')}"
