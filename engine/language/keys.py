"""The tables of the mapping language by name, and the keys of a mapping outside its rules.

The parser, the JSON Schema and the language reference all follow these tables.
"""

from collections.abc import Mapping

from sfmap.engine.language.key import (
    API_NAME,
    API_NAME_PATTERN,
    BOOLEAN,
    CONSTANTS,
    OBJECT_NAME,
    SOURCE,
    TEXT,
    Key,
    Schema,
    one_or_many,
    or_removed,
    ref,
    word,
)
from sfmap.engine.language.model import (
    BULK_MODES,
    DECIMAL_MARKS,
    EVENT_TYPES,
    LIST_SHAPES,
    OBJECT_SHAPES,
    ON_DUPLICATE,
    ON_MANY,
    ON_NONE,
    ON_NULL,
    OPERATIONS,
    RENAMES,
)
from sfmap.engine.language.rule_keys import DEFAULT, MATCH_REFERENCE, MATCH_VALUE, REFERENCE, RULE, UNLESS_FOUND

LANGUAGE_VERSION = 1

# Not one `anyOf`: with a mistake in a rule, editors would ask for a text.
_PART_RULE: Schema = {"type": ["string", "object", "null"], "if": {"type": "object"}, "then": ref("rule")}
_FIELD_RULE: Schema = {
    "anyOf": [SOURCE, {"type": ["object", "null"]}],
    "if": {"type": "object"},
    "then": {"anyOf": [ref("rule"), ref("reference")]},
}

EVENT = (
    Key("type", "The type of event.", word(*EVENT_TYPES), "track", "track"),
    Key("name", "The name of a track event; * stands for any text.", TEXT, "every name", "Order *"),
)

ADDRESS = (
    Key("from", "Where the parts are; each comes from the first of these that has it.", one_or_many(SOURCE),
        example="[traits.address, traits]", required=True),
    Key("to", "Which targets to fill; both means all of them.", one_or_many(TEXT), example="home"),
    Key(
        "targets",
        "For each target, the prefix for the names of the parts.",
        {"type": "object", "additionalProperties": TEXT, "minProperties": 1},
        "one address without a prefix",
        "{home: Home, work: Work}",
    ),
    Key(
        "parts",
        "The parts, each with its rule; its sources begin below `from`, or with `$.` at the event.",
        {"type": "object", "additionalProperties": _PART_RULE},
        example="{Town: {from: [town, place], max: 40}}",
        required=True,
    ),
)  # fmt: skip

CUSTOM = (
    Key("from", "Where the traits are; each comes from the first of these that has it.", one_or_many(SOURCE),
        example="traits", required=True),
    Key("suffix", "The suffix added to a trait's key to form the field's name.", TEXT, "__c", "__c"),
    Key("except", "Traits that do not become fields.", one_or_many(TEXT), example="[id, password]"),
    Key("only", "The only traits that become fields.", one_or_many(TEXT), "every trait", "[plan, seats]"),
    Key(
        "objects",
        "What to do with objects: skip reports them, json writes JSON, flatten makes a field of each member.",
        {"anyOf": [word(*OBJECT_SHAPES), {"type": "object", "properties": {"flatten": TEXT},
                                           "required": ["flatten"], "additionalProperties": False}]},
        "skip",
        "{flatten: _}",
    ),
    Key(
        "lists",
        "What to do with lists: skip reports them, json writes JSON, join makes one text.",
        {"anyOf": [word(*LIST_SHAPES), {"type": "object", "properties": {"join": TEXT},
                                         "required": ["join"], "additionalProperties": False}]},
        "skip",
        "{join: ;}",
    ),
    Key(
        "rename",
        "Turns other keys, such as First Seen, into API names: snake gives first_seen, camel firstSeen.",
        word(*RENAMES),
        "such traits are reported and left out",
        "snake",
    ),
    Key(
        "on_null",
        "What an explicit null does: nothing, or empty the field.",
        word(*ON_NULL),
        "ignore",
        "clear",
    ),
    Key("on_blank", "What a blank text does: nothing, or empty the field.", word(*ON_NULL), "ignore", "clear"),
)  # fmt: skip

