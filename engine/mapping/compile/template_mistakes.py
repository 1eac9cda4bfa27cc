"""Explains syntax errors of Jinja2 templates: the position, and what to write instead."""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from jinja2 import Environment, TemplateSyntaxError
from jinja2.parser import Parser

_INSTEAD = (
    ("===", "write =="),
    ("&&", "write and"),
    ("||", "write or"),
    ("<>", "write !="),
    ("=>", "write >="),
    ("=<", "write <="),
    ("=", "write == to compare"),
    ("!", "write not"),
    ("?", "write: a if condition else b"),
    ("“", "write straight quotes"),
    ("”", "write straight quotes"),
    ("„", "write straight quotes"),
    ("‘", "write straight quotes"),
    ("’", "write straight quotes"),
    ("AND", "write and"),
    ("OR", "write or"),
    ("NOT", "write not"),
    ("contains", "write: 'part' in text"),
)
"""Syntax of other languages. A longer one precedes those that it starts or ends with."""
_UNREAD = ("whitespace", "comment", "comment_begin", "comment_end", "linecomment", "raw_begin", "raw_end")
_OPEN_TAG = re.compile(r"innermost block that needs to be closed is '(\w+)'")
_UNKNOWN_TAG = re.compile(r"Encountered unknown tag '(\w+)'")
_MISSING = re.compile(r"unexpected '.', expected '(.)'")
_WORD_BEFORE = re.compile(r"\w+(?=\s*$)")
_WORD = re.compile(r"\w+|[^\w\s]{1,2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateMistake:
    start: int
    """The position in the parsed code."""
    width: int
    message: str
    help: str = ""


def template_mistake(environment: Environment, code: str, error: TemplateSyntaxError) -> TemplateMistake:
    """The explanation of a parser error in the template."""
    said = error.message or ""
    if said.startswith("Missing end of"):
        return _unclosed(code)
    place = _place(environment, code)
    return _misspelt(code, place) or _misplaced(code, place, said)


def _place(environment: Environment, code: str) -> int:
    """Where the parser stopped: at its next token, or at a character that does not start one."""
    starts = []
    position = 0
    try:
        for _, token, value in environment.lex(code):
            if token not in _UNREAD:
                starts.append(position)
            position += len(value)
    except TemplateSyntaxError:
        return min(position, len(code))
    parser = Parser(environment, code)
    with suppress(TemplateSyntaxError):
        parser.parse()
    left = sum(1 for _ in parser.stream)
    return starts[-left] if 0 < left <= len(starts) else len(code)


def _misspelt(code: str, place: int) -> TemplateMistake | None:
    """The explanation if there is syntax of another language at the position, or right before it."""
    before = _WORD_BEFORE.search(code[:place])
    for written, instead in _INSTEAD:
        for start in (*range(max(0, place - len(written) + 1), place + 1), *([before.start()] if before else ())):
            if code.startswith(written, start) and not _is_within_word(code, start, written):
                return TemplateMistake(
                    start=start, width=len(written), message=f'"{written}" is not valid here', help=instead
                )
    return None


def _misplaced(code: str, place: int, said: str) -> TemplateMistake:
    if tag := _OPEN_TAG.search(said):
        unknown = _UNKNOWN_TAG.search(said)
        start = code.rfind(tag[1], 0, place if unknown else len(code))
        return TemplateMistake(
            start=start,
            width=len(tag[1]),
            message=f"the {tag[1]} is not closed",
            help=f"write {{% end{tag[1]} %}} after it",
        )
    if tag := _UNKNOWN_TAG.search(said):
        return TemplateMistake(
            start=place,
            width=len(tag[1]),
            message=f"there is no statement {tag[1]}",
            help="use if, for or set",
        )
    if place >= len(code):
        return _unclosed(code)
    if missing := _MISSING.search(said):
        return TemplateMistake(start=place, width=1, message=f"{missing[1]} is missing before this")
    return _unexpected(code, place)


def _is_within_word(code: str, start: int, written: str) -> bool:
    around = code[max(0, start - 1) : start] + code[start + len(written) :][:1]
    return written.isalpha() and written.isascii() and bool(re.search(r"\w", around))


def _unclosed(code: str) -> TemplateMistake:
    start = max(code.rfind(opening) for opening in ("{{", "{%", "{#"))
    return TemplateMistake(start=start, width=2, message="this is not closed", help="write }}, %} or #} after it")


def _unexpected(code: str, place: int) -> TemplateMistake:
    if code[place] in "'\"":
        return TemplateMistake(
            start=place, width=1, message="this quote is not closed", help="write the same quote after the text"
        )
    if code.startswith(("}}", "%}"), place):
        return TemplateMistake(
            start=place,
            width=2,
            message="the expression ends too early here",
            help="a value is missing before it",
        )
    word = _WORD.match(code, place)
    text = word[0] if word else code[place]
    is_word = text[0].isalnum()
    instead = "an operator or quotes are missing" if is_word else "write }}" if text == "}" else ""
    return TemplateMistake(start=place, width=len(text), message=f'"{text}" is not expected here', help=instead)


def in_text(text: str, code: str, place: int) -> int:
    """The position in the original text, without the added backslashes."""
    return sum(1 for _ in _kept(text, code[:place]))


def _kept(text: str, code: str) -> Iterator[str]:
    position = 0
    for character in code:
        if text.startswith(character, position):
            position += 1
            yield character
