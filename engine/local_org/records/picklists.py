"""Picklists: their entries in a describe, and State and Country Picklists."""

from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from sfmap.engine.local_org.faults.org_faults import InvalidRecord, RecordError
from sfmap.engine.local_org.records.object_schema import CODE, Entry, FieldSchema, ObjectSchema
from sfmap.engine.local_org.records.store import Stored, fold

_CODE_LENGTH = 10


def described_entries(known: FieldSchema, target: ObjectSchema) -> Iterator[dict[str, object]]:
    """The picklist's entries as a describe lists them."""
    controller = target.fields.get(known.controller)
    for entry in known.entries:
        bits = [one.value in entry.valid_for for one in controller.entries] if controller else []
        yield {
            "active": entry.active,
            "defaultValue": entry.value == known.default,
            "label": entry.label,
            "validFor": _bits(bits) if controller else None,
            "value": entry.value,
        }


def _bits(bits: Sequence[bool]) -> str:
    """A base64 bitmap; position 0 is the highest bit of the first byte."""
    octets = bytearray(-(-len(bits) // 8))
    for position, bit in enumerate(bits):
        if bit:
            octets[position >> 3] |= 0x80 >> (position & 7)
    return b64encode(octets).decode()


def with_codes(target: ObjectSchema, countries: Sequence[Entry], states: Sequence[Entry]) -> ObjectSchema:
    """The object in an org with State and Country Picklists: a picklist of codes beside each text."""
    fields: dict[str, FieldSchema] = {}
    for name, known in target.fields.items():
        fields[name] = known
        if name in target.states.values():
            fields[f"{name}{CODE}"] = _code_field(known, countries)
        elif name in target.states:
            controlled = replace(_code_field(known, states), controller=f"{target.states[name]}{CODE}")
            fields[controlled.name] = controlled
    return replace(target, fields=fields)


def _code_field(text: FieldSchema, entries: Sequence[Entry]) -> FieldSchema:
    return replace(
        text,
        name=f"{text.name}{CODE}",
        label=f"{text.label} {CODE}",
        type="picklist",
        length=_CODE_LENGTH,
        restricted=True,
        entries=tuple(entries),
    )


def synced(target: ObjectSchema, current: Mapping[str, Stored], values: Mapping[str, Stored]) -> dict[str, Stored]:
    """The values with codes and texts completed from each other, as State and Country Picklists do.

    `current` is empty for a new record. Raises `InvalidRecord` for a value without an entry, as the API words it.
    """
    found = dict(values)
    for text, code in target.coded:
        if text.name not in found and code.name not in found and code.controller not in found:
            continue
        country = found.get(code.controller, current.get(code.controller))
        entries = [one for one in code.entries if one.active and (not country or country in one.valid_for)]
        if text.name in found or code.name in found:
            entry = _entry(text, code, found, entries, is_new=not current)
            if entry and code.controller and not country:
                message = f"A country must be specified before specifying a state value for field: {text.label}"
                raise _refused(text, message)
            found[text.name] = entry.label if entry else None
            found[code.name] = entry.value if entry else None
        elif current.get(code.name):
            if not country:
                found |= {text.name: None, code.name: None}
            elif all(one.value != current[code.name] for one in entries):
                raise _not_listed(text, code)
    return found


def _entry(
    text: FieldSchema, code: FieldSchema, values: Mapping[str, Stored], entries: Iterable[Entry], is_new: bool
) -> Entry | None:
    """The entry that the values stand for; None if they empty both fields."""
    wanted, said = values.get(code.name), values.get(text.name)
    if wanted is None and (said is None or code.name in values):
        return None
    for entry in entries:
        is_said = said is not None and fold(entry.label) == fold(said)
        if entry.value == wanted and (is_new or said is None or is_said):
            return entry
        if wanted is None and is_said:
            return entry
    raise _not_listed(text, code)


def _not_listed(text: FieldSchema, code: FieldSchema) -> InvalidRecord:
    one, all_of_them = ("state", "states") if code.controller else ("country", "countries")
    message = (
        f"There's a problem with this {one}, even though it may appear correct. Please select a {one} from the"  # noqa: S608
        f" list of valid {all_of_them}.: {text.label}"
    )
    return _refused(text, message)


def _refused(text: FieldSchema, message: str) -> InvalidRecord:
    return InvalidRecord(RecordError("FIELD_INTEGRITY_EXCEPTION", message, (text.name,)))
