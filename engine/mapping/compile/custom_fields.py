"""Custom fields: every trait that no rule reads becomes a field named by its key and a suffix."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from unicodedata import combining, normalize

from sfmap.engine.language.model import CustomFields, Rename, SourcePath
from sfmap.engine.mapping.compile.source_paths import CompiledSource, Path
from sfmap.engine.mapping.values.event import as_text, normal_key, remembered
from sfmap.engine.mapping.values.record import Event, FieldContents, Json, Note, Value
from sfmap.engine.mapping.values.values import (
    INVISIBLE_TAKEN_OUT,
    Unfit,
    clean_text,
    convert,
    joined,
    json_text,
    scalar,
    shown,
    visible_text,
)
from sfmap.engine.yaml_files.diagnostics import Span

# API names: letters, digits and single underscores, starting with a letter and not ending with an underscore; the
# namespace of a managed package precedes the names of its fields (Object Reference, "Custom Fields").
_NAME = r"[A-Za-z](?:_?[A-Za-z0-9])*"
_API_NAME = re.compile(_NAME)
_SUFFIXED = re.compile(rf"(?:{_NAME}__)?{_NAME}__[A-Za-z]+")
_LONGEST_NAME = 100
"""More than the org allows: 15 characters for a namespace, 40 for the name, plus separator and suffix."""
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+")

_MOST_FIELDS = 10_000
"""In one event; an object can have 800 in Salesforce ("Custom Fields Allowed Per Object")."""
_DEEPEST = 20


@dataclass(frozen=True, slots=True)
class CustomField:
    field: str
    value: Value | None
    """None empties the field."""
    origin: str


@dataclass(frozen=True, slots=True)
class CompiledCustom:
    spec: CustomFields
    span: Span
    source: CompiledSource
    """The object whose members become fields."""
    is_wanted: Callable[[str], bool]
    """Whether the trait is a custom one: no rule reads it, and the mapping does not exclude it."""
    field_of: Callable[[str], str]
    """The field name for a trait key; empty if the key cannot become one."""
    taken: frozenset[str]
    """Fields that rules write, which traits do not overwrite."""
    looked_up: frozenset[str]
    """Fields that records are looked up by."""

    def find(self, event: Event, written: FieldContents) -> Iterator[CustomField | Note]:
        """The fields and their values, and a note for each trait that cannot be one; adds to `written`."""
        try:
            traits = self.source.get(event)
        except Unfit as unfit:
            yield Note("custom", f"left out: {self.source.text} {unfit}")
            return
        wanted = (
            found
            for key, raw in (traits.items() if isinstance(traits, dict) else ())
            if self.is_wanted(key)
            for found in self.of(key, raw, written)
        )
        yield from islice(wanted, _MOST_FIELDS)
        beyond = next(wanted, None)
        if beyond:
            written.pop(beyond.field, None)
            yield Note("custom", f"left out: {self.source.text} after the first {_MOST_FIELDS:,} traits")

    def of(self, key: str, raw: Json, written: FieldContents) -> Iterator[CustomField | Note]:
        """The fields and notes for one trait; `written` are the fields with a value, and is added to."""
        for path, value in self._leaves(key, raw, 0):
            seen = value
            if isinstance(value, str) and self.looked_up and self.field_of(path) in self.looked_up:
                seen = visible_text(value)
            found = self._field(path, seen, written)
            if found:
                yield found
            if seen is not value:
                yield Note(self.field_of(path), INVISIBLE_TAKEN_OUT)

    def origin(self, key: str) -> str:
        return f"{self.source.text}.{clean_text(key)}"

    def _leaves(self, key: str, value: Json, depth: int) -> Iterator[tuple[str, Json]]:
        """The trait, or the members of a flattened object by their joined keys."""
        if isinstance(value, dict) and self.spec.objects == "flatten" and depth < _DEEPEST:
            for inner, member in value.items():
                yield from self._leaves(self._joined(key, inner), member, depth + 1)
        else:
            yield key, value

    def _joined(self, key: str, inner: str) -> str:
        """The name of a member; one already too long for a field does not grow with every level."""
        return key if len(key) > _LONGEST_NAME else f"{key}{self.spec.separator}{inner}"

    def _field(self, key: str, raw: Json, written: FieldContents) -> CustomField | Note | None:
        if raw is None and self.spec.on_null == "ignore":
            return None
        field = self.field_of(key)
        told = shown(key)
        if not field:
            return Note(told, "left out: this trait's name cannot be the name of a field")
        try:
            value = self._value(raw)
        except Unfit as unfit:
            return Note(field, f"left out: the trait {told} {unfit}")
        if value is None and raw is not None and not (isinstance(raw, str) and self.spec.on_blank == "clear"):
            return None
        if field in self.taken or field in written:
            if field not in self.taken and repr(written[field]) == repr(value):
                return None
            return Note(field, f"left out: the trait {told} is not the first to give this field")
        written[field] = value
        return CustomField(field, value, self.origin(key))

    def _value(self, raw: Json) -> Value | None:
        if isinstance(raw, list) and self.spec.lists == "join":
            items = [item for item in raw if item is not None]
            if any(isinstance(item, (dict, list)) for item in items):
                raise Unfit("is a list of more than single values")
            texts = (as_text(item) for item in items if isinstance(item, (str, int, float)))
            raw = joined(texts, self.spec.joint)
        elif isinstance(raw, (dict, list)):
            if (self.spec.objects if isinstance(raw, dict) else self.spec.lists) != "json":
                raise Unfit("is not a single value")
            raw = json_text(raw)
        value = scalar(raw)
        return None if value is None else convert(value, None)


def compile_custom(
    custom: CustomFields,
    reads: Iterable[Path],
    taken: Iterable[str],
    looked_up: frozenset[str],
    source_of: Callable[[SourcePath], CompiledSource | None],
) -> tuple[CompiledCustom, ...]:
    """The custom fields of a mapping, for each source of traits.

    Its rules read `reads` and write `taken`, and it looks up by the fields `looked_up`.
    """
    sources = {base: source for base in custom.bases if (source := source_of(base))}
    all_reads = [*reads, *(path for source in sources.values() for path in source.reads)]
    field_of = _field_of(custom)
    fields = frozenset(taken)
    return tuple(
        CompiledCustom(
            custom, base.node.span, source, _is_wanted(custom, source, all_reads), field_of, fields, looked_up
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
        if len(key) > _LONGEST_NAME:
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
