"""The rules that read a path: by the sources as they are compiled, never by the text of the mapping."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from sfmap.engine.inspect.traits.trait_inventory import ANY, EventsSeen, SeenPath
from sfmap.engine.mapping.compile.source_paths import simple_segments
from sfmap.engine.mapping.run.compiled_mapping import CompiledMapping
from sfmap.engine.mapping.run.compiled_source import CompiledSource, Path, Segment
from sfmap.engine.mapping.run.custom_plan import CustomPlan
from sfmap.engine.mapping.run.field_plan import FieldPlan
from sfmap.engine.mapping.run.mapping_plan import MappingPlan
from sfmap.engine.mapping.values.event import ITEM, normal_key
from sfmap.engine.yaml_files.diagnostics import Span

Use = Literal["field", "match", "unless_found", "opt_in", "when", "for_each", "custom"]


@dataclass(frozen=True, kw_only=True)
class Reader:
    """A rule that reads a path."""

    mapping: str
    object_name: str
    use: Use
    field: str
    """The field that the value reaches; empty for conditions and lists of items."""
    span: Span | None
    """The rule in the YAML; None for the conditions of the mapping."""

    def as_json(self) -> dict[str, object]:
        """For programs; the line counts from 1."""
        place = {"file": self.span.source.file, "line": self.span.line} if self.span else {}
        field = {"object": self.object_name, "field": self.field} if self.field else {}
        return {"mapping": self.mapping, "use": self.use, **field, **place}


@dataclass(frozen=True, kw_only=True)
class SourceRead:
    """A path that a source of a mapping reads."""

    source: CompiledSource
    path: Path
    is_whole: bool
    """Whether all that is below the path is read, too."""
    use: Use
    plan: FieldPlan | None = None
    """The field; None for conditions and lists of items."""


def reads_of(plan: MappingPlan) -> Iterator[SourceRead]:
    """The paths that a mapping reads, without those of custom fields."""
    of_mapping: tuple[tuple[Use, CompiledSource | None], ...] = (
        ("opt_in", plan.opt_in),
        ("for_each", plan.for_each),
        ("when", plan.when),
    )
    for use, source in of_mapping:
        yield from _reads(plan, source, use, None)
    of_fields: tuple[tuple[Use, Iterable[FieldPlan]], ...] = (
        ("field", plan.fields),
        ("match", plan.match_values.values()),
        ("unless_found", plan.unless_found),
    )
    for use, fields in of_fields:
        for one in fields:
            for source in one.sources:
                yield from _reads(plan, source, use, one)
            yield from _reads(plan, one.when, "when", one)


def _reads(
    plan: MappingPlan, source: CompiledSource | None, use: Use, field: FieldPlan | None
) -> Iterator[SourceRead]:
    if source is None:
        return
    is_single = source.segments is not None and not source.pipes and source is not plan.for_each
    for path in source.reads:
        yield SourceRead(source=source, path=path, is_whole=not is_single, use=use, plan=field)


def read_by(mappings: Iterable[CompiledMapping], kind: EventsSeen, path: SeenPath) -> list[Reader]:
    """The rules that read the path in events of this kind, each once; those of a field before conditions."""
    taking = (one for one in mappings if one.plan.takes(kind.type, kind.name))
    found = (found for one in taking for found in _readers(one.plan, path))
    closest_first = sorted(found, key=lambda one: (not one[1].field, -one[0]))
    return list(dict.fromkeys(reader for _, reader in closest_first))


def _readers(plan: MappingPlan, path: SeenPath) -> Iterator[tuple[int, Reader]]:
    """The rules, each with how much of the path it names."""
    paths = tuple(_seen_by_rules(plan, path))
    for read in reads_of(plan):
        if any(_covers(read, one) for one in paths):
            field, span = (read.plan.field, read.plan.span) if read.plan else ("", None)
            yield len(read.path), _reader(plan, read.use, field, span)
    for custom in plan.custom:
        for one in paths:
            if name := _custom_field(custom, one):
                yield len(one), _reader(plan, "custom", name, custom.span)


def _reader(plan: MappingPlan, use: Use, field: str, span: Span | None) -> Reader:
    return Reader(mapping=plan.mapping.name, object_name=plan.mapping.object, use=use, field=field, span=span)


def _seen_by_rules(plan: MappingPlan, path: SeenPath) -> Iterator[SeenPath]:
    """The path, and the one below `item` if it is in the list of `for_each`."""
    yield path
    for base in plan.for_each.reads if plan.for_each else ():
        if len(path) > len(base) and path[len(base)] is None and _is_below(path, base):
            yield (ITEM, *path[len(base) + 1 :])


def _covers(read: SourceRead, path: SeenPath) -> bool:
    exact = _path_of_every_item(read)
    known, is_whole = (exact, bool(read.source.pipes)) if exact else (read.path, read.is_whole)
    return _is_below(path, known) and (is_whole or len(path) == len(known))


def _path_of_every_item(read: SourceRead) -> Path | None:
    """The whole path of a source such as `traits.phones[*].number`, of which `read.path` is the beginning."""
    if read.source.segments or not read.plan or read.plan.given_by != "sources":
        return None
    text, _, _ = read.source.text.partition("|")
    return simple_segments(text.strip().replace("[*]", "[0]")) if "[*]" in text else None


def _custom_field(custom: CustomPlan, path: SeenPath) -> str:
    """The custom field that the trait becomes; empty if it becomes none."""
    (base,) = custom.source.reads
    if len(path) <= len(base) or not _is_below(path, base):
        return ""
    key, *below = path[len(base) :]
    if not isinstance(key, str) or key == ANY or not custom.is_wanted(key):
        return ""
    names = [one for one in below if isinstance(one, str)]
    if not below or (below == [None] and custom.spec.lists != "skip"):
        return custom.field_of(key)
    if custom.spec.objects == "flatten" and names == below:
        return custom.field_of(custom.spec.separator.join([key, *names]))
    return custom.field_of(key) if custom.spec.objects == "json" and names == below else ""


def _is_below(path: SeenPath, above: Path) -> bool:
    """Whether a path that was seen is the same as one that is read, or deeper."""
    return len(path) >= len(above) and all(map(_is_same, path, above))


def _is_same(seen: str | None, read: Segment) -> bool:
    if seen is None:
        return isinstance(read, int)
    return isinstance(read, str) and normal_key(seen) == normal_key(read)
