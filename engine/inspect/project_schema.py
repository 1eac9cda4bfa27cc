"""The schema file of a project's mappings: made for an org and for samples, renewed with its description."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from sfmap.engine.files.output import CannotWrite
from sfmap.engine.inspect.describe_cache import describe, object_names
from sfmap.engine.inspect.editor_schema import Completion, EditorKnowledge, editor_schema
from sfmap.engine.inspect.project_check import known_without_org
from sfmap.engine.inspect.traits.trait_inventory import Inventory, SeenPath, path_text
from sfmap.engine.language.overlay import entry
from sfmap.engine.org.port import ObjectDescription
from sfmap.engine.project.loading import mapping_sources
from sfmap.engine.project.project_file import ProjectFile
from sfmap.engine.wiring.source_opening import USUAL_OPTIONS, open_source
from sfmap.engine.yaml_files.diagnostics import Mistakes
from sfmap.engine.yaml_files.nodes import ScalarNode, read_yaml

SCHEMA_FILE = "mapping.schema.json"
"""Beside the mappings, whose first lines name it."""
_REQUEST = "x-sfmap"


@dataclass(frozen=True, slots=True)
class SchemaRequest:
    """What a schema is made for. The file keeps it, so that it can be renewed."""

    org: str | None = None
    """None for the standard objects."""
    samples: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()
    """Objects beside those of the mappings."""


def project_schema(project: ProjectFile, request: SchemaRequest, refresh: bool = False) -> dict[str, object]:
    """The schema of a project's mappings.

    Raises `Mistakes`, `CannotRead`, `NoSuchOrg`, `SecretMissing`, `OrgError`, and what opening the samples raises.
    """
    mapped = dict(objects_of_mappings(project))
    wanted = sorted({*mapped.values(), *request.objects})
    described, names = _described(project, request.org, wanted, refresh)
    knowledge = EditorKnowledge(
        objects=described,
        object_names=names,
        sources=tuple(_sources(project, request.samples)),
        extended=mapped,
    )
    kept = {key: value for key, value in asdict(request).items() if value}
    return {**editor_schema(knowledge), _REQUEST: kept}


def write_schema(project: ProjectFile, request: SchemaRequest, refresh: bool = False) -> Path:
    """Writes the schema beside the mappings, and returns its path.

    Raises `CannotWrite`, and the same as `project_schema`.
    """
    path = _path(project)
    schema = project_schema(project, request, refresh)
    try:
        path.write_bytes(orjson.dumps(schema, option=orjson.OPT_APPEND_NEWLINE))
    except OSError as error:
        raise CannotWrite(f"cannot write {path}: {error.strerror}") from None
    return path


def renew_schema(project: ProjectFile, org: str, refresh: bool = False) -> Path | None:
    """Writes the schema again if it was made for the org, or for none yet. Raises the same as `write_schema`."""
    request = _request(project)
    if request is None or request.org not in (None, org):
        return None
    return write_schema(project, SchemaRequest(org, request.samples, request.objects), refresh)


def _described(
    project: ProjectFile, org: str | None, wanted: list[str], refresh: bool
) -> tuple[dict[str, ObjectDescription], tuple[str, ...]]:
    """The objects, with those that they point to where it costs no more; and the names of all objects."""
    if org is None:
        known = known_without_org(project)
        return dict(known), tuple(known)
    org_entry = project.org(org)
    described = describe(project, org_entry, wanted, refresh)
    return dict(described.objects), object_names(project, org_entry)


def objects_of_mappings(project: ProjectFile) -> Iterator[tuple[str, str]]:
    """The object of each mapping, also of one that is not finished yet, by the mapping's name."""
    folders = (None, project.mappings) if project.mappings else (None,)
    for name, source in ((name, source) for each in folders for name, source in mapping_sources(each).items()):
        try:
            root, _ = read_yaml(source)
        except Mistakes:
            continue
        named = entry(root, "object")
        if isinstance(named, ScalarNode) and named.text:
            yield name, named.text


def _sources(project: ProjectFile, samples: tuple[str, ...]) -> list[Completion]:
    """The paths of the samples, with the objects and lists that they are in."""
    if not samples:
        return []
    named = [str(project.folder / name) if (project.folder / name).exists() else name for name in samples]
    source = open_source(project, named, USUAL_OPTIONS)
    source.check()
    inventory = Inventory(keeps_values=False)
    for received in source:
        if received.event is not None:
            inventory.add(received.event)
    holders: dict[SeenPath, str] = {}
    found: dict[SeenPath, str] = {}
    for seen in inventory.paths():
        found[seen.path] = f"{seen.kind}, in {seen.filled} of the {inventory.events} events"
        for end in range(1, len(seen.path)):
            holders.setdefault(seen.path[:end], "a list" if seen.path[end] is None else "an object")
    return [Completion(path_text(path), about) for path, about in {**holders, **found}.items()]


def _path(project: ProjectFile) -> Path:
    return (project.mappings or project.folder / "mappings") / SCHEMA_FILE


def _request(project: ProjectFile) -> SchemaRequest | None:
    """What the project's schema file was made for; None without one of this kind."""
    try:
        kept = orjson.loads(_path(project).read_bytes())[_REQUEST]
        return SchemaRequest(kept.get("org"), tuple(kept.get("samples", ())), tuple(kept.get("objects", ())))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
