"""Objects in stores that speak as Amazon's, Google's and Azure's do."""

import os
from dataclasses import replace

import pytest
import requests

from sfmap.engine.sources.event_source import SourceFailed
from sfmap.engine.sources.stores.object_store import ObjectStore
from sfmap.engine.sources.stores.object_store_settings import ObjectStoreSettings
from sfmap.engine.sources.stores.ranged_stream import LONGEST, SHORTEST
from sfmap.tests.object_stores import CutConnections, ObjectServer

STORES = ["s3_server", "google_server", "azure_server"]
NAMES = ["a/1.json", "a/sp ace.json", "a/ü.json", "a/p+q.json", "a/100%.json", "a/50%25.json", "a/a#b?.json"]
NAMES += ["a/star*.json", "a/b[1].json", "a/tilde~,;=@&$!'().json"]


@pytest.fixture(params=STORES)
def server(request: pytest.FixtureRequest) -> ObjectServer:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, ObjectServer)
    return found


def store(server: ObjectServer, endpoint: str = "", **variables: str) -> ObjectStore:
    settings = ObjectStoreSettings(endpoint=endpoint or server.settings["endpoint"])
    return ObjectStore(settings=settings, environment={**server.variables, **variables}, retries=1)


def listed(store: ObjectStore, url: str) -> list[str]:
    return [file.name.removeprefix(url.rpartition("//")[0]).split("/", 3)[3] for file in store.list(url)]


def failure(store: ObjectStore, url: str) -> str:
    with pytest.raises(SourceFailed) as failed:
        _ = [store.open(file).read() for file in store.list(url)]
    assert "s3cret" not in str(failed.value)
    return str(failed.value)


def test_every_name_is_listed_and_read(server: ObjectServer) -> None:
    bucket = server.bucket({name: name.encode() for name in NAMES})
    here = store(server)
    files = here.list(f"{server.scheme}://{bucket}/a/")
    assert {file.name for file in files} == {f"{server.scheme}://{bucket}/{name}" for name in NAMES}
    for file in files:
        assert here.list(file.name) == [file]
        key = file.name.split("/", 3)[3]
        assert here.open(file).read() == key.encode()
        assert (file.size, bool(file.version), file.modified > 1_700_000_000) == (len(key.encode()), True, True)


LISTED = {
    "": "1.json logs/2/b.gz logs/10/a.gz logs/10/deep/c.gz other/logs/x.gz",
    "logs": "logs/2/b.gz logs/10/a.gz logs/10/deep/c.gz",
    "logs/": "logs/2/b.gz logs/10/a.gz logs/10/deep/c.gz",
    "logs/10": "logs/10/a.gz logs/10/deep/c.gz",
    "logs/*/*.gz": "logs/2/b.gz logs/10/a.gz",
    "logs/**": "logs/2/b.gz logs/10/a.gz logs/10/deep/c.gz",
    "logs/1*/": "logs/10/a.gz logs/10/deep/c.gz",
    "**/[xc].gz": "logs/10/deep/c.gz other/logs/x.gz",
    "*": "1.json",
    "logs/_S*": "logs/_SUCCESS",
    "logs/_SUCCESS": "logs/_SUCCESS",
    "logs/empty.gz": "logs/empty.gz",
    "1.jso?": "1.json",
}
MISSING = {
    "log": "log; the nearest that exists is {url}/logs/",
    "logs/1": "logs/1; the nearest that exists is {url}/logs/10/",
    "logs/10/z*": "logs/10/z*; the nearest that exists is {url}/logs/10/a.gz",
    "nothing/at/all.json": "nothing/at/all.json; the nearest that exists is {url}/1.json",
    "logs/hollow/": "logs/hollow/; the nearest that exists is {url}/logs/10/",
}


@pytest.fixture(scope="module")
def trees() -> dict[str, str]:
    return {}


@pytest.fixture
def tree(server: ObjectServer, trees: dict[str, str]) -> str:
    """The URL of a bucket with folders, markers and empty objects."""
    if server.scheme not in trees:
        files = [*LISTED[""].split(), "logs/_SUCCESS", "logs/.hidden", "logs/_temporary/0.gz", "logs/_day=1/_s"]
        empty = ["logs/empty.gz"]
        objects = {**dict.fromkeys(files, b"x"), **dict.fromkeys(empty, b"")}
        if server.scheme == "s3":  # what the console makes for a new folder
            objects["logs/hollow/"] = b""
        trees[server.scheme] = f"{server.scheme}://{server.bucket(objects)}"
    return trees[server.scheme]


