"""A second reading of the mapping language, slow and plain: from the YAML as it stands to the fields.

Nothing is compiled. It knows what the shipped Lead and Account mappings use of the language, and takes nothing
from the engine.
"""

import math
import re
from collections.abc import Iterator
from typing import Any

import regex

_INVISIBLE = "".join(
    map(
        chr,
        (
            0xAD,
            0x61C,
            0x180E,
            *range(0x200B, 0x2010),
            *range(0x202A, 0x202F),
            *range(0x2060, 0x2065),
            *range(0x2066, 0x2070),
            0xFEFF,
        ),
    )
)


def interpret(mapping: dict[str, Any], event: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """The fields that are written always, and what the record is found by; None where there is no record."""
    event = _with_gaps_filled(event)
    if event.get("type") != mapping["event"]:
        return None
    opt_in = _walk(event, mapping["opt_in"], exact=True)
    if opt_in is not True and not isinstance(opt_in, dict):
        return None
    fields: dict[str, Any] = {}
    given: dict[str, Any] = {}
    for name, rule in field_rules(mapping):
        value = _from_sources(rule, event, name == mapping["match"] or rule["from"] in ("userId", "groupId"))
        if value is not None:
            fields[name] = given[name] = value
        elif rule.get("required"):
            return None
        elif "default" in rule:
            fields[name] = rule["default"]
    _add_custom(mapping, event, fields)
    key = mapping["match"]
    return (fields, {key: given[key]}) if key in given else None


def field_rules(mapping: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each field with its rule, those of the address too."""
    yield from mapping["fields"].items()
    address = mapping["address"]
    prefix = address["targets"][address["to"]] if "to" in address else ""
    for part, rule in address["parts"].items():
        keys = [rule["from"]] if isinstance(rule["from"], str) else rule["from"]
        yield prefix + part, {**rule, "from": [_joined(base, key) for base in address["from"] for key in keys]}


def _joined(base: str, key: str) -> str:
    return key.removeprefix("$.") if key.startswith("$.") else f"{base}.{key}"


def _with_gaps_filled(event: dict[str, Any]) -> dict[str, Any]:
    context = event.get("context")
    event = dict(event)
    if isinstance(context, dict):
        if not event.get("traits") and event.get("type") in ("identify", "track", "page", "screen"):
            event["traits"] = context.get("traits")
        if event.get("integrations") is None:
            event["integrations"] = context.get("integrations")
    for key in ("userId", "groupId"):
        value = event.get(key)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and _is_finite(value):
            event[key] = _text(value)
    return event


def _is_finite(number: float) -> bool:
    return isinstance(number, int) or math.isfinite(number)


def _walk(event: dict[str, Any], path: str, exact: bool = False) -> Any:
    first, *rest = path.split(".")
    value: Any = event.get(first)
    for key in rest:
        if not isinstance(value, dict):
            return None
        value = value.get(key) if key in value or exact else _loosely(value, key)
    return value


def _loosely(table: dict[str, Any], key: str) -> Any:
    return next((value for other, value in table.items() if _normal(other) == _normal(key)), None)


def _normal(key: str) -> str:
    return re.sub(r"[\s_-]+", "", key).casefold()


def _from_sources(rule: dict[str, Any], event: dict[str, Any], is_key: bool) -> Any:
    """The first value that fits; None where there is none."""
    for source in [rule["from"]] if isinstance(rule["from"], str) else rule["from"]:
        path, *pipes = (piece.strip() for piece in source.split("|"))
        blanks = {str(blank) for blank in rule.get("blank_values", ())}
        value = _without(_walk(event, path), blanks)
        for pipe in pipes:
            value = _without(_piped(pipe, value), blanks)
        value = _single(value)
        if isinstance(value, str) and (is_key or rule.get("type") == "email"):
            value = _single(_without_invisible(value, rule.get("type") != "email"))
        fitted = None if value is None else _fitted(rule, value)
        if fitted is not None:
            return fitted
    return None


def _without(value: Any, blanks: set[str]) -> Any:
    """The value with blank text for what counts as no value."""
    if isinstance(value, list):
        return [_without(item, blanks) for item in value]
    text = _text(value)
    return "" if text is not None and text.strip().casefold() in blanks else value


def _without_invisible(text: str, joiners_stay: bool) -> str:
    """The text without format characters; joiners stay where both neighbours are beyond Latin."""
    joiners = "\u200c\u200d"
    seen = "".join(c for c in text if c not in _INVISIBLE or (joiners_stay and c in joiners)).strip(joiners)
    neighbours = zip(" " + seen, seen, seen[1:] + " ", strict=False)
    return "".join(c for before, c, after in neighbours if c not in joiners or min(before, after) > "\u024f")


def _piped(pipe: str, value: Any) -> Any:
    if pipe == "first":
        return (value[0] if value else None) if isinstance(value, list) else value
    if pipe == "unless_object":
        return None if isinstance(value, dict) else value
    if pipe == "if_email":
        return value if isinstance(value, str) and _is_email(value.strip()) else None
    words = value.split() if isinstance(value, str) else []
    return {"first_name": words[0] if words else None, "last_name": " ".join(words[1:]) or None}[pipe]


def _single(value: Any) -> Any:
    """What a field can hold: no blank text, no list, no object, no character that XML has no place for."""
    if isinstance(value, str):
        value = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "", value)
        return value if value.strip() else None
    return value if isinstance(value, (bool, int, float)) else None


def _fitted(rule: dict[str, Any], value: Any) -> Any:
    if not isinstance(value, str) and not _is_finite(value):
        return None
    kind = rule.get("type") or ("string" if "max" in rule else None)
    if kind in ("integer", "number"):
        return _number(kind, value)
    if kind and isinstance(value, bool):
        return None
    text = _text(value)
    assert text is not None
    if kind in ("phone", "url", "picklist", "email"):
        text = text.strip()
    if kind == "email" and not (_is_email(text) and _units(text) <= rule["max"]):
        return None
    return _cut(text, rule["max"]) if "max" in rule else text


def _number(kind: str, value: Any) -> Any:
    if isinstance(value, str):
        plain = _without_money(value.strip())
        if not re.fullmatch(r"[-+]?(\d{1,18}(\.\d{0,18})?|\.\d{1,18})", plain):
            return None
        value = float(plain) if "." in plain else int(plain)
    elif isinstance(value, bool) or abs(value) >= 10**18:
        return None
    if kind == "integer":
        return int(value) if value == int(value) and -(2**31) <= value < 2**31 else None
    return value


def _without_money(text: str) -> str:
    """Plain digits of `$1,200.50`: no currency sign, and no commas between thousands."""
    bare = re.sub(r"^([-+]?)\s?[$€£]\s?|\s?[$€£]$", r"\1", text)
    return bare.replace(",", "") if re.fullmatch(r"[-+]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?", bare) else bare


def _cut(text: str, longest: int) -> str | None:
    """Whole characters, as many as fit."""
    kept = ""
    for character in regex.findall(r"\X", text):
        if _units(kept + character) > longest:
            break
        kept += character
    return kept if kept.strip() else None


def _units(text: str) -> int:
    return sum(2 if ord(character) > 0xFFFF else 1 for character in text)


def _is_email(text: str) -> bool:
    part = r"[^\s@<>()\[\],;:\\\"]+"
    return re.fullmatch(rf"{part}@{part}\.[^\s@<>()\[\],;:\\\".]+", text) is not None


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and abs(value) < 1e16 and value == math.floor(value):
        return str(int(value))
    return str(value) if isinstance(value, (str, int, float)) else None


def _add_custom(mapping: dict[str, Any], event: dict[str, Any], fields: dict[str, Any]) -> None:
    custom = mapping["custom"]
    traits = event.get(custom["from"])
    if not isinstance(traits, dict):
        return
    read = {_normal(key) for key in custom["except"]}
    for _, rule in field_rules(mapping):
        for source in [rule["from"]] if isinstance(rule["from"], str) else rule["from"]:
            path = source.partition("|")[0].strip().split(".")
            read |= {_normal(path[1])} if path[0] == custom["from"] else set()
    for key, value in traits.items():
        suffix = custom["suffix"]
        has_suffix = re.fullmatch(r"[A-Za-z]\w*", key, re.ASCII) and key.endswith(suffix)
        name = key if has_suffix else key + suffix
        held = _single(value)
        is_held = held is not None and (isinstance(held, str) or _is_finite(held))
        if _normal(key) not in read and is_held and _is_api_name(name) and name not in fields:
            fields[name] = held


def _is_api_name(name: str) -> bool:
    """Letters, digits and single underscores, then a suffix (Object Reference, "API Field Names")."""
    return re.fullmatch(r"[A-Za-z](_?[A-Za-z0-9])*(__[A-Za-z]+)*", name) is not None
