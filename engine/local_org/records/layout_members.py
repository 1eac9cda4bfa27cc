"""What a describe says of an object's page layout: one section with a row for each field."""

from collections.abc import Sequence
from dataclasses import dataclass

from sfmap.engine.local_org.records.ids import new_id
from sfmap.engine.local_org.records.object_members import described_record_type
from sfmap.engine.local_org.records.object_schema import FieldSchema, ObjectSchema, Schema
from sfmap.engine.local_org.records.record_types import RecordTypeInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedLayouts:
    layouts: list[dict[str, object]]
    record_types: list[dict[str, object]]
    """Each record type with the layout that it has."""


def described_layouts(
    target: ObjectSchema, schema: Schema, record_types: Sequence[RecordTypeInfo]
) -> DescribedLayouts:
    layout_id = new_id("00h", 1 + list(schema.objects).index(target.name))
    section = _section(target, layout_id)
    layout: dict[str, object] = {
        "detailLayoutSections": [section],
        "editLayoutSections": [section],
        "id": layout_id,
    }
    mappings = [
        {**described_record_type(one), "layoutId": layout_id, "picklistsForRecordType": []} for one in record_types
    ]
    return DescribedLayouts(layouts=[layout], record_types=[dict(sorted(one.items())) for one in mappings])


def _section(target: ObjectSchema, layout_id: str) -> dict[str, object]:
    rows = [
        {"layoutItems": [_item(known, position)], "numItems": 1}
        for position, known in enumerate(target.fields.values(), 1)
        if known.type != "id"
    ]
    return {
        "collapsed": False,
        "columns": 1,
        "heading": f"{target.label} Information",
        "layoutRows": rows,
        "layoutSectionId": layout_id.replace("00h", "01B", 1),
        "parentLayoutId": layout_id,
        "rows": len(rows),
        "tabOrder": "LeftToRight",
        "useCollapsibleSection": False,
        "useHeading": False,
    }


def _item(known: FieldSchema, position: int) -> dict[str, object]:
    component = {"displayLines": 1, "tabOrder": position, "type": "Field", "value": known.name}
    return {
        "editableForNew": known.createable,
        "editableForUpdate": known.updateable,
        "label": known.label,
        "layoutComponents": [component],
        "placeholder": False,
        "required": known.required,
    }
