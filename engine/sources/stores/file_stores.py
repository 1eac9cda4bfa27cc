"""Finds the store of a name: a path, or a URL of an object store or of the web."""

from collections.abc import Mapping

from sfmap.engine.sources.event_source import SourceFailed
from sfmap.engine.sources.stored_files import FileStore, scheme_of
from sfmap.engine.sources.stores.listing_order import FileOrder
from sfmap.engine.sources.stores.local_files import LocalFiles
from sfmap.engine.sources.stores.object_store_settings import ObjectStoreSettings

_NAMES_OF_OTHERS = {
    "s3a": "s3",
    "s3n": "s3",
    "gcs": "gs",
    "azure": "az",
    "abfs": "az",
    "abfss": "az",
    "wasbs": "az",
}


def store_of(
    pattern: str,
    settings: ObjectStoreSettings,
    environment: Mapping[str, str],
    order: FileOrder = FileOrder.NAME,
) -> FileStore:
    """The store that lists and opens the files of a pattern. Raises `SourceFailed` if there is none.

    `environment` has the variables that settings are completed from, secrets among them.
    """
    scheme = scheme_of(pattern)
    if not scheme:
        return LocalFiles(order)
    if is_on_the_web(pattern):
        # requests would take a fifth of the start of every command.
        from sfmap.engine.sources.stores.web_files import WebFiles

        return WebFiles()
    from sfmap.engine.sources.stores.object_store import SCHEMES, ObjectStore

    if scheme in SCHEMES:
        return ObjectStore(settings=settings, environment=environment, order=order)
    near = _NAMES_OF_OTHERS.get(scheme.lower(), "")
    hint = f"; write {near}://" if near else ""
    raise SourceFailed(
        f"cannot read {scheme}://…: events are read from files, s3://, gs://, az:// and https://{hint}"
    )


def is_on_the_web(pattern: str) -> bool:
    """Whether a pattern is the URL of one file on the web."""
    return pattern.startswith(("https://", "http://"))
