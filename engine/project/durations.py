"""Reads times such as `15m` in the project file."""

import re

from sfmap.engine.yaml_files import kinds
from sfmap.engine.yaml_files.reader import Table

_DURATION = re.compile(r"(\d+(?:\.\d+)?) ?([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def read_duration(table: Table, key: str) -> float | None:
    """Seconds; None if the key is absent or wrong."""
    node = table.scalar(key)
    if node is None:
        return None
    found = _DURATION.fullmatch(node.text)
    if found is None:
        table.report.error(kinds.WRONG_VALUE, node.span, f"{key} must be a time, such as 15m, 2h or 1d")
        return None
    return float(found[1]) * _SECONDS[found[2]]