EXTERNAL_ID = (
    Key("external_id", "An external id field; the org itself finds the record by it.", API_NAME,
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
    Key("allow_duplicates", "Whether a record is saved although a duplicate rule warns about it.", BOOLEAN,
        "the org's default", "true"),
    Key("all_or_none", "Whether one refused record rolls back its whole batch of up to 200.", BOOLEAN,
        "false", "true"),
    Key("truncate", "Whether the org cuts values that are too long for its fields.", BOOLEAN,
        "the org's default", "true"),
    Key("send_emails", "Whether the org sends the e-mails that it sends for changes by a user.", BOOLEAN,
        "the org's default", "false"),
    Key(
        "package_versions",
        "The versions of managed packages to use, by namespace.",
        {"type": "object", "additionalProperties": {"type": ["string", "number"]}, "minProperties": 1},
        "the org's default",
        "{acme: '1.2'}",
    ),
)  # fmt: skip

_MATCH_FIELD: Schema = {"anyOf": [API_NAME, {
    "type": "object",
    "propertyNames": {"pattern": f"^{API_NAME_PATTERN}$"},
    "additionalProperties": {"anyOf": [SOURCE, ref("match_value"), ref("match_reference")]},
    "minProperties": 1,
}]}  # fmt: skip
_LOOKUP: Schema = {"anyOf": [_MATCH_FIELD, {"type": "array", "items": _MATCH_FIELD, "minItems": 1}]}
_MATCHES: Schema = {"type": "array", "items": _LOOKUP, "minItems": 1}
_EVENT: Schema = {"anyOf": [word(*EVENT_TYPES), ref("event")]}

MAPPING = (
    Key("sfmap", "The version of the mapping language.", {"const": LANGUAGE_VERSION}, example="1", required=True),
    Key("extends", "Another mapping to start from: keys here override its keys, and null removes one.", TEXT,
        example="lead"),
    Key("active", "Whether the mapping is used without being named under `use` in sfmap.yaml.", BOOLEAN,
        "true", "false"),
    Key("event", "Which events the mapping takes.", one_or_many(_EVENT), example="identify", required=True),
    Key(
        "opt_in",
        "A source that must be true, or an object; other events are skipped.",
        or_removed(SOURCE),
        "every event",
        "integrations.Salesforce",
    ),
    Key(
        "when",
        "A Jinja2 expression that must be true; other events are skipped.",
        or_removed(TEXT),
        "every event",
        "\"{{ traits.plan != 'internal' }}\"",
    ),
    Key(
        "for_each",
        "A source that gives a list: each item, called `item`, becomes a record; `index` counts from 1.",
        or_removed(SOURCE),
        "one record for the event",
        "properties.products",
    ),
    Key(
        "blank_values",
        "Texts, numbers and booleans that count as no value, compared without case and outer blanks.",
        or_removed(CONSTANTS),
        "as set in sfmap.yaml, or else none",
        "[undefined, null, (not set), N/A]",
    ),
    Key("timezone", "The time zone for turning moments into days, and for reading times without one.",
        or_removed(TEXT), "as set in sfmap.yaml, or else as written and UTC", "Europe/Berlin"),
    Key("decimal", "The decimal mark of numbers in texts: a point (1,200.50) or a comma (1.200,50).",
        word(*DECIMAL_MARKS), "as set in sfmap.yaml, or else point", "comma"),
    Key("object", "The API name of the object the events become.", OBJECT_NAME, example="Plan__c", required=True),
    Key("operation", "What to do with the record.", word(*OPERATIONS), "upsert", "create"),
    Key(
        "match",
        "The fields to find a record by: lookups, tried in order; a list within the list is AND. A field with a"
        " rule of its own is looked up by that value, which is not written.",
        or_removed({"anyOf": [API_NAME, _MATCHES, ref("external_id")]}),
        example="[Key__c, {Key__c: traits.old_key}, [First__c, Last__c]]",
    ),
    Key("where", "A condition in SOQL that a record found must meet.", or_removed(TEXT), "any record",
        "Closed__c = false"),
    Key(
        "unless_found",
        "Records of other objects: if there is one, the event is skipped.",
        or_removed(one_or_many(ref("unless_found"))),
        example="{object: Plan__c, by: Code__c, from: traits.plan}",
    ),
    Key("on_many", "Which record is written if a lookup finds several.", word(*ON_MANY), "newest", "error"),
    Key("on_none", "What to do with an event whose record an update or a delete does not find.",
        word(*ON_NONE), "skip", "error"),
    Key(
        "on_duplicate",
        "What to do with a record that the org's duplicate rules refuse: save it anyway if the rule"
        " allows that, or update the record that it duplicates.",
        word(*ON_DUPLICATE),
        "fail",
        "update",
    ),
    Key("skip_unchanged", "Whether a record that already has these values is not written again.", BOOLEAN,
        "false", "true"),
    Key(
        "timestamp_guard",
        "Whether an event whose `timestamp` is older than the newest one written for its identity is skipped.",
        BOOLEAN,
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
    Key(
        "bulk",
        "Whether records are written by bulk jobs: where they are many, always, or never.",
        word(*BULK_MODES),
        "as set for the org in sfmap.yaml, or else auto",
        "never",
    ),
    Key("headers", "How the org should carry out the write.", or_removed(ref("headers")),
        "as set for the org in sfmap.yaml"),
    Key(
        "fields",
        "The fields, each with its rule; a text is a source, a table with `object` and `by` points to a record.",
        {
            "type": "object",
            "propertyNames": {"pattern": f"^{API_NAME_PATTERN}$"},
            "additionalProperties": _FIELD_RULE,
        },
        example="{Plan__c: traits.plan}",
    ),
    Key("address", "The same address parts, once for each target.", or_removed(ref("address"))),
    Key("custom", "Every trait that no rule reads becomes a custom field.", or_removed(ref("custom"))),
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
