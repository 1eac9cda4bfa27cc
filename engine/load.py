"""Mapping files, a folder's or the shipped ones, → compiled mappings, with all their mistakes at once."""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

from sfmap.engine.mapping.compile import CompiledMapping, compile_mapping
from sfmap.engine.spec.diagnostics import Diagnostic, Mistakes, Source, did_you_mean, listed
from sfmap.engine.spec.model import Settings
from sfmap.engine.spec.parse import parse_mapping
from sfmap.engine.spec.source import ScalarNode

_ENDINGS = (".yaml", ".yml")


class CannotRead(Exception):
    """A file or folder that is missing, unreadable or empty; the message names it."""


def read_source(path: Path, hidden: bool = False) -> Source:
    """A file's text; bytes that are not UTF-8 become half surrogate pairs, which the YAML reader reports.

    Raises `CannotRead`.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CannotRead(f"cannot read {path}: {error.strerror}") from None
    return Source(str(path), data.decode("utf-8-sig", "surrogateescape"), hidden)


def mapping_sources(folder: Path | None) -> dict[str, Source]:
    """The mapping files of a folder, or the shipped ones, by name in alphabetical order. Raises `CannotRead`."""
    if folder is None:
        shipped = files("sfmap.mappings")
        paths = sorted(path.name for path in shipped.iterdir() if path.name.endswith(_ENDINGS))
        return {
            path.rpartition(".")[0]: Source(f"sfmap/mappings/{path}", (shipped / path).read_text("utf-8"))
            for path in paths
        }
    if not folder.is_dir():
        raise CannotRead(f"there is no folder of mappings {folder}")
    found: dict[str, Path] = {}
    for path in sorted(path for path in folder.iterdir() if path.suffix in _ENDINGS):
        if path.stem in found:
            raise CannotRead(f"{found[path.stem]} and {path} are both the mapping {path.stem}; rename one")
        found[path.stem] = path
    if not found:
        raise CannotRead(f"the folder {folder} holds no mapping: put a .yaml file there")
    return {name: read_source(path) for name, path in found.items()}


def compile_mappings(
    sources: Mapping[str, Source], use: Sequence[ScalarNode], settings: Mapping[ScalarNode, Settings]
) -> tuple[CompiledMapping, ...]:
    """The mappings that `use` names, or all, in alphabetical order. Raises `Mistakes` with all of them."""
    mistakes = [
        Diagnostic(node.span, f'there is no mapping "{node.text}"', _known(node.text, sources))
        for node in (*use, *settings)
        if node.text not in sources
    ]
    chosen = {node.text for node in use} or set(sources)
    settings_of = {node.text: setting for node, setting in settings.items()}
    compiled = []
    for name, source in sources.items():
        if name not in chosen:
            continue
        try:
            mapping, found = parse_mapping(name, source, settings_of.get(name))
        except Mistakes as error:
            mistakes += error.diagnostics
            continue
        mistakes += found
        if mapping:
            ready, found = compile_mapping(mapping)
            mistakes += found
            compiled.append(ready)
    if mistakes:
        raise Mistakes(mistakes)
    return tuple(compiled)


def _known(name: str, sources: Mapping[str, Source]) -> str:
    return did_you_mean(name, sources) or f"there are {listed(sources, 'and')}"
