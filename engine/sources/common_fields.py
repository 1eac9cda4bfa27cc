"""Fields that a batch gives for all of its events, as in Segment's spec."""

from collections.abc import Mapping
from typing import Final

from sfmap.engine.mapping.values.record import Event, Json

COMMON: Final = ("context", "integrations")


def with_common_fields(common: Mapping[str, Json], event: Event) -> Event:
    """The event with the fields of its batch, merged member by member; what the event says itself comes first."""
    inner = {
        key: {**value, **own}
        for key, value in common.items()
        if isinstance(value, dict) and isinstance(own := event.get(key), dict)
    }
    return {**common, **event, **inner}
