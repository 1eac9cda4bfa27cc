"""Patterns of names, the same for folders and object stores: `*`, `?`, `[abc]`, and `**` for any folders."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_SPECIAL = re.compile(r"[*?\[]")
_PIECES = re.compile(r"(\*+|\?|\[!?\]?[^\]/]*\])")
_MARKS = (".", "_")


def is_pattern(name: str) -> bool:
    """Whether a name has special characters."""
    return bool(_SPECIAL.search(name))


def fixed_prefix(pattern: str) -> str:
    """The part of a pattern before its first special character: every match begins with it."""
    found = _SPECIAL.search(pattern)
    return pattern[: found.start()] if found else pattern


def fixed_folder(pattern: str) -> str:
    """The folders of a pattern before its first special character, with the slash after them; or empty."""
    prefix = fixed_prefix(pattern)
    return prefix[: prefix.rfind("/") + 1]


@dataclass(frozen=True, slots=True)
class NamePattern:
    """A pattern that names are compared with, as a whole. One that ends with a slash means all files below."""

    text: str

    @property
    def depth(self) -> int | None:
        """How many folders a match is in; None if it may be any number."""
        return None if "**" in self._parts else len(self._parts) - 1

    @property
    def marks(self) -> str:
        """The characters of markers that the pattern spells at the beginning of a name."""
        return "".join({part[0] for part in self._parts if part.startswith(_MARKS)})

    def of(self, names: Iterable[str]) -> list[str]:
        """The names that match."""
        last = len(self._parts) - 1
        pieces = (_part(part, is_last=index == last) for index, part in enumerate(self._parts))
        expression, marks, start = re.compile("".join(pieces)), self.marks, len(fixed_folder(self.text))
        return [
            name
            for name in names
            if expression.fullmatch(name) and not any(is_marker(part, marks) for part in name[start:].split("/"))
        ]

    @property
    def _parts(self) -> list[str]:
        *folders, last = self.text.split("/")
        return [*folders, last or "**"]


def is_marker(name: str, spelled: str = "") -> bool:
    """Whether a file or folder holds no events: hidden, or a marker of Hadoop and Spark such as `_SUCCESS`.

    `_day=2026-01-01` is a folder of rows. `spelled` are marks that a pattern asks for.
    """
    return name.startswith(_MARKS) and name[0] not in spelled and (name[0] == "." or "=" not in name)


def most_similar(name: str, others: Iterable[str]) -> str:
    """The other name most similar to a name; empty if none is."""
    by_lower = {other.casefold(): other for other in others}
    from difflib import get_close_matches

    near = get_close_matches(name.casefold(), by_lower, n=1, cutoff=0.6)
    return by_lower[near[0]] if near else ""


def _part(part: str, *, is_last: bool) -> str:
    if part == "**":
        return "(?:[^/]+/)*[^/]+" if is_last else "(?:[^/]+/)*"
    return "".join(map(_piece, _PIECES.split(part))) + ("" if is_last else "/")


def _piece(piece: str) -> str:
    if piece.startswith("*"):
        return "[^/]*"
    if piece == "?":
        return "[^/]"
    negation, inner = ("^", piece[2:-1]) if piece.startswith("[!") else ("", piece[1:-1])
    if inner and piece.startswith("["):
        one = "(?!/)[" + negation + re.sub(r"([\\\[\]&~|^])", r"\\\1", inner) + "]"
        try:
            re.compile(one)
        except re.error:  # a range that runs backwards
            return re.escape(piece)
        return one
    return re.escape(piece)
