"""Digests of the content of files, by which a later run recognizes what an earlier one has read."""

from typing import BinaryIO

_BLOCK = 1024 * 1024
_FILE_BEGINS = b"a file begins"


class ContentDigest:
    """A digest of everything so far: each value includes the one before, so it is enough to continue."""

    def __init__(self, value: bytes) -> None:
        self.value = value

    def begin_file(self, version: bytes = b"") -> None:
        """Adds that a file begins: with its version, or its content is added row by row."""
        self.add(_FILE_BEGINS + version)

    def add(self, content: bytes) -> None:
        from hashlib import blake2b

        self.value = blake2b(content, digest_size=16, key=self.value).digest()


def whole_content(stream: BinaryIO) -> bytes:
    """The digest of all bytes of a file."""
    from hashlib import blake2b

    digest = blake2b(digest_size=16)
    while block := stream.read(_BLOCK):
        digest.update(block)
    return digest.digest()
