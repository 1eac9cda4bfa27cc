"""Looks at the first rows of a file, so that one without events is refused before anything is sent."""

from collections.abc import Mapping
from itertools import islice

from sfmap.engine.mapping.values.record import Json
from sfmap.engine.mapping.values.values import shown
from sfmap.engine.sources.files.source_file import SourceFile
from sfmap.engine.sources.formats.format_options import FormatOptions
from sfmap.engine.sources.rows import FileDamaged, RowShape, WrongShape
from sfmap.engine.sources.shapes.dotted_columns import COLUMNS

_FIRST = 100
_MOST_NAMED = 8


def check_first_rows(file: SourceFile, options: FormatOptions, shape: RowShape | None) -> None:
    """Checks that one of the first rows is an event. Raises `WrongShape` or `SourceFailed`."""
    seen: dict[str, Json] = {}
    reason = ""
    try:
        with file.opened(options) as opened:
            used = shape or (COLUMNS if opened.reader.is_table else None)
            for row in islice(opened.reader.rows(opened.stream), _FIRST):
                if row.values is None:
                    continue
                event, reason = used.event(row.values, b"") if used else (row.values, "")
                if event and isinstance(event.get("type"), str):
                    return
                seen = {**row.values, **seen}
    except FileDamaged:
        return  # what is before the damage is delivered first
    if seen:
        raise WrongShape(f"{file.name} {_described(seen, opened.reader.is_table)}: {_advice(seen, reason)}")


def _described(values: Mapping[str, Json], is_table: bool) -> str:
    names = [shown(name) for name in values][:_MOST_NAMED]
    more = ", ..." if len(values) > _MOST_NAMED else ""
    return f"has {'columns' if is_table else 'objects with'} {', '.join(names)}{more}"


def _advice(values: Mapping[str, Json], reason: str) -> str:
    from sfmap.engine.sources.shapes.presets import probable_preset

    preset = probable_preset(values)
    hint = f" (perhaps shape: {preset})" if preset else ""
    return (
        f"{reason or 'none says what the event is'}; name it under sources in sfmap.yaml, with"
        f" event: {{type: identify, userId: ...}}{hint}: see docs/sources.md"
    )
