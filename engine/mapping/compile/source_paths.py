"""Compiles a source (`traits.phones[0] | trim`) into a function that reads its value from an event.

A simple JSONPath, of names and indexes only, becomes direct access, with names below the first one matched
loosely; wildcards, slices and filters are evaluated by jsonpath-ng and match exactly.
"""

import re
from collections.abc import Callable
from typing import TypeVar

from sfmap.engine.language.model import CONVENTIONS, Conventions, SourcePath
from sfmap.engine.mapping.compile.literals import arguments
from sfmap.engine.mapping.filters.filter import Unread
from sfmap.engine.mapping.filters.registry import FILTERS
from sfmap.engine.mapping.run.compiled_source import CompiledSource, Getter, Path, Pipe, Segment, Walk
from sfmap.engine.mapping.values.blanks import without_blanks
from sfmap.engine.mapping.values.event import MISSING, loose_get
from sfmap.engine.mapping.values.record import Event, Json
from sfmap.engine.mapping.values.values import UnreadableValue, holds_value, scalar
from sfmap.engine.yaml_files import kinds
from sfmap.engine.yaml_files.diagnostics import did_you_mean
from sfmap.engine.yaml_files.reader import DiagnosticReport

_START = re.compile(r"(?:\$\.)?([^\W\d][\w-]*)")
_SEGMENT = re.compile(r"""\.([^\W\d][\w-]*)|\[(-?\d{1,9})\]|\['([^']*)'\]|\["([^"]*)"\]""")
_FILTER_CALL = re.compile(r"\s*(\w*)\s*(?:\((.*)\))?\s*", re.DOTALL)


def compile_source(
    source: SourcePath,
    report: DiagnosticReport,
    *,
    exact: bool = False,
    several: bool = False,
    conventions: Conventions = CONVENTIONS,
    blanks: frozenset[str] = frozenset(),
) -> CompiledSource | None:
    """The source as a function of the event view; None and diagnostics if it is invalid.

    `exact` turns off the loose matching of names. A path with wildcards or filters gives the first match that a
    field can hold, or all of them as a list with `several` or a pipe. Each of the `blanks` counts as blank text,
    before and after the filters.
    """
    (_, path), *pieces = _split_pipes(source.text)
    pipes = [_compile_pipe(source, start, text, report, conventions) for start, text in pieces]
    simple = segments = simple_segments(path.strip())
    if segments is not None:
        walk = _walker(segments, _exact_get) if exact else path_walker(segments)
        get, find = _null_if_missing(walk), _list_of(walk)
    else:
        # jsonpath-ng takes longer to import than a mapping with simple paths takes to compile.
        from sfmap.engine.mapping.compile.json_paths import evaluator, leading_names, parse_path

        expression = parse_path(source, path, report)
        if expression is None:
            return None
        segments = tuple(leading_names(expression))
        find = evaluator(expression)
        get = _chosen(_with_blanks(find, blanks), several or bool(pipes))
    known = [pipe for pipe in pipes if pipe]
    if len(known) < len(pipes):
        return None
    get = _with_blanks(get, blanks)
    get = _with_blanks(_piped(get, known), blanks) if known else get
    loose = None if exact else simple
    return CompiledSource(
        text=source.text,
        span=source.node.span,
        get=get,
        reads=(segments,),
        found=_with_blanks(find, blanks),
        segments=loose,
        pipes=tuple(known),
        blanks=blanks,
    )


_Found = TypeVar("_Found", Json, list[Json])


def _with_blanks(find: Callable[[Event], _Found], blanks: frozenset[str]) -> Callable[[Event], _Found]:
    if not blanks:
        return find
    return lambda event: without_blanks(find(event), blanks)  # type: ignore[return-value]  # a list stays one


def simple_segments(path: str) -> Path | None:
    """`traits.phones[0]` as ("traits", "phones", 0); None if the path has more than names and indexes."""
    start = _START.match(path)
    if not start:
        return None
    segments: list[Segment] = [start[1]]
    position = start.end()
    while position < len(path):
        step = _SEGMENT.match(path, position)
        if not step:
            return None
        name, index, single, double = step.groups()
        segments.append(int(index) if index else next(n for n in (name, single, double) if n is not None))
        position = step.end()
    return tuple(segments)


