"""The actions of Segment's destination for Salesforce as mappings, and its settings as a project."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import cast

from sfmap.engine.mapping.values.record import Json
from sfmap.engine.migrate.mapping_kit import NoRule, rule_of, source_of
from sfmap.engine.migrate.migration import MigratedMapping, Migration, NotSettings, Rule, known_settings
from sfmap.engine.migrate.segment_classic import classic_settings, migrate_classic
from sfmap.engine.migrate.triggers import events_of

_TERRAFORM = re.compile(r"^\s*(\w+)\s*=\s*(\"(?:[^\"\\]|\\.)*\"|true|false|null)\s*$", re.MULTILINE)
_OPERATIONS = {
    "create": "create",
    "update": "update",
    "upsert": "upsert",
    "delete": "delete",
    "bulkUpsert": "upsert",
    "bulkUpdate": "update",
}

Table = dict[str, Json]


def migrate_segment(name: str, text: str) -> Migration:
    """The project for an answer of Segment's Public API, an export of it, or a file of Terraform.

    Raises `NotSettings`.
    """
    migration = Migration("Segment")
    subscriptions = list(_subscriptions(text))
    for one in subscriptions:
        _migrate_action(one, migration)
    settings = classic_settings([one for one in _tables(_loaded(text)) if not _is_subscription(one)])
    if not subscriptions and settings is None:
        raise NotSettings(
            f"{name} holds neither subscriptions of actions nor the settings of a destination: save the answer of"
            " Segment's Public API to GET /destinations/ID/subscriptions, or to GET /destinations/ID"
        )
    if settings is not None:
        migrate_classic(settings, migration, has_actions=bool(subscriptions))
    return migration


def _loaded(text: str) -> Json:
    try:
        return cast(Json, json.loads(text))
    except ValueError:
        return None


def _tables(value: Json) -> Iterator[Table]:
    """All objects within a value, the outer ones first."""
    if isinstance(value, dict):
        yield value
        for one in value.values():
            yield from _tables(one)
    elif isinstance(value, list):
        for one in value:
            yield from _tables(one)


def _subscriptions(text: str) -> Iterator[Table]:
    """The subscriptions of actions: objects with a trigger and settings."""
    loaded = _loaded(text)
    if loaded is not None:
        yield from (_normal(one) for one in _tables(loaded) if _is_subscription(one))
        return
    for block in text.split("resource ")[1:]:
        found = {key: json.loads(value) for key, value in _TERRAFORM.findall(block)}
        if isinstance(found.get("settings"), str) and "trigger" in found:
            yield {**found, "settings": json.loads(found["settings"]), "actionId": found.get("action_id")}


def _is_subscription(one: Table) -> bool:
    return ("trigger" in one or "subscribe" in one) and ("settings" in one or "mapping" in one)


def _normal(one: Table) -> Table:
    """The subscription by the names of the Public API; others occur in exports."""
    return {
        **one,
        "trigger": one.get("trigger", one.get("subscribe")),
        "settings": one.get("settings", one.get("mapping")),
        "actionSlug": one.get("actionSlug", one.get("partnerAction")),
    }


def _migrate_action(one: Table, migration: Migration) -> None:
    title = str(one.get("name") or one.get("actionSlug") or "action")
    settings = one["settings"]
    if not isinstance(settings, dict):
        return
    if one.get("enabled") is False:
        migration.left.append(f"{title}: it is switched off in Segment")
        return
    mapping = _mapping_of(one, title, settings, migration)
    if mapping:
        migration.add(mapping)


def _mapping_of(one: Table, title: str, settings: Table, migration: Migration) -> MigratedMapping | None:
    actions = cast(Mapping[str, str], known_settings()["actions"])
    slug = str(one.get("actionSlug") or "")
    named = settings.get("customObjectName") or actions.get(slug) or actions.get(str(one.get("actionId")))
    if not isinstance(named, str):
        named = next((target for key, target in actions.items() if key == title.lower()), None)
    if not isinstance(named, str):
        migration.left.append(f"{title}: it is not known for which object this action is; write a mapping for it")
        return None
    events, rest = events_of(str(one.get("trigger") or ""))
    if rest:
        migration.left.append(
            f"{title}: of its trigger, {rest}. The mapping is not active: say this by when, and take out active"
        )
    if not events:
        migration.left.append(f"{title}: its trigger names no type of events: {one.get('trigger')}")
        return None
    operation = _OPERATIONS.get(str(settings.get("operation")), "upsert")
    name = re.sub(r"\W+", "-", title.lower()).strip("-") or "action"
    mapping = MigratedMapping(name, f"From the action {title} of Segment", {"event": events, "object": named})
    if rest:
        mapping.keys["active"] = False
    mapping.keys["operation"] = operation
    _add_fields(mapping, title, settings, migration)
    if operation != "create":
        _add_match(mapping, title, settings, migration)
    if operation != "create" and "match" not in mapping.keys:
        migration.left.append(f"{title}: it says no field by which records are found")
        return None
    return mapping


def _add_fields(mapping: MigratedMapping, title: str, settings: Table, migration: Migration) -> None:
    known = known_settings()
    aside = {*known["of the action"], *known["needless"]}
    custom = settings.get("customFields")
    given = {_field_name(key): value for key, value in settings.items() if key not in aside}
    given |= custom if isinstance(custom, dict) else {}
    for name, value in given.items():
        if value in (None, ""):
            continue
        try:
            mapping.fields[name] = rule_of(value)
        except NoRule as no_rule:
            migration.left.append(f"{title}: {name} ({no_rule}) has no counterpart; write its rule")


def _field_name(key: str) -> str:
    """The API name of a field that an action calls `last_name`."""
    return "".join(word[:1].upper() + word[1:] for word in key.split("_"))


def _add_match(mapping: MigratedMapping, title: str, settings: Table, migration: Migration) -> None:
    external, matchers = settings.get("bulkUpsertExternalId"), settings.get("traits")
    try:
        if settings.get("operation") == "bulkUpsert" and isinstance(external, dict):
            name = str(external.get("externalIdName"))
            mapping.keys["match"] = {"external_id": name}
            mapping.fields.setdefault(name, rule_of(external.get("externalIdValue")))
        elif settings.get("operation") == "bulkUpdate":
            mapping.keys["match"] = [{"Id": source_of(settings.get("bulkUpdateRecordId"))}]
        elif isinstance(matchers, dict) and matchers:
            found = [_matcher(name, value, mapping.fields) for name, value in matchers.items()]
            operator = settings.get("operator", settings.get("recordMatcherOperator", "OR"))
            together = operator == "AND" and len(found) > 1
            lookups: list[Json] = [found] if together else found
            mapping.keys["match"] = lookups[0] if len(lookups) == 1 and isinstance(lookups[0], str) else lookups
            mapping.keys["on_many"] = "error"
    except NoRule as no_rule:
        migration.left.append(f"{title}: its record matchers ({no_rule})")


def _matcher(name: str, value: Json, fields: Mapping[str, Rule]) -> Json:
    """A lookup: by what is written, if that is the same."""
    if name in fields and fields[name] == rule_of(value):
        return name
    return {name: source_of(value)}
