"""Fits a record to its object in the org: leaves out or cuts what the org would refuse, with a note."""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field

from sfmap.engine.delivery.codes import recoded
from sfmap.engine.language.model import OnMany, OnMissing
from sfmap.engine.mapping.values.parsing import CURRENCIES
from sfmap.engine.mapping.values.record import (
    Addition,
    FieldContent,
    Note,
    Record,
    RecordReference,
    Value,
    nothing_to_write,
)
from sfmap.engine.mapping.values.values import INVISIBLE_TAKEN_OUT, Unfit, visible
from sfmap.engine.org.fields import (
    Coded,
    Verb,
    coded_fields,
    find_field,
    fitted,
    fitted_for_lookup,
    is_cut,
    is_key,
    is_required,
    may,
    room,
    several,
    takes_several,
    unlisted,
    why_not_looked_up,
    why_not_pointed,
)
from sfmap.engine.org.port import FieldDescription, ObjectDescription
from sfmap.engine.yaml_files.diagnostics import did_you_mean

_MOST_MISSING = 10_000
"""The number of notes that are cached."""
_MOST_COMPARED = 500
"""The number of missing fields for which similar ones are searched, since senders may make up any number."""


@dataclass(frozen=True, slots=True)
class Target:
    """A lookup of a pointer: the records of `object` with the value in field `by` that meet `where`."""

    object: str
    by: str
    value: Value
    where: str = ""


@dataclass(frozen=True, slots=True)
class Pointer:
    """A record that a field points to, before it has been looked up."""

    targets: tuple[Target, ...]
    """In order; the first that finds a record wins."""
    on_missing: OnMissing
    on_many: OnMany = "newest"
    relationship: str = ""
    """The relationship's name in a write if the org itself looks up the record; empty if delivery does."""
    is_constant: bool = field(default=False, compare=False)
    """Whether its value is a constant of the mapping, which may be shown."""


Content = Value | Pointer | Addition | None
"""What is written to a field; None empties it."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A record that the org can take: what to send for a create and for an update."""

    match: tuple[Mapping[str, "Value | Pointer"], ...]
    on_create: Mapping[str, Content]
    on_update: Mapping[str, Content]
    if_empty: Mapping[str, Content]
    """Fields that are part of an update only if empty in the org."""
    notes: tuple[Note, ...]
    doubtful: bool = False
    """Whether the org is likely to refuse it because a value is not in a restricted picklist."""
    complete: bool = True
    """Whether it has every field that a create requires."""
    points: bool = False
    """Whether any of its contents may be a pointer."""
    adds: bool = False
    """Whether any of its contents may be an addition."""
    unless_found: tuple[Target, ...] = ()
    """If one of these finds a record, this one is not written."""

    @property
    def added(self) -> Iterator[str]:
        """The fields that are added to."""
        contents = self.on_update.items() if self.adds else ()
        return (name for name, one in contents if isinstance(one, Addition))

    def all_pointers(self) -> Iterator[Pointer]:
        for _, pointer in self._pointers():
            yield pointer
        yield from self.match_pointers

    @property
    def match_pointers(self) -> Iterator[Pointer]:
        """The references in lookups."""
        for lookup in self.match if self.points else ():
            yield from (value for value in lookup.values() if isinstance(value, Pointer))

    @property
    def pointers(self) -> Iterator[tuple[str, Pointer]]:
        """The references that delivery looks up, by field."""
        return ((name, pointer) for name, pointer in self._pointers() if not pointer.relationship)

    @property
    def looked_up_pointers(self) -> Iterator[Pointer]:
        yield from (pointer for _, pointer in self.pointers)
        yield from self.match_pointers

    def _pointers(self) -> Iterator[tuple[str, Pointer]]:
        for contents in (self.on_create, self.on_update, self.if_empty) if self.points else ():
            yield from ((name, one) for name, one in contents.items() if isinstance(one, Pointer))


class DoesNotFit(Exception):
    """The record cannot be written at all; the message says why."""


