"""The named filters of pipes and templates."""

from sfmap.engine.mapping.filters import data, dates, places, text
from sfmap.engine.mapping.filters.filter import Filter

FILTERS: dict[str, Filter] = {
    known.name: known
    for known in (
        *text.FILTERS,
        *data.FILTERS,
        *dates.FILTERS,
        *places.FILTERS,
    )
}
