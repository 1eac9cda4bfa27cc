"""Records and fates as the JSON lines that `sfmap render` prints and snapshots hold."""

from sfmap.engine.mapping.record import Mapped, Record, Rejected


def as_json(number: int, mapped: Mapped) -> dict[str, object]:
    """One line: what would be sent, create and update told apart, or why nothing is."""
    if isinstance(mapped, Record):
        return {"event": number, **_record(mapped)}
    if isinstance(mapped, Rejected):
        mapping = {"mapping": mapped.mapping} if mapped.mapping else {}
        return {"event": number, **mapping, "rejected": mapped.reason}
    return {"event": number, "skipped": mapped.reason}


def _record(record: Record) -> dict[str, object]:
    update_only = {"update_only": dict(record.update_only)} if record.update_only else {}
    return {
        "mapping": record.mapping,
        "object": record.object,
        "operation": record.operation,
        "match": [dict(lookup) for lookup in record.match],
        "fields": dict(record.fields),
        "create_only": dict(record.create_only),
        **update_only,
        "clear": [],
        "notes": [str(note) for note in record.notes],
    }
