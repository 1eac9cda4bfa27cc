"""Checks what a new job asks for: its operation, its object and the field that identifies records."""

from collections.abc import Mapping

from sfmap.engine.local_org.bulk.job_json import invalid_job
from sfmap.engine.local_org.faults.org_faults import unexpected
from sfmap.engine.local_org.records.object_schema import ObjectSchema, Schema

OPERATIONS = ("insert", "update", "upsert", "delete", "hardDelete")


def checked_target(schema: Schema, sent: Mapping[str, str]) -> ObjectSchema:
    """The object of a job that writes records. Raises `Fault`."""
    operation, name = sent.get("operation", ""), sent.get("object", "")
    if operation not in OPERATIONS:
        raise unexpected("INVALIDOPERATION", f"InvalidOperation : Unsupported operation: {operation[:80]}")
    target = schema.object(name)
    if target is None:
        raise unexpected("INVALIDENTITY", f"InvalidEntity : Unable to find object: {name[:80]}")
    key = sent.get("externalIdFieldName", "")
    if operation == "upsert" and not key:
        raise invalid_job(f"External ID was blank for {target.name}. An External ID must be specified for upsert.")
    field = target.field(key)
    if key and (field is None or not field.id_lookup):
        raise invalid_job(f"Field name provided, {key[:80]} does not match an External ID for {target.name}")
    return target
