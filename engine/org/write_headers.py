"""The headers that a mapping or an org sets, as options of writes."""

from functools import lru_cache

from sfmap.engine.language.model import WriteHeaders
from sfmap.engine.org.port import WriteOptions


@lru_cache(maxsize=64)
def write_options(headers: WriteHeaders) -> WriteOptions:
    return WriteOptions(
        assignment_rule=headers.assignment_rule,
        allow_duplicates=headers.allow_duplicates,
        all_or_none=headers.all_or_none,
        truncate=headers.truncate,
        send_emails=headers.send_emails,
        package_versions=headers.package_versions,
    )
