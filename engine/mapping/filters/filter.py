"""Defines filters: a function, its parameters, and the examples that document and test it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sfmap.engine.language.model import CONVENTIONS, Conventions
from sfmap.engine.mapping.values.event import as_text
from sfmap.engine.mapping.values.parsing import OutOfRange
from sfmap.engine.mapping.values.record import Json
from sfmap.engine.mapping.values.values import Unfit

LONGEST_RESULT: Final = 200_000
"""The most characters of a text that a filter makes; the longest text field of an org has 131,072."""
MOST_PARTS: Final = 100_000
"""The most parts of a list or object, counted on all levels."""

TEXT: Final = (str,)
TEXT_OR_NUMBER: Final = (str, int, float)
SINGLE: Final = (*TEXT_OR_NUMBER, bool)
ANYTHING: Final = (*SINGLE, list, dict)
NOTHING: Final = type(None)

_KINDS: dict[type, str] = {str: "a text", int: "a whole number"}


class Unread(Unfit):
    """A value that a filter cannot read, and why."""

    def __init__(self, message: str, instead: Json = None) -> None:
        super().__init__(message)
        self.instead = instead
        """What templates get, which cannot note it."""


@dataclass(frozen=True, slots=True)
class Example:
    """`value | name(arguments)` gives `result`."""

    value: Json
    result: Json
    arguments: tuple[Json, ...] = ()


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter: its name, whether it is optional, and the type of its argument (any constant if None)."""

    name: str
    kind: type[str] | type[int] | None = str
    optional: bool = False
    check: Callable[[Json], str] = lambda _: ""
    """Returns what is wrong with a value of the right type; empty if nothing."""
    convention: Callable[[Conventions], Json] | None = None
    """The convention of the mapping that is used if the argument is omitted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """A `function` of the value and the arguments.

    It never changes the value. For a value that it cannot read it returns None, which counts as no value; a pipe
    notes that, with the reason if it raises `Unread`. At a limit of its work it raises another `Unfit`.
    """

    name: str
    function: Callable[..., Json]
    summary: str
    examples: tuple[Example, ...]
    parameters: tuple[Parameter, ...] = ()
    takes: tuple[type, ...] = TEXT
    """The types of values that it takes, exactly: a boolean is not a number here."""
    chooses: tuple[type, ...] = ()
    """The types of values for which None is a valid result: `if_email` selects texts, while `date` reads them."""
    keeps: tuple[type, ...] = ()
    """The types of values that it returns unchanged: `first` does nothing to a text."""
    missing: Callable[[], str] = lambda: ""
    """Returns what the filter needs and this installation lacks; empty if nothing."""

    def called(
        self, arguments: Sequence[Json] = (), conventions: Conventions = CONVENTIONS
    ) -> Callable[[Json], Json]:
        """The filter with its arguments, as a function of the value."""
        read = self.reader(arguments, conventions)

        def run(value: Json) -> Json:
            try:
                return read(value)
            except Unread as unread:
                return unread.instead

        return run

    def reader(self, arguments: Sequence[Json], conventions: Conventions) -> Callable[[Json], Json]:
        """The same, raising `Unread` if it knows why it cannot read the value."""
        complete = self._complete(arguments, conventions)
        function, takes = self.function, self.takes

        def run(value: Json) -> Json:
            if value.__class__ not in takes:
                value = _of_known_type(value)
                if value.__class__ not in takes:
                    return None
            return function(value, *complete)

        return run

    def _complete(self, arguments: Sequence[Json], conventions: Conventions) -> Sequence[Json]:
        """The arguments, with omitted ones taken from the mapping's conventions."""
        if not any(parameter.convention for parameter in self.parameters):
            return arguments
        given = (*arguments, *(None for _ in self.parameters[len(arguments) :]))
        return [
            parameter.convention(conventions) if parameter.convention and value is None else value
            for parameter, value in zip(self.parameters, given, strict=True)
        ]

    def complaint(self, arguments: list[Json]) -> str:
        """What is wrong with the arguments, or missing; empty if nothing."""
        if lacking := self.missing():
            return f"{self.name} {lacking}"
        fewest = sum(not parameter.optional for parameter in self.parameters)
        if not fewest <= len(arguments) <= len(self.parameters):
            most = len(self.parameters)
            takes = "no arguments" if not most else f"{fewest} to {most}" if fewest < most else f"{most}"
            wanted = ", ".join(parameter.name for parameter in self.parameters)
            return f"{self.name} takes {takes}{f' ({wanted})' if wanted else ''}, not {len(arguments)}"
        for parameter, value in zip(self.parameters, arguments, strict=False):
            if (
                parameter.kind
                and (type(value) is not parameter.kind)
                and not (parameter.optional and value is None)
            ):
                return f"the {parameter.name} of {self.name} must be {_KINDS[parameter.kind]}"
            if complaint := parameter.check(value):
                return f"the {parameter.name} of {self.name} {complaint}"
        return ""


def reading(read: Callable[..., Json]) -> Callable[..., Json]:
    """Wraps a parser as a filter: None for what it cannot read, `Unread` for values out of the range of fields."""

    def run(value: Json, *arguments: Json) -> Json:
        try:
            return read(value, *arguments)
        except OutOfRange as beyond:
            raise Unread(str(beyond)) from None
        except Unfit:
            return None

    return run


def check_length(length: int) -> None:
    """Raises `Unfit` for a text that is longer than any field."""
    if length > LONGEST_RESULT:
        raise Unfit(f"becomes longer than {LONGEST_RESULT:,} characters")


def check_parts(number: int) -> None:
    """Raises `Unfit` for more parts than an event reasonably has."""
    if number > MOST_PARTS:
        raise Unfit(f"has more than {MOST_PARTS:,} parts")


def _of_known_type(value: object) -> Json:
    """A generator of Jinja2's filters as a list, and an object as a Python dict; None for Undefined."""
    if isinstance(value, Iterator):
        return list(value)
    return dict(value) if isinstance(value, dict) else value if isinstance(value, SINGLE) else None


def plain_text(value: Json) -> str | None:
    """The text of a single value; None for anything else."""
    return as_text(value) if isinstance(value, SINGLE) else None


def on_text(change: Callable[..., Json]) -> Callable[..., Json]:
    """Wraps a function on texts as a filter of texts and numbers."""
    return lambda value, *arguments: change(as_text(value), *arguments)
