"""The versions of the API that the local org has."""

import re

from sfmap.engine.local_org.faults.org_faults import unexpected

FIRST_VERSION, LAST_VERSION = 31, 68
LAST_VERSION_WITH_LOGIN = 64
_VERSION = re.compile(r"([1-9]\d)\.0")


def version_number(version: str) -> int:
    """The number of a version such as 64.0. Raises `Fault` for one that the API does not have."""
    found = _VERSION.fullmatch(version)
    number = int(found[1]) if found else 0
    if not FIRST_VERSION <= number <= LAST_VERSION:
        raise unexpected("UNSUPPORTED_API_VERSION", f"Invalid Api version specified on URL: {version}")
    return number
