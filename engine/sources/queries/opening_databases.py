"""Opens a database by its URL."""

from sfmap.engine.sources.event_source import SourceFailed
from sfmap.engine.sources.extras import needed
from sfmap.engine.sources.queries.database_port import QueryDatabase
from sfmap.engine.sources.queries.database_url import DatabaseUrl
from sfmap.engine.sources.queries.sqlite_database import SqliteDatabase

_EXAMPLE = "write a URL such as postgresql://user:password@host/name"


def open_database(url: str, *, name: str, timeout: float) -> QueryDatabase:
    """The database; it is connected to when it is first read.

    `name` is that of the source, for messages. Raises `SourceFailed` or `ExtraMissing`.
    """
    database = DatabaseUrl(url.strip())
    if database.scheme == "sqlite":
        return SqliteDatabase(database.path)
    database.check()
    if database.scheme in ("postgresql", "postgres"):
        needed("psycopg", "sql", f"read {name}")
        # The adapters of extras import their library, so they are imported only for such a URL.
        from sfmap.engine.sources.queries.postgres_database import PostgresDatabase

        return PostgresDatabase(database, timeout=timeout)
    if "://" not in database.text:
        raise SourceFailed(f"the url is empty or has no scheme: {_EXAMPLE}")
    needed("sqlalchemy", "sql", f"read {name}")
    from sfmap.engine.sources.queries.sqlalchemy_database import SqlalchemyDatabase

    return SqlalchemyDatabase(database)
