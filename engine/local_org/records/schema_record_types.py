"""Reads the record types of an object in a schema file."""

from collections.abc import Mapping

from sfmap.engine.local_org.records.object_schema import FieldSchema, RecordTypeSchema
from sfmap.engine.yaml_files import kinds
from sfmap.engine.yaml_files.diagnostics import did_you_mean
from sfmap.engine.yaml_files.nodes import ScalarNode, TableNode
from sfmap.engine.yaml_files.reader import Table

_KEYS = ("label", "description", "active", "default", "person", "values")


def read_record_types(
    table: Table, fields: Mapping[str, FieldSchema], shipped: tuple[RecordTypeSchema, ...]
) -> tuple[RecordTypeSchema, ...]:
    """The record types of the file with the shipped ones of other names; the file's default counts."""
    own = [_record_type(name, node, table, fields) for name, node in table.tables("record_types")]
    return (*own, *(one for one in shipped if all(one.name != known.name for known in own)))


def _record_type(
    name: ScalarNode, node: TableNode, table: Table, fields: Mapping[str, FieldSchema]
) -> RecordTypeSchema:
    own = Table(node, table.report, f"the record type {name.text}", _KEYS)
    label, description = own.text("label"), own.text("description")
    return RecordTypeSchema(
        name=name.text,
        label=label.text if label else name.text.replace("_", " "),
        description=description.text if description else None,
        active=own.boolean("active") is not False,
        default=own.boolean("default") or False,
        person=own.boolean("person") or False,
        values=_values(own, fields),
    )


def _values(own: Table, fields: Mapping[str, FieldSchema]) -> dict[str, tuple[str, ...]]:
    """The values of its picklists, which must be among the picklists' own."""
    node = own.get("values")
    table = Table.open(node, own.report, f"the values of {own.name}", fields) if node else None
    found: dict[str, tuple[str, ...]] = {}
    for name in fields if table else ():
        if table and name in table:
            known = fields[name].values
            for one in table.texts(name):
                if known and one.text not in known:
                    message = f'"{one.text}" is not a value of the picklist {name}'
                    own.report.error(kinds.UNKNOWN_IN_SCHEMA, one.span, message, did_you_mean(one.text, known))
            found[name] = tuple(one.text for one in table.texts(name))
    return found
