"""Loads mapping files and compiles them, reporting all errors at once."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

from sfmap.engine.language.overlay import Library, Setting, entry
from sfmap.engine.language.parse import parse_mapping
from sfmap.engine.mapping.compile.build import compile_mapping
from sfmap.engine.mapping.run.compiled_mapping import CompiledMapping
from sfmap.engine.org.soql_conditions import where_mistakes
from sfmap.engine.project.project_file import Project
from sfmap.engine.yaml_files import kinds
from sfmap.engine.yaml_files.diagnostics import Diagnostic, Mistakes, Source, did_you_mean, in_order, listed
from sfmap.engine.yaml_files.files import CannotRead, read_source
from sfmap.engine.yaml_files.nodes import ScalarNode, TableNode, read_yaml

_ENDINGS = (".yaml", ".yml")

ChosenMappings = tuple[dict[str, Source], tuple[ScalarNode, ...], tuple[Setting, ...], TableNode | None]
"""The mapping files, which to use, their settings and the org's, and the defaults for keys that they lack."""


def mapping_sources(folder: Path | None) -> dict[str, Source]:
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
    return {name: read_source(path) for name, path in found.items()}


@cache
def _shipped() -> dict[str, Source]:
    folder = files("sfmap.mappings")
    names = sorted(path.name for path in folder.iterdir() if path.name.endswith(_ENDINGS))
    return {
        name.rpartition(".")[0]: Source(f"sfmap/mappings/{name}", (folder / name).read_text("utf-8"))
        for name in names
    }


def chosen_mappings(project: Project, folder: Path | None, org_name: str | None) -> ChosenMappings:
    """The mappings to use. A folder from the command line is used as a whole, without the project's `use`.

    Raises `CannotRead` or `NoSuchOrg`.
    """
    sources = mapping_sources(folder or project.mappings)
    settings = (*project.settings, *project.org(org_name).settings)
    if not folder:
        return sources, project.use, settings, project.usual
    return sources, (), tuple(setting for setting in settings if setting[0].text in sources), project.usual


def compile_mappings(
    sources: Mapping[str, Source],
    use: Sequence[ScalarNode],
    settings: Iterable[Setting],
    usual: TableNode | None = None,
) -> tuple[CompiledMapping, ...]:
    """The mappings that `use` names, in its order, or all active ones. Raises `Mistakes` with all errors."""
    compiled, diagnostics = check_mappings(sources, use, settings, usual)
    if any(diagnostic.severity == "error" for diagnostic in diagnostics):
        raise Mistakes(diagnostics)
    return compiled


def check_mappings(
    sources: Mapping[str, Source],
    use: Sequence[ScalarNode],
    settings: Iterable[Setting],
    usual: TableNode | None = None,
) -> tuple[tuple[CompiledMapping, ...], tuple[Diagnostic, ...]]:
    """The mappings as far as they could be compiled, and all errors and warnings."""
    settings = tuple(settings)
    diagnostics = [
        Diagnostic(
            kinds.UNKNOWN_MAPPING, node.span, f'there is no mapping "{node.text}"', _known(node.text, sources)
        )
        for node in (*use, *(name for name, _ in settings))
        if node.text not in sources
    ]
    chosen = list(dict.fromkeys(node.text for node in use if node.text in sources))
    compiled = []
    for name in chosen or [name for name, source in sources.items() if is_active(source)]:
        own = [setting for node, setting in settings if node.text == name]
        try:
            mapping, found = parse_mapping(name, sources[name], _library(sources), own, usual)
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
