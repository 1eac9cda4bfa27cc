"""The tables of the state in PostgreSQL, with their version.

The tables that both kinds of state have are those of `journal_layout`.
"""

from sfmap.engine.journal.shared.shared_layout import SharedLayout

_TABLES = """\
CREATE TABLE layout (version BIGINT NOT NULL);
CREATE TABLE sources (
    org TEXT, source TEXT, number BIGINT, file BIGINT, "offset" BIGINT, line BIGINT, digest BYTEA,
    cursor TEXT, results TEXT, results_size BIGINT, tally BYTEA, finished BIGINT, PRIMARY KEY (org, source)
);
CREATE TABLE files (
    org TEXT, source TEXT, name TEXT, place BIGINT, version TEXT, PRIMARY KEY (org, source, name, place)
);
CREATE TABLE decided (
    org TEXT, source TEXT, event BIGINT, digest TEXT, mapping TEXT, item BIGINT, day BIGINT, outcome BYTEA,
    PRIMARY KEY (org, source, event, digest, mapping, item)
);
CREATE TABLE held (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, org TEXT, source TEXT, event BIGINT, digest TEXT,
    mapping TEXT, item BIGINT, file TEXT, line BIGINT, raw BYTEA, load BIGINT NOT NULL DEFAULT 0,
    place BIGINT NOT NULL DEFAULT 0, row_key BYTEA, expected BYTEA, answer BYTEA
);
CREATE INDEX held_source ON held (org, source);
CREATE INDEX held_event ON held (event);
CREATE INDEX held_load ON held (load, place);
CREATE TABLE loads (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, org TEXT, source TEXT, state TEXT, job TEXT, target BYTEA
);
CREATE TABLE in_flight (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, org TEXT, day BIGINT, boot TEXT, until DOUBLE PRECISION,
    traces BYTEA, part TEXT NOT NULL, epoch BIGINT NOT NULL
);
CREATE TABLE sent (
    org TEXT, source TEXT, event BIGINT, digest TEXT, mapping TEXT, item BIGINT, in_flight BIGINT,
    position BIGINT, verb TEXT, record TEXT, known BYTEA,
    PRIMARY KEY (org, source, event, digest, mapping, item)
);
CREATE INDEX sent_in_flight ON sent (in_flight);
CREATE TABLE dead_letters (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, org TEXT, digest BYTEA, event BIGINT, file TEXT,
    line BIGINT, mapping TEXT, item BIGINT, object TEXT, reason TEXT, attempts BIGINT, first TEXT, last TEXT,
    raw BYTEA, UNIQUE (org, digest)
);
CREATE TABLE dead_letter_room (file TEXT PRIMARY KEY, letters BIGINT, bytes BIGINT);
CREATE TABLE organizations (entry TEXT PRIMARY KEY, organization TEXT);
CREATE TABLE delivered (day BIGINT, message BYTEA, PRIMARY KEY (day, message));
CREATE TABLE newest (org TEXT, identity BYTEA, moment TEXT, PRIMARY KEY (org, identity));
CREATE TABLE leases (
    org TEXT, part TEXT, epoch BIGINT NOT NULL, node TEXT NOT NULL, command TEXT NOT NULL,
    gives_way BOOLEAN NOT NULL, since TIMESTAMPTZ NOT NULL, PRIMARY KEY (org, part)
);
CREATE TABLE nodes (
    org TEXT, node TEXT, started TIMESTAMPTZ NOT NULL, seen TIMESTAMPTZ NOT NULL, accepted BIGINT NOT NULL,
    delivered BIGINT NOT NULL, PRIMARY KEY (org, node)
);
CREATE TABLE wishes (
    id BIGINT GENERATED ALWAYS AS IDENTITY, org TEXT, letter BIGINT, PRIMARY KEY (org, letter)
);
CREATE TABLE spool (
    id BIGINT GENERATED ALWAYS AS IDENTITY, org TEXT NOT NULL, source TEXT NOT NULL,
    accepted DOUBLE PRECISION NOT NULL, event BYTEA NOT NULL, PRIMARY KEY (org, id)
);
CREATE TABLE taken_over (folder TEXT PRIMARY KEY);
CREATE TABLE spool_room (org TEXT PRIMARY KEY, events BIGINT NOT NULL, bytes BIGINT NOT NULL);
CREATE FUNCTION count_letters() RETURNS trigger LANGUAGE plpgsql AS $count$ BEGIN
    IF TG_OP IN ('UPDATE', 'DELETE') THEN
        UPDATE dead_letter_room SET letters = letters - 1,
            bytes = bytes - length(old.raw) - octet_length(old.reason) WHERE file = old.file;
    END IF;
    IF TG_OP IN ('UPDATE', 'INSERT') THEN
        INSERT INTO dead_letter_room VALUES (new.file, 1, length(new.raw) + octet_length(new.reason))
        ON CONFLICT (file) DO UPDATE SET letters = dead_letter_room.letters + 1,
            bytes = dead_letter_room.bytes + excluded.bytes;
    END IF;
    RETURN NULL;
END $count$;
CREATE TRIGGER letters_are_counted AFTER INSERT OR UPDATE OR DELETE ON dead_letters
    FOR EACH ROW EXECUTE FUNCTION count_letters();
"""
_LOADS = """\
ALTER TABLE held ADD COLUMN load BIGINT NOT NULL DEFAULT 0, ADD COLUMN place BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN row_key BYTEA, ADD COLUMN expected BYTEA, ADD COLUMN answer BYTEA;
CREATE INDEX held_event ON held (event);
CREATE INDEX held_load ON held (load, place);
CREATE TABLE loads (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, org TEXT, source TEXT, state TEXT, job TEXT, target BYTEA
);
"""

SHARED = SharedLayout(tables=_TABLES, version=2, upgrades={1: _LOADS})
