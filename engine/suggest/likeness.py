"""How alike the name of a trait and of a field are, by their words."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import cast

import yaml

from sfmap.engine.org.fields import is_writable
from sfmap.engine.org.port import FieldDescription, ObjectDescription

_PIECE = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_CUSTOM = re.compile(r"__[a-z]+$")
_FEWEST_ALIKE = 4
"""Fields whose names begin with the same word, from which that word is left out in comparisons."""

Phrase = str
"""Words in lower case, joined by blanks."""


def words(name: str) -> Phrase:
    """The words of a name: `firstName`, `first_name` and `First Name` have the same ones."""
    return " ".join(piece.lower() for piece in _PIECE.findall(name))


def _joined(phrase: Phrase) -> str:
    """The phrase as senders write it that do not mark words: `firstname`."""
    return phrase.replace(" ", "")


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """What words mean, in ordinary English."""

    same: Mapping[Phrase, Phrase]
    """For each phrase, the first one of those that mean the same."""
    containers: Set[str]
    identifiers: Set[Phrase]
    whole_name: Set[Phrase]
    first_name: Set[Phrase]
    last_name: Set[Phrase]


@cache
def vocabulary() -> Vocabulary:
    text = (files("sfmap.engine.suggest") / "same_words.yaml").read_text("utf-8")
    known = cast(dict[str, list[str]], yaml.safe_load(text))
    groups = cast(list[list[str]], known["same"])
    return Vocabulary(
        same={form: group[0] for group in groups for phrase in group for form in (phrase, _joined(phrase))},
        containers=frozenset(known["containers"]),
        identifiers=frozenset(known["identifiers"]),
        whole_name=frozenset(known["whole name"]),
        first_name=frozenset(known["first name"]),
        last_name=frozenset(known["last name"]),
    )


@dataclass(frozen=True, slots=True)
class Naming:
    """One way to name a trait or a field, and how much of its own name that is, up to 1."""

    phrase: Phrase
    weight: float


@dataclass(frozen=True)
class FieldNames:
    """The names of the fields of an object."""

    described: ObjectDescription

    @cached_property
    def _own(self) -> Set[str]:
        """The words of the object itself, such as in the label `Account Name`."""
        return {*words(_CUSTOM.sub("", self.described.name)).split(), *words(self.described.label).split()}

    @cached_property
    def _qualifiers(self) -> Set[str]:
        """The words that the names of several fields that can be written begin with."""
        writable = filter(is_writable, self.described.fields.values())
        firsts = Counter(words(field.name).partition(" ")[0] for field in writable)
        return {first for first, count in firsts.items() if count >= _FEWEST_ALIKE}

    def namings(self, field: FieldDescription) -> list[Naming]:
        name, label = words(_CUSTOM.sub("", field.name)), words(field.label)
        found = [Naming(name, 1.0), Naming(label, 0.97)]
        for phrase in (name, label):
            first, _, rest = phrase.partition(" ")
            if rest and first in self._own:
                found.append(Naming(rest, 0.95))
            elif rest and first in self._qualifiers:
                found.append(Naming(rest, 0.8))
        return found

    def is_identifier(self, field: FieldDescription) -> bool:
        """Whether it is named as the object's own id in another system."""
        return any(
            " ".join(word for word in one.phrase.split() if word not in self._own) in vocabulary().identifiers
            for one in self.namings(field)[:2]
        )


def trait_namings(names: Sequence[str]) -> list[Naming]:
    """The ways to name a trait by the names of its path, without the part of the event that it is in."""
    whole = " ".join(map(words, names))
    found = [Naming(whole, 1.0)]
    *above, last = names
    containers = vocabulary().containers
    if above and all(words(one).rpartition(" ")[2] in containers for one in above):
        found.append(Naming(words(last), 0.97))
    return found


def likeness(trait: Sequence[Naming], field: Sequence[Naming]) -> float:
    """How alike they are, from 0 to 1."""
    same = vocabulary().same
    best = 0.0
    for one in trait:
        for other in field:
            if one.phrase == other.phrase:
                best = max(best, one.weight * other.weight)
            elif _joined(one.phrase) == _joined(other.phrase):
                best = max(best, 0.97 * one.weight * other.weight)
            elif one.phrase in same and same[one.phrase] == same.get(other.phrase):
                best = max(best, 0.9 * one.weight * other.weight)
    return best
