"""Finds where values of JSON text begin and end, without reading them."""

import re

_BRACKET_OR_QUOTE = re.compile(rb'[{}\[\]"]')
_IN_TEXT = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[{}\[\],:]', re.DOTALL)


class Brackets:
    """Finds where brackets close, in text that comes in pieces; brackets in strings do not count."""

    def __init__(self, depth: int = 0) -> None:
        self._depth = depth
        self._is_in_string = False
        self._is_escaped = False

    def end(self, piece: bytes, at: int) -> int | None:
        """The index after the bracket that closes the first one; None if it is not in the piece."""
        while at < len(piece):
            if self._is_in_string:
                at = self._leave_string(piece, at)
                continue
            found = _BRACKET_OR_QUOTE.search(piece, at)
            if not found:
                return None
            at = found.end()
            token = found[0]
            if token == b'"':
                self._is_in_string = True
                continue
            self._depth += 1 if token in b"{[" else -1
            if self._depth <= 0:
                return at
        return None

    def _leave_string(self, piece: bytes, at: int) -> int:
        """The index after the string's end, or the piece's."""
        found = _IN_TEXT.match(piece, at + self._is_escaped)
        end = found.end() if found else len(piece)
        self._is_escaped = end < len(piece) and piece[end : end + 1] == b"\\"
        if not self._is_escaped and end < len(piece):
            self._is_in_string = False
        return end + 1


NO_BATCH = -1


def batch_begins(text: bytes, at: int) -> int | None:
    """The index inside the list named `batch` of the object that begins there; None if more text is needed.

    An object that has `type` before it is an event.
    """
    depth, before, name = 0, b"", b""
    for found in _TOKEN.finditer(text, at):
        token = found[0]
        if token[:1] == b'"' and found.end() == len(text):
            return None
        if token in (b"{", b"["):
            if depth == 1 and name == b'"batch"' and before == b":" and token == b"[":
                return found.end()
            depth += 1
        elif token in (b"}", b"]"):
            depth -= 1
        elif depth == 1 and before in (b"{", b",") and token not in (b",", b":"):
            name = token
        if depth <= 0 or name == b'"type"':
            return NO_BATCH
        before = token
    return None
