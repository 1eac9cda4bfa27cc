"""Checks a project without delivering anything."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sfmap.engine.inspect.describe_cache import describe
from sfmap.engine.inspect.org_check import Descriptions, check_against_org
from sfmap.engine.inspect.source_check import check_sources
from sfmap.engine.inspect.standard_objects import standard_objects
from sfmap.engine.mapping.run.compiled_mapping import CompiledMapping
from sfmap.engine.project.loading import check_mappings, chosen_mappings
from sfmap.engine.project.org_entry import LOCAL
from sfmap.engine.project.project_file import ProjectFile, read_project
from sfmap.engine.yaml_files.diagnostics import Diagnostic, Mistakes, in_order


@dataclass(frozen=True, slots=True)
class ProjectCheck:
    """What was found, and the mappings as far as they could be compiled."""

    mappings: tuple[CompiledMapping, ...]
    diagnostics: tuple[Diagnostic, ...]

    @property
    def is_broken(self) -> bool:
        return any(diagnostic.severity == "error" for diagnostic in self.diagnostics)


def check_project(folder: Path, mappings: Path | None, org_name: str | None) -> ProjectCheck:
    """Checks the project file and the mappings against the named org, or else against the standard objects.

    Raises `CannotRead`, `NoSuchOrg`, `SecretMissing`, `OrgError` or `LocalOrgFailed`.
    """
    project, mistakes = read_project(folder)
    asked = None if mistakes else org_name  # an invalid entry cannot be connected to
    compiled, found = check_mappings(chosen_mappings(project, mappings, asked))
    diagnostics = [*mistakes, *found]
    try:
        objects = _described(project, asked, compiled) if asked else _standard_objects(project)
        diagnostics += (
            one for each in compiled for one in check_against_org(each.mapping, objects, is_whole=bool(asked))
        )
        if not mistakes:
            diagnostics += check_sources(project, compiled)
    except Mistakes as of_schema:
        diagnostics += of_schema.diagnostics
    return ProjectCheck(compiled, in_order(one for one in diagnostics if not one.is_silenced(project.silenced)))


def _standard_objects(project: ProjectFile) -> Descriptions:
    schema = project.org(LOCAL).texts.get("schema")
    return standard_objects(project.folder / schema.text if schema else None)


def _described(project: ProjectFile, org_name: str, compiled: tuple[CompiledMapping, ...]) -> Descriptions:
    return describe(project, project.org(org_name), mapped_objects(compiled), refresh=True).objects


def mapped_objects(compiled: Iterable[CompiledMapping]) -> list[str]:
    """The objects that the mappings write or look records up in."""
    mappings = [one.mapping for one in compiled]
    written = {mapping.object for mapping in mappings}
    references = [rule.reference for mapping in mappings for rule in mapping.all_rules if rule.reference]
    return sorted(written.union(*(to.objects for to in references)))
