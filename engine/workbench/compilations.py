"""The project as it is being edited: checked and compiled from unsaved texts, once for each state of them."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Lock

from sfmap.engine.inspect.project_check import ProjectCheck, check_chosen
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.project.loading import chosen_mappings
from sfmap.engine.project.project_file import PROJECT_FILE, ProjectFile, read_project
from sfmap.engine.workbench.described_org import DescribedOrg, schema_version
from sfmap.engine.yaml_files.files import CannotRead, Unsaved, read_source

_KEPT = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Compilation:
    project: ProjectFile
    check: ProjectCheck
    mapper: Mapper | None
    """None if there are mistakes."""


class Compilations:
    """The states of one project that were asked for last."""

    def __init__(self, folder: Path, org_name: str | None, org: DescribedOrg) -> None:
        self._folder = folder
        self._org_name = org_name
        self._org = org
        self._lock = Lock()
        self._kept: dict[object, Compilation] = {}
        self._last_good: Mapper | None = None

    def of(self, unsaved: Unsaved) -> Compilation:
        """The project with these texts. Raises `CannotRead` or `NoSuchOrg`."""
        with self._lock:
            project, mistakes = read_project(self._folder, unsaved)
            org_name = None if mistakes else self._org_name
            chosen = chosen_mappings(project, None, org_name, unsaved)
            texts = tuple((one.file, one.text) for one in chosen.sources.values())
            key = (self._project_text(unsaved), texts, schema_version(project), self._org.answers)
            if key not in self._kept:
                known = partial(self._org.known_objects, project)
                checked = check_chosen(project, mistakes, chosen, known)
                compilation = Compilation(
                    project=project,
                    check=checked,
                    mapper=Mapper(checked.mappings) if checked.can_map else None,
                )
                self._kept = {**dict(list(self._kept.items())[1 - _KEPT :]), key: compilation}
            self._last_good = self._kept[key].mapper or self._last_good
            return self._kept[key]

    @property
    def last_good(self) -> Mapper | None:
        """The mappings when they had no mistake last."""
        return self._last_good

    def forget(self) -> None:
        """Has everything checked again: files have changed."""
        with self._lock:
            self._kept = {}

    def _project_text(self, unsaved: Unsaved) -> str:
        try:
            return read_source(self._folder / PROJECT_FILE, unsaved=unsaved).text
        except CannotRead:
            return ""
