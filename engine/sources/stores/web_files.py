"""Files on the web: one URL each, read in ranges where the server has them."""

import time
from collections.abc import Generator
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import BinaryIO

import requests

from sfmap.engine.sources.event_source import SourceFailed
from sfmap.engine.sources.stored_files import StoredFile
from sfmap.engine.sources.stores.ranged_stream import ranged_stream
from sfmap.engine.sources.stores.web_requests import Interrupted, WebAddress, pieces
from sfmap.engine.sources.stores.whole_stream import whole_stream

_FIRST_BYTE = {"Range": "bytes=0-0"}
_WHOLE, _PART, _CHANGED, _NO_SUCH_PART = 200, 206, 412, 416


@dataclass(frozen=True, slots=True)
class WebFiles:
    """The files of `https://` URLs, and of `http://` URLs on this machine. No character of a URL is special."""

    retries: int = 8
    """How often a request is repeated after a failure that may pass, without a byte in between."""
    _listed: dict[str, tuple[WebAddress, bool]] = field(default_factory=dict, repr=False)
    """For each name its URL, which may hold secrets, and whether the server has ranges."""

    def list(self, pattern: str) -> list[StoredFile]:
        """The file of a URL. Raises `SourceFailed`."""
        address, failures, headers = WebAddress(pattern), _Failures(self.retries), _FIRST_BYTE
        while True:
            try:
                # Signed links are for GET only.
                with address.answered(headers) as response:
                    next(pieces(response), b"")  # fails if the head broke off
                    file = _stored(address.name, response)
                    self._listed[file.name] = address, response.status_code == _PART and file.size > 0
                    if response.status_code in (_WHOLE, _PART):
                        return [file]
                    headers = {}  # an empty file has no first byte
            except Interrupted as interrupted:
                failures.add(address, interrupted)

    def open(self, file: StoredFile) -> BinaryIO:
        """The bytes of that version of the file. Raises `SourceFailed`."""
        address, has_ranges = self._listed[file.name]
        pinned = _Pinned(address=address, file=file, retries=self.retries)
        return ranged_stream(pinned.part, file.size) if has_ranges else whole_stream(pinned.whole)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pinned:
    """One version of a file."""

    address: WebAddress
    file: StoredFile
    retries: int

    def part(self, start: int, end: int) -> memoryview:
        """The bytes of a range; what is missing after an interruption is asked for again."""
        found, failures = bytearray(), _Failures(self.retries)
        while (missing := end - start - len(found)) > 0:
            here = end - missing
            try:
                with self.address.answered(self._condition | {"Range": f"bytes={here}-{end - 1}"}) as response:
                    self._check(response)
                    if response.headers.get("Content-Range", "").partition("-")[0] != f"bytes {here}":
                        raise self.address.failed("the server does not answer with the range that was asked for")
                    for piece in pieces(response):
                        found += piece[: end - start - len(found)]
                        failures.clear()
            except Interrupted as interrupted:
                failures.add(self.address, interrupted)
        return memoryview(found)

    def whole(self) -> Generator[bytes]:
        """The bytes from the beginning on; after an interruption, those that were read are skipped."""
        given, failures = 0, _Failures(self.retries)
        while True:
            position = 0
            try:
                with self.address.answered(self._condition) as response:
                    self._check(response)
                    for piece in pieces(response):
                        position += len(piece)
                        if position > given:
                            yield piece[-(position - given) :]
                            given = position
                            failures.clear()
                    return
            except Interrupted as interrupted:
                if not self.file.version:
                    why = f"{interrupted}, and the server has neither ranges nor versions to go on by"
                    raise self.address.failed(why) from None
                failures.add(self.address, interrupted)

    @property
    def _condition(self) -> dict[str, str]:
        """The header by which a server refuses another version; a weak etag cannot be asked for."""
        version = self.file.version
        return {"If-Match": version} if version.startswith('"') else {}

    def _check(self, response: requests.Response) -> None:
        now = _version(response)
        has_changed = response.status_code in (_CHANGED, _NO_SUCH_PART) or now != self.file.version
        if has_changed:
            next(pieces(response), b"")  # fails if the head broke off
            is_told = self.file.version and now and now != self.file.version
            versions = f" ({self.file.version} then, {now} now)" if is_told else ""
            raise SourceFailed(f"{self.file.name} changed since it was listed{versions}")


class _Failures:
    """Failures in a row, with longer and longer pauses between."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._count = 0

    def clear(self) -> None:
        self._count = 0

    def add(self, address: WebAddress, interrupted: Interrupted) -> None:
        """Waits before the next request. Raises `SourceFailed` if there were too many."""
        self._count += 1
        if self._count > self._most:
            raise address.failed(str(interrupted)) from None
        time.sleep(min(0.1 * 2**self._count, 5))


def _stored(name: str, response: requests.Response) -> StoredFile:
    return StoredFile(name=name, size=_size(response), version=_version(response), modified=_modified(response))


def _size(response: requests.Response) -> int:
    """The size of the whole file; 0 if it is unknown."""
    is_part = response.status_code in (_PART, _NO_SUCH_PART)
    known = response.headers.get("Content-Range" if is_part else "Content-Length", "").rpartition("/")[2]
    return int(known) if known.isdecimal() else 0


def _version(response: requests.Response) -> str:
    """The etag, or else the time of change; empty if the server tells neither."""
    return response.headers.get("ETag") or response.headers.get("Last-Modified", "")


def _modified(response: requests.Response) -> float:
    try:
        return parsedate_to_datetime(response.headers.get("Last-Modified", "")).timestamp()
    except ValueError:
        return 0.0
