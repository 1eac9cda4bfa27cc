"""`sfmap org clone`: an org's objects, as it describes them, as a schema file for the local org."""

import json
from collections.abc import Iterator, Sequence

from sfmap.engine.org.fields import is_required
from sfmap.engine.org.local.schema import NUMBER_TYPES
from sfmap.engine.org.port import FieldDescription, ObjectDescription

_WRITE = {(True, True): "", (True, False): "create", (False, True): "update", (False, False): "never"}
"""By createable and updateable."""


def schema_lines(objects: Sequence[ObjectDescription], org_name: str) -> Iterator[str]:
    """The lines of the file; texts stand in quotes, so that no value reads as anything else."""
    yield f"# What the org {org_name} says of these objects; written by sfmap org clone."
    yield "objects:"
    for described in objects:
        yield f"  {described.name}:"
        yield "    complete: true"
        yield f"    label: {json.dumps(described.label, ensure_ascii=False)}"
        yield f"    key_prefix: {json.dumps(described.key_prefix)}"
        yield "    fields:"
        for field in described.fields.values():
            facts = (
                f"{key}: {json.dumps(said, ensure_ascii=False)}" for key, said in _facts(field).items() if said
            )
            yield f"      {field.name}: {{{', '.join(facts)}}}"


def _facts(field: FieldDescription) -> dict[str, str | int | bool | Sequence[str]]:
    """By key; what is empty need not be said."""
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
        "values": field.picklist_values,
        "to": field.reference_to,
        "relationship": field.relationship_name,
    }
