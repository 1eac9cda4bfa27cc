"""The standard objects as an org would describe them, for checks that do not ask one."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from sfmap.engine.local_org.records.object_schema import Entry, FieldSchema, ObjectSchema
from sfmap.engine.local_org.records.schema_file import load_schema
from sfmap.engine.org.port import FieldDescription, ObjectDescription, PicklistEntry


def standard_objects(schema: Path | None) -> Mapping[str, ObjectDescription]:
    """The standard objects and those of a schema file; other custom objects and fields are unknown.

    Raises `Mistakes` or `CannotRead` for the schema file.
    """
    return {name: _described(known) for name, known in load_schema(schema).objects.items()}


def _described(known: ObjectSchema) -> ObjectDescription:
    fields = {name: _described_field(field, known) for name, field in known.fields.items()}
    return ObjectDescription(
        name=known.name,
        label=known.label,
        key_prefix=known.key_prefix,
        createable=True,
        updateable=True,
        fields=fields,
    )


def _described_field(known: FieldSchema, target: ObjectSchema) -> FieldDescription:
    controller = target.fields.get(known.controller)
    values = [entry.value for entry in controller.entries] if controller else []
    return FieldDescription(
        name=known.name,
        label=known.label,
        type=known.type,
        length=known.length,
        createable=known.createable,
        updateable=known.updateable,
        nillable=known.nillable,
        defaulted_on_create=known.defaulted,
        id_lookup=known.id_lookup,
        external_id=known.external_id,
        restricted_picklist=known.restricted,
        entries=tuple(_described_entry(entry, values) for entry in known.entries),
        reference_to=known.references,
        relationship_name=known.relationship_name,
        precision=known.precision,
        scale=known.scale,
        unique=known.unique,
        filterable=known.filterable,
        controller=known.controller,
    )


def _described_entry(entry: Entry, controlling: Sequence[str]) -> PicklistEntry:
    positions = (position for position, value in enumerate(controlling) if value in entry.valid_for)
    return PicklistEntry(value=entry.value, label=entry.label, active=entry.active, valid_for=tuple(positions))
