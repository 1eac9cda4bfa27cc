"""Drafts a mapping: which trait fills which field of an object, how sure that is, and how records are found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from sfmap.engine.inspect.traits.trait_inventory import EventsSeen, PathSeen, path_text
from sfmap.engine.mapping.values.event import normal_key
from sfmap.engine.org.fields import is_required, is_writable, why_not_looked_up
from sfmap.engine.org.port import FieldDescription, ObjectDescription
from sfmap.engine.suggest.field_fit import Entries, entries_of, fits
from sfmap.engine.suggest.likeness import FieldNames, Naming, likeness, trait_namings, vocabulary

SURE = 0.9
_SAME = 0.94
LIKELY = 0.65
_POSSIBLE = 0.5
_OF_SENDERS = ("traits", "properties")
_OF_OWN_ID = 3.0
_OF_MISSING = 1.5
"""What a lookup by the sender's own id, and a required field without a trait, count beside fields."""
_OWN_IDS = {"group": ("groupId",), "identify": ("userId",)}
"""By the type of events, where the sender's own id of what they are about is."""


@dataclass(frozen=True, kw_only=True)
class SourceDraft:
    """A source of a field."""

    text: str
    seen: PathSeen
    score: float
    why: str


@dataclass(frozen=True, kw_only=True)
class FieldDraft:
    """A field with the traits that may fill it, the likeliest first."""

    field: FieldDescription
    sources: tuple[SourceDraft, ...]
    entries: Entries | None = None
    """Of a picklist."""

    @property
    def score(self) -> float:
        return max((one.score for one in self.sources), default=0.0)

    @property
    def is_proposed(self) -> bool:
        """Whether the draft uses it; otherwise it only says that it may be."""
        if self.entries and self.field.picklist_values and not self.entries.is_any_known:
            return False
        return self.score >= LIKELY


@dataclass(frozen=True, kw_only=True)
class Draft:
    """The draft of one mapping."""

    kind: EventsSeen
    described: ObjectDescription
    fields: tuple[FieldDraft, ...]
    """In the order of the object's fields."""

    @property
    def proposed(self) -> tuple[FieldDraft, ...]:
        return tuple(one for one in self.fields if one.is_proposed)

    @property
    def possible(self) -> tuple[FieldDraft, ...]:
        return tuple(one for one in self.fields if not one.is_proposed)

    @cached_property
    def match(self) -> FieldDraft | None:
        """The field that records can be looked up by; None if there is none."""
        names = FieldNames(self.described)
        able = [one for one in self.proposed if not why_not_looked_up(one.field)]
        ranked = [(_rank_of_key(one.field, names), one) for one in able]
        return min(
            (pair for pair in ranked if pair[0] is not None), key=lambda pair: pair[0] or 0, default=(0, None)
        )[1]

    @property
    def missing(self) -> tuple[FieldDescription, ...]:
        """The fields that the org requires and that no trait fills."""
        filled = {one.field.name for one in self.proposed}
        fields = self.described.fields.values()
        return tuple(field for field in fields if is_required(field) and field.name not in filled)

    @property
    def unused(self) -> tuple[PathSeen, ...]:
        """The traits that fill no field."""
        sources = [one for field in self.proposed for one in field.sources]
        used = {one.seen.text for one in sources}
        used |= {path_text(one.seen.path[:-1]) for one in sources if one.seen.path[-1] is None}
        unused = (seen for seen in self.kind.paths if _is_senders(seen) and seen.filled)
        return tuple(seen for seen in unused if seen.text not in used)

    @property
    def value(self) -> float:
        """How much of what arrives the object can hold, and how well its records are found."""
        is_own = self.match and any(len(one.seen.path) == 1 for one in self.match.sources)
        found = _OF_OWN_ID if is_own else 1.0 if self.match else 0.0
        return sum(one.score for one in self.proposed) + found - _OF_MISSING * len(self.missing)


def draft(kind: EventsSeen, described: ObjectDescription) -> Draft:
    """The draft of a mapping that makes records of this object of these events."""
    names = FieldNames(described)
    writable = [field for field in described.fields.values() if is_writable(field)]
    namings = {field.name: names.namings(field) for field in writable}
    found: dict[str, list[SourceDraft]] = {field.name: [] for field in writable}
    for seen in kind.paths:
        if not seen.filled:
            continue
        if _is_senders(seen):
            _add_alike(seen, writable, namings, found)
        elif seen.path in {(one,) for one in _OWN_IDS.get(kind.type, ())}:
            _add_own_id(seen, writable, names, namings, found)
    if kind.type != "group":
        _split_name(kind, writable, namings, found)
    return Draft(
        kind=kind,
        described=described,
        fields=tuple(_field_draft(field, found[field.name]) for field in writable if found[field.name]),
    )


