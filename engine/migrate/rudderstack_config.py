"""A connection of RudderStack to Salesforce as a project."""

import json
from collections.abc import Iterator
from typing import cast

from sfmap.engine.mapping.values.record import Json
from sfmap.engine.migrate.migration import MigratedMapping, Migration, NotSettings

_CARRIED_OVER = frozenset(
    ("userName", "password", "initialAccessToken", "rudderAccountId", "sandbox", "mapProperties", "connectionMode")
)
_CONSENT = "consent is decided where the events are sent"
_FILTER = "say which events a mapping takes by its key event or when"
_INSTEAD = {
    "useContactId": "to write to the person that a converted record became, see the cookbook",
    "oneTrustCookieCategories": _CONSENT,
    "consentManagement": _CONSENT,
    "ketchConsentPurposes": _CONSENT,
    "eventFilteringOption": _FILTER,
    "whitelistedEvents": _FILTER,
    "blacklistedEvents": _FILTER,
}

Table = dict[str, Json]


def migrate_rudderstack(name: str, text: str) -> Migration:
    """The project for the configuration of a workspace, or of one destination of it. Raises `NotSettings`."""
    try:
        loaded = cast(Json, json.loads(text))
    except ValueError:
        raise NotSettings(f"{name} is not JSON: export the configuration of the workspace") from None
    configs = list(_configs(loaded))
    if not configs:
        raise NotSettings(
            f"{name} has no destination with userName and initialAccessToken in its config: export the"
            " configuration of the workspace, or give the config of the destination"
        )
    migration = Migration("RudderStack")
    if len(configs) > 1:
        migration.left.append(
            f"{len(configs) - 1} more destinations of this kind: migrate each from a file of its own"
        )
    _migrate(configs[0], migration)
    return migration


def _configs(value: Json) -> Iterator[Table]:
    """The settings of destinations that sign in as the one for Salesforce does."""
    if isinstance(value, dict):
        if "initialAccessToken" in value or {"mapProperties", "sandbox"} <= value.keys():
            yield value
            return
        for one in value.values():
            yield from _configs(one)
    elif isinstance(value, list):
        for one in value:
            yield from _configs(one)


def _migrate(config: Table, migration: Migration) -> None:
    user = config.get("userName")
    if isinstance(user, str) and user:
        migration.org["username"] = user
    migration.org["sandbox"] = config.get("sandbox") is True
    migration.add_sign_in()
    mapping = MigratedMapping("lead", "identify events become Leads", {"extends": "lead", "opt_in": None})
    if config.get("mapProperties") is False:
        mapping.keys["custom"] = {"from": "traits", "suffix": ""}
        migration.left.append(
            "mapProperties is off, so traits are named like the fields: the mapping sends those that no rule reads"
            " under their own names; take out the rules that you do not want"
        )
    migration.left.append(
        "context.externalId, by which RudderStack writes to other objects: write a mapping for each"
    )
    migration.add(mapping)
    for key, value in config.items():
        if value not in (None, "", [], {}, False) and key not in _CARRIED_OVER:
            migration.left.append(f"{key}: {_INSTEAD.get(key, 'sfmap has no setting like it')}")
