"""Fits the lookups of a record: those that find it, and those of the records that it points to."""

from collections.abc import Iterator, Mapping

from sfmap.engine.delivery.item import Pointer, Target
from sfmap.engine.delivery.org_objects import DoesNotFit, Fitting
from sfmap.engine.mapping.values.record import Note, RecordReference, Value
from sfmap.engine.mapping.values.values import Unfit
from sfmap.engine.org.fields import (
    Coded,
    find_field,
    fit_for_lookup,
    fitted_for_lookup,
    why_not_looked_up,
    why_not_pointed,
)
from sfmap.engine.org.port import FieldDescription


def fitted_pointer(fitting: Fitting, field: FieldDescription, reference: RecordReference) -> Pointer | None:
    """The pointer for the field; None, with a note, if no object can be searched for it."""
    problems: list[str] = []
    targets = tuple(_targets(fitting, field, reference, problems))
    begins = "left out" if not targets else "not looked for everywhere"
    for problem in problems:
        fitting.note(field.name, f"{begins}: {problem}")
    if not targets:
        return None
    by = fitting.objects.descriptions[targets[0].object].fields[targets[0].by]
    is_plain = len(targets) == 1 and not reference.where and reference.on_many == "newest"
    # Values that records are found by must be known before the write.
    is_found_by = any(field.name in lookup for lookup in fitting.record.match)
    nested = is_plain and reference.on_missing == "reject" and by.external_id and not is_found_by
    return Pointer(
        targets=targets,
        on_missing=reference.on_missing,
        on_many=reference.on_many,
        relationship=field.relationship_name if nested else "",
        is_constant=reference.is_constant,
    )


def _targets(
    fitting: Fitting, field: FieldDescription, reference: RecordReference, problems: list[str]
) -> Iterator[Target]:
    """The lookups that can find the record; adds the reasons for the other objects to `problems`."""
    for name in reference.objects:
        target = fitting.objects.descriptions.get(name)
        by = target.fields.get(reference.by) if target else None
        if why := why_not_pointed(field, name):
            problems.append(f"{field.name} cannot point to {name}; {why}")
        elif by is None:
            problems.append(f"{name} has no field {reference.by}, or this user may not see it")
        elif why := why_not_looked_up(by):
            problems.append(f"{name} cannot be looked up by {by.name}: {why}")
        else:
            try:
                value = fitted_for_lookup(by, reference.value, fitting.conventions)
            except Unfit as unfit:
                problems.append(f"{fitting.origin(field.name)} {unfit} ({name}.{by.name})")
            else:
                yield Target(object=name, by=by.name, value=value, where=reference.where)


def fitted_match(fitting: Fitting) -> tuple[Mapping[str, Value | Pointer], ...]:
    """The lookups that find the record, with values as the org compares them. Raises `DoesNotFit`."""
    return tuple(
        {
            name: _match_pointer(fitting, name, value)
            if isinstance(value, RecordReference)
            else _match_value(fitting, name, value)
            for name, value in lookup.items()
        }
        for lookup in fitting.record.match
    )


def fitted_unless_found(fitting: Fitting) -> tuple[Target, ...]:
    """The lookups of `unless_found`, all of which must be possible. Raises `DoesNotFit`."""
    targets: list[Target] = []
    for reference in fitting.record.unless_found:
        for name in reference.objects:
            target = fitting.objects.descriptions.get(name)
            by = target.fields.get(reference.by) if target else None
            why = why_not_looked_up(by) if by else f"{name} has no such field, or this user may not see it"
            if by is None or why:
                raise DoesNotFit(f"cannot look for unless_found by {name}.{reference.by}: {why}")
            try:
                value = fitted_for_lookup(by, reference.value, fitting.conventions)
            except Unfit as unfit:
                fitting.note("unless_found", f"left out: the value {unfit} ({name}.{by.name})")
            else:
                targets.append(Target(object=name, by=by.name, value=value, where=reference.where))
    return tuple(targets)


def _match_pointer(fitting: Fitting, name: str, reference: RecordReference) -> Pointer:
    field = fitting.description.fields.get(name)
    if field is None:
        named = find_field(fitting.description, name, refers=True)
        reason = f"the field is called {named.name}" if named else _reason(fitting.unknown(name))
        raise DoesNotFit(f"cannot look up by {name}: {reason}")
    problems: list[str] = []
    targets = tuple(_targets(fitting, field, reference, problems))
    if not targets:
        raise DoesNotFit(f"cannot look up by {name}: {problems[-1]}")
    return Pointer(
        targets=targets,
        on_missing=reference.on_missing,
        on_many=reference.on_many,
        is_constant=reference.is_constant,
    )


def _match_value(fitting: Fitting, name: str, value: Value) -> Value:
    """The lookup value as it is written: a cut value must be looked up cut to be found again."""
    field = fitting.description.fields.get(name)
    if field is None:
        raise DoesNotFit(f"cannot look up by {name}: {_reason(fitting.unknown(name))}")
    if why := why_not_looked_up(field):
        raise DoesNotFit(f"cannot look up by {name}: {why}")
    try:
        found = fit_for_lookup(fitting.converted(field, value))
        _check_own_id(fitting, field, found)
    except Unfit as unfit:
        raise DoesNotFit(f"cannot look up by {name}: {_match_origin(fitting, name, value)} {unfit}") from None
    codes = fitting.shape.codes
    return _as_held(codes[name], name, found) if name in codes else found


def _check_own_id(fitting: Fitting, field: FieldDescription, value: Value) -> None:
    """Checks that an id belongs to this object, since it determines the record. Raises `Unfit`."""
    prefix = fitting.description.key_prefix
    if field.type == "id" and prefix and not str(value).startswith(prefix):
        raise Unfit(f"is not the id of a {fitting.description.name}: those begin with {prefix}")


def _match_origin(fitting: Fitting, name: str, value: Value) -> str:
    """The origin of the value: the field's rule, or one of match."""
    record = fitting.record
    own = record.origins.get(f"match by {name}")
    written = (record.fields, record.create_only, record.update_only, record.if_empty)
    if own and not any(contents.get(name) == value for contents in written):
        return own
    return fitting.origin(name)


def _as_held(coded: Coded, name: str, value: Value) -> Value:
    """The value as stored in a record whose code was written in place of the text."""
    entry = coded.entry(str(value), None)
    if entry is None:
        return value
    return entry.value if name == coded.code.name else entry.label


def _reason(note: Note) -> str:
    return note.what.removeprefix("left out: ")
