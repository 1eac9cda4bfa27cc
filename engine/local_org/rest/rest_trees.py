"""Trees: records created together with their children, all of them or none."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from starlette.responses import JSONResponse, Response

from sfmap.engine.local_org.faults.org_faults import Fault, RecordError, unexpected
from sfmap.engine.local_org.records.object_schema import ObjectSchema
from sfmap.engine.local_org.records.record_writer import ROLLED_BACK, SentRecord
from sfmap.engine.local_org.rest.rest_call import RestCall, json_object
from sfmap.engine.local_org.rest.rest_records import MOST_RECORDS, described, read_record, writer
from sfmap.engine.local_org.rest.rest_values import attribute

_MOST_LEVELS = 5
_MOST_KINDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sent:
    """A record of the tree as it was sent."""

    kind: ObjectSchema
    record: object
    parent: str = ""
    """The reference of the record that it is a child of."""
    field: str = ""
    """Its field for the parent's id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Node:
    """A record of the tree as the writer takes it."""

    reference: str
    record: SentRecord
    parent: str
    field: str


class _Refused(Exception):
    """Rolls back a tree of which some records cannot be created; the errors are by reference."""

    def __init__(self, errors: Sequence[tuple[str, Sequence[RecordError]]]) -> None:
        super().__init__()
        self.errors = errors


def create_tree(call: RestCall) -> Response:
    target = call.target()
    records = json_object(call).get("records")
    try:
        levels = _levels(call, target, records)
        with call.store.savepoint():
            ids = _created(call, levels)
    except _Refused as refused:
        results: list[dict[str, object]] = [
            {"referenceId": reference, "errors": described(errors)} for reference, errors in refused.errors
        ]
        return JSONResponse({"hasErrors": True, "results": results}, 400)
    made: Sequence[dict[str, object]] = [{"referenceId": one, "id": record_id} for one, record_id in ids.items()]
    answered = call.injected.results(made) if call.injected else made
    return JSONResponse({"hasErrors": False, "results": list(answered)}, 201)


def _levels(call: RestCall, target: ObjectSchema, records: object) -> list[list[_Node]]:
    """The records by their depth. Raises `Fault` for a tree that is malformed or too large, and `_Refused`."""
    levels: list[list[_Node]] = []
    level = [_Sent(kind=target, record=record) for record in _listed(records)]
    while level:
        read = [_read(call, sent) for sent in level]
        levels.append([node for node, _ in read])
        level = [child for _, children in read for child in children]
        _check_size(levels, has_more=bool(level))
    _check_references([node.reference for nodes in levels for node in nodes])
    return levels


def _read(call: RestCall, sent: _Sent) -> tuple[_Node, list[_Sent]]:
    """A record, and its children."""
    if not isinstance(sent.record, dict):
        raise unexpected("JSON_PARSER_ERROR", "A record must be a JSON object")
    reference = attribute(sent.record, "referenceId")
    if not reference:
        raise unexpected("INVALID_INPUT", "Include a reference ID for each record in the request.")
    try:
        if attribute(sent.record, "type").casefold() != sent.kind.name.casefold():
            raise unexpected("INVALID_INPUT", f"Include a type for each record: {sent.kind.name} is expected.")
        own, children = _split(call, sent.kind, sent.record, reference)
        record = read_record(call, sent.kind, own)
    except Fault as fault:
        raise _Refused([(reference, [RecordError(fault.code, fault.message)])]) from None
    return _Node(reference=reference, record=record, parent=sent.parent, field=sent.field), children


def _split(
    call: RestCall, kind: ObjectSchema, members: dict[str, object], reference: str
) -> tuple[dict[str, object], list[_Sent]]:
    """The record's own members, and its children."""
    relationships = {one.name.casefold(): one for one in call.schema.children(kind) if one.name}
    own: dict[str, object] = {}
    children: list[_Sent] = []
    for name, value in members.items():
        relationship = relationships.get(name.casefold())
        if relationship is None or kind.field(name):
            own[name] = value
            continue
        children += [
            _Sent(kind=relationship.child, record=record, parent=reference, field=relationship.field.name)
            for record in _listed(value.get("records") if isinstance(value, dict) else None)
        ]
    return own, children


def _listed(records: object) -> list[object]:
    if not isinstance(records, list) or not records:
        raise unexpected("JSON_PARSER_ERROR", "The records of a tree must be a list")
    return records


def _check_size(levels: Sequence[Sequence[_Node]], *, has_more: bool) -> None:
    records = [node for level in levels for node in level]
    if len(records) > MOST_RECORDS:
        raise unexpected("LIMIT_EXCEEDED", f"A tree cannot have more than {MOST_RECORDS} records")
    if has_more and len(levels) == _MOST_LEVELS:
        raise unexpected("LIMIT_EXCEEDED", f"A tree cannot have more than {_MOST_LEVELS} levels")
    if len({node.record.object_name for node in records}) > _MOST_KINDS:
        raise unexpected("LIMIT_EXCEEDED", f"A tree cannot have records of more than {_MOST_KINDS} types")


def _check_references(references: Sequence[str]) -> None:
    repeated = [one for one in references if references.count(one) > 1]
    if repeated:
        error = RecordError("INVALID_INPUT", "Duplicate ReferenceId provided in the request.")
        raise _Refused([(one, [error]) for one in repeated])


def _created(call: RestCall, levels: Sequence[Sequence[_Node]]) -> dict[str, str | None]:
    """The ids of the new records by reference. Raises `_Refused`."""
    ids: dict[str, str | None] = {}
    writing = writer(call)
    for level in levels:
        saved = writing.create(list(_with_parents(level, ids)), all_or_none=True)
        refused = [
            (node.reference, one.errors)
            for node, one in zip(level, saved, strict=True)
            if one.errors and one.errors[0].code != ROLLED_BACK
        ]
        if refused:
            raise _Refused(refused)
        ids |= {node.reference: one.id for node, one in zip(level, saved, strict=True)}
    return ids


def _with_parents(level: Sequence[_Node], ids: dict[str, str | None]) -> Iterator[SentRecord]:
    for node in level:
        parent = {node.field: ids[node.parent]} if node.parent else {}
        yield replace(node.record, values={**node.record.values, **parent})
