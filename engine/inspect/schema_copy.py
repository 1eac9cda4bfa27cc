"""`sfmap org clone`: writes an org's objects as a schema file for the local org."""

import json
from collections.abc import Iterator, Sequence

from sfmap.engine.local_org.records.currencies import MANY
from sfmap.engine.local_org.records.object_schema import NUMBER_TYPES
from sfmap.engine.org.fields import is_required
from sfmap.engine.org.port import FieldDescription, ObjectDescription

_WRITE = {(True, True): "", (True, False): "create", (False, True): "update", (False, False): "never"}
"""The value of `write`, by createable and updateable."""


def schema_lines(objects: Sequence[ObjectDescription], currency: str, org_name: str) -> Iterator[str]:
    """The lines of the file; texts are quoted, so that none is read as another type.

    `currency` is the org's, empty where it has several.
    """
    yield f"# These objects as described by the org {org_name}; written by sfmap org clone."
    yield f"currency: {currency or MANY}"
    yield "objects:"
    for described in objects:
        yield f"  {described.name}:"
        yield "    complete: true"
        yield f"    label: {json.dumps(described.label, ensure_ascii=False)}"
        yield f"    key_prefix: {json.dumps(described.key_prefix)}"
        yield "    fields:"
        for field in described.fields.values():
            facts = (
                f"{key}: {json.dumps(said, ensure_ascii=False)}"
                for key, said in _facts(field, described).items()
                if said
            )
            yield f"      {field.name}: {{{', '.join(facts)}}}"


def _facts(field: FieldDescription, described: ObjectDescription) -> dict[str, object]:
    """The field's properties by key, without empty ones."""
    is_number = field.type in NUMBER_TYPES
    return {
        "type": field.type,
        "label": field.label,
        "length": field.length,
        "precision": field.precision if is_number else 0,
        "scale": field.scale if is_number else 0,
        "write": _WRITE[field.createable, field.updateable],
        "required": is_required(field) and field.type != "boolean",
        "unique": field.unique,
        "external_id": field.external_id,
        "finds": field.id_lookup and not field.external_id,
        "restricted": field.restricted_picklist,
        "values": list(_values(field, described)),
        "controller": field.controller,
        "unfiltered": not field.filterable,
        "to": field.reference_to,
        "relationship": field.relationship_name,
    }


def _values(field: FieldDescription, described: ObjectDescription) -> Iterator[str | dict[str, object]]:
    """The values of a picklist; a table for those with other properties."""
    controller = described.fields.get(field.controller)
    controlling = [entry.value for entry in controller.entries] if controller else []
    for entry in field.entries:
        said: dict[str, object] = {"value": entry.value}
        if entry.label != entry.value:
            said["label"] = entry.label
        if valid_for := [controlling[position] for position in entry.valid_for if position < len(controlling)]:
            said["for"] = valid_for
        if not entry.active:
            said["active"] = False
        yield said if len(said) > 1 else entry.value
