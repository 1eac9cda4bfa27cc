"""Tables whose columns `event:` of sfmap.yaml names."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sfmap.engine.mapping.values.event import as_text
from sfmap.engine.mapping.values.record import Event, Json
from sfmap.engine.sources.shapes.column_types import ColumnType
from sfmap.engine.sources.shapes.dotted_columns import nested
from sfmap.engine.sources.shapes.row_identity import message_id_of

Preset = Callable[[Mapping[str, Json]], Event]
"""Makes an event of a row that another product has written, with its other columns as traits or properties."""

_PROPERTIES_OF = ("track", "page", "screen")
_MOMENTS = ("timestamp", "originalTimestamp", "sentAt", "receivedAt")
_IDS = ("messageId", "userId", "groupId", "anonymousId", "previousId")


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnSource:
    """Where a value comes from: a column, or the same for all rows."""

    column: str = ""
    value: Json = None

    def of(self, values: Mapping[str, Json]) -> Json:
        return values.get(self.column) if self.column else self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class EventColumns:
    """How a row becomes an event."""

    preset: Preset | None = None
    keys: Mapping[str, ColumnSource] = field(default_factory=dict)
    """Of the event, such as `type` and `userId`."""
    traits: Mapping[str, ColumnSource] | None = None
    """Traits or properties by name; None for all columns that nothing else names."""
    excluded: frozenset[str] = frozenset()
    """Columns that are no traits."""
    types: Mapping[str, ColumnType] = field(default_factory=dict)
    """By column."""
    unwrap: str = ""
    """The column that holds the row itself, as JSON."""
    unflatten: tuple[str, ...] = ()
    """What flat columns begin with that belong into one object: `address` for `address_city`."""
    opt_in: bool | None = None
    """Sets `integrations.Salesforce`; None leaves it to the row."""
    timezone: str = ""
    """Of times without one."""

    def event(self, values: Mapping[str, Json], identity: bytes) -> tuple[Event | None, str]:
        row = self._typed(self._unwrapped(values))
        event = self.preset(row) if self.preset else {}
        event.update(self._named(row, event))
        if not isinstance(event.get("type"), str):
            return None, self._no_type()
        self._set_traits(event, row)
        self._set_moments(event)
        if self.opt_in is not None:
            event["integrations"] = {**_table(event.get("integrations")), "Salesforce": self.opt_in}
        event.setdefault("messageId", message_id_of(identity))
        for key in _IDS:
            value = event.get(key)
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                event[key] = as_text(value)
        return event, ""

    def _named(self, row: Mapping[str, Json], event: Event) -> Event:
        """What `keys` names, of the row's columns or of what the preset found within them."""
        columns = {**_table(event.get("properties")), **_table(event.get("traits")), **row}
        return {key: value for key, source in self.keys.items() if (value := source.of(columns)) is not None}

    def _set_traits(self, event: Event, row: Mapping[str, Json]) -> None:
        """Sets the traits, or the properties of an event that has these."""
        bag, other = ("properties", "traits") if event["type"] in _PROPERTIES_OF else ("traits", "properties")
        if self.preset and bag not in event and other in event:
            event[bag] = event.pop(other)
        found = event.get(bag)
        if self.traits is not None:
            columns = {**_table(found), **row}
            given = {name: value for name, one in self.traits.items() if (value := one.of(columns)) is not None}
            event[bag] = nested(given)
        elif not self.preset or isinstance(found, dict):
            used = {source.column for source in self.keys.values()} | self.excluded
            rest = _table(found) if self.preset else row
            event[bag] = unflattened({name: one for name, one in rest.items() if name not in used}, self.unflatten)

    def _unwrapped(self, values: Mapping[str, Json]) -> Mapping[str, Json]:
        inner = ColumnType(kind="json").value(values.get(self.unwrap)) if self.unwrap else None
        if not isinstance(inner, dict):
            return values
        return {**{name: value for name, value in values.items() if name != self.unwrap}, **inner}

    def _typed(self, values: Mapping[str, Json]) -> Mapping[str, Json]:
        if not self.types:
            return values
        return {
            name: self.types[name].value(value) if name in self.types else value for name, value in values.items()
        }

    def _set_moments(self, event: Event) -> None:
        for key in _MOMENTS:
            if key in event:
                event[key] = ColumnType(kind="datetime", timezone=self.timezone).value(event[key])

    def _no_type(self) -> str:
        source = self.keys.get("type")
        if source and source.column:
            return f"the column {source.column} does not say what the event is"
        return "nothing says what the event is"


def unflattened(values: Mapping[str, Json], names: tuple[str, ...]) -> dict[str, Json]:
    """The values with those that begin with a name and `_` in one object of that name."""
    found: dict[str, Json] = {}
    for column, value in values.items():
        name = next((name for name in names if column.startswith(f"{name}_")), None)
        below = found.setdefault(name, {}) if name else None
        if name and isinstance(below, dict):
            below[column.removeprefix(f"{name}_")] = value
        else:
            found[column] = value
    return found


def _table(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}
