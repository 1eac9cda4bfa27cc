"""The tables of the local org's database: one for each object, and those for what has happened."""

import sqlite3

from sfmap.engine.local_org.records.object_schema import NUMBER_TYPES, FieldSchema, ObjectSchema, Schema

NUMBER_COLUMN = "sfmap_number"
"""Numbers an object's records; their ids are derived from it."""
_OLD_LOG = 7
"""The number of columns of the log before it had those for faults."""


def prepare_tables(connection: sqlite3.Connection, schema: Schema) -> None:
    """Adds the tables and columns that the database lacks."""
    connection.execute("CREATE TABLE IF NOT EXISTS sfmap_api_calls (day TEXT PRIMARY KEY, calls INTEGER NOT NULL)")
    connection.execute(
        "CREATE TABLE IF NOT EXISTS sfmap_log (number INTEGER PRIMARY KEY, at TEXT, operation TEXT,"
        " object TEXT, records INTEGER, outcome TEXT, milliseconds REAL, fault TEXT NOT NULL DEFAULT '')"
    )
    if len(connection.execute("PRAGMA table_info(sfmap_log)").fetchall()) == _OLD_LOG:
        connection.execute("ALTER TABLE sfmap_log ADD COLUMN fault TEXT NOT NULL DEFAULT ''")
    connection.execute(
        "CREATE TABLE IF NOT EXISTS sfmap_changes (id TEXT, at TEXT, call INTEGER, verb TEXT, changed TEXT)"
    )
    connection.execute(
        "CREATE TABLE IF NOT EXISTS sfmap_exchanges (number INTEGER PRIMARY KEY, url TEXT, client TEXT,"
        " sent INTEGER, received INTEGER, request BLOB, response BLOB)"
    )
    connection.execute("CREATE TABLE IF NOT EXISTS sfmap_purged (object TEXT PRIMARY KEY, last INTEGER)")
    connection.execute("CREATE TABLE IF NOT EXISTS sfmap_taken_along (parent TEXT, child TEXT, field TEXT)")
    connection.execute("CREATE INDEX IF NOT EXISTS sfmap_taken_along_by ON sfmap_taken_along (parent)")
    connection.execute("CREATE INDEX IF NOT EXISTS sfmap_changes_call ON sfmap_changes (call)")
    connection.execute("CREATE INDEX IF NOT EXISTS sfmap_changes_id ON sfmap_changes (id)")
    for target in schema.objects.values():
        _prepare_table(connection, target)


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _prepare_table(connection: sqlite3.Connection, target: ObjectSchema) -> None:
    table = quoted(target.name)
    columns = {row[1].casefold() for row in connection.execute(f"PRAGMA table_info({table})")}
    known = columns or {"id"}
    new = [_column(field) for field in target.fields.values() if field.name.casefold() not in known]
    if columns:
        for column in new:
            connection.execute(f"ALTER TABLE {table} ADD COLUMN {column}")
    else:
        always = (f"{NUMBER_COLUMN} INTEGER PRIMARY KEY", "Id TEXT UNIQUE NOT NULL")
        connection.execute(f"CREATE TABLE {table} ({', '.join((*always, *new))})")
    for field in target.fields.values():
        _prepare_index(connection, target, field)


def _prepare_index(connection: sqlite3.Connection, target: ObjectSchema, field: FieldSchema) -> None:
    table, column = quoted(target.name), quoted(field.name)
    ruled = any(field.name in rule.fields for rule in target.duplicate_rules) or any(
        field.name == rule.fields[-1] for rule in (target.rules.unique_together if target.rules else ())
    )
    found_by = (field.id_lookup and field.type != "id") or field.unique or field.name in target.index
    if found_by or ruled:
        index = quoted(f"{target.name}.{field.name}")
        connection.execute(f"CREATE INDEX IF NOT EXISTS {index} ON {table} (fold({column}))")
    if field.is_link:  # partial: a record without a parent costs nothing
        index = quoted(f"{target.name}.{field.name} parent")
        connection.execute(f"CREATE INDEX IF NOT EXISTS {index} ON {table} ({column}) WHERE {column} IS NOT NULL")


def _column(field: FieldSchema) -> str:
    """What defines the field's column."""
    kind = "NUMERIC" if field.type in NUMBER_TYPES or field.type == "boolean" else "TEXT"
    return f"{quoted(field.name)} {kind}{' NOT NULL DEFAULT 0' if field.type == 'boolean' else ''}"
