"""An org's descriptions of its objects, cached on disk for half an hour."""

import hashlib
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from sfmap.engine.errors import SfmapError
from sfmap.engine.files.private_files import private_file, private_folder
from sfmap.engine.org.fields import is_required
from sfmap.engine.org.port import ChildReference, FieldDescription, ObjectDescription, PicklistEntry
from sfmap.engine.project.org_entry import OrgEntry
from sfmap.engine.project.project_file import ProjectFile
from sfmap.engine.wiring.org_opening import open_org
from sfmap.engine.yaml_files.diagnostics import did_you_mean, listed

LIFETIME = 30 * 60.0
"""In seconds, the same as a session (docs/behaviour.md, row 21)."""


class NoSuchObject(SfmapError):
    """The org does not have the object, or does not show it to this user."""


@dataclass(frozen=True, slots=True)
class CachedDescriptions:
    objects: Mapping[str, ObjectDescription]
    age: float
    """Seconds since the org described them."""


def describe(
    project: ProjectFile, entry: OrgEntry, names: Sequence[str], refresh: bool = False
) -> CachedDescriptions:
    """Those of the named objects that the org has, from the cache or, if too old, from the org.

    Raises the same as opening and calling the org.
    """
    path = _path(project, entry)
    kept = _NOTHING if refresh else _read(path)
    if all(name in kept.objects for name in names):
        known = {name: kept.objects[name][1] for name in names}
        oldest = min((kept.objects[name][0] for name in names), default=time.time())
        return CachedDescriptions(
            {name: one for name, one in known.items() if one}, max(0.0, time.time() - oldest)
        )
    with open_org(project, entry) as opened:
        there = opened.org.object_names()
        found = opened.org.describe([name for name in names if name in there])
    now = time.time()
    said = {name: (now, found.get(name)) for name in names}
    _keep(project, path, _Kept(objects={**kept.objects, **said}, names=(now, tuple(sorted(there)))))
    return CachedDescriptions(found, 0.0)


def remembered(project: ProjectFile, entry: OrgEntry) -> dict[str, ObjectDescription | None]:
    """What the org said of its objects before, however long ago; None for one that it does not have."""
    return {name: one for name, (_, one) in _read(_path(project, entry), math.inf).objects.items()}


def object_names(project: ProjectFile, entry: OrgEntry, refresh: bool = False) -> tuple[str, ...]:
    """All objects that the org shows to the user, sorted; from the cache or, if too old, from the org.

    Raises the same as opening and calling the org.
    """
    path = _path(project, entry)
    kept = _read(path)
    if kept.names and not refresh:
        return kept.names[1]
    with open_org(project, entry) as opened:
        there = tuple(sorted(opened.org.object_names()))
    _keep(project, path, _Kept(objects=kept.objects, names=(time.time(), there)))
    return there


def describe_one(
    project: ProjectFile, entry: OrgEntry, name: str, refresh: bool
) -> tuple[ObjectDescription, float]:
    """One object and the age of its description. Raises `NoSuchObject`."""
    described = describe(project, entry, [name], refresh)
    if name in described.objects:
        return described.objects[name], described.age
    hint = did_you_mean(name, object_names(project, entry)) or "create it in Setup, or give the user access to it"
    raise NoSuchObject(f"the org has no object {name}; {hint}")


@dataclass(frozen=True, slots=True)
class _Kept:
    """What the cache has, each with the time when the org said it."""

    objects: Mapping[str, tuple[float, ObjectDescription | None]]
    names: tuple[float, tuple[str, ...]] | None


_NOTHING = _Kept(objects={}, names=None)


def _path(project: ProjectFile, entry: OrgEntry) -> Path:
    """The cache file of an org; its name is a hash of the settings that identify the org."""
    texts = sorted((key, node.text) for key, node in entry.texts.items())
    key = hashlib.sha256(repr((entry.name, entry.sandbox, texts)).encode()).hexdigest()[:16]
    return project.state / "describe" / f"{key}.json"


def _read(path: Path, oldest: float = LIFETIME) -> _Kept:
    try:
        kept = orjson.loads(path.read_bytes())
        objects = {
            name: (said, _object(raw) if raw else None)
            for name, (said, raw) in kept["objects"].items()
            if 0 <= time.time() - said < oldest
        }
        said, names = kept["names"]
        return _Kept(objects=objects, names=(said, tuple(names)) if 0 <= time.time() - said < oldest else None)
    except (
        OSError,
        ValueError,
        TypeError,
        AttributeError,
        KeyError,
    ):  # missing or invalid: ask the org
        return _NOTHING


def _object(raw: dict[str, Any]) -> ObjectDescription:
    """The object restored from `asdict`; lists were tuples."""
    fields = {name: _field(one) for name, one in raw["fields"].items()}
    children = tuple(ChildReference(**one) for one in raw.get("children", ()))
    return ObjectDescription(**{**raw, "fields": fields, "children": children})


def _field(raw: dict[str, Any]) -> FieldDescription:
    entries = tuple(PicklistEntry(**{**one, "valid_for": tuple(one["valid_for"])}) for one in raw["entries"])
    return FieldDescription(**{**raw, "entries": entries, "reference_to": tuple(raw["reference_to"])})


def _keep(project: ProjectFile, path: Path, kept: _Kept) -> None:
    content = {
        "names": kept.names or (0.0, ()),
        "objects": {name: (said, asdict(one) if one else None) for name, (said, one) in kept.objects.items()},
    }
    with suppress(OSError):  # without a cache, the org is asked again
        private_folder(project.state)
        private_folder(path.parent)
        private_file(path)
        path.write_bytes(orjson.dumps(content))


def description_lines(described: ObjectDescription) -> Iterator[str]:
    """The description as text, a line for each field."""
    yield f"{described.name} ({described.label})"
    width = max(map(len, described.fields), default=0)
    for field in described.fields.values():
        yield f"  {field.name:<{width}}  {', '.join(field_facts(field))}"


def field_facts(field: FieldDescription) -> Iterator[str]:
    """What to know about a field to write it: its type, and what the org wants of it."""
    yield f"{field.type}({field.length})" if field.length else field.type
    if not (field.createable or field.updateable):
        yield "read-only"
    elif not field.updateable:
        yield "set on create only"
    elif not field.createable:
        yield "set on update only"
    if is_required(field):
        yield "required"
    if field.external_id or field.id_lookup:
        yield "external id" if field.external_id else "finds records"
    if not field.filterable:
        yield "not looked up by"
    if field.reference_to:
        yield f"points to {listed(field.reference_to)} as {field.relationship_name}"
    if field.picklist_values:
        kind = "only" if field.restricted_picklist else "values"
        yield f"{kind} {', '.join(field.picklist_values[:8])}{', ...' if len(field.picklist_values) > 8 else ''}"