@pytest.mark.parametrize("key", LISTED)
def test_a_prefix_or_pattern_lists_objects_in_order(server: ObjectServer, tree: str, key: str) -> None:
    assert listed(store(server), f"{tree}/{key}") == LISTED[key].split()


@pytest.mark.parametrize("key", MISSING)
def test_no_object_is_an_error_that_names_the_nearest(server: ObjectServer, tree: str, key: str) -> None:
    assert failure(store(server), f"{tree}/{key}") == f"no object matches {tree}/" + MISSING[key].format(url=tree)


def test_a_bucket_without_objects(server: ObjectServer) -> None:
    url = f"{server.scheme}://{server.bucket({})}"
    assert failure(store(server), url) == f"no object matches {url}: the bucket is empty"


def test_objects_on_several_pages_are_all_listed(s3_server: ObjectServer) -> None:
    names = [f"logs/{number}.gz" for number in range(250)]
    bucket = s3_server.bucket(dict.fromkeys(names, b"x"))
    assert listed(store(s3_server), f"s3://{bucket}/logs/") == names
    assert listed(store(s3_server), f"s3://{bucket}/logs/24*") == [
        name for name in names if name.startswith("logs/24")
    ]


CONTENT = os.urandom(1024) * (21 * 1024) + b"end"


def test_bytes_are_read_in_order_and_out_of_order(server: ObjectServer) -> None:
    bucket = server.bucket({"a": CONTENT, "empty": b""})
    here = store(server)
    (file,) = here.list(f"{server.scheme}://{bucket}/a")
    with here.open(file) as stream:
        assert stream.read() == CONTENT
        for position in (0, len(CONTENT) - 3, 5, SHORTEST, LONGEST + 1):
            stream.seek(position)
            assert stream.read(70_000) == CONTENT[position : position + 70_000]
        assert stream.seek(-3, os.SEEK_END) == len(CONTENT) - 3
        assert (stream.read(), stream.read(1)) == (b"end", b"")
    (empty,) = here.list(f"{server.scheme}://{bucket}/empty")
    assert here.open(empty).read() == b""


def test_a_look_at_the_beginning_fetches_little(s3_server: ObjectServer) -> None:
    bucket = s3_server.bucket({"a": CONTENT})
    with CutConnections(s3_server.endpoint, cut_after=SHORTEST * 2) as proxy:
        here = store(s3_server, proxy.url)
        (file,) = here.list(f"s3://{bucket}/a")
        with here.open(file) as stream:
            assert stream.read(65536) == CONTENT[:65536]
        assert proxy.cuts == 0


@pytest.mark.parametrize(("cut_after", "most_cuts"), [(100, 4), (300_000, 9), (3_000_000, 1000)])
def test_a_broken_connection_goes_on_where_it_broke(server: ObjectServer, cut_after: int, most_cuts: int) -> None:
    bucket = server.bucket({"a": CONTENT})
    with CutConnections(server.endpoint, cut_after=cut_after, most_cuts=most_cuts) as proxy:
        here = replace(store(server, proxy.url), retries=8)
        (file,) = store(server).list(f"{server.scheme}://{bucket}/a")
        with here.open(file) as stream:
            assert stream.read() == CONTENT
        assert proxy.cuts > 1


@pytest.mark.parametrize("at", [0, 100, SHORTEST, SHORTEST * 5 + 1])
def test_an_object_that_changes_is_never_mixed(server: ObjectServer, at: int) -> None:
    bucket = server.bucket({"a": CONTENT})
    here = store(server)
    (file,) = here.list(f"{server.scheme}://{bucket}/a")
    with here.open(file) as stream:
        assert stream.read(at) == CONTENT[:at]
        server.write(bucket, "a", CONTENT[::-1])
        with pytest.raises(SourceFailed) as failed:
            stream.read()
    (now,) = here.list(file.name)
    then_now = [f'"{one.version[:6]}…"' for one in (file, now)]
    etags = f"etag {then_now[0]} then, {then_now[1]} now"
    assert str(failed.value) == f"{file.name} changed since it was listed ({etags})"


def test_an_object_that_is_deleted(s3_server: ObjectServer) -> None:
    bucket = s3_server.bucket({"a": CONTENT})
    here = store(s3_server)
    (file,) = here.list(f"s3://{bucket}/a")
    headers = {"Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request"}
    requests.delete(f"{s3_server.endpoint}/{bucket}/a", headers=headers).raise_for_status()
    with pytest.raises(SourceFailed, match=f"^cannot read s3://{bucket}/a: it does not exist any more$"):
        here.open(file).read()