Descriptions = Mapping[str, ObjectDescription]


class Fitter:
    """Fits records by the descriptions of their objects and of the objects that they point to."""

    def __init__(self, descriptions: Descriptions, currency: str = "") -> None:
        self.descriptions = descriptions
        self.currency = currency
        """The currency of the org; empty if it has several, or is unknown."""
        self.shapes = {name: _Shape(one) for name, one in descriptions.items()}
        self._missing: dict[tuple[str, str, str], Note] = {}

    def fit(self, record: Record) -> Fitted:
        """The record as the org can take it. Raises `DoesNotFit`."""
        description = self.descriptions[record.object]
        _check_allowed(record, description)
        fitting = _Fitting(record, self)
        if record.operation == "delete":
            match, unless_found = fitting.match(), fitting.unless_found()
            return Fitted(match, {}, {}, {}, record.notes, points=fitting.points, unless_found=unless_found)
        return _fitted_record(record, fitting, self.shapes[record.object])

    def missing(self, object_name: str, field: str, origin: str) -> Note:
        """The note on a field that the object does not have."""
        known = self._missing.get((object_name, field, origin))
        if known is None:
            near = self._near(object_name, field) or "create it in Setup, or give the user access to it"
            known = Note(field, f"left out: {object_name} has no field {field} for {origin}; {near}")
            if len(self._missing) < _MOST_MISSING:
                self._missing[object_name, field, origin] = known
        return known

    def _near(self, object_name: str, field: str) -> str:
        """Whether the name or only its casing is wrong (docs/behaviour.md, row 11)."""
        same = self.shapes[object_name].by_casefold.get(field.casefold())
        if same:
            return f"it has {same}, and the casing must agree"
        if len(self._missing) >= _MOST_COMPARED:
            return ""
        return did_you_mean(field, self.descriptions[object_name].fields)


class _Shape:
    """The properties of an object's fields that every record needs, computed once."""

    def __init__(self, description: ObjectDescription) -> None:
        fields = description.fields.values()
        self.by_casefold = {field.name.casefold(): field.name for field in reversed(tuple(fields))}
        self.required = [field.name for field in fields if is_required(field)]
        self.createable = {field.name for field in fields if field.createable}
        self.updateable = {field.name for field in fields if field.updateable}
        self.writable = self.createable | self.updateable
        self.roomy = {field.name: sure for field in fields if (sure := room(field))}
        """By field that takes any text, how many characters are sure to fit."""
        self.coded = coded_fields(description)
        self.codes = {name: one for one in self.coded for name in (one.text.name, one.code.name)}


def _fitted_record(record: Record, fitting: "_Fitting", shape: _Shape) -> Fitted:
    fields, create_only, update_only, if_empty = fitting.coded(
        (
            fitting.fitted(record.fields, shape.writable),
            fitting.fitted(record.create_only, shape.createable),
            fitting.fitted(record.update_only, shape.updateable),
            fitting.fitted(record.if_empty, shape.writable),
        )
    )
    if record.plan.currencies:
        fitting.note_currencies((fields, create_only, update_only, if_empty))
    on_create = {**_only({**fields, **if_empty}, shape.createable), **create_only}
    if fitting.adds:
        on_create = {name: one.values if isinstance(one, Addition) else one for name, one in on_create.items()}
    notes = (*record.notes, *fitting.notes)
    if record.operation == "create" and all(content is None for content in on_create.values()):
        raise DoesNotFit(nothing_to_write(notes))
    return Fitted(
        match=fitting.match(),
        on_create=on_create,
        on_update={**_only(fields, shape.updateable), **update_only},
        if_empty=_only(if_empty, shape.updateable),
        notes=notes,
        doubtful=fitting.doubtful,
        complete=all(isinstance(on_create.get(name), (str, int, float)) for name in shape.required),
        points=fitting.points,
        adds=fitting.adds,
        unless_found=fitting.unless_found(),
    )


