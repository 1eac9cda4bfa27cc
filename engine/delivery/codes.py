"""Replaces texts by codes if the org has State and Country Picklists, or others of that kind."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sfmap.engine.org.fields import Coded, is_writable

LeftOut = Callable[[str, str], None]
"""Called with the reason why a field is left out."""


@dataclass(frozen=True, slots=True)
class Recoded:
    """The changes to contents: fields that are not written, and the codes written in their place."""

    taken: set[str] = field(default_factory=set)
    written: dict[str, str] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    """By picklist field."""


def recoded(
    contents: Sequence[Mapping[str, object]], fields: Iterable[Coded], left_out: LeftOut
) -> Sequence[Recoded]:
    """The changes to each of the contents of one record, which are written at different times: see `Fitted`.

    The fields are in the order of `coded_fields`.
    """
    changes = [Recoded() for _ in contents]
    for one in fields:
        for changed, given in zip(changes, contents, strict=True):
            source = one.code.name if isinstance(given.get(one.code.name), str) else one.text.name
            said = given.get(source)
            if isinstance(said, str):
                changed.taken.update((one.text.name, one.code.name))
                _recode(one, source, said, changed, changes, left_out)
    return changes


def _recode(
    one: Coded, source: str, said: str, changed: Recoded, changes: Sequence[Recoded], left_out: LeftOut
) -> None:
    controlling = None
    if one.controller:
        name = one.controller.name
        controlling = next((other.codes[name] for other in (changed, *changes) if name in other.codes), None)
        if controlling is None:
            left_out(source, f"needs {name}, which this record does not write")
            return
    entry = one.entry(said, controlling)
    if entry is None:
        valid = f" that is valid for the {one.controller.name}" if one.controller else ""
        near = one.nearest(said, controlling)
        left_out(source, f"is not a value of {one.code.name}{valid}{f'; {near}' if near else ''}")
        return
    changed.codes[one.code.name] = entry.value
    if is_writable(one.code):
        changed.written[one.code.name] = entry.value
    else:
        changed.written[one.text.name] = entry.label
