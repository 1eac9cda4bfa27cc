"""The settings of Segment's classic destination for Salesforce: the sign-in, and choices of mappings."""

import re
from collections.abc import Iterable

from sfmap.engine.mapping.values.record import Json
from sfmap.engine.migrate.migration import MigratedMapping, Migration

Table = dict[str, Json]
_OF_SIGN_IN = {
    "email": "username",
    "username": "username",
    "login": "username",
    "sandbox": "sandbox",
    "issandbox": "sandbox",
    "instanceurl": "login_url",
}
"""By the words of a setting, the key of the org in sfmap.yaml."""
_SECRETS = frozenset(("password", "token", "securitytoken"))
"""Never copied."""
_TELLING = frozenset(("sandbox", "issandbox", "instanceurl", "securitytoken"))
_ADDRESSES = ("billing", "shipping", "both")
_SHIPPED = (("lead", "identify calls become Leads"), ("account", "group calls become Accounts"))


def classic_settings(tables: Iterable[Table]) -> Table | None:
    """The settings of the destination: those that say how to sign in to an org; None if there are none."""
    for one in tables:
        settings = one.get("settings", one)
        if isinstance(settings, dict) and _TELLING & set(map(_word, settings)):
            return settings
    return None


def migrate_classic(settings: Table, migration: Migration, *, has_actions: bool) -> None:
    """Adds the org; and without actions the shipped mappings, which are those of the classic destination."""
    address, lookups = _ADDRESSES[0], Table()
    for key, value in settings.items():
        word = _word(key)
        if value in (None, "", [], {}) or word in _SECRETS:
            continue
        if word in _OF_SIGN_IN:
            is_switch = _OF_SIGN_IN[word] == "sandbox"
            migration.org[_OF_SIGN_IN[word]] = value in (True, "true") if is_switch else str(value)
        elif "address" in word and str(value).lower() in _ADDRESSES:
            address = str(value).lower()
        elif "lookup" in word and isinstance(value, (dict, list)):
            lookups = _lookups(value)
        else:
            migration.left.append(f"the setting {key}: sfmap has none like it")
    migration.add_sign_in()
    if not has_actions:
        _add_shipped(migration, address, lookups)


def _add_shipped(migration: Migration, address: str, lookups: Table) -> None:
    for name, title in _SHIPPED:
        one = MigratedMapping(name, title, {"extends": name})
        if address != _ADDRESSES[0] and name == _SHIPPED[1][0]:
            one.keys["address"] = {"to": address}
        if name in lookups:
            one.keys["match"] = lookups[name]
        migration.add(one)


def _lookups(value: Json) -> Table:
    """By the name of a mapping, the fields that records are looked up by."""
    if isinstance(value, dict):
        return {key.lower().removesuffix("s"): one for key, one in value.items()}
    return {_SHIPPED[0][0]: value}


def _word(key: str) -> str:
    return re.sub(r"[\W_]", "", key).lower()
