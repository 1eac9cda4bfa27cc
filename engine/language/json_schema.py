"""The mapping language as a JSON Schema, for completion and validation in editors."""

from sfmap.engine.language.key import NAMED, Key
from sfmap.engine.language.keys import TABLES


def json_schema() -> dict[str, object]:
    """The schema of a mapping file, in JSON Schema draft 7, which editors support for YAML."""
    definitions = {name: _table(keys) for name, keys in TABLES.items()}
    mapping = definitions.pop("mapping")
    # A mapping that extends another may omit any key.
    mapping["required"] = ["sfmap"]
    mapping["anyOf"] = [{"required": ["extends"]}, {"required": _required(TABLES["mapping"])}]
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "sfmap mapping",
        "description": "Which events become records of which object, and which field gets which value.",
        **mapping,
        "definitions": {**NAMED, **definitions},
    }


def _table(keys: tuple[Key, ...]) -> dict[str, object]:
    table: dict[str, object] = {
        "type": "object",
        "properties": {key.name: _described(key) for key in keys},
        "additionalProperties": False,
    }
    required = _required(keys)
    return {**table, "required": required} if required else table


def _required(keys: tuple[Key, ...]) -> list[str]:
    return [key.name for key in keys if key.required]


def _described(key: Key) -> dict[str, object]:
    default = f" Default: {key.default}." if key.default else ""
    example = f" Example: {key.name}: {key.example}" if key.example else ""
    return {**key.schema, "description": f"{key.meaning}{default}{example}"}
