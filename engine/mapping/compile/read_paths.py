"""The paths that the rules of a mapping read, and where a value beside them would be lost."""

from collections.abc import Iterable, Iterator

from sfmap.engine.mapping.compile.source_paths import path_walker
from sfmap.engine.mapping.run.compiled_source import CompiledSource, Path, Segment, is_below
from sfmap.engine.mapping.run.custom_plan import CustomPlan
from sfmap.engine.mapping.run.field_plan import FieldPlan
from sfmap.engine.mapping.run.misplaced import WANTED, Holder, Spellings
from sfmap.engine.mapping.values.event import normal_key


def consumed_paths(
    opt_in: CompiledSource | None, for_each: CompiledSource | None, fields: Iterable[FieldPlan]
) -> Iterator[Path]:
    """The paths whose traits do not become custom fields.

    Conditions do not consume traits, which can still become custom fields.
    """
    for source in (opt_in, for_each):
        if source:
            yield from source.reads
    yield from _paths(fields)


def _paths(fields: Iterable[FieldPlan]) -> Iterator[Path]:
    return (path for field in fields for source in field.sources for path in source.reads)


def holders(
    for_each: CompiledSource | None, fields: Iterable[FieldPlan], custom: Iterable[CustomPlan]
) -> tuple[Holder, ...]:
    """The paths above those that are read, without those read or excluded as a whole."""
    reads = list(_paths(fields))
    wholes = [*reads, *(for_each.reads if for_each else ())]
    for one in custom:
        (base,) = one.source.reads
        if one.source.pipes:
            wholes.append(base)
        reads.append((*base, "*"))
        wholes += ((*base, key) for key in one.spec.excluded)
    kinds: dict[Path, set[type]] = {}
    paths: dict[Path, Path] = {}
    for path in reads:
        for depth in range(1, len(path)):
            normal = tuple(map(_normal, path[:depth]))
            paths.setdefault(normal, path[:depth])
            kinds.setdefault(normal, set()).add(dict if isinstance(path[depth], str) else list)
    return tuple(
        Holder(path=path, kinds=tuple(kind for kind in WANTED if kind in kinds[normal]), walk=path_walker(path))
        for normal, path in paths.items()
        if not any(is_below(path, whole) for whole in wholes)
    )


def spellings(fields: Iterable[FieldPlan], custom: Iterable[CustomPlan]) -> tuple[Spellings, ...]:
    """The objects whose members the rules read by name."""
    bases: dict[Path, Path] = {}
    names: dict[Path, dict[str, set[str]]] = {}
    for path in (*_paths(fields), *(path for one in custom for path in one.source.reads)):
        for depth, name in enumerate(path[1:], 1):
            if not isinstance(name, str):
                continue
            normal = tuple(map(_normal, path[:depth]))
            bases.setdefault(normal, path[:depth])
            names.setdefault(normal, {}).setdefault(normal_key(name), set()).add(name)
    return tuple(
        Spellings(
            path=base,
            names={one: tuple(sorted(all_)) for one, all_ in names[normal].items()},
            walk=path_walker(base),
        )
        for normal, base in bases.items()
    )


def _normal(segment: Segment) -> Segment:
    return normal_key(segment) if isinstance(segment, str) else segment
