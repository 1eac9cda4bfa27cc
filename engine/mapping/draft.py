"""One record in the making: what the rules found, sorted by when it is written."""

from collections.abc import Iterable, Iterator, Mapping

from sfmap.engine.mapping.custom import CustomField
from sfmap.engine.mapping.record import Content, Note, Record, Reference, Value
from sfmap.engine.mapping.rules import Found
from sfmap.engine.spec.model import Mapping as MappingSpec
from sfmap.engine.spec.model import Write

Contents = dict[str, Content]


class Draft:
    """Collects the fields of one record, and the reasons why there cannot be one."""

    def __init__(
        self,
        written: tuple[Contents, Contents, Contents, Contents] | None = None,
        given: dict[str, Value] | None = None,
        origins: dict[str, str] | None = None,
        notes: list[Note] | None = None,
        rejections: list[str] | None = None,
    ) -> None:
        always, create, update, empty = written or ({}, {}, {}, {})
        self._written: dict[Write, Contents] = {
            "always": always, "create": create, "update": update, "empty": empty,
        }  # fmt: skip
        self._given: dict[str, Value] = {} if given is None else given
        """What the event itself gave, defaults aside: a default says nothing about who the record is."""
        self._origins: dict[str, str] = {} if origins is None else origins
        self._notes: list[Note] = [] if notes is None else notes
        self.rejections: list[str] = [] if rejections is None else rejections

    def add(self, field: str, found: Found) -> None:
        self._notes += [Note(field, what) for what in found.notes]
        if found.rejected:
            self.rejections.append(found.rejected)
        if found.content is not None or found.is_null:
            self._written[found.write][field] = found.content
        if found.origin and found.content is not None:
            self._origins[field] = found.origin
            if not isinstance(found.content, Reference):
                self._given[field] = found.content

    def add_custom(self, found: Iterable[CustomField | Note]) -> None:
        for one in found:
            if isinstance(one, Note):
                self._notes.append(one)
                continue
            self._written["always"][one.field] = one.value
            if one.value is not None:
                self._given[one.field] = one.value
                self._origins[one.field] = one.origin

    def matches(self, mapping: MappingSpec) -> Iterator[Mapping[str, Value]]:
        """The lookups that have all their values."""
        for lookup in mapping.lookups:
            values = {name: self._given[name] for name in lookup.names if name in self._given}
            if len(values) == len(lookup.names):
                yield values

    def record(self, mapping: MappingSpec, match: tuple[Mapping[str, Value], ...], item: int) -> Record:
        return Record(
            mapping=mapping.name,
            object=mapping.object,
            operation=mapping.operation,
            match=match,
            on_many=mapping.on_many,
            fields=self._written["always"],
            create_only=self._written["create"],
            update_only=self._written["update"],
            if_empty=self._written["empty"],
            origins=self._origins,
            notes=tuple(self._notes),
            external_id=mapping.external_id,
            where=mapping.where.text.strip() if mapping.where else "",
            headers=mapping.headers,
            on_duplicate=mapping.on_duplicate,
            skip_unchanged=mapping.skip_unchanged,
            timestamp_guard=mapping.timestamp_guard,
            item=item,
        )
