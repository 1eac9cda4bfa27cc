"""Tables whose columns are named after what an event has, such as `traits.email`."""

from collections.abc import Mapping
from dataclasses import dataclass

from sfmap.engine.mapping.values.event import EVENT_NAMES, normal_key
from sfmap.engine.mapping.values.parsing import Unfit, to_boolean
from sfmap.engine.mapping.values.record import Event, Json
from sfmap.engine.sources.shapes.row_identity import message_id_of

_NAMES = {normal_key(name): name for name in EVENT_NAMES}
_SWITCHES = "integrations"


@dataclass(frozen=True, slots=True)
class DottedColumns:
    """Columns such as `type`, `userId` and `traits.address.city`; others are left out."""

    def event(self, values: Mapping[str, Json], identity: bytes) -> tuple[Event | None, str]:
        event: Event = {}
        for column, value in values.items():
            first, *path = column.split(".")
            name = _NAMES.get(normal_key(first))
            if name:
                _put(event, (name, *path), _switched(value) if name == _SWITCHES else value)
        if not event.get("type"):
            return None, "no column says what the event is: it needs a value in the column type"
        event.setdefault("messageId", message_id_of(identity))
        return event, ""


COLUMNS = DottedColumns()
"""The shape of tables without another one."""


def nested(values: Mapping[str, Json]) -> dict[str, Json]:
    """The values by path: `a.b` is below `a`."""
    found: dict[str, Json] = {}
    for column, value in values.items():
        _put(found, tuple(column.split(".")), value)
    return found


def _put(into: dict[str, Json], path: tuple[str, ...], value: Json) -> None:
    """Sets the value at a path; where a value is in the way, it stands under its own name."""
    for at, key in enumerate(path[:-1]):
        below = into.setdefault(key, {})
        if not isinstance(below, dict):
            into[".".join(path[at:])] = value
            return
        into = below
    into[path[-1]] = value


def _switched(value: Json) -> Json:
    """True or false where a text says so: tables often have only texts."""
    try:
        return to_boolean(value) if isinstance(value, (str, int)) else value
    except Unfit:
        return value
