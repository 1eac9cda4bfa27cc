"""Reasons and notes as labels from a fixed set: the texts themselves can quote what a client sent."""

import re
from collections.abc import Mapping

_SKIPPED = {
    "no mapping takes": "no mapping takes it",
    "not opted in": "not opted in",
    "when is not true": "when is not true",
    "no items": "no items",
    "an event with the same messageId came before": "repeated",
    "a newer event was written": "overtaken",
    "unless_found": "unless_found",
    " was found": "no record was found",
}
_FAILED = {
    "this is a bug in sfmap": "bug in sfmap",
    "is required": "a required value is missing",
    "nothing to write": "nothing to write",
    "nothing to find": "nothing to find by",
    "not known whether": "an answer was lost",
    "answer": "an answer was lost",
    " was found": "no record was found",
    "match": "several records match",
    "not": "not an event",
}
_NOTES = {
    "cut to": "cut",
    "were removed": "cleaned",
    "has no field": "no such field",
    "does not know this field": "no such field",
    "read-only": "read-only",
    "no record": "no record was found",
    " was found": "no record was found",
    "the same trait": "the same trait twice",
    "a second time": "the same trait twice",
    "name of a field": "not a field's name",
    "is read": "of another type",
    "left out": "does not fit",
}
"""Labels by a part of the text; the first that is in it counts."""
OTHERS = "others"
_CODE = re.compile(r"[A-Z][A-Z_]{4,60}(?=:)")
"""The org's status code, with which its refusals begin."""


def skipped_label(reason: str) -> str:
    return _label(_SKIPPED, reason)


def failed_label(reason: str) -> str:
    code = _CODE.match(reason)
    return code[0] if code else _label(_FAILED, reason)


def note_label(note: str) -> str:
    return _label(_NOTES, note)


def _label(labels: Mapping[str, str], text: str) -> str:
    return next((label for part, label in labels.items() if part in text), OTHERS)
