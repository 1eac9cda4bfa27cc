"""The plan of a mapping: which events it takes, what it reads of them, and the record that its rules make.

The generated code is made from it, and gives the same records faster.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from sfmap.engine.language.model import Mapping
from sfmap.engine.mapping.run.builder import new_builder
from sfmap.engine.mapping.run.compiled_source import CompiledSource, TemplateFailed
from sfmap.engine.mapping.run.custom_plan import CustomField, CustomPlan
from sfmap.engine.mapping.run.field_plan import FieldPlan
from sfmap.engine.mapping.run.field_value import find_value
from sfmap.engine.mapping.run.misplaced import Holder, Spellings
from sfmap.engine.mapping.values.blanks import without_blanks
from sfmap.engine.mapping.values.event import INDEX, ITEM, event_view
from sfmap.engine.mapping.values.record import Event, FieldContents, Json, Mapped, Note, RecordPlan, Skipped
from sfmap.engine.mapping.values.values import Unfit, UnreadableValue, is_blank

_MOST_ITEMS = 10_000
WHEN = "when is not true: "
"""The start of the reason to skip an event for which the mapping's condition is not true."""


@dataclass(frozen=True, kw_only=True)
class MappingPlan:
    mapping: Mapping
    record_plan: RecordPlan
    """What all its records have in common."""
    patterns: tuple[Callable[[Json, Json], bool], ...]
    """Each tells for the type and name of an event whether it is taken."""
    opt_in: CompiledSource | None
    when: CompiledSource | None
    for_each: CompiledSource | None
    fields: tuple[FieldPlan, ...]
    match_values: dict[str, FieldPlan]
    """By slot, the lookup values that are not written."""
    unless_found: tuple[FieldPlan, ...]
    custom: tuple[CustomPlan, ...]
    """One for each source of traits."""
    blanks: frozenset[str]
    holders: tuple[Holder, ...]
    spellings: tuple[Spellings, ...]

    def takes(self, event_type: Json, event_name: Json) -> bool:
        """Whether the mapping takes events of this type and, for track events, this name."""
        return any(pattern(event_type, event_name) for pattern in self.patterns)

    @property
    def view(self) -> Callable[[Event], Event]:
        """A function that returns the event as the rules see it."""
        return self._view_without_blanks if self.blanks else event_view

    def _view_without_blanks(self, event: Event) -> Event:
        view = event_view(event)
        return {key: without_blanks(value, self.blanks) for key, value in view.items()}

    def views(self, event: Event) -> Iterable[tuple[Event, int]] | Skipped:
        """The views that the rules read: the event once with 0, or once for each item with the item's number.

        Raises `TemplateFailed` or `Unfit` if they cannot be determined.
        """
        view = self.view(event)
        if self.opt_in and not _is_opted_in(self.opt_in, view):
            return not_opted_in(self.opt_in)
        if self.when and not _holds(self.when, view):
            return Skipped(f"{WHEN}{self.when.text}")
        return _items(self.for_each, view) if self.for_each else ((view, 0),)

    def record_by_rules(self, view: Event, item_number: int) -> Mapped:
        """The record of one of the `views`, rule by rule, or why there is none."""
        builder = new_builder()
        for plan in self.fields:
            builder.add(plan.field, find_value(plan, view))
        builder.add_custom(found for _, found in self.find_custom(view, builder.always))
        for slot, plan in self.match_values.items():
            builder.add_match_value(slot, plan.field, find_value(plan, view))
        for plan in self.unless_found:
            builder.add_unless_found(find_value(plan, view))
        builder.notes.extend(self.misplaced(view))
        return builder.finished(self.record_plan, self.mapping.lookups, item_number)

    def find_custom(self, view: Event, written: FieldContents) -> Iterator[tuple[CustomPlan, CustomField | Note]]:
        """The custom fields, and notes on traits that cannot be one; `written` are the fields with a value."""
        for custom in self.custom:
            yield from ((custom, found) for found in custom.find(view, written))

    def misplaced(self, view: Event) -> Iterator[Note]:
        """A note for each value that the rules do not see because of its kind or the spelling of its key."""
        yield from (note for holder in self.holders if (note := holder.note(view)))
        for spellings in self.spellings:
            yield from spellings.notes(view)


def not_opted_in(opt_in: CompiledSource) -> Skipped:
    return Skipped(f"not opted in: {opt_in.text} is not true")


def _is_opted_in(opt_in: CompiledSource, view: Event) -> bool:
    """True, or an object with options; the text "true" is neither (docs/behaviour.md, row 1)."""
    try:
        value = opt_in.get(view)
    except UnreadableValue as unreadable:
        value = unreadable.instead
    except Unfit as unfit:
        raise Unfit(f"opt_in: {opt_in.text} {unfit}") from None
    return value is True or isinstance(value, dict)


def _holds(when: CompiledSource, view: Event) -> bool:
    try:
        return bool(when.get(view))
    except TemplateFailed as failure:
        raise TemplateFailed(f"when: {failure}") from None


def _items(for_each: CompiledSource, view: Event) -> Iterable[tuple[Event, int]] | Skipped:
    try:
        items = for_each.get(view)
    except Unfit as unfit:
        raise Unfit(f"for_each: {for_each.text} {unfit}") from None
    if items is not None and not isinstance(items, list):
        return Skipped(f"no items: {for_each.text} is not a list")
    numbered = [(item, number) for number, item in enumerate(items or (), 1) if not is_blank(item)]
    if not numbered:
        return Skipped(f"no items: {for_each.text} is empty")
    if len(numbered) > _MOST_ITEMS:
        raise Unfit(f"for_each: {for_each.text} has {len(numbered):,} items; {_MOST_ITEMS:,} is the most")
    return (({**view, ITEM: item, INDEX: number}, number) for item, number in numbered)
