"""Fits a record to its object in the org: leaves out or cuts what the org would refuse, with a note."""

from collections.abc import Mapping, Sequence, Set

from sfmap.engine.delivery.codes import recoded
from sfmap.engine.delivery.fitted_lookups import fitted_match, fitted_pointer, fitted_unless_found
from sfmap.engine.delivery.item import Content, Fitted, Pointer
from sfmap.engine.delivery.org_objects import DoesNotFit, Fitting, OrgObjects
from sfmap.engine.mapping.values.parsing import CURRENCIES
from sfmap.engine.mapping.values.record import (
    Addition,
    FieldContent,
    Record,
    RecordReference,
    Value,
    nothing_to_write,
)
from sfmap.engine.mapping.values.values import INVISIBLE_TAKEN_OUT, Unfit, visible
from sfmap.engine.org.fields import (
    find_field,
    is_cut,
    is_key,
    several,
    takes_several,
    unlisted,
)
from sfmap.engine.org.port import FieldDescription


def fit(record: Record, objects: OrgObjects) -> Fitted:
    """The record as the org can take it. Raises `DoesNotFit`."""
    fitting = _FieldFitting(record, objects)
    _check_allowed(fitting)
    if record.operation == "delete":
        match, unless_found = fitted_match(fitting), fitted_unless_found(fitting)
        return Fitted(
            match=match,
            on_create={},
            on_update={},
            if_empty={},
            notes=(*record.notes, *fitting.notes),
            points=_points(match),
            unless_found=unless_found,
        )
    return _fitted_record(record, fitting)


def _fitted_record(record: Record, fitting: "_FieldFitting") -> Fitted:
    shape = fitting.shape
    written = fitting.coded(
        (
            fitting.fitted(record.fields, shape.writable),
            fitting.fitted(record.create_only, shape.createable),
            fitting.fitted(record.update_only, shape.updateable),
            fitting.fitted(record.if_empty, shape.writable),
        )
    )
    if record.plan.currencies:
        fitting.note_currencies(written)
    fields, create_only, update_only, if_empty = written
    on_create = _joined(_only(_joined(fields, if_empty), shape.createable), create_only)
    if fitting.adds:
        on_create = {name: one.values if isinstance(one, Addition) else one for name, one in on_create.items()}
    if record.operation == "create" and all(content is None for content in on_create.values()):
        raise DoesNotFit(nothing_to_write((*record.notes, *fitting.notes)))
    match, unless_found = fitted_match(fitting), fitted_unless_found(fitting)
    return Fitted(
        match=match,
        on_create=on_create,
        on_update=_joined(_only(fields, shape.updateable), update_only),
        if_empty=_only(if_empty, shape.updateable),
        notes=(*record.notes, *fitting.notes),
        likely_refused=fitting.likely_refused,
        complete=all(isinstance(on_create.get(name), (str, int, float)) for name in shape.required),
        points=fitting.points or _points(match),
        adds=fitting.adds,
        unless_found=unless_found,
    )


def _points(match: Sequence[Mapping[str, Value | Pointer]]) -> bool:
    return any(isinstance(value, Pointer) for lookup in match for value in lookup.values())


def _joined(contents: dict[str, Content], further: dict[str, Content]) -> dict[str, Content]:
    return {**contents, **further} if further else contents


def _only(contents: dict[str, Content], names: Set[str]) -> dict[str, Content]:
    if contents.keys() <= names:
        return contents
    return {name: content for name, content in contents.items() if name in names}


def _check_allowed(fitting: Fitting) -> None:
    """Checks that the user may perform the operation, and that the org can find records by the external id."""
    record, description = fitting.record, fitting.description
    for verb in ("create", "update") if record.operation == "upsert" else (record.operation,):
        if verb not in fitting.shape.allowed:
            raise DoesNotFit(f"this user may not {verb} {description.name} records; its profile must allow it")
    field = description.fields.get(record.external_id)
    if field and not is_key(field):
        message = f"{description.name}.{field.name} is not an external id in the org"
        raise DoesNotFit(f"{message}; tick External ID in Setup, or write match: {field.name}")


