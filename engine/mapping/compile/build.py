"""Compiles a `Mapping` of the spec into functions, and reports what cannot be compiled."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from time import thread_time

from sfmap.engine.language.model import CustomFields, EventPattern, FieldRule, Lookup
from sfmap.engine.language.model import Mapping as MappingSpec
from sfmap.engine.mapping.compile.blanks import blank_keys, without_blanks
from sfmap.engine.mapping.compile.checks import check_names
from sfmap.engine.mapping.compile.codegen import Straight, Switch, straighten
from sfmap.engine.mapping.compile.custom_fields import CompiledCustom, CustomField, compile_custom
from sfmap.engine.mapping.compile.field_rule import CompiledRule, compile_rule
from sfmap.engine.mapping.compile.sandbox import TemplateFailed
from sfmap.engine.mapping.compile.source_paths import CompiledSource, Path, compile_source, simple_segments
from sfmap.engine.mapping.compile.templates import compile_condition
from sfmap.engine.mapping.run.builder import new_draft
from sfmap.engine.mapping.run.shapes import Holder, compile_holders
from sfmap.engine.mapping.run.spellings import Spellings, compile_spellings
from sfmap.engine.mapping.values.event import INDEX, ITEM, event_view
from sfmap.engine.mapping.values.record import (
    Event,
    FieldContents,
    Json,
    Mapped,
    Note,
    Record,
    RecordPlan,
    Rejected,
    Skipped,
    nothing_to_write,
)
from sfmap.engine.mapping.values.values import Unfit, UnreadableValue, is_blank
from sfmap.engine.yaml_files import kinds
from sfmap.engine.yaml_files.diagnostics import Diagnostic, did_you_mean, listed
from sfmap.engine.yaml_files.reader import Report

_MOST_ITEMS = 10_000
_LONGEST_WORK = 5
"""Seconds of this thread's CPU time for all items of one event; an item takes some ten microseconds."""
_LONGEST_RECORDS = 50_000_000
"""The most characters in all records of one event together."""


