"""The keys of the mapping language, with meaning, type and default of each.

The parser, the JSON Schema and the language reference all follow these tables.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sfmap.engine.language.model import (
    DECIMAL_MARKS,
    EVENT_TYPES,
    LIST_SHAPES,
    OBJECT_SHAPES,
    ON_DUPLICATE,
    ON_INVALID,
    ON_LONG,
    ON_MANY,
    ON_MISSING,
    ON_NONE,
    ON_NULL,
    OPERATIONS,
    RENAMES,
    VALUE_TYPES,
    WRITES,
)

LANGUAGE_VERSION = 1

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


def _ref(name: str) -> Schema:
    return {"$ref": f"#/definitions/{name}"}


def _one_or_many(item: Schema) -> Schema:
    return {"anyOf": [item, {"type": "array", "items": item, "minItems": 1}]}


def _word(*words: str) -> Schema:
    return {"enum": list(words)}


def _or_removed(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


_TEXT: Schema = {"type": "string"}
_CONSTANT: Schema = {"type": ["string", "number", "boolean"]}
_CONSTANTS: Schema = {"anyOf": [_CONSTANT, {"type": "array", "items": _or_removed(_CONSTANT)}]}
_BOOLEAN: Schema = {"type": "boolean"}
API_NAME_PATTERN = "[A-Za-z][A-Za-z0-9_]*"
_API_NAME: Schema = {"type": "string", "pattern": f"^{API_NAME_PATTERN}$"}

EVENT = (
    Key("type", "The type of event.", _word(*EVENT_TYPES), "track", "track"),
    Key("name", "The name of a track event; * stands for any text.", _TEXT, "every name", "Order *"),
)

DEFAULT = (
    Key("value", "The constant.", _CONSTANT, example="n/a", required=True),
    Key("write", "When it is written.", _word("always", "create", "update"), "as the rule", "create"),
)

RULE = (
    Key(
        "from",
        "One source or several; the first whose value fits wins. A source is a JSONPath with optional pipes.",
        _one_or_many(_TEXT),
        example="[traits.lastName, traits.name | last_name]",
    ),
    Key(
        "default",
        "A constant to use if nothing above gives a value.",
        {"anyOf": [_CONSTANT, _ref("default")]},
        example="n/a",
    ),
    Key(
        "values",
        "A table of replacements for the value, which is compared without case and outer blanks.",
        {"type": "object", "additionalProperties": _CONSTANT, "minProperties": 1},
        example="{hot: Hot, warm: Warm}",
    ),
    Key(
        "else",
        "The value where `values` has no entry; keep leaves it as it is.",
        _CONSTANT,
        "it does not fit: see on_invalid",
        "Cold",
    ),
    Key("type", "How the value is checked and written.", _word(*VALUE_TYPES), "as sent", "integer"),
    Key(
        "max",
        "The longest text, in characters; longer is cut, and the cut is reported.",
        {"type": "integer", "minimum": 1},
        "the field's length in the org",
        "80",
    ),
    Key("on_long", "What to do with longer text.", _word(*ON_LONG), "truncate", "reject"),
    Key(
        "on_invalid",
        "What to do with a value that does not fit: leave it out and report it, or reject the event.",
        _word(*ON_INVALID),
        "drop",
        "reject",
    ),
    Key("on_null", "What an explicit null in the event does: nothing, or empty the field.", _word(*ON_NULL),
        "ignore", "clear"),
    Key(
        "on_blank",
        "What a blank text in the event, or an entry of `blank_values`, does: nothing, or empty the field.",
        _word(*ON_NULL),
        "ignore",
        "clear",
    ),
    Key("blank_values", "What counts as no value in this rule, in addition to the mapping's `blank_values`.",
        _CONSTANTS, example="[0, none]"),
    Key("required", "Whether an event without a value is rejected.", _BOOLEAN, "false", "true"),
    Key(
        "write",
        "When the field is written: always, on create only, on update only, or only if the org's field is empty.",
        _word(*WRITES),
        "always",
        "empty",
    ),
    Key("when", "A Jinja2 expression; if it is not true, the rule does nothing.", _TEXT,
        example="traits.plan == 'pro'"),
    Key(
        "template",
        "A Jinja2 template over the event; empty output counts as no value.",
        _TEXT,
        example='"{{ traits.title }} at {{ traits.company }}"',
    ),
    Key("value", "A constant.", _CONSTANT, example="Web"),
    Key("add", "Whether the values are added to those of a multi-select picklist in the org.",
        _BOOLEAN, "false", "true"),
    Key("currency", "The field of this mapping that holds the currency of this amount.", _API_NAME,
        "the org's currency", "Currency__c"),
)  # fmt: skip

REFERENCE = (
    Key("object", "The object that this field points to, or several: the first that has such a record wins.",
        _one_or_many(_API_NAME), example="[Plan__c, Offer__c]", required=True),
    Key(
        "by",
        "The field of that object, or of each of them, to look the value up in.",
        _API_NAME,
        example="Code__c",
        required=True,
    ),
    Key("where", "A condition in SOQL that the record must meet.", _TEXT, "any record", "Kind__c = 'Plan'"),
    Key("on_many", "Which record to use if several are found.", _word(*ON_MANY), "newest", "error"),
    *(key for key in RULE if key.name not in ("max", "on_long", "on_null", "on_blank", "add", "currency")),
    Key(
        "on_missing",
        "What to do if no such record exists: leave the field out and report it, or refuse the record.",
        _word(*ON_MISSING),
        "drop",
        "reject",
    ),
)  # fmt: skip

_OF_MATCH = ("from", "template", "value", "values", "else", "type", "max", "when")
MATCH_VALUE = tuple(key for key in RULE if key.name in _OF_MATCH)
_OF_MATCH_REFERENCE = ({*_OF_MATCH} - {"max"}) | {"object", "by", "where", "on_many", "on_missing"}
MATCH_REFERENCE = tuple(key for key in REFERENCE if key.name in _OF_MATCH_REFERENCE)

_OF_UNLESS_FOUND = ("from", "template", "value", "values", "else", "type", "when", "object", "by", "where")
UNLESS_FOUND = tuple(key for key in REFERENCE if key.name in _OF_UNLESS_FOUND)

ADDRESS = (
    Key("from", "Where the parts are; each comes from the first of these that has it.", _one_or_many(_TEXT),
        example="[traits.address, traits]", required=True),
    Key("to", "Which targets to fill; both means all of them.", _one_or_many(_TEXT), example="home"),
    Key(
        "targets",
        "For each target, the prefix for the names of the parts.",
        {"type": "object", "additionalProperties": _TEXT, "minProperties": 1},
        "one address without a prefix",
        "{home: Home, work: Work}",
    ),
    Key(
        "parts",
        "The parts, each with its rule; its sources begin below `from`, or with `$.` at the event.",
        {"type": "object", "additionalProperties": _or_removed({"anyOf": [_TEXT, _ref("rule")]})},
        example="{Town: {from: [town, place], max: 40}}",
        required=True,
    ),
)  # fmt: skip

CUSTOM = (
    Key("from", "Where the traits are; each comes from the first of these that has it.", _one_or_many(_TEXT),
        example="traits", required=True),
    Key("suffix", "The suffix added to a trait's key to form the field's name.", _TEXT, "__c", "__c"),
    Key("except", "Traits that do not become fields.", _one_or_many(_TEXT), example="[id, password]"),
    Key("only", "The only traits that become fields.", _one_or_many(_TEXT), "every trait", "[plan, seats]"),
    Key(
        "objects",
        "What to do with objects: skip reports them, json writes JSON, flatten makes a field of each member.",
        {"anyOf": [_word(*OBJECT_SHAPES), {"type": "object", "properties": {"flatten": _TEXT},
                                           "required": ["flatten"], "additionalProperties": False}]},
        "skip",
        "{flatten: _}",
    ),
    Key(
        "lists",
        "What to do with lists: skip reports them, json writes JSON, join makes one text.",
        {"anyOf": [_word(*LIST_SHAPES), {"type": "object", "properties": {"join": _TEXT},
                                         "required": ["join"], "additionalProperties": False}]},
        "skip",
        "{join: ;}",
    ),
    Key(
        "rename",
        "Turns other keys, such as First Seen, into API names: snake gives first_seen, camel firstSeen.",
        _word(*RENAMES),
        "such traits are reported and left out",
        "snake",
    ),
    Key(
        "on_null",
        "What an explicit null does: nothing, or empty the field.",
        _word(*ON_NULL),
        "ignore",
        "clear",
    ),
    Key("on_blank", "What a blank text does: nothing, or empty the field.", _word(*ON_NULL), "ignore", "clear"),
)  # fmt: skip

EXTERNAL_ID = (
    Key("external_id", "An external id field; the org itself finds the record by it.", _API_NAME,
        example="Segment_Id__c", required=True),
)  # fmt: skip

HEADERS = (
    Key(
        "assignment_rule",
        "Which assignment rule the org runs: its default one, none, or the one with an id.",
        {"type": "string", "pattern": "^(default|off|[A-Za-z0-9]{15}([A-Za-z0-9]{3})?)$"},
        "the org's default",
        "default",
    ),
    Key("allow_duplicates", "Whether a record is saved although a duplicate rule warns about it.", _BOOLEAN,
        "the org's default", "true"),
    Key("all_or_none", "Whether one refused record rolls back its whole batch of up to 200.", _BOOLEAN,
        "false", "true"),
    Key("truncate", "Whether the org cuts values that are too long for its fields.", _BOOLEAN,
        "the org's default", "true"),
    Key("send_emails", "Whether the org sends the e-mails that it sends for changes by a user.", _BOOLEAN,
        "the org's default", "false"),
    Key(
        "package_versions",
        "The versions of managed packages to use, by namespace.",
        {"type": "object", "additionalProperties": {"type": ["string", "number"]}, "minProperties": 1},
        "the org's default",
        "{acme: '1.2'}",
    ),
)  # fmt: skip

_MATCH_FIELD: Schema = {"anyOf": [_API_NAME, {
    "type": "object",
    "propertyNames": {"pattern": f"^{API_NAME_PATTERN}$"},
    "additionalProperties": {"anyOf": [_TEXT, _ref("match_value"), _ref("match_reference")]},
    "minProperties": 1,
}]}  # fmt: skip
_LOOKUP: Schema = {"anyOf": [_MATCH_FIELD, {"type": "array", "items": _MATCH_FIELD, "minItems": 1}]}
_MATCHES: Schema = {"type": "array", "items": _LOOKUP, "minItems": 1}
_EVENT: Schema = {"anyOf": [_word(*EVENT_TYPES), _ref("event")]}

MAPPING = (
    Key("sfmap", "The version of the mapping language.", {"const": LANGUAGE_VERSION}, example="1", required=True),
    Key("extends", "Another mapping to start from: keys here override its keys, and null removes one.", _TEXT,
        example="lead"),
    Key("active", "Whether the mapping is used without being named under `use` in sfmap.yaml.", _BOOLEAN,
        "true", "false"),
    Key("event", "Which events the mapping takes.", _one_or_many(_EVENT), example="identify", required=True),
    Key(
        "opt_in",
        "A source that must be true, or an object; other events are skipped.",
        _or_removed(_TEXT),
        "every event",
        "integrations.Salesforce",
    ),
    Key(
        "when",
        "A Jinja2 expression that must be true; other events are skipped.",
        _or_removed(_TEXT),
        "every event",
        "\"{{ traits.plan != 'internal' }}\"",
    ),
    Key(
        "for_each",
        "A source that gives a list: each item, called `item`, becomes a record; `index` counts from 1.",
        _or_removed(_TEXT),
        "one record for the event",
        "properties.products",
    ),
    Key(
        "blank_values",
        "Texts, numbers and booleans that count as no value, compared without case and outer blanks.",
        _or_removed(_CONSTANTS),
        "as set in sfmap.yaml, or else none",
        "[undefined, null, (not set), N/A]",
    ),
    Key("timezone", "The time zone for turning moments into days, and for reading times without one.",
        _or_removed(_TEXT), "as set in sfmap.yaml, or else as written and UTC", "Europe/Berlin"),
    Key("decimal", "The decimal mark of numbers in texts: a point (1,200.50) or a comma (1.200,50).",
        _word(*DECIMAL_MARKS), "as set in sfmap.yaml, or else point", "comma"),
    Key("object", "The API name of the object the events become.", _API_NAME, example="Plan__c", required=True),
    Key("operation", "What to do with the record.", _word(*OPERATIONS), "upsert", "create"),
    Key(
        "match",
        "The fields to find a record by: lookups, tried in order; a list within the list is AND. A field with a"
        " rule of its own is looked up by that value, which is not written.",
        _or_removed({"anyOf": [_API_NAME, _MATCHES, _ref("external_id")]}),
        example="[Key__c, {Key__c: traits.old_key}, [First__c, Last__c]]",
    ),
    Key("where", "A condition in SOQL that a record found must meet.", _or_removed(_TEXT), "any record",
        "Closed__c = false"),
    Key(
        "unless_found",
        "Records of other objects: if there is one, the event is skipped.",
        _or_removed(_one_or_many(_ref("unless_found"))),
        example="{object: Plan__c, by: Code__c, from: traits.plan}",
    ),
    Key("on_many", "Which record is written if a lookup finds several.", _word(*ON_MANY), "newest", "error"),
    Key("on_none", "What to do with an event whose record an update or a delete does not find.",
        _word(*ON_NONE), "skip", "error"),
    Key(
        "on_duplicate",
        "What to do with a record that the org's duplicate rules refuse: save it anyway if the rule"
        " allows that, or update the record that it duplicates.",
        _word(*ON_DUPLICATE),
        "fail",
        "update",
    ),
    Key("skip_unchanged", "Whether a record that already has these values is not written again.", _BOOLEAN,
        "false", "true"),
    Key(
        "timestamp_guard",
        "Whether an event whose `timestamp` is older than the newest one written for its identity is skipped.",
        _BOOLEAN,
        "false",
        "true",
    ),
    Key(
        "batch_size",
        "The most records in one call, if the org's triggers and flows cannot handle more.",
        {"type": "integer", "minimum": 1, "maximum": 200},
        "as set for the org in sfmap.yaml, or else 200",
        "50",
    ),
    Key("headers", "How the org should carry out the write.", _or_removed(_ref("headers")),
        "as set for the org in sfmap.yaml"),
    Key(
        "fields",
        "The fields, each with its rule; a text is a source, a table with `object` and `by` points to a record.",
        {
            "type": "object",
            "propertyNames": {"pattern": f"^{API_NAME_PATTERN}$"},
            "additionalProperties": _or_removed({"anyOf": [_TEXT, _ref("rule"), _ref("reference")]}),
        },
        example="{Plan__c: traits.plan}",
    ),
    Key("address", "The same address parts, once for each target.", _or_removed(_ref("address"))),
    Key("custom", "Every trait that no rule reads becomes a custom field.", _or_removed(_ref("custom"))),
)  # fmt: skip

TABLES: Mapping[str, tuple[Key, ...]] = {
    "mapping": MAPPING,
    "event": EVENT,
    "external_id": EXTERNAL_ID,
    "match_value": MATCH_VALUE,
    "match_reference": MATCH_REFERENCE,
    "unless_found": UNLESS_FOUND,
    "rule": RULE,
    "reference": REFERENCE,
    "default": DEFAULT,
    "address": ADDRESS,
    "custom": CUSTOM,
    "headers": HEADERS,
}
"""The tables by their names in the schema and the reference."""
