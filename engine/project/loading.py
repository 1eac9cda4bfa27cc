"""Loads mapping files and compiles them, reporting all errors at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sfmap.engine.language.overlay import Library, Setting, entry
from sfmap.engine.language.parse import parse_mapping
from sfmap.engine.mapping.compile.build import compile_mapping
from sfmap.engine.mapping.run.compiled_mapping import CompiledMapping
from sfmap.engine.org.soql_conditions import where_mistakes
from sfmap.engine.project.project_file import ProjectFile
from sfmap.engine.yaml_files import kinds
from sfmap.engine.yaml_files.diagnostics import Diagnostic, Mistakes, Source, did_you_mean, in_order, listed
from sfmap.engine.yaml_files.files import SAVED, CannotRead, Unsaved, read_source
from sfmap.engine.yaml_files.nodes import ScalarNode, TableNode, read_yaml

_ENDINGS = (".yaml", ".yml")
_SHIPPED = Path(__file__).parents[2] / "mappings"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenMappings:
    """Mapping files, and what the project says about them."""

    sources: Mapping[str, Source]
    use: tuple[ScalarNode, ...] = ()
    """The names of those to use, in this order; empty for all active ones."""
    settings: tuple[Setting, ...] = ()
    """Their settings, then those of the org."""
    usual: TableNode | None = None
    """Defaults for keys that the mappings do not have."""


def mapping_sources(folder: Path | None, unsaved: Unsaved = SAVED) -> dict[str, Source]:
    """The mapping files of a folder, or the shipped ones, by name in alphabetical order. Raises `CannotRead`."""
    if folder is None:
        return _shipped()
    if folder.is_file():
        raise CannotRead(f"{folder} is a file; give the folder of mappings that it is in")
    if not folder.is_dir():
        raise CannotRead(f"there is no folder of mappings {folder}")
    found: dict[str, Path] = {}
    for path in sorted(path for path in folder.iterdir() if path.suffix in _ENDINGS):
        if path.stem in found:
            raise CannotRead(f"{found[path.stem]} and {path} are both the mapping {path.stem}; rename one")
        found[path.stem] = path
    if not found:
        raise CannotRead(f"the folder {folder} contains no mappings: put a .yaml file there")
    return {name: read_source(path, unsaved=unsaved) for name, path in found.items()}


@cache
def _shipped() -> dict[str, Source]:
    files = sorted(path for path in _SHIPPED.iterdir() if path.suffix in _ENDINGS)
    return {path.stem: Source(f"sfmap/mappings/{path.name}", path.read_text("utf-8")) for path in files}


def chosen_mappings(
    project: ProjectFile, folder: Path | None, org_name: str | None, unsaved: Unsaved = SAVED
) -> ChosenMappings:
    """The mappings to use. A folder from the command line is used as a whole, without the project's `use`.

    Raises `CannotRead` or `NoSuchOrg`.
    """
    sources = mapping_sources(folder or project.mappings, unsaved)
    settings = (*project.settings, *project.org(org_name).settings)
    if not folder:
        return ChosenMappings(sources=sources, use=project.use, settings=settings, usual=project.usual)
    of_folder = tuple(setting for setting in settings if setting[0].text in sources)
    return ChosenMappings(sources=sources, settings=of_folder, usual=project.usual)


def compile_mappings(chosen: ChosenMappings) -> tuple[CompiledMapping, ...]:
    """The mappings that are used. Raises `Mistakes` with all errors."""
    compiled, diagnostics = check_mappings(chosen)
    if any(diagnostic.severity == "error" for diagnostic in diagnostics):
        raise Mistakes(diagnostics)
    return compiled


def check_mappings(chosen: ChosenMappings) -> tuple[tuple[CompiledMapping, ...], tuple[Diagnostic, ...]]:
    """The mappings as far as they could be compiled, and all errors and warnings."""
    sources = chosen.sources
    diagnostics = [
        Diagnostic(
            kinds.UNKNOWN_MAPPING, node.span, f'there is no mapping "{node.text}"', _known(node.text, sources)
        )
        for node in (*chosen.use, *(name for name, _ in chosen.settings))
        if node.text not in sources
    ]
    names = list(dict.fromkeys(node.text for node in chosen.use if node.text in sources))
    compiled = []
    for name in names or [name for name, source in sources.items() if is_active(source)]:
        own = [setting for node, setting in chosen.settings if node.text == name]
        try:
            mapping, found = parse_mapping(name, sources[name], _library(sources), own, chosen.usual)
        except Mistakes as error:
            diagnostics += error.diagnostics
            continue
        diagnostics += found
        if mapping:
            ready, found = compile_mapping(mapping)
            diagnostics += found
            diagnostics += where_mistakes(mapping)
            compiled.append(ready)
    return tuple(compiled), in_order(diagnostics)


def is_active(source: Source) -> bool:
    """Whether the mapping is used without being named; invalid YAML is, so that its error is reported."""
    if "active" not in source.text:
        return True
    try:
        root, _ = read_yaml(source)
    except Mistakes:
        return True
    active = entry(root, "active")
    return not (isinstance(active, ScalarNode) and active.value is False)


def _library(sources: Mapping[str, Source]) -> Library:
    """The mappings that `extends` can name: those of the same folder, and the shipped ones."""

    def find(name: str, source: Source) -> Source | None:
        beside = sources.get(name)
        return beside if beside and beside is not source else mapping_sources(None).get(name)

    return find


def _known(name: str, sources: Mapping[str, Source]) -> str:
    return did_you_mean(name, sources) or f"there are {listed(sources, 'and')}"
