"""Reads how the rows of a source become events: `event`, `shape`, `types` and what goes with them."""

from collections.abc import Mapping
from typing import cast

from sfmap.engine.language.conventions import is_time_zone
from sfmap.engine.language.model import DecimalMark
from sfmap.engine.mapping.values.record import Json
from sfmap.engine.sources.shapes.column_types import COLUMN_KINDS, ColumnKind, ColumnType
from sfmap.engine.sources.shapes.event_columns import ColumnSource, EventColumns
from sfmap.engine.sources.shapes.presets import PRESETS
from sfmap.engine.yaml_files import kinds
from sfmap.engine.yaml_files.diagnostics import did_you_mean, listed
from sfmap.engine.yaml_files.nodes import Node, ScalarNode, TableNode
from sfmap.engine.yaml_files.reader import Table

EVENT_KEYS = ("event", "shape", "types", "unwrap", "unflatten")
_TYPES = ("identify", "group", "track", "page", "screen", "alias")
_IDS = ("messageId", "userId", "anonymousId", "groupId", "previousId")
_MOMENTS = ("timestamp", "originalTimestamp", "sentAt", "receivedAt")
_COLUMNS = (*_IDS, *_MOMENTS, "event", "type")
_TABLE_KEYS = (*_COLUMNS, "traits", "properties", "except", "opt_in", "timezone")
_REST = "rest"


def read_columns(source: Table) -> EventColumns | None:
    """The keys of a source that say how rows become events; None if there are none."""
    if not any(key in source for key in EVENT_KEYS):
        return None
    node = source.get("event")
    table = Table.open(node, source.report, "event", _TABLE_KEYS) if node else None
    shape = source.choice("shape", tuple(PRESETS))
    unwrap = source.text("unwrap")
    return EventColumns(
        preset=PRESETS[shape] if shape else None,
        keys=_keys(table) if table else {},
        traits=_traits(table) if table else None,
        excluded=frozenset(one.text for one in table.texts("except")) if table else frozenset(),
        types=_types(source, table),
        unwrap=unwrap.text if unwrap else "",
        unflatten=tuple(one.text for one in source.texts("unflatten")),
        opt_in=table.boolean("opt_in") if table else None,
        timezone=_timezone(table) if table else "",
    )


def _keys(table: Table) -> dict[str, ColumnSource]:
    found = {key: _column(table, key, node) for key in _COLUMNS if (node := table.get(key))}
    kind = table.get("type")
    if isinstance(kind, ScalarNode):
        if kind.text not in _TYPES:
            hint = did_you_mean(kind.text, _TYPES) or f"or a column: type: {{column: {kind.text}}}"
            table.report.error(kinds.WRONG_VALUE, kind.span, f"type must be {listed(_TYPES)}", hint)
        found["type"] = ColumnSource(value=kind.text)
    return found


def _column(table: Table, key: str, node: Node) -> ColumnSource:
    """A column by name, or `{column: name}`, or `{value: constant}`."""
    if isinstance(node, ScalarNode) and node.value is not None:
        return ColumnSource(column=node.text)
    inner = Table.open(node, table.report, key, ("column", "value"))
    column = inner.scalar("column") if inner else None
    value = inner.get("value") if inner else None
    if column:
        return ColumnSource(column=column.text)
    if isinstance(value, ScalarNode):
        return ColumnSource(value=cast(Json, value.value))
    if inner:
        table.report.error(kinds.MISSING_KEY, inner.node.span, f'{key} needs "column" or "value"')
    return ColumnSource()


def _traits(table: Table) -> Mapping[str, ColumnSource] | None:
    """Traits by name, of `traits` or `properties`; None for `rest`, which is also what no key means."""
    key = "properties" if "properties" in table else "traits"
    node = table.get(key)
    if node is None or (isinstance(node, ScalarNode) and node.text == _REST):
        return None
    if not isinstance(node, TableNode):
        table.report.error(kinds.WRONG_VALUE, node.span, f"{key} must be a table (trait: column), or rest")
        return None
    return {name.text: _column(table, name.text, one) for name, one in node.entries}


def _types(source: Table, event: Table | None) -> dict[str, ColumnType]:
    csv = source.get("csv")
    mark = (
        next((one for key, one in csv.entries if key.text == "decimal"), None)
        if isinstance(csv, TableNode)
        else None
    )
    decimal: DecimalMark = "comma" if isinstance(mark, ScalarNode) and mark.text in (",", "comma") else "point"
    zone = _timezone(event) if event else ""
    node = source.get("types")
    if node is None:
        return {}
    if not isinstance(node, TableNode):
        source.report.error(kinds.WRONG_VALUE, node.span, "types must be a table (column: type)")
        return {}
    found = {name.text: _type(source, name, one) for name, one in node.entries}
    return {
        name: ColumnType(kind=one[0], form=one[1], decimal=decimal, timezone=zone)
        for name, one in found.items()
        if one
    }


def _type(source: Table, name: ScalarNode, node: Node) -> tuple[ColumnKind, str | None] | None:
    if isinstance(node, ScalarNode) and node.text in COLUMN_KINDS:
        return COLUMN_KINDS[COLUMN_KINDS.index(node.text)], None
    if isinstance(node, TableNode) and len(node.entries) == 1:
        kind, form = node.entries[0]
        if kind.text in ("date", "datetime") and isinstance(form, ScalarNode):
            return cast(ColumnKind, kind.text), form.text
    text = node.text if isinstance(node, ScalarNode) else ""
    hint = did_you_mean(text, COLUMN_KINDS) or 'a date can say how it is written: {date: "%d.%m.%Y"}'
    source.report.error(
        kinds.WRONG_VALUE, node.span, f"the type of {name.text} must be {listed(COLUMN_KINDS)}", hint
    )
    return None


def _timezone(table: Table) -> str:
    node = table.text("timezone")
    if node and not is_time_zone(node.text):
        table.report.error(kinds.WRONG_VALUE, node.span, f'there is no time zone "{node.text}"')
        return ""
    return node.text if node else ""
