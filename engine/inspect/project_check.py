"""Checks a project without delivering anything."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sfmap.engine.inspect.describe_cache import describe
from sfmap.engine.inspect.org_check import Descriptions, check_against_org
from sfmap.engine.inspect.source_check import check_sources
from sfmap.engine.inspect.standard_objects import standard_objects
from sfmap.engine.mapping.run.compiled_mapping import CompiledMapping
from sfmap.engine.project.loading import ChosenMappings, check_mappings, chosen_mappings
from sfmap.engine.project.org_entry import LOCAL
from sfmap.engine.project.project_file import ProjectFile, read_project
from sfmap.engine.yaml_files.diagnostics import Diagnostic, Mistakes, in_order


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectCheck:
    """What was found, and the mappings as far as they could be compiled."""

    mappings: tuple[CompiledMapping, ...]
    diagnostics: tuple[Diagnostic, ...]
    can_map: bool
    """Whether events can be mapped: there may still be errors about the org."""
    is_whole: bool
    """Whether it was checked against all that the org has."""

    @property
    def is_broken(self) -> bool:
        return any(diagnostic.severity == "error" for diagnostic in self.diagnostics)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownObjects:
    """The objects that mappings are checked against."""

    objects: Descriptions
    is_whole: bool
    """Whether they are all that the org has."""


def check_project(folder: Path, mappings: Path | None, org_name: str | None) -> ProjectCheck:
    """Checks the project file and the mappings against the named org, or else against the standard objects.

    Raises `CannotRead`, `NoSuchOrg`, `SecretMissing`, `OrgError` or `LocalOrgFailed`.
    """
    project, mistakes = read_project(folder)
    asked = None if mistakes else org_name  # an invalid entry cannot be connected to

    def known_objects(compiled: Sequence[CompiledMapping]) -> KnownObjects:
        if asked is None:
            return KnownObjects(objects=known_without_org(project), is_whole=False)
        return KnownObjects(objects=_described(project, asked, compiled), is_whole=True)

    return check_chosen(project, mistakes, chosen_mappings(project, mappings, asked), known_objects)


def check_chosen(
    project: ProjectFile,
    mistakes: Sequence[Diagnostic],
    chosen: ChosenMappings,
    known_objects: Callable[[Sequence[CompiledMapping]], KnownObjects],
) -> ProjectCheck:
    """Checks the mappings against the objects that are known for them; `mistakes` are those of the project file.

    Raises the same as `known_objects`, but for `Mistakes`.
    """
    compiled, found = check_mappings(chosen)
    diagnostics = [*mistakes, *found]
    can_map = not any(one.severity == "error" for one in diagnostics)
    is_whole = False
    try:
        known = known_objects(compiled)
        is_whole = known.is_whole
        for each in compiled:
            diagnostics += check_against_org(each.mapping, known.objects, is_whole=known.is_whole)
        if not mistakes:
            diagnostics += check_sources(project, compiled)
    except Mistakes as of_schema:
        diagnostics += of_schema.diagnostics
    said = in_order(one for one in diagnostics if not one.is_silenced(project.silenced))
    return ProjectCheck(mappings=compiled, diagnostics=said, can_map=can_map, is_whole=is_whole)


def known_without_org(project: ProjectFile) -> Descriptions:
    """The standard objects, and those of the local org's schema file. Raises `Mistakes` or `CannotRead`."""
    schema = project.org(LOCAL).texts.get("schema")
    return standard_objects(project.folder / schema.text if schema else None)


def _described(project: ProjectFile, org_name: str, compiled: Sequence[CompiledMapping]) -> Descriptions:
    return describe(project, project.org(org_name), mapped_objects(compiled), refresh=True).objects


def mapped_objects(compiled: Iterable[CompiledMapping]) -> list[str]:
    """The objects that the mappings write or look records up in."""
    mappings = [one.mapping for one in compiled]
    written = {mapping.object for mapping in mappings}
    references = [rule.reference for mapping in mappings for rule in mapping.all_rules if rule.reference]
    return sorted(written.union(*(to.objects for to in references)))
