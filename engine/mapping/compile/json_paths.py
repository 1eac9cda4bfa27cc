"""JSONPaths with more than names and indexes: wildcards, slices and filters, which jsonpath-ng evaluates."""

import re
from collections.abc import Callable, Iterator
from operator import mul

from jsonpath_ng import Child, Descendants, Fields, JSONPath, Root
from jsonpath_ng.exceptions import JSONPathError
from jsonpath_ng.ext.arithmetic import Operation
from jsonpath_ng.ext.parser import parse as parse_jsonpath

from sfmap.engine.language.model import SourcePath
from sfmap.engine.mapping.filters.filter import check_parts
from sfmap.engine.mapping.run.compiled_source import Segment
from sfmap.engine.mapping.values.record import Event, Json
from sfmap.engine.mapping.values.values import NUMBER_RANGE
from sfmap.engine.yaml_files import kinds
from sfmap.engine.yaml_files.reader import DiagnosticReport

# Operators that jsonpath-ng passes to Python's regular expressions.
_UNSAFE = re.compile(r"=~|`sub\b")
_COLUMN = re.compile(r"col (\d+)|\b1:(\d+)")
_EXAMPLES = "such as traits.company.name or traits.phones[0]"


def parse_path(source: SourcePath, path: str, report: DiagnosticReport) -> JSONPath | None:
    """The expression; None and a diagnostic if the path is invalid."""
    if word := _UNSAFE.search(path):
        message = f"{word[0]} can run forever on some data, and is not allowed in a path"
        report.error(
            kinds.UNSAFE_PATH, source.span(word.start(), len(word[0])), message, "use the filter replace_regex"
        )
        return None
    if "{{" in path:
        message = "this is a template: write it under the key template"
        report.error(kinds.WRONG_PATH, source.span(path.find("{{"), 2), message, 'write {template: "{{ ... }}"}')
        return None
    if not path.strip():
        report.error(kinds.WRONG_PATH, source.span(0, max(1, len(path))), "a source path is missing here")
        return None
    try:
        return parse_jsonpath(path)
    except JSONPathError as error:
        place = _COLUMN.search(str(error))
        column = int(place[1] or place[2]) if place else len(path) - 1
        message = f'"{path.strip()}" is not a source path'
        is_word = not re.search(r"[.\[$]", path)
        help_ = f"for a constant write {{value: {path.strip()}}}" if is_word else _EXAMPLES
        report.error(kinds.WRONG_PATH, source.span(column, 1), message, help_)
        return None


def leading_names(expression: JSONPath) -> Iterator[Segment]:
    """The names that the path begins with."""
    steps = []
    while isinstance(expression, Child):
        steps.append(expression.right)
        expression = expression.left
    steps.append(expression)
    for step in reversed(steps):
        if isinstance(step, Root):
            continue
        if not isinstance(step, Fields) or len(step.fields) != 1 or step.fields[0] == "*":
            return
        yield step.fields[0]


def evaluator(expression: JSONPath) -> Callable[[Event], list[Json]]:
    """A function that returns the matches of the path. It raises `Unfit` for an event that is too large."""
    steps = list(_steps(expression))
    for step in steps:
        if isinstance(step, Operation):
            step.op = _bounded(step.op)
    descents = sum(isinstance(step, Descendants) for step in steps)

    def find(event: Event) -> list[Json]:
        _check_work(event, descents)
        try:
            return [match.value for match in expression.find(event)]
        except Exception:  # noqa: BLE001 - a filter can compare and index anything on somebody's data
            return []

    return find


def _steps(expression: object) -> Iterator[JSONPath]:
    """The expression and all its subexpressions."""
    if isinstance(expression, (list, tuple)):
        for one in expression:
            yield from _steps(one)
    elif isinstance(expression, JSONPath):
        yield expression
        yield from _steps(list(vars(expression).values()))


def _bounded(operator: Callable[[object, object], object]) -> Callable[[object, object], object]:
    """The operator, limited so that it cannot make huge values from small ones."""

    def calculate(left: object, right: object) -> object:
        if operator is mul and not (isinstance(left, (int, float)) and isinstance(right, (int, float))):
            raise TypeError
        result = operator(left, right)
        if isinstance(result, int) and abs(result) >= NUMBER_RANGE:
            raise TypeError
        return result

    return calculate


def _check_work(event: Event, descents: int) -> None:
    """Raises `Unfit` if the path would visit too many values.

    A second `..` starts again at everything that the first one found, which can be every level of nested values.
    """
    parts = depth = 0
    level: list[Json] = [event]
    while level:
        depth += 1
        below: list[Json] = []
        for value in level:
            if isinstance(value, dict):
                below += value.values()
            elif isinstance(value, list):
                below += value
        parts += len(below)
        check_parts(parts * depth ** (descents - 1) if descents > 1 else parts)
        level = below