@dataclass(frozen=True)
class CompiledMapping:
    """A compiled mapping, made of dictionaries and functions only."""

    mapping: MappingSpec
    patterns: tuple[Callable[[Json, Json], bool], ...]
    opt_in: CompiledSource | None
    when: CompiledSource | None
    for_each: CompiledSource | None
    rules: tuple[CompiledRule, ...]
    match_values: Mapping[str, CompiledRule]
    """By slot, the rules for lookup values that are not written."""
    unless_found: tuple[CompiledRule, ...]
    custom: tuple[CompiledCustom, ...]
    """One for each source of traits."""
    blanks: frozenset[str]
    holders: tuple[Holder, ...] = ()
    spellings: tuple[Spellings, ...] = ()

    def takes(self, event_type: Json, event_name: Json) -> bool:
        """Whether the mapping takes events of this type and, for track events, this name."""
        return any(pattern(event_type, event_name) for pattern in self.patterns)

    @cached_property
    def map(self) -> Callable[[Event], tuple[Mapped, ...]]:
        """A function that returns the records for an event, or the reason why there is none; never empty."""
        return self.straight.map or self._map

    def _map(self, event: Event) -> tuple[Mapped, ...]:
        try:
            views = self.views(event)
        except (TemplateFailed, Unfit) as failure:
            return (Rejected(self.mapping.name, str(failure)),)
        if isinstance(views, Skipped):
            return (views,)
        try:
            return tuple(self._records(views))
        except Unfit as unfit:
            return (Rejected(self.mapping.name, f"for_each: {unfit}"),)

    def _records(self, views: Iterable[tuple[Event, int]]) -> Iterator[Mapped]:
        """The record of each view. Raises `Unfit` if they take more work than one event may."""
        started, size = thread_time(), 0
        for view, item in views:
            mapped = self.record(view, item)
            size += _size(mapped)
            if size > _LONGEST_RECORDS:
                raise Unfit(f"the first {item:,} items make records of more than {_LONGEST_RECORDS:,} characters")
            if thread_time() - started > _LONGEST_WORK:
                raise Unfit(f"the first {item:,} items take more than {_LONGEST_WORK} seconds to map")
            yield mapped

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
            return _not_opted_in(self.opt_in)
        if self.when and not self._holds(self.when, view):
            return Skipped(f"when is not true: {self.when.text}")
        return self._items(self.for_each, view) if self.for_each else ((view, 0),)

    def _holds(self, when: CompiledSource, view: Event) -> bool:
        try:
            return bool(when.get(view))
        except TemplateFailed as failure:
            raise TemplateFailed(f"when: {failure}") from None

    def _items(self, for_each: CompiledSource, view: Event) -> Iterable[tuple[Event, int]] | Skipped:
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

    @cached_property
    def plan(self) -> RecordPlan:
        mapping = self.mapping
        return RecordPlan(
            mapping=mapping.name,
            object=mapping.object,
            operation=mapping.operation,
            on_many=mapping.on_many,
            external_id=mapping.external_id,
            where=mapping.where.text.strip() if mapping.where else "",
            headers=mapping.headers,
            on_none=mapping.on_none,
            on_duplicate=mapping.on_duplicate,
            skip_unchanged=mapping.skip_unchanged,
            timestamp_guard=mapping.timestamp_guard,
            batch_size=mapping.batch_size,
            conventions=mapping.conventions,
            has_values_alone=not any(
                rule.reference or rule.add or _clears(rule)
                for rule in (*mapping.rules, *mapping.match_values.values())
            )
            and not (mapping.custom and _clears(mapping.custom)),
            currencies=tuple((rule.field, rule.currency.text) for rule in mapping.rules if rule.currency),
            finds_by_another_value=any(lookup.finds_by_another_value for lookup in mapping.lookups),
        )

    @cached_property
    def straight(self) -> Straight:
        """The rules as one generated function, with its text."""
        lookups = self.mapping.lookups
        return straighten(
            self.plan,
            lookups,
            self.rules,
            self.match_values,
            self.unless_found,
            self.custom,
            self.holders,
            self.spellings,
            self.record_by_rules,
            self._switch(),
            self.view,
        )

    def misplaced(self, view: Event) -> Iterator[Note]:
        """A note for each value that the rules do not see because of its kind or the spelling of its key."""
        yield from (note for holder in self.holders if (note := holder.note(view)))
        for spellings in self.spellings:
            yield from spellings.notes(view)

    def _switch(self) -> Switch | None:
        """The opt-in as a simple test of the event; None if more decides whether it becomes one record."""
        if self.when or self.for_each:
            return None
        if self.opt_in is None:
            return Switch(None, ())
        match simple_segments(self.opt_in.text):
            case (str(holder), str(key)):
                return Switch((holder, key), (_not_opted_in(self.opt_in),))
        return None

    def record(self, view: Event, item: int) -> Mapped:
        """The record of one of the `views`, or why there is none."""
        try:
            return self.straight.record(view, item)
        except Unfit:  # a filter gave up: its rule reports why
            return self.record_by_rules(view, item)

    def find_custom(
        self, view: Event, written: FieldContents
    ) -> Iterator[tuple[CompiledCustom, CustomField | Note]]:
        """The custom fields, and notes on traits that cannot be one; `written` are the fields with a value."""
        for custom in self.custom:
            yield from ((custom, found) for found in custom.find(view, written))

    def record_by_rules(self, view: Event, item: int) -> Mapped:
        """The same record, rule by rule: the reference for the generated function."""
        draft = new_draft()
        for rule in self.rules:
            draft.add(rule.rule.field, rule.find(view))
        draft.add_custom(found for _, found in self.find_custom(view, draft.always))
        for slot, value in self.match_values.items():
            draft.add_match_value(slot, value.rule.field, value.find(view))
        for rule in self.unless_found:
            draft.add_unless_found(rule.find(view))
        draft.notes.extend(self.misplaced(view))
        if draft.rejections:
            return Rejected(self.mapping.name, "; ".join(draft.rejections), item)
        match = tuple(draft.matches(self.mapping.lookups))
        if self.mapping.lookups and not match:
            return Rejected(self.mapping.name, _nothing_to_find_by(self.mapping.lookups, draft.notes), item)
        written = draft.always, draft.create, draft.update, draft.empty
        if not self.mapping.lookups and not any(written):
            return Rejected(self.mapping.name, nothing_to_write(draft.notes), item)
        notes, unless_found = tuple(draft.notes), tuple(draft.unless_found)
        return Record(self.plan, match, *written, draft.origins, notes, item, unless_found)


