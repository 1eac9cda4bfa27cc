"""Objects in Amazon S3, Google Cloud Storage and Azure Blob Storage, and in stores that speak as they do."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

from sfmap.engine.sources.event_source import SourceFailed
from sfmap.engine.sources.extras import needed
from sfmap.engine.sources.stored_files import StoredFile
from sfmap.engine.sources.stores.listing_order import FileOrder, in_order
from sfmap.engine.sources.stores.name_patterns import (
    NamePattern,
    fixed_folder,
    fixed_prefix,
    is_marker,
    is_pattern,
    most_similar,
)
from sfmap.engine.sources.stores.object_clients import object_client
from sfmap.engine.sources.stores.object_errors import Action, why
from sfmap.engine.sources.stores.object_store_settings import ObjectStoreSettings
from sfmap.engine.sources.stores.ranged_stream import ranged_stream

if TYPE_CHECKING:
    from obstore import GetOptions, ObjectMeta

    from sfmap.engine.sources.stores.object_clients import ObjectClient

SCHEMES = ("s3", "gs", "az")


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectStore:
    """The objects of any bucket or container: `s3://`, `gs://` and `az://` URLs.

    A name that no object has, or that ends with a slash, stands for all objects below it. Empty objects, hidden
    ones and markers such as `_SUCCESS` are left out there.
    """

    settings: ObjectStoreSettings
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Variables for what the settings do not say, secrets among them."""
    order: FileOrder = FileOrder.NAME
    retries: int = 8
    """How often a request is repeated after a failure that may pass: some 15 seconds in all."""

    def list(self, pattern: str) -> list[StoredFile]:
        """The objects of a URL or pattern, in order. Raises `SourceFailed`, also if there are none."""
        bucket, key = self._located(pattern)
        found = bucket.matching(key) if is_pattern(key) else bucket.named(key) or bucket.below(key)
        if not found:
            raise SourceFailed(f"no object matches {pattern}{bucket.nearest(key)}")
        return in_order(found, self.order)

    def open(self, file: StoredFile) -> BinaryIO:
        """The bytes of that version of the object, fetched as they are read. Raises `SourceFailed`."""
        bucket, key = self._located(file.name)
        return ranged_stream(lambda start, end: bucket.read(file, key, start, end), file.size)

    def _located(self, url: str) -> tuple["_Bucket", str]:
        scheme, _, rest = url.partition("://")
        name, _, key = rest.partition("/")
        if "@" in name or ":" in name:
            raise SourceFailed(f"cannot read {scheme}://…: write the bucket there and keys in secrets.env")
        needed("obstore", "cloud", f"read {url}")
        settings = self.settings.completed(scheme, self.environment)
        settings.check(scheme, f"{scheme}://{name}")
        return _Bucket(scheme=scheme, name=name, settings=settings, retries=self.retries), key


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bucket:
    scheme: str
    name: str
    settings: ObjectStoreSettings
    retries: int

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.name}"

    def named(self, key: str) -> list[StoredFile]:
        """The object of that very key, if there is one."""
        if not key or key.endswith("/"):
            return []
        import obstore

        try:
            return [self._stored(obstore.head(self._client, key))]
        except FileNotFoundError:
            return []
        except (obstore.exceptions.BaseError, OSError, ValueError) as error:
            raise self._failed(self._explained(key, error), Action.GET, key) from None

    def below(self, key: str) -> list[StoredFile]:
        """The objects below a folder."""
        folder = key if not key or key.endswith("/") else f"{key}/"
        skipped = len(f"{self.url}/{folder}")
        return [
            file
            for file in self._listed(folder)
            if file.size and not any(map(is_marker, file.name[skipped:].split("/")))
        ]

    def matching(self, pattern: str) -> list[StoredFile]:
        """The objects that match a pattern, or the one of that very name."""
        prefix, start = fixed_prefix(pattern), len(f"{self.url}/")
        by_key = {file.name[start:]: file for file in self._listed(fixed_folder(pattern), after=prefix[:-1])}
        if pattern in by_key:
            return [by_key[pattern]]
        return [by_key[key] for key in NamePattern(pattern).of(by_key) if by_key[key].size]

    def nearest(self, key: str) -> str:
        """Says what exists nearest to a key that matches nothing."""
        folder = fixed_folder(key)
        while True:
            names = {name.partition("/") for name in self._first_below(folder)}
            parts = {first + slash for first, slash, _ in names if not is_marker(first)}
            if parts or not folder:
                break
            folder = folder[: folder.rstrip("/").rfind("/") + 1]
        if not parts:
            return ": the bucket is empty"
        wanted = key.removeprefix(folder).partition("/")[0]
        return f"; the nearest that exists is {self.url}/{folder}{most_similar(wanted, parts) or min(parts)}"

    def read(self, file: StoredFile, key: str, start: int, end: int) -> memoryview:
        """The bytes of a range. Raises `SourceFailed`, also if the object has changed."""
        import obstore

        try:
            options: GetOptions = {"range": (start, end), "if_match": _condition(file.version)}
            result = obstore.get(self._client, key, options=options)
            found, version = memoryview(result.bytes()), _version(result.meta)
        except obstore.exceptions.PreconditionError:
            raise self._changed(file, key) from None
        except FileNotFoundError:
            raise SourceFailed(f"cannot read {file.name}: it does not exist any more") from None
        except (obstore.exceptions.BaseError, OSError, ValueError) as error:
            raise self._failed(error, Action.GET, key) from None
        # Some stores do not heed the condition.
        if version != file.version or len(found) != end - start:
            raise self._changed(file, key)
        return found

    @property
    def _client(self) -> "ObjectClient":
        return object_client(self.scheme, self.name, self.settings, self.retries)

    def _listed(self, folder: str, after: str = "") -> Iterator[StoredFile]:
        import obstore

        try:
            for chunk in obstore.list(self._client, folder or None, offset=after or None):
                yield from map(self._stored, chunk)
        except (obstore.exceptions.BaseError, OSError, ValueError) as error:
            raise self._failed(error, Action.LIST) from None

    def _first_below(self, folder: str) -> list[str]:
        """The first keys of a folder, without the folder."""
        import obstore

        chunk = next(iter(obstore.list(self._client, folder or None)), [])
        return [meta["path"][len(folder) :] for meta in chunk if meta["size"] and meta["path"].startswith(folder)]

    def _stored(self, meta: "ObjectMeta") -> StoredFile:
        return StoredFile(
            name=f"{self.url}/{meta['path']}",
            size=meta["size"],
            version=_version(meta),
            modified=meta["last_modified"].timestamp(),
        )

    def _explained(self, key: str, error: Exception) -> Exception:
        """The error with its reason, which stores leave out of their answers to HEAD."""
        import obstore

        try:
            obstore.get(self._client, key, options={"range": (0, 1)})
        except (obstore.exceptions.BaseError, OSError, ValueError) as explained:
            return explained
        return error

    def _changed(self, file: StoredFile, key: str) -> SourceFailed:
        (now,) = self.named(key) or [StoredFile(name=file.name)]
        etags = f"etag {_short(file.version)} then, {_short(now.version)} now"
        return SourceFailed(f"{file.name} changed since it was listed ({etags})")

    def _failed(self, error: Exception, action: Action, key: str = "") -> SourceFailed:
        place = f"{self.url}/{key}" if key else self.url
        return SourceFailed(f"cannot read {place}: {why(error, self.scheme, action, self.settings.region)}")


def _version(meta: "ObjectMeta") -> str:
    """The etag without its quotes, which some stores leave out in lists."""
    return (meta["e_tag"] or "").strip('"')


def _condition(version: str) -> str | None:
    """The condition that an object has that etag; a weak one cannot be asked for."""
    return f'"{version}"' if version and not version.startswith("W/") else None


def _short(version: str) -> str:
    return f'"{version[:6]}…"' if len(version) > 7 else f'"{version}"'
