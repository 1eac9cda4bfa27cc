"""Checks a project without delivering: its errors, and what sample events leave unused."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sfmap.engine.inspect.coverage import Coverage
from sfmap.engine.inspect.describe_cache import describe
from sfmap.engine.inspect.org_check import Descriptions, plain_org, review
from sfmap.engine.mapping.run.compiled_mapping import CompiledMapping
from sfmap.engine.project.loading import check_mappings, chosen_mappings
from sfmap.engine.project.project_file import LOCAL, Project, read_project
from sfmap.engine.yaml_files.diagnostics import Diagnostic, Mistakes, in_order


@dataclass(frozen=True, slots=True)
class Checked:
    mappings: tuple[CompiledMapping, ...]
    diagnostics: tuple[Diagnostic, ...]

    @property
    def is_broken(self) -> bool:
        return any(diagnostic.severity == "error" for diagnostic in self.diagnostics)


def check_project(folder: Path, mappings: Path | None, org_name: str | None) -> Checked:
    """Checks the project file and the mappings against the named org, or else against the standard objects.

    Raises `CannotRead`, `NoSuchOrg`, `SecretMissing`, `OrgError` or `LocalOrgFailed`.
    """
    project, mistakes = read_project(folder)
    asked = None if mistakes else org_name  # an invalid entry cannot be connected to
    compiled, found = check_mappings(*chosen_mappings(project, mappings, asked))
    diagnostics = [*mistakes, *found]
    try:
        objects = _described(project, asked, compiled) if asked else _plain(project)
        diagnostics += (one for m in compiled for one in review(m.mapping, objects, is_whole=bool(asked)))
    except Mistakes as of_schema:
        diagnostics += of_schema.diagnostics
    return Checked(compiled, in_order(one for one in diagnostics if not one.is_silenced(project.silenced)))


def _plain(project: Project) -> Descriptions:
    schema = project.org(LOCAL).texts.get("schema")
    return plain_org(project.folder / schema.text if schema else None)


def _described(project: Project, org_name: str, compiled: tuple[CompiledMapping, ...]) -> Descriptions:
    return describe(project, project.org(org_name), mapped_objects(compiled), refresh=True).objects


def mapped_objects(compiled: Iterable[CompiledMapping]) -> list[str]:
    """The objects that the mappings write or look records up in."""
    mappings = [one.mapping for one in compiled]
    written = {mapping.object for mapping in mappings}
    references = [rule.reference for mapping in mappings for rule in mapping.all_rules if rule.reference]
    return sorted(written.union(*(to.objects for to in references)))


def coverage_text(covered: Iterable[Coverage]) -> Iterator[str]:
    """The coverage as text, a paragraph for each mapping."""
    for coverage in covered:
        mapping = coverage.compiled.mapping
        yield f"{mapping.source.file}: {_counted(coverage.events)}"
        for plan in coverage.never_fired:
            yield f"  never fired: {plan.field} (line {plan.span.line})"
        for trait, count in coverage.unread.most_common():
            yield f"  reaches no field: {trait} ({_counted(count)})"


def _counted(events: int) -> str:
    return f"{events:,} event{'' if events == 1 else 's'}"


def coverage_json(covered: Iterable[Coverage]) -> list[dict[str, object]]:
    return [
        {
            "mapping": coverage.compiled.mapping.name,
            "events": coverage.events,
            "never_fired": [{"field": plan.field, "line": plan.span.line} for plan in coverage.never_fired],
            "no_field": dict(coverage.unread.most_common()),
        }
        for coverage in covered
    ]
