"""Maps the events of a split, and fits their records to the org: what one task of the first stage does."""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import Literal, NamedTuple

from sfmap.engine.backfill.splits import FileSplit, events_of
from sfmap.engine.delivery.composing import Composable
from sfmap.engine.delivery.fit import fit
from sfmap.engine.delivery.folded_record import contents_line, item_of
from sfmap.engine.delivery.internal_error import internal_error
from sfmap.engine.delivery.item import Item, LookupKey
from sfmap.engine.delivery.org_objects import DoesNotFit, OrgObjects
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.mapping.values.record import Event, Mapped, Record, Rejected, Skipped
from sfmap.engine.org.fields import no_such_object
from sfmap.engine.org.port import ObjectDescription
from sfmap.engine.project.loading import ChosenMappings, compile_mappings
from sfmap.engine.sources.event_source import Received
from sfmap.engine.sources.files.file_source import FileSource
from sfmap.engine.sources.reading import json_bytes
from sfmap.engine.sources.rows import FileDamaged

MappedKind = Literal["record", "skipped", "rejected", "damaged", "touch", "barrier"]


class Order(NamedTuple):
    """The place of a record among all."""

    file: int
    offset: int
    """Where its event ends in the file."""
    item: int
    """Which of the event's records it is, from 0."""


class MappedRow(NamedTuple):
    """What the first stage makes of an event, in the columns of its data frame."""

    kind: MappedKind
    file: int
    offset: int
    item: int
    key: bytes
    """What decides which task of the next stage gets it: of a record that can be folded, its identity."""
    line: int = 0
    mapping: str = ""
    item_number: int = 0
    raw: bytes | None = None
    contents: bytes | None = None
    """Of a record that can be folded, its contents as JSON."""
    reason: str = ""
    """Why it was skipped or rejected."""
    trace: bytes | None = None
    """Of a touch, the key of the record that its record writes or points to."""
    writes: bool = False
    """Of a touch, whether that record is written."""

    @property
    def order(self) -> Order:
        return Order(self.file, self.offset, self.item)


@dataclass(frozen=True, kw_only=True)
class MapTask:
    """What every task of the first stage knows."""

    source: FileSource
    mappings: ChosenMappings
    descriptions: Mapping[str, ObjectDescription]
    currency: str

    @cached_property
    def mapper(self) -> Mapper:
        return Mapper(compile_mappings(self.mappings))

    @cached_property
    def composable(self) -> Composable:
        return Composable(mapper=self.mapper)

    @cached_property
    def _objects(self) -> OrgObjects:
        return OrgObjects(self.descriptions, self.currency)

    def rows(self, split: FileSplit) -> Iterator[MappedRow]:
        """The rows of a split. Raises `SourceFailed`.

        A file that is damaged would be damaged again: that is a row, so that the task is not tried again.
        """
        last = Order(split.file, split.start, 0)
        try:
            for received in events_of(self.source, split):
                last = Order(split.file, received.end, 0)
                if received.event is None:
                    yield _side_row("rejected", received, last, received.problem)
                else:
                    for item, mapped in enumerate(self._mapped(received.event)):
                        yield from self._rows(received, last._replace(item=item), mapped)
        except FileDamaged as error:
            yield MappedRow(kind="damaged", **last._asdict(), key=_near(last), reason=str(error))

    def _mapped(self, event: Event) -> tuple[Mapped, ...]:
        try:
            return self.mapper.map(event)
        except Exception as error:  # noqa: BLE001 - one event must not end the job
            return (Rejected("", f"this is a bug in sfmap: {internal_error(error)}"),)

    def _rows(self, received: Received, order: Order, mapped: Mapped) -> Iterator[MappedRow]:
        if isinstance(mapped, Skipped):
            yield _side_row("skipped", received, order, mapped.reason)
            return
        if isinstance(mapped, Rejected):
            yield _side_row("rejected", received, order, mapped.reason, mapped)
            return
        try:
            if mapped.object not in self.descriptions:
                raise DoesNotFit(no_such_object(mapped.object))
            fitted = fit(mapped, self._objects)
        except DoesNotFit as error:
            yield _side_row("rejected", received, order, str(error), mapped)
            return
        item = item_of(mapped.plan, fitted, mapped.item_number)
        key = self._key(item, order)
        yield MappedRow(
            kind="record",
            **order._asdict(),
            key=key,
            line=received.line,
            mapping=mapped.mapping,
            item_number=mapped.item_number,
            raw=received.raw,
            contents=json_bytes(contents_line(fitted)) if self._is_composable(item) else None,
        )
        yield from self._touches(item, order, key)

    def _is_composable(self, item: Item) -> bool:
        """Whether it may be folded: a unique value may be refused or not, depending on who writes it first."""
        fitted, unique = item.fitted, self._unique[item.record.object]
        if item.record.mapping not in self.composable.mappings:
            return False
        written = (fitted.on_create, fitted.on_update, fitted.if_empty)
        return not unique or all(unique.isdisjoint(contents) for contents in written)

    @cached_property
    def _unique(self) -> Mapping[str, Set[str]]:
        """By object, the unique fields that no mapping looks it up by."""
        sought = {
            name: {field for fields in sets for field in fields} for name, sets in self.mapper.lookups.items()
        }
        return {
            name: {field.name for field in described.fields.values() if field.unique} - sought.get(name, set())
            for name, described in self.descriptions.items()
        }

    def _key(self, item: Item, order: Order) -> bytes:
        if item.record.object in self.composable.keyed and item.lookup_keys:
            return _digest(item.lookup_keys[0])
        return _near(order)

    def _touches(self, item: Item, order: Order, key: bytes) -> Iterator[MappedRow]:
        """The records of other identities that it depends on, and its own if others depend on that."""
        composable = self.composable
        if not composable.linked:
            return
        traces = dict.fromkeys(map(_digest, composable.pointed_keys(item)), False)
        if item.record.object in composable.linked and item.lookup_keys:
            traces[key] = True
        for trace, writes in traces.items():
            yield MappedRow(kind="touch", **order._asdict(), key=key, trace=trace, writes=writes)


def _side_row(
    kind: MappedKind, received: Received, order: Order, reason: str, mapped: Record | Rejected | None = None
) -> MappedRow:
    return MappedRow(
        kind=kind,
        **order._asdict(),
        key=_near(order),
        line=received.line,
        mapping=mapped.mapping if mapped else "",
        item_number=mapped.item_number if mapped else 0,
        raw=received.raw if kind == "rejected" else None,
        reason=reason,
    )


def _digest(key: LookupKey) -> bytes:
    return blake2b(repr(tuple(key)).encode("utf-8", "replace"), digest_size=16).digest()


def _near(order: Order) -> bytes:
    """A key for what nothing is folded into: the same for events that are near each other."""
    return b"%d %d" % (order.file, order.offset >> 20)
