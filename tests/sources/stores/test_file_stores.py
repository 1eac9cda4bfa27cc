"""The store of a name."""

import pytest

from sfmap.engine.sources.event_source import SourceFailed
from sfmap.engine.sources.stored_files import is_remote
from sfmap.engine.sources.stores.file_stores import store_of
from sfmap.engine.sources.stores.local_files import LocalFiles
from sfmap.engine.sources.stores.object_store import ObjectStore
from sfmap.engine.sources.stores.object_store_settings import ObjectStoreSettings
from sfmap.engine.sources.stores.web_files import WebFiles

STORES = {
    "events.json": LocalFiles,
    "logs/*.gz": LocalFiles,
    "/var/log/a:b//c": LocalFiles,
    "C:/logs": LocalFiles,
    "s3://acme/a": ObjectStore,
    "gs://acme/a": ObjectStore,
    "az://acme/a": ObjectStore,
    "https://acme.example/a": WebFiles,
    "http://127.0.0.1/a": WebFiles,
}


@pytest.mark.parametrize("name", STORES)
def test_a_name_has_a_store(name: str) -> None:
    assert isinstance(store_of(name, ObjectStoreSettings(), {}), STORES[name])
    assert is_remote(name) == (STORES[name] is not LocalFiles)


@pytest.mark.parametrize(
    ("name", "hint"),
    [("s3a://acme/a", "; write s3://"), ("gcs://acme/a", "; write gs://"), ("ftp://ann:s3cret@b/a", "")],
)
def test_other_places_are_refused(name: str, hint: str) -> None:
    with pytest.raises(SourceFailed) as failed:
        store_of(name, ObjectStoreSettings(), {})
    scheme = name.partition(":")[0]
    said = f"cannot read {scheme}://…: events are read from files, s3://, gs://, az:// and https://{hint}"
    assert str(failed.value) == said