def _clears(rule: FieldRule | CustomFields) -> bool:
    return "clear" in (rule.on_null, rule.on_blank)


def _holders(
    for_each: CompiledSource | None, rules: tuple[CompiledRule, ...], custom: tuple[CompiledCustom, ...]
) -> tuple[Holder, ...]:
    reads = list(_paths(rules))
    as_a_whole = [*reads, *(for_each.reads if for_each else ())]
    for one in custom:
        (base,) = one.source.reads
        if one.source.pipes:
            as_a_whole.append(base)
        reads.append((*base, "*"))
        as_a_whole += ((*base, key) for key in one.spec.excluded)
    return compile_holders(reads, as_a_whole)


def _nothing_to_find_by(lookups: Iterable[Lookup], notes: Iterable[Note]) -> str:
    """Why no lookup has all its values, with the notes on those that the event has."""
    fields = {name for lookup in lookups for name in lookup.names}
    said = [str(note) for note in notes if note.field.removeprefix("match by ") in fields]
    reason = f"nothing to find the record by: no value for {listed(map(_wanted, lookups))}"
    return "; ".join(dict.fromkeys((reason, *said)))


def _wanted(lookup: Lookup) -> str:
    """The values that a lookup needs, for messages."""
    return " and ".join(
        f"{field.name} ({listed(source.text for source in field.rule.sources)})"
        if field.rule and field.rule.sources
        else field.name
        for field in lookup.fields
    )


def _size(mapped: Mapped) -> int:
    """The characters of its texts, and a hundred for everything else in it."""
    if not isinstance(mapped, Record):
        return 100
    contents = (mapped.fields, mapped.create_only, mapped.update_only, mapped.if_empty)
    return 100 + sum(len(one) if isinstance(one, str) else 100 for held in contents for one in held.values())


def _not_opted_in(opt_in: CompiledSource) -> Skipped:
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


def compile_mapping(mapping: MappingSpec) -> tuple[CompiledMapping, list[Diagnostic]]:
    """The compiled mapping and its diagnostics; with errors it must not be used."""
    report = Report()
    blanks = blank_keys(mapping.blank_values)
    looked_up = frozenset(name for lookup in mapping.lookups for name in lookup.names)
    conventions = mapping.conventions
    source_of = partial(compile_source, report=report, conventions=conventions, blanks=blanks)
    opt_in = source_of(mapping.opt_in, exact=True) if mapping.opt_in else None
    when = compile_condition(mapping.when, report, conventions) if mapping.when else None
    for_each = source_of(mapping.for_each, several=True) if mapping.for_each else None
    rules = tuple(compile_rule(rule, report, blanks, rule.field in looked_up) for rule in mapping.rules)
    match_values = {slot: compile_rule(rule, report, blanks, True) for slot, rule in mapping.match_values.items()}
    reading = (*rules, *match_values.values())
    reads = list(_reads(opt_in, for_each, reading))
    # Like a condition it does not consume traits, which can still become custom fields.
    unless_found = tuple(compile_rule(rule, report, blanks, True) for rule in mapping.unless_found)
    fields = [rule.field for rule in mapping.rules]
    custom = compile_custom(mapping.custom, reads, fields, looked_up, source_of) if mapping.custom else ()
    _check_events(mapping, report)
    _check_lookups(mapping, report)
    _check_writes(mapping, report)
    _check_currencies(mapping, report)
    check_names(mapping, when, (*reading, *unless_found), report)
    patterns = tuple(_compile_pattern(pattern) for pattern in mapping.events)
    spelt = [*_paths(reading), *(path for one in custom for path in one.source.reads)]
    compiled = CompiledMapping(
        mapping,
        patterns,
        opt_in,
        when,
        for_each,
        rules,
        match_values,
        unless_found,
        custom,
        blanks,
        _holders(for_each, reading, custom),
        compile_spellings(spelt),
    )
    return compiled, report.diagnostics


def _compile_pattern(pattern: EventPattern) -> Callable[[Json, Json], bool]:
    if pattern.name is None:
        return lambda event_type, _: event_type == pattern.type
    takes = name_pattern(pattern.name.text)
    return lambda event_type, event_name: (
        event_type == pattern.type and isinstance(event_name, str) and takes(event_name)
    )


