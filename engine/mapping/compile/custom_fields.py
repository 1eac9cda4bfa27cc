"""Compiles the custom fields of a mapping: which traits become one, and the names of their fields."""

import re
from collections.abc import Callable, Iterable, Iterator
from unicodedata import combining, normalize

from sfmap.engine.language.model import CustomFields, Rename, SourcePath
from sfmap.engine.mapping.run.compiled_source import CompiledSource, Path
from sfmap.engine.mapping.run.custom_plan import LONGEST_NAME, CustomPlan
from sfmap.engine.mapping.values.event import normal_key, remembered

# API names: letters, digits and single underscores, starting with a letter and not ending with an underscore; the
# namespace of a managed package precedes the names of its fields (Object Reference, "Custom Fields").
_NAME = r"[A-Za-z](?:_?[A-Za-z0-9])*"
_API_NAME = re.compile(_NAME)
_SUFFIXED = re.compile(rf"(?:{_NAME}__)?{_NAME}__[A-Za-z]+")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+")


def compile_custom(
    custom: CustomFields,
    reads: Iterable[Path],
    taken: Iterable[str],
    looked_up: frozenset[str],
    source_of: Callable[[SourcePath], CompiledSource | None],
) -> tuple[CustomPlan, ...]:
    """The custom fields of a mapping, for each source of traits.

    Its rules read `reads` and write `taken`, and it looks up by the fields `looked_up`.
    """
    sources = {base: source for base in custom.bases if (source := source_of(base))}
    all_reads = [*reads, *(path for source in sources.values() for path in source.reads)]
    field_of = _field_of(custom)
    fields = frozenset(taken)
    return tuple(
        CustomPlan(
            spec=custom,
            span=base.node.span,
            source=source,
            is_wanted=_is_wanted(custom, source, all_reads),
            field_of=field_of,
            taken=fields,
            looked_up=looked_up,
        )
        for base, source in sources.items()
    )


def _is_wanted(custom: CustomFields, source: CompiledSource, reads: Iterable[Path]) -> Callable[[str], bool]:
    left_out = {normal_key(key) for key in custom.excluded} | set(_keys_below(source.reads[0], reads))
    only = {normal_key(key) for key in custom.only}

    @remembered
    def is_wanted(key: str) -> bool:
        normal = normal_key(key)
        return normal not in left_out and (not only or normal in only)

    return is_wanted


def _field_of(custom: CustomFields) -> Callable[[str], str]:
    @remembered
    def field_of(key: str) -> str:
        if len(key) > LONGEST_NAME:
            return ""
        if custom.suffix and _SUFFIXED.fullmatch(key) and key.endswith(custom.suffix):
            return key
        name = key if _API_NAME.fullmatch(key) or not custom.rename else _renamed(key, custom.rename)
        return name + custom.suffix if _API_NAME.fullmatch(name) else ""

    return field_of


def _renamed(key: str, rename: Rename) -> str:
    """`First Seen (UTC)` as first_seen_utc or firstSeenUtc; x is put before a leading digit, as in Setup.

    Empty if letters would be lost.
    """
    plain = "".join(c for c in normalize("NFKD", key) if not combining(c))
    if any(character.isalnum() and not character.isascii() for character in plain):
        return ""
    words = [word.lower() for word in _WORD.findall(plain)]
    if words and words[0][0].isdigit():
        words = ["x", *words] if rename == "snake" else [f"x{words[0]}", *words[1:]]
    if rename == "snake":
        return "_".join(words)
    return "".join(word if place == 0 else word.capitalize() for place, word in enumerate(words))


def _keys_below(base: Path, reads: Iterable[Path]) -> Iterator[str]:
    """The trait keys that the paths read: `company` for `traits.company.name` if the base is `traits`."""
    base = _as_traits(base)
    depth = len(base)
    for path in map(_as_traits, reads):
        below = path[depth : depth + 1]
        if below and path[:depth] == base:
            yield normal_key(str(below[0]))


def _as_traits(path: Path) -> Path:
    """A path below `context.traits` as one below `traits`, since SDKs put the same traits there."""
    return path[1:] if path[:2] == ("context", "traits") else path
