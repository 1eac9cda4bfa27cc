"""Picklists: what a describe says of their entries, and the codes that stand for states and countries."""

from base64 import b64encode
from collections.abc import Iterator, Sequence

from sfmap.engine.org.local.schema import FieldSchema, ObjectSchema


def described_entries(known: FieldSchema, target: ObjectSchema) -> Iterator[dict[str, object]]:
    """What a describe says of each entry of the picklist."""
    controller = target.fields.get(known.controller)
    for entry in known.entries:
        yield {
            "active": entry.active,
            "defaultValue": entry.value == known.default,
            "label": entry.label,
            **(
                {"validFor": _bits([one.value in entry.valid_for for one in controller.entries])}
                if controller
                else {}
            ),
            "value": entry.value,
        }


def _bits(bits: Sequence[bool]) -> str:
    """A map of bits in base64; the first is the highest of the first byte."""
    octets = bytearray(-(-len(bits) // 8))
    for position, bit in enumerate(bits):
        if bit:
            octets[position >> 3] |= 0x80 >> (position & 7)
    return b64encode(octets).decode()
