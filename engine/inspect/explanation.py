"""Explains a record: for each field the rule, the source of the value, and the sources tried before.

A rule is explained by running it again, so the explanation matches what is rendered.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from sfmap.engine.inspect.payload import content_as_json
from sfmap.engine.language.model import Write
from sfmap.engine.mapping.run.compiled_mapping import CompiledMapping
from sfmap.engine.mapping.run.compiled_source import CompiledSource, TemplateFailed
from sfmap.engine.mapping.run.field_plan import FieldPlan
from sfmap.engine.mapping.run.field_value import FieldResult, find_value
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.mapping.run.mapping_plan import WHEN, MappingPlan, not_opted_in
from sfmap.engine.mapping.values.record import (
    Addition,
    Event,
    FieldContent,
    Mapped,
    Note,
    Record,
    RecordReference,
    Rejected,
    Skipped,
)
from sfmap.engine.mapping.values.values import Unfit, scalar
from sfmap.engine.yaml_files.diagnostics import Span, listed

_WIDEST_VALUE = 50


@dataclass(frozen=True, slots=True)
class Attempt:
    """A source that was tried, and its result: `missing`, `null`, `an object`, ... or why it does not fit."""

    source: str
    outcome: str
    span: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldStory:
    field: str
    span: Span
    """The rule."""
    content: FieldContent
    is_written: bool
    write: Write = "always"
    """When the field is written, also if this event has no value for it."""
    origin: str = ""
    """The origin of the value: a source, `default`, ...; empty if there is no value."""
    origin_span: Span | None = None
    """The origin in the YAML: of several sources, the one that won."""
    tried: tuple[Attempt, ...] = ()
    """The sources tried before, in order."""
    notes: tuple[str, ...] = ()
    """What was cut or left out, or why the event is rejected."""

    def as_json(self) -> dict[str, object]:
        value = {"value": content_as_json(self.content)} if self.is_written else {}
        return {
            "field": self.field,
            **value,
            "write": self.write,
            "from": self.origin or None,
            "tried": [{"source": attempt.source, "found": attempt.outcome} for attempt in self.tried],
            "notes": list(self.notes),
            "file": self.span.source.file,
            "line": self.span.line,
            "source": _place(self.origin_span) if self.origin_span else None,
        }


def _place(span: Span) -> dict[str, object]:
    return {"file": span.source.file, "line": span.line, "column": span.column, "width": span.width}


@dataclass(frozen=True, slots=True)
class Explained:
    """One record or fate, with the explanation of every field of the mapping."""

    mapped: Mapped
    stories: tuple[FieldStory, ...] = ()


def explain(mapper: Mapper, event: Event) -> tuple[Explained, ...]:
    """The results of `mapper.map` for the event, each explained."""
    taking = mapper.taking(event)
    told = [one for compiled in taking for one in _explained(compiled, event)]
    kept = [one for one in told if not isinstance(one.mapped, Skipped)]
    return tuple(kept) or tuple(Explained(mapped) for mapped in mapper.map(event))


def _explained(compiled: CompiledMapping, event: Event) -> Iterator[Explained]:
    try:
        views = compiled.plan.views(event)
    except (TemplateFailed, Unfit):
        views = Skipped("")
    if isinstance(views, Skipped):
        yield from (Explained(mapped) for mapped in compiled.map(event))
        return
    mapped = compiled.map(event)
    if compiled.plan.for_each and isinstance(mapped[0], Rejected) and not mapped[0].item_number:  # the whole event
        yield Explained(mapped[0])
        return
    for (view, _), one in zip(views, mapped, strict=True):
        yield Explained(one, tuple(_stories(compiled.plan, view)))


def deciding_span(plan: MappingPlan, skipped: Skipped) -> Span | None:
    """What in the mapping makes it skip an event; None if it is the event's own."""
    if plan.opt_in and skipped == not_opted_in(plan.opt_in):
        return plan.opt_in.span
    if plan.when and skipped.reason.startswith(WHEN):
        return plan.when.span
    return plan.for_each.span if plan.for_each else None


def _stories(plan: MappingPlan, view: Event) -> Iterator[FieldStory]:
    for field in plan.fields:
        yield _story(field, view)
    yield from _finding_stories(plan, view)
    yield from _custom_stories(plan, view)
    for note in plan.misplaced(view):
        yield _left_out(note, plan.mapping.span)


def _story(plan: FieldPlan, view: Event) -> FieldStory:
    found = find_value(plan, view)
    is_written = found.content is not None or found.is_null
    notes = (found.rejected,) if found.rejected else found.notes
    if found.unmet:
        tried: tuple[Attempt, ...] = (Attempt("when", f"is not true: {found.unmet}"),)
    else:
        tried = tuple(_attempts(plan, found, view))
    origin = found.origin or ("default" if found.content is not None else "null" if found.is_null else "")
    return FieldStory(
        field=plan.field,
        span=plan.span,
        content=found.content,
        is_written=is_written,
        write=found.write if is_written else plan.write,
        origin=origin,
        origin_span=_origin_span(plan, found),
        tried=tried,
        notes=notes,
    )


