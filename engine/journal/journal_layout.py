"""The tables of the journal in a SQLite file, and how one of the version before is upgraded."""

from sfmap.engine.journal.sqlite_file import Layout

_COUNTED = """\
    INSERT INTO dead_letter_room VALUES (new.file, 1, length(new.raw) + length(CAST(new.reason AS BLOB)))
    ON CONFLICT (file) DO UPDATE SET letters = letters + 1, bytes = bytes + excluded.bytes;
"""
"""Triggers count dead letters: other programs change them too, and counting must not read each one."""
_UNCOUNTED = """\
    UPDATE dead_letter_room SET letters = letters - 1,
        bytes = bytes - length(old.raw) - length(CAST(old.reason AS BLOB))
    WHERE file = old.file;
"""
_LEASES = """\
ALTER TABLE in_flight ADD COLUMN part TEXT NOT NULL DEFAULT '';
ALTER TABLE in_flight ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;
CREATE TABLE leases (org TEXT, part TEXT, epoch INTEGER, PRIMARY KEY (org, part)) WITHOUT ROWID;
"""
_LOADS = """\
ALTER TABLE held ADD COLUMN load INTEGER NOT NULL DEFAULT 0;
ALTER TABLE held ADD COLUMN place INTEGER NOT NULL DEFAULT 0;
ALTER TABLE held ADD COLUMN row_key BLOB;
ALTER TABLE held ADD COLUMN expected BLOB;
ALTER TABLE held ADD COLUMN answer BLOB;
CREATE INDEX held_event ON held (event);
CREATE INDEX held_load ON held (load, place);
CREATE TABLE loads (
    id INTEGER PRIMARY KEY AUTOINCREMENT, org TEXT, source TEXT, state TEXT, job TEXT, target BLOB
);
"""
_TABLES = """\
CREATE TABLE sources (
    org TEXT, source TEXT, number INTEGER, file INTEGER, offset INTEGER, line INTEGER, digest BLOB,
    cursor TEXT, results TEXT, results_size INTEGER, tally BLOB, finished INTEGER, PRIMARY KEY (org, source)
) WITHOUT ROWID;
CREATE TABLE files (
    org TEXT, source TEXT, name TEXT, place INTEGER, version TEXT, PRIMARY KEY (org, source, name, place)
) WITHOUT ROWID;
CREATE TABLE decided (
    org TEXT, source TEXT, event INTEGER, digest TEXT, mapping TEXT, item INTEGER, day INTEGER,
    outcome BLOB, PRIMARY KEY (org, source, event, digest, mapping, item)
) WITHOUT ROWID;
CREATE TABLE held (
    id INTEGER PRIMARY KEY, org TEXT, source TEXT, event INTEGER, digest TEXT, mapping TEXT, item INTEGER,
    file TEXT, line INTEGER, raw BLOB, load INTEGER NOT NULL DEFAULT 0, place INTEGER NOT NULL DEFAULT 0,
    row_key BLOB, expected BLOB, answer BLOB
);
CREATE INDEX held_event ON held (event);
CREATE INDEX held_load ON held (load, place);
CREATE TABLE loads (
    id INTEGER PRIMARY KEY AUTOINCREMENT, org TEXT, source TEXT, state TEXT, job TEXT, target BLOB
);
CREATE TABLE in_flight (
    id INTEGER PRIMARY KEY AUTOINCREMENT, org TEXT, day INTEGER, boot TEXT, until REAL, traces BLOB,
    part TEXT NOT NULL DEFAULT '', epoch INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE leases (org TEXT, part TEXT, epoch INTEGER, PRIMARY KEY (org, part)) WITHOUT ROWID;
CREATE TABLE sent (
    org TEXT, source TEXT, event INTEGER, digest TEXT, mapping TEXT, item INTEGER, in_flight INTEGER,
    position INTEGER, verb TEXT, record TEXT, known BLOB,
    PRIMARY KEY (org, source, event, digest, mapping, item)
) WITHOUT ROWID;
CREATE INDEX sent_in_flight ON sent (in_flight);
CREATE TABLE dead_letters (
    id INTEGER PRIMARY KEY AUTOINCREMENT, org TEXT, digest BLOB, event INTEGER, file TEXT, line INTEGER,
    mapping TEXT, item INTEGER, object TEXT, reason TEXT, attempts INTEGER, first TEXT, last TEXT, raw BLOB,
    UNIQUE (org, digest)
);
CREATE TABLE dead_letter_room (file TEXT PRIMARY KEY, letters INTEGER, bytes INTEGER) WITHOUT ROWID;
CREATE TRIGGER letter_comes AFTER INSERT ON dead_letters BEGIN {counted} END;
CREATE TRIGGER letter_goes AFTER DELETE ON dead_letters BEGIN {uncounted} END;
CREATE TRIGGER letter_changes AFTER UPDATE ON dead_letters BEGIN {uncounted} {counted} END;
CREATE TABLE organizations (entry TEXT PRIMARY KEY, organization TEXT) WITHOUT ROWID;
CREATE TABLE delivered (day INTEGER, message BLOB, PRIMARY KEY (day, message)) WITHOUT ROWID;
CREATE TABLE newest (org TEXT, identity BLOB, moment TEXT, PRIMARY KEY (org, identity)) WITHOUT ROWID;
"""

JOURNAL = Layout(
    tables=_TABLES.format(counted=_COUNTED, uncounted=_UNCOUNTED),
    version=8,
    upgrades={6: _LEASES, 7: _LOADS},
    if_other_version="Finish its run with that version: what waits, is in doubt or is a dead letter is only here.",
    if_damaged="Move it away and run again from the start: records already in the org are found and updated."
    " Its dead letters are only in this file; sqlite3's .recover may save them.",
)
