"""A project that is being edited: its files, samples, org and HEAD, and what its mappings make of events."""

from collections.abc import Callable, Mapping
from pathlib import Path

from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.project.project_file import ProjectFile, read_project
from sfmap.engine.workbench.compilations import Compilation, Compilations
from sfmap.engine.workbench.described_org import DescribedOrg
from sfmap.engine.workbench.editable_files import EditableFiles
from sfmap.engine.workbench.file_watch import FileWatch
from sfmap.engine.workbench.head_mappings import HeadMappings
from sfmap.engine.workbench.org_notes import OrgNotes
from sfmap.engine.workbench.sample_events import SampleEvents
from sfmap.engine.workbench.shown_results import ShownResults
from sfmap.engine.yaml_files.diagnostics import Mistakes
from sfmap.engine.yaml_files.files import CannotRead

Texts = Mapping[str, str]
"""Unsaved texts by the names of their files."""


class EditedProject:
    """What the page and the terminal show is made from this."""

    def __init__(self, folder: Path, org_name: str | None, on_org: Callable[[], object]) -> None:
        """Diagnostics name files below the folder as it is given here.

        `on_org` is called when the org has answered, or could not be asked.
        """
        self.files = EditableFiles(folder)
        self.samples = SampleEvents(self.files)
        self.org = DescribedOrg(org_name, on_change=on_org)
        self.head = HeadMappings(self.files.folder, org_name)
        self._compilations = Compilations(folder, org_name, self.org)
        self._watch = FileWatch(self.files, self.file().state)
        self._names: dict[str, str] = {}

    def file(self) -> ProjectFile:
        """What sfmap.yaml says, as far as it can be read. Raises `CannotRead`."""
        return read_project(self.files.folder)[0]

    def changed(self) -> list[str]:
        """What other programs have changed since it was asked last: `files`, `samples` or `caught`."""
        found = self._watch.changed()
        if found:
            self._compilations.forget()
        return found

    def compiled(self, texts: Texts) -> Compilation:
        """The project with unsaved texts. Raises `FileRefused`, `CannotRead` or `NoSuchOrg`."""
        places = {name: self.files.find(name).location for name in texts}
        return self._compilations.of({place: texts[name] for name, place in places.items() if place})

    def usable(self, texts: Texts) -> tuple[Compilation, Mapper | None]:
        """The same with its mappings, or while they have mistakes as they were before those."""
        compilation = self.compiled(texts)
        mapper = compilation.mapper or self._compilations.last_good or self.head.mapper()
        return compilation, mapper or _without_mistakes(compilation)

    def shown(self, now: Mapper, project: ProjectFile) -> ShownResults:
        """What mappings make of events, compared with HEAD."""
        org = self._org_notes(now, project)
        return ShownResults(now=now, before=self.head.mapper(), org=org, name_of=self.name_of)

    def name_of(self, file: str) -> str:
        """The name by which a file of a diagnostic is known."""
        if file not in self._names:
            path = Path(file)
            is_own = path.is_absolute() and path.is_relative_to(self.files.folder)
            self._names[file] = path.relative_to(self.files.folder).as_posix() if is_own else file
        return self._names[file]

    def _org_notes(self, mapper: Mapper, project: ProjectFile) -> OrgNotes:
        try:
            described = self.org.described(project, mapper.objects)
            return OrgNotes(
                objects=self.org.standard(project) if described is None else described,
                is_whole=described is not None,
            )
        except (Mistakes, CannotRead):
            return OrgNotes(objects={}, is_whole=False)


def _without_mistakes(compilation: Compilation) -> Mapper | None:
    """Those mappings whose own files have no mistake; None if there are none."""
    broken = {one.file for one in compilation.check.diagnostics if one.severity == "error"}
    usable = [one for one in compilation.check.mappings if one.mapping.source.file not in broken]
    return Mapper(usable) if usable else None
