"""Custom fields: every trait that no rule reads becomes a field of its own name with a suffix."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from sfmap.engine.mapping.event import normal_key
from sfmap.engine.mapping.paths import Getter, Path, compile_source
from sfmap.engine.mapping.record import Event, Note, Value
from sfmap.engine.mapping.values import Unfit, clean_text, convert, scalar
from sfmap.engine.spec.model import CustomFields
from sfmap.engine.spec.reader import Report

# API names: letters, digits and single underscores, a letter first, no underscore at the end; a field of a
# managed package has the package's namespace before it (Object Reference, "Custom Fields").
_NAME = r"[A-Za-z](?:_?[A-Za-z0-9])*"
_API_NAME = re.compile(_NAME)
_SUFFIXED = re.compile(rf"(?:{_NAME}__)?{_NAME}__[A-Za-z]+")


@dataclass(frozen=True, slots=True)
class CustomField:
    field: str
    value: Value
    origin: str


@dataclass(frozen=True, slots=True)
class CompiledCustom:
    base: str
    get: Getter
    """The object whose members become fields."""
    field_of: Callable[[str], str | None]
    """The field of a trait key; empty where the key cannot be one, None where a rule reads the trait."""
    taken: frozenset[str]
    """Fields that rules write: a trait does not overwrite them."""

    def find(self, event: Event) -> Iterator[CustomField | Note]:
        """The fields and their values, and a note for each trait that cannot be one."""
        traits = self.get(event)
        if not isinstance(traits, dict):
            return
        seen = set(self.taken)
        for key, raw in traits.items():
            field = self.field_of(key)
            if field is None or raw is None:
                continue
            name = clean_text(key)
            if not field:
                yield Note(name, "left out: this trait's name cannot be the name of a field")
            elif isinstance(raw, (dict, list)):
                yield Note(field, f"left out: the trait {name} is no single value")
            elif field in seen:
                yield Note(field, f"left out: the trait {name} is not the first to give this field")
            else:
                try:
                    value = _fitted(raw)
                except Unfit as unfit:
                    yield Note(field, f"left out: the trait {name} {unfit}")
                    continue
                if value is not None:
                    seen.add(field)
                    yield CustomField(field, value, f"{self.base}.{name}")


def _fitted(raw: Value) -> Value | None:
    value = scalar(raw)
    return None if value is None else convert(value, None)


def compile_custom(
    custom: CustomFields, reads: Iterable[Path], taken: Iterable[str], report: Report
) -> CompiledCustom | None:
    """The custom fields of a mapping whose rules read `reads` and write `taken`."""
    base = compile_source(custom.base, report)
    if base is None:
        return None
    consumed = {normal_key(key) for key in custom.excluded}
    consumed.update(_keys_below(base.reads[0], reads))

    @lru_cache(maxsize=4096)
    def field_of(key: str) -> str | None:
        if normal_key(key) in consumed:
            return None
        if custom.suffix and _SUFFIXED.fullmatch(key) and key.endswith(custom.suffix):
            return key
        return key + custom.suffix if _API_NAME.fullmatch(key) else ""

    return CompiledCustom(base.text, base.get, field_of, frozenset(taken))


def _keys_below(base: Path, reads: Iterable[Path]) -> Iterator[str]:
    """The trait keys that the paths read: `company` for `traits.company.name` where the base is `traits`."""
    depth = len(base)
    for path in reads:
        below = path[depth : depth + 1]
        if below and path[:depth] == base:
            yield normal_key(str(below[0]))