class _FieldFitting(Fitting):
    def __init__(self, record: Record, objects: OrgObjects) -> None:
        super().__init__(record, objects)
        self.likely_refused = False
        self.points = False
        self.adds = False

    def fitted(self, contents: Mapping[str, FieldContent], writable: Set[str]) -> dict[str, Content]:
        """The contents that the org's fields can hold; notes everything else."""
        kept: dict[str, Content] = {}
        roomy = self.shape.roomy
        for name, content in contents.items():
            if content.__class__ is str and name in writable and len(content) <= roomy.get(name, -1):
                kept[name] = content
                continue
            field = find_field(self.description, name, isinstance(content, RecordReference))
            if field is None:
                self._leave_out(name)
            elif field.name not in writable:
                if not self._only_finds(field):
                    self.note(name, f"left out: {self.description.name}.{name} is read-only for this user")
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
        if not (self.record.plan.currencies and self._lacks_currency(name)):
            self.notes.append(self.unknown(name))

    def _lacks_currency(self, name: str) -> bool:
        """Whether the object lacks the field for a currency, which is noted on the amount instead."""
        is_currency = name in [currency for _, currency in self.record.plan.currencies]
        return is_currency and name.casefold() not in self.description.by_casefold

    def note_currencies(self, written: Sequence[Mapping[str, Content]]) -> None:
        """Notes each amount that counts in the org's currency although the record has another one for it."""
        currencies = self.record.plan.currencies
        for name in dict.fromkeys(currency for _, currency in currencies):
            code = _code(self._given(name))
            if code is None or not self._lacks_currency(name) or code == self.objects.currency:
                continue
            amounts = [amount for amount, currency in currencies if currency == name]
            amounts = [amount for amount in amounts if any(one.get(amount) is not None for one in written)]
            if not amounts or not self.objects.currency:
                self.notes.append(self.unknown(name))
                continue
            said = code if code in CURRENCIES else "another currency"
            what = f"written in {self.objects.currency}, the org's currency"
            for amount in amounts:
                self.note(amount, f"{what}, though {self.origin(name)} says {said}")

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
            self.note(field.name, f"not emptied: {self.description.name}.{field.name} always has a value")

    def _point(self, field: FieldDescription, reference: RecordReference, kept: dict[str, Content]) -> None:
        if pointer := fitted_pointer(self, field, reference):
            self.points = True
            kept[field.name] = pointer

    def _add(self, field: FieldDescription, addition: Addition, kept: dict[str, Content]) -> None:
        if not takes_several(field):
            self.note(field.name, f"left out: add is for multi-select picklists, and {field.name} is not one")
        elif self._value(field, addition.values) is not None:
            self.adds = True
            different: dict[str, str] = {}
            for value in several(addition.values):
                different.setdefault(value.casefold(), value)
            kept[field.name] = Addition(";".join(different.values()))

    def _value(self, field: FieldDescription, value: Value) -> Value | None:
        try:
            found = self.converted(field, value)
        except Unfit as unfit:
            what = f"left out: {self.origin(field.name)} {unfit} ({field.name} is of type {field.type})"
            self.note(field.name, what)
            return None
        if field.type in ("email", "id", "reference") and isinstance(value, str) and visible(value) != value:
            self.note(field.name, INVISIBLE_TAKEN_OUT)
        if is_cut(field, value, found):
            self.note(field.name, f"cut to {field.length} characters, the field's length in the org")
        if field.restricted_picklist and field.name not in self.shape.codes and unlisted(field, found):
            self.likely_refused = True
        return found

    def _left_out(self, name: str, why: str) -> None:
        self.note(name, f"left out: {self.origin(name)} {why}")


def _code(currency: FieldContent) -> str | None:
    """The currency in the form of an ISO code; None if there is none."""
    return None if currency is None else str(currency).strip().upper()