def name_pattern(pattern: str) -> Callable[[str], bool]:
    """A function that matches a name with a pattern such as `Order *`, in which a star matches any text.

    Each piece is searched once, after the end of the last one; a regular expression would backtrack.
    """
    first, *others = re.split(r"\*+", pattern)
    if not others:
        return lambda name: name == pattern
    *middle, last = others

    def takes(name: str) -> bool:
        place, end = len(first), len(name) - len(last)
        if place > end or not (name.startswith(first) and name.endswith(last)):
            return False
        for piece in middle:
            found = name.find(piece, place, end)
            if found < 0:
                return False
            place = found + len(piece)
        return True

    return takes


def _reads(
    opt_in: CompiledSource | None, for_each: CompiledSource | None, rules: tuple[CompiledRule, ...]
) -> Iterator[Path]:
    """The paths that the rules consume. Conditions do not consume traits, which can still become custom fields."""
    for source in (opt_in, for_each):
        if source:
            yield from source.reads
    yield from _paths(rules)


def _paths(rules: Iterable[CompiledRule]) -> Iterator[Path]:
    return (path for rule in rules for source in rule.sources for path in source.reads)


def _check_events(mapping: MappingSpec, report: Report) -> None:
    seen: list[EventPattern] = []
    for pattern in mapping.events:
        for other in seen:
            covered = other.name is None or (
                pattern.name is not None and name_pattern(other.name.text)(pattern.name.text)
            )
            if other.type == pattern.type and covered:
                span = pattern.name.span if pattern.name else mapping.span
                report.warning(
                    kinds.EVENT_TAKEN_ABOVE, span, f"{pattern.type} events are already taken by an entry above"
                )
                break
        seen.append(pattern)


def _check_lookups(mapping: MappingSpec, report: Report) -> None:
    rules = {rule.field: rule for rule in mapping.rules}
    for field in (field for lookup in mapping.lookups for field in lookup.fields if not field.rule):
        rule = rules.get(field.name)
        is_custom = mapping.custom is not None and field.name.endswith(mapping.custom.suffix)
        if rule is None and not is_custom:
            message = f"match names {field.name}, and no rule gives it a value"
            report.error(kinds.WRONG_MATCH, field.node.span, message, did_you_mean(field.name, rules))
        elif rule and rule.add:
            report.error(kinds.WRONG_MATCH, field.node.span, f"{field.name} contains more than the added values")
        elif rule and rule.default and not (rule.sources or rule.template or rule.value is not None):
            message = f"{field.name} has only a default, which finds no record"
            report.error(kinds.WRONG_MATCH, field.node.span, message)


def _check_writes(mapping: MappingSpec, report: Report) -> None:
    """Reports rules whose field the mapping's operation never writes."""
    never = {"create": ("update",), "update": ("create",)}.get(mapping.operation, ())
    looked_up = {slot for lookup in mapping.lookups for slot in lookup.slots}
    for rule in mapping.rules:
        if rule.write in never:
            message = f"{rule.field} is never written: the mapping's operation is {mapping.operation}"
            report.warning(kinds.NEVER_WRITTEN, rule.span, message)
        elif mapping.operation == "delete" and rule.field not in looked_up:
            report.warning(kinds.NEVER_WRITTEN, rule.span, f"{rule.field} is never written: the mapping deletes")
        if rule.write == "empty" and _clears(rule):
            report.error(
                kinds.CONFLICTING_KEYS,
                rule.span,
                f"{rule.field} is written only if it is empty: nothing to clear",
            )


def _check_currencies(mapping: MappingSpec, report: Report) -> None:
    """Amounts whose currency nothing writes."""
    rules = {rule.field: rule for rule in mapping.rules}
    for rule, named in ((rule, rule.currency) for rule in mapping.rules if rule.currency):
        other = rules.get(named.text)
        is_custom = mapping.custom is not None and named.text.endswith(mapping.custom.suffix)
        if other is rule or (other and (other.reference or other.add)):
            message = f"{named.text} holds no currency: that is a code such as EUR, in a field of its own"
            report.error(kinds.WRONG_VALUE, named.span, message)
        elif other is None and not is_custom:
            message = f"currency names {named.text}, and no rule gives it a value"
            report.error(kinds.UNKNOWN_RULE, named.span, message, did_you_mean(named.text, rules))
