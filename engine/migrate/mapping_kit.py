"""Rules from the directives by which Segment's actions say where a value comes from."""

import re
from collections.abc import Callable, Mapping

from sfmap.engine.mapping.values.record import Json
from sfmap.engine.migrate.migration import Rule

_MUSTACHE = re.compile(r"\{\{\{?\s*\$?\.?([\w.\[\]'-]+)\s*\}?\}\}")


class NoRule(Exception):
    """A directive has no counterpart; the message names it."""


def rule_of(value: Json) -> Rule:
    """The rule for a value of the settings. Raises `NoRule`."""
    if not isinstance(value, dict):
        if isinstance(value, list) or value is None:
            raise NoRule("a list as a value")
        return {"value": value}
    name = next((one for one in value if one.startswith("@")), "")
    directive = _DIRECTIVES.get(name)
    if directive is None:
        raise NoRule(name or "an object with several values")
    return directive(value[name])


def source_of(value: Json) -> str:
    """The only source of a value. Raises `NoRule`."""
    source = rule_of(value).get("from")
    if not isinstance(source, str):
        raise NoRule("something else than one path where a record is looked up by it")
    return source


def _path(value: Json) -> Rule:
    if not isinstance(value, str):
        raise NoRule("@path without a text")
    return {"from": value.removeprefix("$.")}


def _if(value: Json) -> Rule:
    given: Mapping[str, Json] = value if isinstance(value, dict) else {}
    asked = given.get("exists", given.get("blank"))
    then, other = given.get("then"), given.get("else")
    if "blank" in given:
        then, other = other, then
    if asked is None or then != asked:
        raise NoRule("@if that gives something else than what it asks for")
    if other is None:
        return rule_of(then)
    first, second = rule_of(then), rule_of(other)
    if "value" in second:
        return {**first, "default": second["value"]}
    if "from" not in first or "from" not in second:
        raise NoRule("@if with templates")
    return {"from": [*_sources(first), *_sources(second)]}


def _sources(rule: Rule) -> list[Json]:
    source = rule["from"]
    return source if isinstance(source, list) else [source]


def _template(value: Json) -> Rule:
    if not isinstance(value, str) or "{{#" in value or "{{^" in value:
        raise NoRule("@template with sections")
    return {"template": _MUSTACHE.sub(lambda found: f"{{{{ {found[1]} }}}}", value)}


def _case(value: Json) -> Rule:
    given: Mapping[str, Json] = value if isinstance(value, dict) else {}
    if given.get("operator") not in ("lower", "upper"):
        raise NoRule("@case")
    return {"from": f"{source_of(given.get('value'))} | {given['operator']}"}


def _json(value: Json) -> Rule:
    given: Mapping[str, Json] = value if isinstance(value, dict) else {}
    pipe = {"encode": "json", "decode": "from_json"}.get(str(given.get("mode", "encode")))
    if not pipe:
        raise NoRule("@json")
    return {"from": f"{source_of(given.get('value'))} | {pipe}"}


def _literal(value: Json) -> Rule:
    return rule_of(value)


_DIRECTIVES: Mapping[str, Callable[[Json], Rule]] = {
    "@path": _path,
    "@if": _if,
    "@template": _template,
    "@case": _case,
    "@json": _json,
    "@literal": _literal,
}
