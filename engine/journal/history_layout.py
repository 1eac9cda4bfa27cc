"""The tables of the history, which SQLite and PostgreSQL have in common."""

from sfmap.engine.journal.sqlite_file import Layout

_TABLES = """\
CREATE TABLE history_events (
    number INTEGER PRIMARY KEY, org TEXT, source TEXT, came REAL, type TEXT, title TEXT, message_id TEXT,
    size INTEGER
);
CREATE TABLE history_raw (number INTEGER PRIMARY KEY, raw BLOB);
CREATE TABLE history_outcomes (
    event INTEGER, mapping TEXT, item INTEGER, org TEXT, fate TEXT, object TEXT, record TEXT, reason TEXT,
    answer TEXT, notes TEXT, revision TEXT, decided REAL, PRIMARY KEY (event, mapping, item)
) WITHOUT ROWID;
CREATE INDEX history_decided ON history_outcomes (org, decided);
CREATE TABLE history_minutes (
    org TEXT, minute INTEGER, mapping TEXT, fate TEXT, outcomes INTEGER,
    PRIMARY KEY (org, minute, mapping, fate)
) WITHOUT ROWID;
"""

HISTORY = Layout(
    tables=_TABLES,
    version=1,
    if_other_version="It is kept beside the new one.",
    if_damaged="It is kept beside the new one.",
    is_durable=False,
)
"""A power cut may cost the last moments of a history, and never its file."""
