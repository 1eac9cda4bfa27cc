"""The keys of the rules of a mapping: of fields, references, match values and `unless_found`."""

from sfmap.engine.language.key import (
    API_NAME,
    BOOLEAN,
    CONSTANT,
    CONSTANTS,
    OBJECT_NAME,
    SOURCE,
    TEXT,
    Key,
    one_or_many,
    ref,
    word,
)
from sfmap.engine.language.model import (
    ON_INVALID,
    ON_LONG,
    ON_MANY,
    ON_MISSING,
    ON_NULL,
    VALUE_TYPES,
    WRITES,
)

DEFAULT = (
    Key("value", "The constant.", CONSTANT, example="n/a", required=True),
    Key("write", "When it is written.", word("always", "create", "update"), "as the rule", "create"),
)

RULE = (
    Key(
        "from",
        "One source or several; the first whose value fits wins. A source is a JSONPath with optional pipes.",
        one_or_many(SOURCE),
        example="[traits.lastName, traits.name | last_name]",
    ),
    Key(
        "default",
        "A constant to use if nothing above gives a value.",
        {"anyOf": [CONSTANT, ref("default")]},
        example="n/a",
    ),
    Key(
        "values",
        "A table of replacements for the value, which is compared without case and outer blanks.",
        {"type": "object", "additionalProperties": CONSTANT, "minProperties": 1},
        example="{hot: Hot, warm: Warm}",
    ),
    Key(
        "else",
        "The value where `values` has no entry; keep leaves it as it is.",
        CONSTANT,
        "it does not fit: see on_invalid",
        "Cold",
    ),
    Key("type", "How the value is checked and written.", word(*VALUE_TYPES), "as sent", "integer"),
    Key(
        "max",
        "The longest text, in characters; longer is cut, and the cut is reported.",
        {"type": "integer", "minimum": 1},
        "the field's length in the org",
        "80",
    ),
    Key("on_long", "What to do with longer text.", word(*ON_LONG), "truncate", "reject"),
    Key(
        "on_invalid",
        "What to do with a value that does not fit: leave it out and report it, or reject the event.",
        word(*ON_INVALID),
        "drop",
        "reject",
    ),
    Key("on_null", "What an explicit null in the event does: nothing, or empty the field.", word(*ON_NULL),
        "ignore", "clear"),
    Key(
        "on_blank",
        "What a blank text in the event, or an entry of `blank_values`, does: nothing, or empty the field.",
        word(*ON_NULL),
        "ignore",
        "clear",
    ),
    Key("blank_values", "What counts as no value in this rule, in addition to the mapping's `blank_values`.",
        CONSTANTS, example="[0, none]"),
    Key("required", "Whether an event without a value is rejected.", BOOLEAN, "false", "true"),
    Key(
        "write",
        "When the field is written: always, on create only, on update only, or only if the org's field is empty.",
        word(*WRITES),
        "always",
        "empty",
    ),
    Key("when", "A Jinja2 expression; if it is not true, the rule does nothing.", TEXT,
        example="traits.plan == 'pro'"),
    Key(
        "template",
        "A Jinja2 template over the event; empty output counts as no value.",
        TEXT,
        example='"{{ traits.title }} at {{ traits.company }}"',
    ),
    Key("value", "A constant.", CONSTANT, example="Web"),
    Key("add", "Whether the values are added to those of a multi-select picklist in the org.",
        BOOLEAN, "false", "true"),
    Key("currency", "The field of this mapping that holds the currency of this amount.", API_NAME,
        "the org's currency", "Currency__c"),
)  # fmt: skip

REFERENCE = (
    Key("object", "The object that this field points to, or several: the first that has such a record wins.",
        one_or_many(OBJECT_NAME), example="[Plan__c, Offer__c]", required=True),
    Key(
        "by",
        "The field of that object, or of each of them, to look the value up in.",
        API_NAME,
        example="Code__c",
        required=True,
    ),
    Key("where", "A condition in SOQL that the record must meet.", TEXT, "any record", "Kind__c = 'Plan'"),
    Key("on_many", "Which record to use if several are found.", word(*ON_MANY), "newest", "error"),
    *(key for key in RULE if key.name not in ("max", "on_long", "on_null", "on_blank", "add", "currency")),
    Key(
        "on_missing",
        "What to do if no such record exists: leave the field out and report it, or refuse the record.",
        word(*ON_MISSING),
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
