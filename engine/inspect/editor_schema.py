"""The schema of mapping files with an org's objects and the events' source paths, for completion in editors.

Its forms are those that yaml-language-server completes from: a name under `properties` without `anyOf` of its
own is inserted with its colon, and an `enum` with `{}` beside it is offered without being enforced.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sfmap.engine.inspect.describe_cache import field_facts
from sfmap.engine.language.json_schema import json_schema
from sfmap.engine.language.key import Schema, ref
from sfmap.engine.org.fields import is_key, is_writable, why_not_looked_up
from sfmap.engine.org.port import FieldDescription, ObjectDescription


@dataclass(frozen=True, slots=True)
class Completion:
    """A text to offer, and what to say beside it."""

    text: str
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EditorKnowledge:
    """What an editor can offer beyond the language."""

    objects: Mapping[str, ObjectDescription]
    object_names: Sequence[str] = ()
    """All that the org has; those of `objects` where they are not known."""
    sources: Sequence[Completion] = ()
    extended: Mapping[str, str]
    """The objects of the mappings that others can extend, by the names of the mappings."""


def editor_schema(knowledge: EditorKnowledge) -> dict[str, object]:
    """The schema of mapping files for an org's objects and the source paths of events."""
    schema = {key: value for key, value in json_schema().items() if key != "title"}
    definitions = dict(_table(schema["definitions"]))
    properties = dict(_table(schema["properties"]))
    names = sorted({*knowledge.object_names, *knowledge.objects})
    labels = {name: one.label for name, one in knowledge.objects.items()}
    definitions["object_name"] = _offered(
        [Completion(name, labels.get(name, "")) for name in names], _table(definitions["object_name"])
    )
    definitions["source"] = _offered(knowledge.sources, _table(definitions["source"]))
    for name in ("reference", "unless_found", "match_reference"):
        definitions[name] = _pointing(_table(definitions[name]), knowledge.objects)
    for name, described in knowledge.objects.items():
        definitions[f"fields of {name}"] = _fields(described)
        definitions[f"match of {name}"] = _match(name)
        definitions[f"finding {name}"] = _finding(described)
    # Names that do not fit the pattern would hide those of the object.
    properties["fields"] = {
        key: value for key, value in _table(properties["fields"]).items() if key != "propertyNames"
    }
    mappings = [*_by_object(knowledge.objects), *_by_extended(knowledge)]
    return {**schema, "properties": properties, "allOf": mappings, "definitions": definitions}


def _by_object(objects: Iterable[str]) -> Iterator[Schema]:
    for name in objects:
        condition = {"required": ["object"], "properties": {"object": {"const": name}}}
        yield {"if": condition, "then": _of_object(name)}


def _by_extended(knowledge: EditorKnowledge) -> Iterator[Schema]:
    """A mapping without an object has that of the mapping that it extends."""
    for mapping, name in knowledge.extended.items():
        if name in knowledge.objects:
            extends = {"required": ["extends"], "properties": {"extends": {"const": mapping}}}
            yield {"if": {**extends, "not": {"required": ["object"]}}, "then": _of_object(name)}


def _of_object(name: str) -> Schema:
    return {"properties": {"fields": ref(f"fields of {name}"), "match": ref(f"match of {name}")}}


def _fields(described: ObjectDescription) -> Schema:
    """The fields; the picklists' values are beside them, since in a field's schema they change its insertion."""
    fields = [field for field in described.fields.values() if is_writable(field)]
    values = {f"^{field.name}$": _picklist(field) for field in fields if field.picklist_values}
    return {
        "allOf": [{"properties": {field.name: _field(field) for field in fields}}, {"patternProperties": values}]
    }


def _field(field: FieldDescription) -> Schema:
    about = _about(field)
    return {"type": ["string", "object", "null"], "description": about, "markdownDescription": about}


def _picklist(field: FieldDescription) -> Schema:
    value = _offered([Completion(entry.value, entry.label) for entry in field.entries if entry.active], {})
    table = {"type": "object", "additionalProperties": value}
    return {"properties": {"value": value, "default": value, "else": value, "values": table}}


def _about(field: FieldDescription) -> str:
    return f"{field.label}: {', '.join(field_facts(field))}"


def _match(object_name: str) -> Schema:
    name = ref(f"finding {object_name}")
    lookups = {"type": "array", "items": {"anyOf": [name, {"type": ["object", "array"]}]}}
    return {"anyOf": [name, lookups, {"type": ["object", "null"]}]}


def _finding(described: ObjectDescription) -> Schema:
    """The fields that records can be found by, those that are made for it first."""
    fields = [field for field in described.fields.values() if not why_not_looked_up(field)]
    fields.sort(key=lambda field: (not is_key(field), field.name))
    return _offered([Completion(field.name, _about(field)) for field in fields], {})


def _pointing(reference: Schema, objects: Iterable[str]) -> Schema:
    """A reference whose `by` offers the fields of its object."""
    return {
        **reference,
        "allOf": [
            {
                "if": {"required": ["object"], "properties": {"object": {"const": name}}},
                "then": {"properties": {"by": ref(f"finding {name}")}},
            }
            for name in objects
        ],
    }


def _offered(completions: Sequence[Completion], otherwise: Schema) -> Schema:
    """A text that is offered from a list, and may be another one."""
    if not completions:
        return otherwise
    known = {"enum": [one.text for one in completions],
             "markdownEnumDescriptions": [one.about for one in completions]}  # fmt: skip
    return {"type": "string", **otherwise, "anyOf": [known, {}]}


def _table(schema: object) -> Schema:
    assert isinstance(schema, dict)
    return schema
