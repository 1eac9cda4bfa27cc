"""A key of a table of the mapping language, and the fragments of JSON Schema that describe values."""

from collections.abc import Mapping
from dataclasses import dataclass

Schema = Mapping[str, object]
"""A fragment of JSON Schema."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a table."""

    name: str
    meaning: str
    schema: Schema
    default: str = ""
    """A description of the default; empty if there is none."""
    example: str = ""
    """An example value, as YAML."""
    required: bool = False


def names(keys: tuple[Key, ...]) -> tuple[str, ...]:
    return tuple(key.name for key in keys)


def ref(name: str) -> Schema:
    return {"$ref": f"#/definitions/{name}"}


def one_or_many(item: Schema) -> Schema:
    return {"anyOf": [item, {"type": "array", "items": item, "minItems": 1}]}


def word(*words: str) -> Schema:
    return {"enum": list(words)}


def or_removed(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


TEXT: Schema = {"type": "string"}
CONSTANT: Schema = {"type": ["string", "number", "boolean"]}
CONSTANTS: Schema = {"anyOf": [CONSTANT, {"type": "array", "items": or_removed(CONSTANT)}]}
BOOLEAN: Schema = {"type": "boolean"}
API_NAME_PATTERN = "[A-Za-z][A-Za-z0-9_]*"
API_NAME: Schema = {"type": "string", "pattern": f"^{API_NAME_PATTERN}$"}
SOURCE: Schema = ref("source")
OBJECT_NAME: Schema = ref("object_name")
NAMED: Mapping[str, Schema] = {"source": TEXT, "object_name": API_NAME}
"""Kinds of text for which editors know more than the language does: the events' paths, the org's objects."""
