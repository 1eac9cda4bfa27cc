"""The named filters of pipes and templates."""

from sfmap.engine.mapping import data_filters, date_filters, place_filters, text_filters
from sfmap.engine.mapping.filter import Filter

FILTERS: dict[str, Filter] = {
    known.name: known
    for known in (
        *text_filters.FILTERS,
        *data_filters.FILTERS,
        *date_filters.FILTERS,
        *place_filters.FILTERS,
    )
}
