"""Finds the value of a field for an event, by its plan: the first source whose value fits the field wins."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sfmap.engine.language.model import Write
from sfmap.engine.mapping.run.compiled_source import CompiledSource, TemplateFailed, is_below
from sfmap.engine.mapping.run.field_plan import FieldPlan
from sfmap.engine.mapping.values.event import as_text
from sfmap.engine.mapping.values.record import Addition, Event, FieldContent, Json, RecordReference, Value
from sfmap.engine.mapping.values.values import (
    INVISIBLE_TAKEN_OUT,
    Unfit,
    UnreadableValue,
    convert,
    cut,
    holds_value,
    length,
    scalar,
)
from sfmap.engine.yaml_files.diagnostics import listed


class FieldResult(NamedTuple):
    """The result of a rule for one event: something to write and when, a reason to reject, or nothing.

    A tuple for speed.
    """

    content: FieldContent = None
    write: Write = "always"
    origin: str = ""
    """The source's text; empty for a default, which does not identify a record."""
    notes: tuple[str, ...] = ()
    """Notes on what was cut, cleaned or left out."""
    rejected: str = ""
    is_null: bool = False
    """Whether the field is to be emptied."""
    unmet: str = ""
    """The rule's condition if it is not true."""


_NOTHING = FieldResult()


@dataclass(frozen=True, slots=True)
class _Refusal:
    """A value of the event that the field cannot take, and why."""

    source: CompiledSource
    why: str

    def __str__(self) -> str:
        return f"{self.source.text} {self.why}"

    def is_made_up_for(self, giver: CompiledSource) -> bool:
        """Whether the source that gave the value reads the same trait or a part of it."""
        return giver is not self.source and any(
            is_below(one, other) or is_below(other, one) for one in self.source.reads for other in giver.reads
        )


def find_value(plan: FieldPlan, event: Event) -> FieldResult:
    """The result of the field's rule for the event view."""
    doing = "when"
    try:
        if plan.when and not plan.when.get(event):
            return FieldResult(unmet=plan.when.text)
        doing = "template"
        found = _from_sources(plan, event)
    except TemplateFailed as failure:
        return FieldResult(rejected=f"{plan.field}: its {doing} failed: {failure}")
    if plan.add and isinstance(found.content, (str, int, float)):
        return found._replace(content=Addition(as_text(found.content)))
    if plan.reference and found.content is not None:
        return found._replace(content=_reference(plan, found))
    return found


def _reference(plan: FieldPlan, found: FieldResult) -> RecordReference:
    """The reference to the record that has the found value."""
    to, value = plan.reference, found.content
    assert to
    assert isinstance(value, (str, int, float))
    return RecordReference(
        objects=to.objects,
        by=to.by.text,
        value=value,
        on_missing=to.on_missing,
        where=to.where.text.strip() if to.where else "",
        on_many=to.on_many,
        is_constant=_is_constant(plan, found),
    )


def _is_constant(plan: FieldPlan, found: FieldResult) -> bool:
    """Whether the value is the mapping's own: a constant, an entry of `values`, or a template of constants."""
    of_nothing = plan.given_by == "template" and not any(source.names for source in plan.sources)
    in_table = plan.table is not None and plan.table.has(found.content)
    return plan.given_by == "constant" or not found.origin or of_nothing or in_table


def _from_sources(plan: FieldPlan, event: Event) -> FieldResult:
    refusals: list[_Refusal] = []
    for source in plan.sources:
        raw = _read(source, event, refusals)
        value, notes = _cleaned(plan, raw)
        if value is None:
            if isinstance(raw, (dict, list)) and holds_value(raw):
                kind = "an object" if isinstance(raw, dict) else "a list"
                refusals.append(_Refusal(source, f"is {kind}, not a single value"))
            continue
        try:
            found = _fitted(plan, source.text, value, notes)
        except Unfit as unfit:
            refusals.append(_Refusal(source, str(unfit)))
            continue
        return _beside(plan, found, [one for one in refusals if not one.is_made_up_for(source)])
    if not refusals and _is_cleared(plan, event):
        return FieldResult(write=plan.write, is_null=True)
    return _beside(plan, _without_value(plan, refusals), refusals)


def _read(source: CompiledSource, event: Event, refusals: list[_Refusal]) -> Json:
    """The value of the source; adds values that a filter could not read to the refusals."""
    try:
        return source.get(event)
    except Unfit as unfit:
        refusals.append(_Refusal(source, str(unfit)))
        return unfit.instead if isinstance(unfit, UnreadableValue) else None


def _beside(plan: FieldPlan, found: FieldResult, refusals: Sequence[_Refusal]) -> FieldResult:
    """The same with notes on values of the event that the field does not get."""
    if refusals and plan.on_invalid == "reject":
        return FieldResult(rejected=f"{plan.field}: {refusals[0]}")
    if not refusals or found.rejected:
        return found
    return found._replace(notes=(*(f"left out: {refusal}" for refusal in refusals), *found.notes))


def _cleaned(plan: FieldPlan, raw: Json) -> tuple[Value | None, tuple[str, ...]]:
    """The value as a field can hold it, and notes on what was removed."""
    value = scalar(raw)
    notes = () if value == raw else ("characters that XML cannot carry were removed",)
    if plan.strip is None or not isinstance(value, str):
        return value, notes
    stripped = plan.strip(value)
    return scalar(stripped), notes if stripped == value else (*notes, INVISIBLE_TAKEN_OUT)


def _is_cleared(plan: FieldPlan, event: Event) -> bool:
    return (plan.clears_null and any(source.is_null(event) for source in plan.sources)) or (
        plan.clears_blank and any(source.is_blank(event) for source in plan.sources)
    )


def _fitted(plan: FieldPlan, origin: str, value: Value, notes: tuple[str, ...]) -> FieldResult:
    """The value as the field accepts it. Raises `Unfit`."""
    entry = plan.table.entry(value) if plan.table else value
    fitted = convert(entry, plan.type, plan.conventions)
    if plan.max is None or not isinstance(fitted, str) or length(fitted) <= plan.max:
        return FieldResult(content=fitted, write=plan.write, origin=origin, notes=notes)
    if plan.type == "email":
        raise Unfit(f"is longer than {plan.max} characters, and an e-mail address is never cut")
    if plan.on_long == "reject":
        return FieldResult(rejected=f"{plan.field}: longer than {plan.max} characters")
    shortened = cut(fitted, plan.max)
    if not shortened or shortened.isspace():
        raise Unfit(f"has no character that fits in {plan.max}")
    noted = (*notes, f"cut to {plan.max} characters")
    return FieldResult(content=shortened, write=plan.write, origin=origin, notes=noted)


def _without_value(plan: FieldPlan, refusals: Sequence[_Refusal]) -> FieldResult:
    if plan.default is not None:
        return FieldResult(content=plan.default.value, write=plan.default.write)
    if plan.required:
        why = "; ".join(map(str, refusals)) or _nothing_found(plan)
        return FieldResult(rejected=f"{plan.field} is required: {why}")
    return _NOTHING


def _nothing_found(plan: FieldPlan) -> str:
    if plan.given_by == "template":
        return "its template gave no text"
    tried = [source.text for source in plan.sources]
    return f"{listed(tried, 'and')} {'has' if len(tried) == 1 else 'have'} no value"