def best_drafts(kinds: Sequence[EventsSeen], objects: Mapping[str, ObjectDescription]) -> list[Draft]:
    """For each kind of events, the draft for the object that can hold most of them; none if nothing fits."""
    found = []
    for kind in kinds:
        drafts = [draft(kind, described) for described in objects.values() if described.createable]
        best = max(drafts, key=lambda one: one.value, default=None)
        if best and best.proposed and best.match:
            found.append(best)
    return found


def _is_senders(seen: PathSeen) -> bool:
    return seen.path[0] in _OF_SENDERS and len(seen.path) > 1


def _add_alike(
    seen: PathSeen,
    writable: Sequence[FieldDescription],
    namings: Mapping[str, list[Naming]],
    found: dict[str, list[SourceDraft]],
) -> None:
    """Adds the trait to the field that it is most like."""
    names = [name for name in seen.path[1:] if name is not None]
    if not names or None in seen.path[:-1]:
        return
    own = trait_namings(names)
    scored = [(likeness(own, namings[field.name]), field) for field in writable if fits(field, seen)]
    score, field = max(scored, key=lambda pair: pair[0], default=(0.0, None))
    if field and score >= _POSSIBLE:
        why = "same name" if score >= _SAME else "like the name"
        text = _source_text(seen, field)
        if normal_key(text) not in [normal_key(one.text) for one in found[field.name]]:
            found[field.name].append(SourceDraft(text=text, seen=seen, score=score, why=why))


def _source_text(seen: PathSeen, field: FieldDescription) -> str:
    if seen.path[-1] is not None:
        return seen.text
    return (
        f"{path_text(seen.path[:-1])} | {'join(' + repr(';') + ')' if field.type == 'multipicklist' else 'first'}"
    )


def _add_own_id(
    seen: PathSeen,
    writable: Sequence[FieldDescription],
    names: FieldNames,
    namings: Mapping[str, list[Naming]],
    found: dict[str, list[SourceDraft]],
) -> None:
    """Adds the sender's own id to the field for it, and to that of the e-mail address if it is one."""
    own = trait_namings([str(seen.path[0])])
    texts = [field for field in writable if field.type == "string"]
    keys = [field for field in texts if likeness(own, namings[field.name]) >= LIKELY]
    keys += [field for field in texts if names.is_identifier(field)]
    if keys:
        why = "the sender's own id"
        found[keys[0].name].append(SourceDraft(text=seen.text, seen=seen, score=0.8, why=why))
    if "email" in seen.types:
        addresses = [field for field in writable if field.type == "email"]
        for field in addresses[:1]:
            text = f"{seen.text} | if_email"
            found[field.name].append(SourceDraft(text=text, seen=seen, score=0.7, why="some are addresses"))


def _split_name(
    kind: EventsSeen,
    writable: Sequence[FieldDescription],
    namings: Mapping[str, list[Naming]],
    found: dict[str, list[SourceDraft]],
) -> None:
    """Adds the parts of a whole name to the fields for first and last name."""
    known = vocabulary()
    whole = [
        seen
        for seen in kind.paths
        if _is_senders(seen)
        and len(seen.path) == 2
        and trait_namings([str(seen.path[1])])[0].phrase in known.whole_name
    ]
    for phrases, pipe in ((known.first_name, "first_name"), (known.last_name, "last_name")):
        fields = [field for field in writable if {one.phrase for one in namings[field.name]} & phrases]
        for seen in whole if fields else ():
            source = SourceDraft(text=f"{seen.text} | {pipe}", seen=seen, score=0.85, why="a part of the name")
            found[fields[0].name].append(source)


def _field_draft(field: FieldDescription, sources: Sequence[SourceDraft]) -> FieldDraft:
    # Of equally sure sources, those within objects come first: they say more of what they are.
    best_first = sorted(sources, key=lambda one: (one.score < SURE, -len(one.seen.path), -one.score))
    strong = [one for one in best_first if one.score >= LIKELY] or best_first[:1]
    texts = [one.text for one in strong]
    # A list and a single value at one path are read by one source.
    kept = [one for one in strong if f"{one.text} | first" not in texts]
    examples = [text for one in kept for text in one.seen.examples]
    entries = entries_of(field, examples) if field.type in ("picklist", "multipicklist") else None
    return FieldDraft(field=field, sources=tuple(kept), entries=entries)


def _rank_of_key(field: FieldDescription, names: FieldNames) -> int | None:
    """How good records are looked up by the field, 0 for best; None if not at all."""
    if field.external_id or field.unique:
        return 0
    if names.is_identifier(field):
        return 1
    return 2 if field.type == "email" else None
