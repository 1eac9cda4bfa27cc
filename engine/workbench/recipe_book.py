"""The recipes of the workbench: whole answers to common wishes, with gaps to fill in."""

import re
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

import yaml

_GAP = re.compile(r"\$\{([^{}]*)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    title: str
    words: str
    """Other words by which it is found."""
    summary: str
    place: Literal["fields", "mapping", "file"]
    """Where the text belongs: among the rules, among the keys of a mapping, or in a file of its own."""
    text: str

    @property
    def plain_text(self) -> str:
        """The text with the first suggestion in each gap."""
        return _GAP.sub(r"\1", self.text)


@cache
def recipes() -> tuple[Recipe, ...]:
    text = (files("sfmap.engine.workbench") / "recipes.yaml").read_text("utf-8")
    return tuple(Recipe(**entry) for entry in yaml.safe_load(text))


def shown_recipes() -> list[dict[str, object]]:
    return [asdict(recipe) for recipe in recipes()]