def _only(contents: dict[str, Content], names: Set[str]) -> dict[str, Content]:
    if contents.keys() <= names:
        return contents
    return {name: content for name, content in contents.items() if name in names}


def _check_allowed(record: Record, description: ObjectDescription) -> None:
    """Checks that the user may perform the operation, and that the org can find records by the external id."""
    verbs: tuple[Verb, ...] = ("create", "update") if record.operation == "upsert" else (record.operation,)
    for verb in verbs:
        if not may(description, verb):
            raise DoesNotFit(f"this user may not {verb} {description.name} records; its profile must allow it")
    field = description.fields.get(record.external_id)
    if field and not is_key(field):
        message = f"{description.name}.{field.name} is not an external id in the org"
        raise DoesNotFit(f"{message}; tick External ID in Setup, or write match: {field.name}")


class _Fitting:
    def __init__(self, record: Record, fitter: Fitter) -> None:
        self.record = record
        self.conventions = record.plan.conventions
        self.fitter = fitter
        self.shape = fitter.shapes[record.object]
        self.roomy = self.shape.roomy
        self.descriptions = fitter.descriptions
        self.description = fitter.descriptions[record.object]
        self.notes: list[Note] = []
        self.doubtful = False
        self.points = False
        self.adds = False

    def fitted(self, contents: Mapping[str, FieldContent], writable: Set[str]) -> dict[str, Content]:
        """The contents that the org's fields can hold; notes everything else."""
        kept: dict[str, Content] = {}
        for name, content in contents.items():
            if content.__class__ is str and name in writable and len(content) <= self.roomy.get(name, -1):
                kept[name] = content
                continue
            field = find_field(self.description, name, isinstance(content, RecordReference))
            if field is None:
                self._leave_out(name)
            elif field.name not in writable:
                if not self._only_finds(field):
                    self._note(name, f"left out: {self.description.name}.{name} is read-only for this user")
            elif content is None:
                self._empty(field, kept)
            elif isinstance(content, RecordReference):
                self._point(field, content, kept)
            elif isinstance(content, Addition):
                self._add(field, content, kept)
            else:
                found = self._value(field, content)
                if found is not None:
                    kept[field.name] = found
        return kept

    def coded(self, contents: Sequence[dict[str, Content]]) -> Sequence[dict[str, Content]]:
        """The contents with codes in place of their texts."""
        if not self.shape.coded:
            return contents
        changes = recoded(contents, self.shape.coded, self._left_out)
        return [
            {**{name: one for name, one in given.items() if name not in changed.taken}, **changed.written}
            for given, changed in zip(contents, changes, strict=True)
        ]

    def _leave_out(self, name: str) -> None:
        """Notes a field that the object does not have."""
        if not self._lacks_currency(name):
            self.notes.append(self._unknown(name))

    def _lacks_currency(self, name: str) -> bool:
        """Whether the object lacks the field for a currency, which is noted on the amount instead."""
        is_currency = any(name == currency for _, currency in self.record.plan.currencies)
        return is_currency and name.casefold() not in self.shape.by_casefold

    def note_currencies(self, written: Sequence[Mapping[str, Content]]) -> None:
        """Notes each amount that counts in the org's currency although the record has another one for it."""
        currencies = self.record.plan.currencies
        for name in dict.fromkeys(currency for _, currency in currencies):
            code = _code(self._given(name))
            if code is None or not self._lacks_currency(name) or code == self.fitter.currency:
                continue
            amounts = [amount for amount, currency in currencies if currency == name]
            amounts = [amount for amount in amounts if any(one.get(amount) is not None for one in written)]
            if not amounts or not self.fitter.currency:
                self.notes.append(self._unknown(name))
                continue
            said = code if code in CURRENCIES else "another currency"
            what = f"written in {self.fitter.currency}, the org's currency"
            for amount in amounts:
                self._note(amount, f"{what}, though {self._origin(name)} says {said}")

    def _given(self, name: str) -> FieldContent:
        """The content that the record has for the field."""
        record = self.record
        contents = (record.fields, record.create_only, record.update_only, record.if_empty)
        return next((one[name] for one in contents if one.get(name) is not None), None)

    def _only_finds(self, field: FieldDescription) -> bool:
        """Whether the field's value is only needed to find the record."""
        is_known = field.type == "id" or self.record.operation == "update"
        return is_known and any(field.name in lookup for lookup in self.record.match)

    def _empty(self, field: FieldDescription, kept: dict[str, Content]) -> None:
        if field.nillable:
            kept[field.name] = None
        else:
            self._note(field.name, f"not emptied: {self.description.name}.{field.name} always has a value")

    def _add(self, field: FieldDescription, addition: Addition, kept: dict[str, Content]) -> None:
        if not takes_several(field):
            self._note(field.name, f"left out: add is for multi-select picklists, and {field.name} is not one")
        elif self._value(field, addition.values) is not None:
            self.adds = True
            different: dict[str, str] = {}
            for value in several(addition.values):
                different.setdefault(value.casefold(), value)
            kept[field.name] = Addition(";".join(different.values()))

    def _point(self, field: FieldDescription, reference: RecordReference, kept: dict[str, Content]) -> None:
        """Adds a pointer for the field; notes objects that cannot be searched, and drops the field if none can."""
        problems: list[str] = []
        targets = tuple(self._targets(field, reference, problems))
        begins = "left out" if not targets else "not looked for everywhere"
        for problem in problems:
            self._note(field.name, f"{begins}: {problem}")
        if targets:
            self.points = True
            by = self.descriptions[targets[0].object].fields[targets[0].by]
            is_plain = len(targets) == 1 and not reference.where and reference.on_many == "newest"
            # Values that records are found by must be known before the write.
            is_found_by = any(field.name in lookup for lookup in self.record.match)
            nested = is_plain and reference.on_missing == "reject" and by.external_id and not is_found_by
            relationship = field.relationship_name if nested else ""
            kept[field.name] = Pointer(
                targets, reference.on_missing, reference.on_many, relationship, reference.is_constant
            )

    def _targets(
        self, field: FieldDescription, reference: RecordReference, problems: list[str]
    ) -> Iterator[Target]:
        """The lookups that can find the record; adds the reasons for the other objects to `problems`."""
        for name in reference.objects:
            target = self.descriptions.get(name)
            by = target.fields.get(reference.by) if target else None
            if why := why_not_pointed(field, name):
                problems.append(f"{field.name} cannot point to {name}; {why}")
            elif by is None:
                problems.append(f"{name} has no field {reference.by}, or this user may not see it")
            elif why := why_not_looked_up(by):
                problems.append(f"{name} cannot be looked up by {by.name}: {why}")
            else:
                try:
                    value = fitted_for_lookup(by, reference.value, self.conventions)
                except Unfit as unfit:
                    problems.append(f"{self._origin(field.name)} {unfit} ({name}.{by.name})")
                else:
                    yield Target(name, by.name, value, reference.where)

    def match(self) -> tuple[Mapping[str, Value | Pointer], ...]:
        """The lookups, with values as the org compares them."""
        return tuple(
            {
                name: self._match_pointer(name, value)
                if isinstance(value, RecordReference)
                else self._match_value(name, value)
                for name, value in lookup.items()
            }
            for lookup in self.record.match
        )

    def unless_found(self) -> tuple[Target, ...]:
        """The lookups of `unless_found`, all of which must be possible."""
        targets: list[Target] = []
        for reference in self.record.unless_found:
            for name in reference.objects:
                target = self.descriptions.get(name)
                by = target.fields.get(reference.by) if target else None
                why = why_not_looked_up(by) if by else f"{name} has no such field, or this user may not see it"
                if by is None or why:
                    raise DoesNotFit(f"cannot look for unless_found by {name}.{reference.by}: {why}")
                try:
                    value = fitted_for_lookup(by, reference.value, self.conventions)
                except Unfit as unfit:
                    self._note("unless_found", f"left out: the value {unfit} ({name}.{by.name})")
                else:
                    targets.append(Target(name, by.name, value, reference.where))
        return tuple(targets)

    def _match_pointer(self, name: str, reference: RecordReference) -> Pointer:
        field = self.description.fields.get(name)
        if field is None:
            named = find_field(self.description, name, refers=True)
            reason = f"the field is called {named.name}" if named else _reason(self._unknown(name))
            raise DoesNotFit(f"cannot look up by {name}: {reason}")
        problems: list[str] = []
        targets = tuple(self._targets(field, reference, problems))
        if not targets:
            raise DoesNotFit(f"cannot look up by {name}: {problems[-1]}")
        self.points = True
        return Pointer(targets, reference.on_missing, reference.on_many, is_constant=reference.is_constant)

    def _match_value(self, name: str, value: Value) -> Value:
        """The lookup value as it is written: a cut value must be looked up cut to be found again."""
        field = self.description.fields.get(name)
        if field is None:
            raise DoesNotFit(f"cannot look up by {name}: {_reason(self._unknown(name))}")
        if why := why_not_looked_up(field):
            raise DoesNotFit(f"cannot look up by {name}: {why}")
        try:
            found = fitted_for_lookup(field, value, self.conventions)
            self._check_own_id(field, found)
            return _as_held(self.shape.codes[name], name, found) if name in self.shape.codes else found
        except Unfit as unfit:
            origin = self._match_origin(name, value)
            raise DoesNotFit(f"cannot look up by {name}: {origin} {unfit}") from None

    def _check_own_id(self, field: FieldDescription, value: Value) -> None:
        """Checks that an id belongs to this object, since it determines the record. Raises `Unfit`."""
        prefix = self.description.key_prefix
        if field.type == "id" and prefix and not str(value).startswith(prefix):
            raise Unfit(f"is not the id of a {self.description.name}: those begin with {prefix}")

    def _match_origin(self, name: str, value: Value) -> str:
        """The origin of the value: the field's rule, or one of match."""
        origins = self.record.origins
        own = origins.get(f"match by {name}")
        written = (self.record.fields, self.record.create_only, self.record.update_only, self.record.if_empty)
        if own and not any(contents.get(name) == value for contents in written):
            return own
        return self._origin(name)

    def _value(self, field: FieldDescription, value: Value) -> Value | None:
        try:
            found = fitted(field, value, self.conventions)
        except Unfit as unfit:
            what = f"left out: {self._origin(field.name)} {unfit} ({field.name} is of type {field.type})"
            self._note(field.name, what)
            return None
        if field.type in ("email", "id", "reference") and isinstance(value, str) and visible(value) != value:
            self._note(field.name, INVISIBLE_TAKEN_OUT)
        if is_cut(field, value, found):
            self._note(field.name, f"cut to {field.length} characters, the field's length in the org")
        if field.restricted_picklist and field.name not in self.shape.codes and unlisted(field, found):
            self.doubtful = True
        return found

    def _unknown(self, name: str) -> Note:
        return self.fitter.missing(self.description.name, name, self._origin(name))

    def _origin(self, name: str) -> str:
        return self.record.origins.get(name, "its default")

    def _left_out(self, name: str, why: str) -> None:
        self._note(name, f"left out: {self._origin(name)} {why}")

    def _note(self, name: str, what: str) -> None:
        self.notes.append(Note(name, what))


def _as_held(coded: Coded, name: str, value: Value) -> Value:
    """The value as stored in a record whose code was written in place of the text."""
    entry = coded.entry(str(value), None)
    if entry is None:
        return value
    return entry.value if name == coded.code.name else entry.label


def _code(currency: FieldContent) -> str | None:
    """The currency in the form of an ISO code; None if there is none."""
    return None if currency is None else str(currency).strip().upper()


def _reason(note: Note) -> str:
    return note.what.removeprefix("left out: ")
