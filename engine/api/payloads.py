"""The dicts that the API returns: they have the keys of the JSON lines that the commands print."""

from typing import Any, TypedDict

from sfmap.engine.language.model import OnDuplicate, OnNone, Operation, Write


class Payload(TypedDict, total=False):
    """One record that an event would send; or only `skipped` or `rejected`, with the reason."""

    mapping: str
    object: str
    operation: Operation
    match: list[dict[str, Any]]
    """The lookups, in order."""
    fields: dict[str, Any]
    """What is written on create and on update."""
    create_only: dict[str, Any]
    update_only: dict[str, Any]
    if_empty: dict[str, Any]
    clear: list[str]
    """The fields that are emptied."""
    unless_found: list[dict[str, Any]]
    notes: list[str]
    """What was cut or left out."""
    item: int
    """The item of the event's list, from 1, where a mapping makes a record of each."""
    external_id: str
    where: str
    on_none: OnNone
    on_duplicate: OnDuplicate
    skip_unchanged: bool
    timestamp_guard: bool
    batch_size: int
    headers: dict[str, Any]
    skipped: str
    rejected: str


class TriedSource(TypedDict):
    """A source that was tried before the one that gave the value."""

    source: str
    found: str
    """Why it gave none, such as `missing`."""


class SourcePlace(TypedDict):
    """The source that gave the value, in the YAML; `line` and `column` count from 1."""

    file: str
    line: int
    column: int
    width: int


FieldExplanation = TypedDict(
    "FieldExplanation",
    {
        "field": str,
        "value": Any,
        "write": Write,
        "from": str | None,
        "tried": list[TriedSource],
        "notes": list[str],
        "file": str,
        "line": int,
        "source": SourcePlace | None,
    },
    total=False,
)
"""Where the value of a field came from; without `value` if the field is not written."""


class ExplainedPayload(Payload, total=False):
    """A payload with the explanation of every field of its mapping."""

    explain: list[FieldExplanation]
