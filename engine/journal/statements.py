"""The longer SQL statements of the ledger."""

from sfmap.engine.journal.database import replacing

DELETE_RECORD = (
    "DELETE FROM {table} WHERE org = ? AND source = ? AND event = ? AND digest = ? AND mapping = ? AND item = ?"
)
_RECORD_KEY = "org, source, event, digest, mapping, item"
STORE_SOURCE = replacing(
    "sources",
    "org, source",
    'number, file, "offset", line, digest, cursor, results, results_size, tally, finished',
)
STORE_SENT = replacing("sent", _RECORD_KEY, "in_flight, position, verb, record, known")
STORE_DECIDED = replacing("decided", _RECORD_KEY, "day, outcome")
ADD_LETTER = """\
INSERT INTO dead_letters
    (org, digest, event, file, line, mapping, item, object, reason, attempts, first, last, raw)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?)
ON CONFLICT (org, digest) DO UPDATE SET reason = excluded.reason, attempts = dead_letters.attempts + 1,
    last = excluded.last, file = excluded.file, line = excluded.line, object = excluded.object
"""
