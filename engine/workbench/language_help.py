"""The mapping language for completion: filters and keys, each with what it means, and recipes."""

from sfmap.engine.language.key import Key, Schema
from sfmap.engine.language.keys import TABLES
from sfmap.engine.mapping.filters.filter import Example, Filter
from sfmap.engine.mapping.filters.registry import FILTERS
from sfmap.engine.sources.reading import json_bytes
from sfmap.engine.workbench.recipe_book import shown_recipes


def language_help() -> dict[str, object]:
    tables = {name: [_key(key) for key in keys] for name, keys in TABLES.items()}
    return {
        "filters": [_filter(known) for known in sorted(FILTERS.values(), key=lambda one: one.name)],
        "rule_keys": tables["rule"],
        "mapping_keys": tables["mapping"],
        "tables": tables,
        "recipes": shown_recipes(),
    }


def _key(key: Key) -> dict[str, object]:
    return {
        "name": key.name,
        "summary": key.meaning,
        "default": key.default,
        "example": key.example,
        "required": key.required,
        "values": _values(key.schema),
    }


def _values(schema: Schema) -> list[str]:
    """The words that a value can be; empty if it can be others."""
    if "enum" in schema:
        return [str(one) for one in _items(schema["enum"])]
    if schema.get("type") == "boolean":
        return ["true", "false"]
    choices = [one for one in _items(schema.get("anyOf")) if isinstance(one, dict)]
    return [value for choice in choices for value in _values(choice)]


def _items(value: object) -> list[object]:
    return list(value) if isinstance(value, (list, tuple)) else []


def _filter(known: Filter) -> dict[str, object]:
    given = ", ".join(f"[{one.name}]" if one.optional else one.name for one in known.parameters)
    return {
        "name": known.name,
        "signature": f"{known.name}({given})" if given else known.name,
        "summary": known.summary,
        "examples": [_example(known.name, one) for one in known.examples],
    }


def _example(name: str, example: Example) -> str:
    given = ", ".join(map(_json, example.arguments))
    return f"{_json(example.value)} | {name}{f'({given})' if given else ''} → {_json(example.result)}"


def _json(value: object) -> str:
    return json_bytes(value).decode()
