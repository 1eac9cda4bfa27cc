"""How ambiguous texts are read: the keys `timezone` and `decimal` of a mapping or project."""

from sfmap.engine.language.model import DECIMAL_MARKS, Conventions
from sfmap.engine.yaml_files import kinds
from sfmap.engine.yaml_files.nodes import ScalarNode
from sfmap.engine.yaml_files.reader import Table


def read_conventions(table: Table) -> Conventions:
    """The values of the keys; null counts as absent."""
    return Conventions(_time_zone(table), table.choice("decimal", DECIMAL_MARKS) or "point")


def _time_zone(table: Table) -> str:
    node = table.get("timezone")
    if isinstance(node, ScalarNode) and node.value is None:
        return ""
    name = table.text("timezone")
    if name and not is_time_zone(name.text):
        message = f'there is no time zone "{name.text}"'
        table.report.error(kinds.WRONG_VALUE, name.span, message, "such as Europe/Berlin or UTC")
        return ""
    return name.text if name else ""


def is_time_zone(name: str) -> bool:
    """Whether the IANA time zone database has this name."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return bool(name)