def path_walker(path: Path) -> Walk:
    """The value at the path in an event, with names below the first matched loosely."""
    return _walker(path, loose_get)


def _exact_get(table: dict[str, Json], key: str) -> Json | object:
    return table.get(key, MISSING)


def _walker(segments: Path, get_key: Callable[[dict[str, Json], str], Json | object]) -> Walk:
    first, *rest = segments
    assert isinstance(first, str)  # a path starts with a name
    if len(rest) == 1 and isinstance(rest[0], str):
        return _walker_of_two(first, rest[0], get_key)

    def walk(event: Event) -> Json | object:
        value: Json | object = event.get(first, MISSING)
        for segment in rest:
            if isinstance(segment, str):
                value = get_key(value, segment) if isinstance(value, dict) else MISSING
            elif isinstance(value, list) and -len(value) <= segment < len(value):
                value = value[segment]
            else:
                return MISSING
        return value

    return walk


def _walker_of_two(first: str, second: str, get_key: Callable[[dict[str, Json], str], Json | object]) -> Walk:
    """The walker for paths of two names, which nearly all are, such as `traits.email`."""

    def walk(event: Event) -> Json | object:
        table = event.get(first)
        return get_key(table, second) if isinstance(table, dict) else MISSING

    return walk


def _null_if_missing(walk: Walk) -> Getter:
    def get(event: Event) -> Json:
        value = walk(event)
        return None if value is MISSING else value  # type: ignore[return-value]  # all else is JSON

    return get


def _list_of(walk: Walk) -> Callable[[Event], list[Json]]:
    def find(event: Event) -> list[Json]:
        value = walk(event)
        return [] if value is MISSING else [value]  # type: ignore[list-item]  # all else is JSON

    return find


def _chosen(find: Callable[[Event], list[Json]], several: bool) -> Getter:
    if several:
        return find

    def first(event: Event) -> Json:
        matches = find(event)
        single = next((match for match in matches if scalar(match) is not None), None)
        return single if single is not None else next(filter(holds_value, matches), None)

    return first


def _piped(get: Getter, pipes: list[Pipe]) -> Getter:
    def piped(event: Event) -> Json:
        value = get(event)
        gave_up = ""
        for pipe in pipes:
            given, why = value, ""
            try:
                value = pipe.run(value)
            except Unread as unread:
                value, why = None, f": it {unread}"
            if value is None and not isinstance(given, pipe.known.chooses) and holds_value(given):
                gave_up = gave_up or f"{pipe.known.name}{why}"
        if gave_up:
            raise UnreadableValue(f"cannot be read by {gave_up}", value)
        return value

    return piped


def _split_pipes(text: str) -> list[tuple[int, str]]:
    """The text split at its pipes, each piece with its start; a `|` in quotes or brackets is not a pipe."""
    pieces = []
    begin = depth = 0
    quote = ""
    for position, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in "([":
            depth += 1
        elif character in ")]":
            depth -= 1
        elif character == "|" and not depth:
            pieces.append((begin, text[begin:position]))
            begin = position + 1
    return [*pieces, (begin, text[begin:])]


def _compile_pipe(
    source: SourcePath, start: int, text: str, report: DiagnosticReport, conventions: Conventions
) -> Pipe | None:
    call = _FILTER_CALL.fullmatch(text)
    name = call[1] if call else text.strip()
    span = source.span(start + len(text) - len(text.lstrip()), len(name) or 1)
    known = FILTERS.get(name)
    if call is None and "(" in text:
        report.error(
            kinds.WRONG_PATH,
            span,
            "a bracket is not closed here",
            "a comma ends a source within [ ]: put the source in quotes",
        )
        return None
    if call is None or known is None:
        message = f'there is no filter "{name}"' if name else "a filter is missing here"
        report.error(
            kinds.UNKNOWN_FILTER, span, message, did_you_mean(name, FILTERS) or "such as trim, first or phone"
        )
        return None
    constants = arguments(call[2] or "")
    if constants is None:
        report.error(
            kinds.WRONG_ARGUMENTS,
            span,
            f"the arguments of {name} must be texts or numbers",
            f"such as {name}('...', 2)",
        )
        return None
    if complaint := known.complaint(constants):
        report.error(kinds.WRONG_ARGUMENTS, span, complaint)
        return None
    return Pipe(known, known.reader(constants, conventions))
