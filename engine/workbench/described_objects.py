"""Objects and their fields as the page shows them."""

from sfmap.engine.org.fields import is_required
from sfmap.engine.org.port import FieldDescription, ObjectDescription

_CUSTOM = "__c"


def shown_object(described: ObjectDescription) -> dict[str, object]:
    return {
        "object": described.name,
        "label": described.label,
        "fields": [_field(field) for field in described.fields.values()],
    }


def _field(field: FieldDescription) -> dict[str, object]:
    return {
        "name": field.name,
        "label": field.label,
        "type": field.type,
        "length": field.length,
        "required": is_required(field),
        "picklist": [
            {"value": entry.value, "label": entry.label or entry.value} for entry in field.entries if entry.active
        ],
        "restricted": field.restricted_picklist,
        "references": list(field.reference_to),
        "relationship": field.relationship_name,
        "lookup": field.external_id or field.id_lookup,
        "custom": field.name.endswith(_CUSTOM),
        "createable": field.createable,
        "updateable": field.updateable,
    }
