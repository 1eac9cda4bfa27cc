"""`Mapping` → `CompiledMapping`: rules become functions, and what cannot become one a diagnostic."""

from collections.abc import Iterator
from dataclasses import dataclass

from sfmap.engine.mapping.custom import CompiledCustom, compile_custom
from sfmap.engine.mapping.event import event_view
from sfmap.engine.mapping.paths import CompiledSource, Path, compile_source
from sfmap.engine.mapping.record import Event, Json, Mapped, Note, Record, Rejected, Skipped, Value
from sfmap.engine.mapping.rules import CompiledRule, compile_rule
from sfmap.engine.spec.diagnostics import Diagnostic, did_you_mean, listed
from sfmap.engine.spec.model import Mapping
from sfmap.engine.spec.reader import Report


@dataclass(frozen=True, slots=True)
class CompiledMapping:
    """A mapping ready to map: only dictionaries and function calls are left."""

    mapping: Mapping
    opt_in: CompiledSource | None
    rules: tuple[CompiledRule, ...]
    custom: CompiledCustom | None

    def takes(self, event_type: Json, event_name: Json) -> bool:
        """Whether the mapping is for events of this type and, for track events, this name."""
        return any(
            pattern.type == event_type and pattern.name in (None, event_name) for pattern in self.mapping.events
        )

    def map(self, event: Event) -> Mapped:
        """The record for an event that the mapping takes, or why there is none."""
        view = event_view(event)
        if self.opt_in and not _is_opted_in(self.opt_in.get(view)):
            return Skipped(f"not opted in: {self.opt_in.text} is not true")
        draft = _Draft()
        for rule in self.rules:
            draft.add(rule, view)
        if self.custom:
            draft.add_custom(self.custom, view)
        if draft.rejections:
            return Rejected(self.mapping.name, "; ".join(draft.rejections))
        match = tuple(self._matches(draft))
        if not match:
            wanted = listed(" and ".join(lookup.names) for lookup in self.mapping.lookups)
            return Rejected(self.mapping.name, f"nothing to find the record by: no value for {wanted}")
        return draft.record(self.mapping, match)

    def _matches(self, draft: "_Draft") -> Iterator[dict[str, Value]]:
        """The lookups that have all their values; a default says nothing about who the record is."""
        for lookup in self.mapping.lookups:
            values = {name: draft.given[name] for name in lookup.names if name in draft.given}
            if len(values) == len(lookup.names):
                yield values


class _Draft:
    """One record in the making."""

    def __init__(self) -> None:
        self.fields: dict[str, Value] = {}
        self.create_only: dict[str, Value] = {}
        self.update_only: dict[str, Value] = {}
        self.given: dict[str, Value] = {}
        """What the event itself gave, defaults aside."""
        self.origins: dict[str, str] = {}
        self.notes: list[Note] = []
        self.rejections: list[str] = []

    def add(self, rule: CompiledRule, view: Event) -> None:
        found = rule.find(view)
        field = rule.rule.field
        self.notes += [Note(field, what) for what in found.notes]
        if found.rejected:
            self.rejections.append(found.rejected)
        if found.value is not None:
            written = {"always": self.fields, "create": self.create_only, "update": self.update_only}
            written[found.write][field] = found.value
            if found.origin:
                self.given[field] = found.value
                self.origins[field] = found.origin

    def add_custom(self, custom: CompiledCustom, view: Event) -> None:
        for found in custom.find(view):
            if isinstance(found, Note):
                self.notes.append(found)
            else:
                self.fields[found.field] = self.given[found.field] = found.value
                self.origins[found.field] = found.origin

    def record(self, mapping: Mapping, match: tuple[dict[str, Value], ...]) -> Record:
        return Record(
            mapping=mapping.name,
            object=mapping.object,
            operation=mapping.operation,
            match=match,
            on_many=mapping.on_many,
            fields=self.fields,
            create_only=self.create_only,
            update_only=self.update_only,
            origins=self.origins,
            notes=tuple(self.notes),
        )


def _is_opted_in(value: Json) -> bool:
    """Row 1 of behaviour.md: true, or an object with options; the text "true" is neither."""
    return value is True or isinstance(value, dict)


def compile_mapping(mapping: Mapping) -> tuple[CompiledMapping, list[Diagnostic]]:
    """The mapping as functions, and the mistakes found on the way; with mistakes it must not be used."""
    report = Report()
    opt_in = compile_source(mapping.opt_in, report, exact=True) if mapping.opt_in else None
    rules = tuple(compile_rule(rule, report) for rule in mapping.rules)
    reads = list(_reads(opt_in, rules))
    fields = [rule.field for rule in mapping.rules]
    custom = compile_custom(mapping.custom, reads, fields, report) if mapping.custom else None
    _check_lookups(mapping, fields, report)
    return CompiledMapping(mapping, opt_in, rules, custom), report.diagnostics


def _reads(opt_in: CompiledSource | None, rules: tuple[CompiledRule, ...]) -> Iterator[Path]:
    if opt_in:
        yield from opt_in.reads
    for rule in rules:
        for source in rule.sources:
            yield from source.reads


def _check_lookups(mapping: Mapping, fields: list[str], report: Report) -> None:
    for lookup in mapping.lookups:
        for node in lookup.fields:
            is_custom = mapping.custom is not None and node.text.endswith(mapping.custom.suffix)
            if node.text not in fields and not is_custom:
                message = f"match names {node.text}, and no rule gives it a value"
                report.error(node.span, message, did_you_mean(node.text, fields))
