"""What a filter is: a small total function, the arguments it takes, and the examples that document and test it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from sfmap.engine.mapping.event import as_text
from sfmap.engine.mapping.record import Json
from sfmap.engine.mapping.values import Unfit

LONGEST_RESULT: Final = 200_000
"""In characters, of a text that is put together; the longest text field of an org holds 131,072."""
MOST_PARTS: Final = 100_000
"""Of a list or object, counted with all that is in it."""

SINGLE: Final = (str, int, float)

_KINDS: dict[type, str] = {str: "a text", int: "a whole number"}


@dataclass(frozen=True, slots=True)
class Example:
    """`value | name(arguments)` gives `result`."""

    value: Json
    result: Json
    arguments: tuple[Json, ...] = ()


@dataclass(frozen=True, slots=True)
class Parameter:
    """An argument: its name, whether it may be left out, and what it must be (any constant where None)."""

    name: str
    kind: type[str] | type[int] | None = str
    optional: bool = False
    check: Callable[[Json], str] = lambda _: ""
    """What is wrong with a value of the right kind; empty where nothing is."""


@dataclass(frozen=True, slots=True)
class Filter:
    """A `function` of the value and the arguments.

    It never changes the value, and gives None, which is no value, for one that it cannot read: a pipe notes that.
    Where a bound on its work cuts it short, it raises `Unfit`.
    """

    name: str
    function: Callable[..., Json]
    summary: str
    examples: tuple[Example, ...]
    parameters: tuple[Parameter, ...] = ()
    chooses: tuple[type, ...] = ()
    """The types of values for which None is an answer: `if_email` chooses among texts, where `date` reads them."""

    def complaint(self, arguments: list[Json]) -> str:
        """What is wrong with the arguments; empty where nothing is."""
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


def check_length(length: int) -> None:
    """Raises `Unfit` for a text that is longer than any field."""
    if length > LONGEST_RESULT:
        raise Unfit(f"becomes longer than {LONGEST_RESULT:,} characters")


def check_parts(number: int) -> None:
    """Raises `Unfit` for more than an event has with good reason."""
    if number > MOST_PARTS:
        raise Unfit(f"has more than {MOST_PARTS:,} parts")


def plain_text(value: Json) -> str | None:
    """The text of a single value; None for anything else, Jinja2's Undefined too."""
    return as_text(value) if isinstance(value, SINGLE) else None


def on_text(change: Callable[..., Json]) -> Callable[..., Json]:
    """The change of a text as a filter: what is no single value gives None."""

    def changed(value: Json, *arguments: Json) -> Json:
        text = plain_text(value)
        return None if text is None else change(text, *arguments)

    return changed


def as_list(value: Json | Iterator[Json]) -> list[Json] | None:
    """A list, or what one of Jinja2's own filters yields; None for anything else."""
    if isinstance(value, (str, dict)):  # nearly every value, and whether it is an Iterator takes long to tell
        return None
    if isinstance(value, Iterator):
        return list(value)
    return value if isinstance(value, list) else None