def _attempts(plan: FieldPlan, found: FieldResult, view: Event) -> Iterator[Attempt]:
    for source in plan.sources:
        if found.origin and source.text == found.origin:
            return
        yield Attempt(source.text, _outcome(source, view), source.span)


def _origin_span(plan: FieldPlan, found: FieldResult) -> Span | None:
    if found.content is None:
        return None
    if not found.origin:
        return plan.default.span if plan.default else None
    return next((source.span for source in plan.sources if source.text == found.origin), None)


def _outcome(source: CompiledSource, view: Event) -> str:
    try:
        value = source.get(view)
    except (Unfit, TemplateFailed) as failure:
        return str(failure)
    if value is None:
        return "null" if source.is_null(view) else "blank" if source.is_blank(view) else "missing"
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else "a list"
    return "blank" if scalar(value) is None else "does not fit"


def _custom_stories(plan: MappingPlan, view: Event) -> Iterator[FieldStory]:
    for custom, found in plan.find_custom(view, {}):
        span = custom.span
        if isinstance(found, Note):
            yield _left_out(found, span)
        else:
            yield FieldStory(
                field=found.field,
                span=span,
                content=found.value,
                is_written=True,
                origin=f"{found.origin} (custom)",
            )


def _finding_stories(plan: MappingPlan, view: Event) -> Iterator[FieldStory]:
    """What is wrong with values that records are looked for by, and that are not written."""
    named = [(f"match by {value.field}", value) for value in plan.match_values.values()]
    named += [("unless_found", value) for value in plan.unless_found]
    for name, value in named:
        found = find_value(value, view)
        for what in (found.rejected,) if found.rejected else found.notes:
            yield _left_out(Note(name, what), value.span)


def _left_out(note: Note, span: Span) -> FieldStory:
    return FieldStory(field=note.field, span=span, content=None, is_written=False, notes=(note.what,))


def as_text(number: int, explained: Explained) -> str:
    """The explanation as text: a heading, a line for each written field, then the others."""
    written = [story for story in explained.stories if story.is_written]
    others = [story for story in explained.stories if not story.is_written]
    lines = [_heading(number, explained.mapped), *_table(written, "  ")]
    if others:
        lines += ["  not written:", *_table(others, "    ")]
    return "\n".join(lines) + "\n"


def _heading(number: int, mapped: Mapped) -> str:
    if isinstance(mapped, Skipped):
        return f"event {number}: skipped: {mapped.reason}"
    item = f", item {mapped.item_number}" if mapped.item_number else ""
    if isinstance(mapped, Rejected):
        return f"event {number}{item}: {mapped.mapping}: rejected: {mapped.reason}".replace(": : ", ": ")
    return f"event {number}{item}: {mapped.mapping}: {mapped.operation} {mapped.object}{_by(mapped)}"


def _by(record: Record) -> str:
    lookups = [" and ".join(f"{name} = {_shown(value)}" for name, value in one.items()) for one in record.match]
    unless = "".join(f", unless there is {_shown(one)}" for one in record.unless_found)
    return f" by {', else by '.join(lookups)}{unless}" if lookups else unless


def _table(stories: list[FieldStory], indent: str) -> Iterator[str]:
    width = max((len(story.field) for story in stories), default=0)
    values = [_value(story) for story in stories]
    room = min(_WIDEST_VALUE, max(map(len, values), default=0))
    for story, value in zip(stories, values, strict=True):
        line = f"{story.field:<{width}}  {f'{value:<{room}}  ' if room else ''}{_because(story)}"
        yield f"{indent}{line}  ({story.span})"
        for note in story.notes:
            yield f"{indent}{'':<{width}}  {note}"


def _value(story: FieldStory) -> str:
    if not story.is_written:
        return ""
    return "cleared" if story.content is None else _shown(story.content)


def _because(story: FieldStory) -> str:
    tried = "; ".join(f"{attempt.source} {attempt.outcome}" for attempt in story.tried)
    if not story.is_written:
        return tried or "left out"
    when = {"create": ", on create only", "update": ", on update only", "empty": ", only if empty in the org"}
    return f"{story.origin}{f', after {tried}' if tried else ''}{when.get(story.write, '')}"


def _shown(content: FieldContent) -> str:
    if isinstance(content, Addition):
        return f"{_shown(content.values)}, added to the field's values"
    if isinstance(content, RecordReference):
        where = f", where {content.where}" if content.where else ""
        return f"the {listed(content.objects)} with {content.by} = {_shown(content.value)}{where}"
    text = json.dumps(content, ensure_ascii=False)
    return text if len(text) <= _WIDEST_VALUE else f"{text[: _WIDEST_VALUE - 3]}..."
