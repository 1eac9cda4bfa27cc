"""The kinds of errors and warnings: each has a permanent code, and an entry in docs/diagnostics.md."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """The kind behind `[SF012]` at the end of a message. Codes are never reused."""

    code: str
    name: str
    warns: bool = False
    """Whether it can be a warning, which `silence` in `sfmap.yaml` can turn off."""


# The syntax of any file.
NOT_YAML = Kind("SF001", "not-yaml")
EMPTY_FILE = Kind("SF002", "empty-file")
UNREADABLE_CHARACTER = Kind("SF003", "unreadable-character")
REPEATED_KEY = Kind("SF004", "repeated-key")
YAML_TAG = Kind("SF005", "yaml-tag")
UNKNOWN_KEY = Kind("SF006", "unknown-key")
MISSING_KEY = Kind("SF007", "missing-key")
WRONG_VALUE = Kind("SF008", "wrong-value")
WRONG_NAME = Kind("SF009", "wrong-name")

# Sources, filters, templates and conditions.
WRONG_PATH = Kind("SF010", "wrong-path")
UNSAFE_PATH = Kind("SF011", "unsafe-path")
UNKNOWN_FILTER = Kind("SF012", "unknown-filter")
WRONG_ARGUMENTS = Kind("SF013", "wrong-arguments")
WRONG_TEMPLATE = Kind("SF014", "wrong-template")
UNWANTED_STATEMENT = Kind("SF015", "unwanted-statement")
ITEM_WITHOUT_FOR_EACH = Kind("SF016", "item-without-for-each")
WRONG_CONDITION = Kind("SF017", "wrong-condition")
UNKNOWN_SOURCE = Kind("SF018", "unknown-source", warns=True)

# Rules and mappings.
WRITTEN_TWICE = Kind("SF020", "written-twice")
NO_ORIGIN = Kind("SF021", "no-origin")
CONFLICTING_KEYS = Kind("SF022", "conflicting-keys")
KEY_WITHOUT_EFFECT = Kind("SF023", "key-without-effect", warns=True)
UNFIT_CONSTANT = Kind("SF024", "unfit-constant")
NEVER_WRITTEN = Kind("SF025", "never-written", warns=True)
UNKNOWN_RULE = Kind("SF026", "unknown-rule")
UNKNOWN_MAPPING = Kind("SF027", "unknown-mapping")
ENDLESS_EXTENDS = Kind("SF028", "endless-extends")
WRONG_MATCH = Kind("SF029", "wrong-match")
EVENT_TAKEN_ABOVE = Kind("SF030", "event-taken-above", warns=True)

# Mappings compared with the objects of an org: errors with --org, warnings without.
UNKNOWN_OBJECT = Kind("SF040", "unknown-object", warns=True)
UNKNOWN_FIELD = Kind("SF041", "unknown-field", warns=True)
READ_ONLY_FIELD = Kind("SF042", "read-only-field", warns=True)
WRONG_REFERENCE = Kind("SF043", "wrong-reference", warns=True)
UNFIT_FOR_FIELD = Kind("SF044", "unfit-for-field", warns=True)
SHORTER_FIELD = Kind("SF045", "shorter-field", warns=True)
NO_EXTERNAL_ID = Kind("SF046", "no-external-id", warns=True)
EMPTY_REQUIRED_FIELD = Kind("SF047", "empty-required-field", warns=True)
UNFILTERED_FIELD = Kind("SF048", "unfiltered-field", warns=True)
UNLISTED_VALUE = Kind("SF049", "unlisted-value", warns=True)
MAY_STAY_EMPTY = Kind("SF050", "may-stay-empty", warns=True)
NOT_ALLOWED = Kind("SF051", "not-allowed")
CREATED_TWICE = Kind("SF052", "created-twice", warns=True)

# sfmap.yaml.
SECRET_IN_FILE = Kind("SF060", "secret-in-file")
WRONG_SIGN_IN = Kind("SF061", "wrong-sign-in")
WRONG_SILENCE = Kind("SF062", "wrong-silence")
NEVER_OPTED_IN = Kind("SF063", "never-opted-in", warns=True)
UNREAD_COLUMN = Kind("SF064", "unread-column", warns=True)
NO_EVENTS_IN_SOURCE = Kind("SF065", "no-events-in-source", warns=True)

# Schema files.
UNKNOWN_IN_SCHEMA = Kind("SF070", "unknown-in-schema")

KINDS = {kind.code: kind for kind in tuple(globals().values()) if isinstance(kind, Kind)}
"""By code, in the order above."""
