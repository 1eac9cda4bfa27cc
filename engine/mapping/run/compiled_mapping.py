"""A mapping ready to run: its plan, and the functions that are generated from it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from time import thread_time
from typing import NamedTuple

from sfmap.engine.language.model import Mapping
from sfmap.engine.mapping.run.compiled_source import TemplateFailed
from sfmap.engine.mapping.run.mapping_plan import MappingPlan
from sfmap.engine.mapping.values.record import Event, Mapped, Record, Rejected, Skipped
from sfmap.engine.mapping.values.values import Unfit

MapEvent = Callable[[Event], tuple[Mapped, ...]]
MapView = Callable[[Event, int], Mapped]

_LONGEST_WORK = 5
"""Seconds of this thread's CPU time for all items of one event; an item takes some ten microseconds."""
_LONGEST_RECORDS = 50_000_000
"""The most characters in all records of one event together."""


class MappingFunctions(NamedTuple):
    """The functions of a mapping."""

    map: MapEvent
    """Returns the records for an event, or the reason why there is none; never empty."""
    record: MapView
    """Returns the record of one of the views of an event, or the reason why there is none."""
    code: str
    """The text that they were generated as."""


@dataclass(frozen=True, kw_only=True)
class CompiledMapping:
    plan: MappingPlan
    generated: Callable[[], MappingFunctions]
    """Generates the functions, which takes a tenth of a short command: once an event needs them."""

    @cached_property
    def functions(self) -> MappingFunctions:
        return self.generated()

    @cached_property
    def map(self) -> MapEvent:
        return self.functions.map

    @cached_property
    def record(self) -> MapView:
        return self.functions.record

    @property
    def code(self) -> str:
        return self.functions.code

    @property
    def mapping(self) -> Mapping:
        return self.plan.mapping


def map_views(plan: MappingPlan, record: MapView, event: Event) -> tuple[Mapped, ...]:
    """What `CompiledMapping.map` returns if an event may become none or several records."""
    name = plan.mapping.name
    try:
        views = plan.views(event)
    except (TemplateFailed, Unfit) as failure:
        return (Rejected(name, str(failure)),)
    if isinstance(views, Skipped):
        return (views,)
    try:
        return tuple(_records(record, views))
    except Unfit as unfit:
        return (Rejected(name, f"for_each: {unfit}"),)


def _records(record: MapView, views: Iterable[tuple[Event, int]]) -> Iterator[Mapped]:
    """The record of each view. Raises `Unfit` if they take more work than one event may."""
    started, size = thread_time(), 0
    for view, item_number in views:
        mapped = record(view, item_number)
        size += _size(mapped)
        if size > _LONGEST_RECORDS:
            raise Unfit(
                f"the first {item_number:,} items make records of more than {_LONGEST_RECORDS:,} characters"
            )
        if thread_time() - started > _LONGEST_WORK:
            raise Unfit(f"the first {item_number:,} items take more than {_LONGEST_WORK} seconds to map")
        yield mapped


def _size(mapped: Mapped) -> int:
    """The characters of its texts, and a hundred for everything else in it."""
    if not isinstance(mapped, Record):
        return 100
    contents = (mapped.fields, mapped.create_only, mapped.update_only, mapped.if_empty)
    return 100 + sum(len(one) if isinstance(one, str) else 100 for held in contents for one in held.values())
