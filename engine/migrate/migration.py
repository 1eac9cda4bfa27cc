"""What the settings of another product become: mappings, an org, and what could not be carried over."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import cast

import yaml

from sfmap.engine.errors import SfmapError
from sfmap.engine.mapping.values.record import Json

_PLAIN = re.compile(r"[A-Za-z$][\w.$/-]*(?: [\w.$-]+)*")
_WORDS = frozenset(("true", "false", "null", "yes", "no", "on", "off", "~"))

Rule = dict[str, Json]


class NotSettings(SfmapError):
    """A file does not hold the settings that were named."""


@dataclass
class MigratedMapping:
    """One mapping, by the keys of the language."""

    name: str
    title: str
    keys: dict[str, Json]
    fields: dict[str, Rule] = field(default_factory=dict)

    def text(self) -> str:
        lines = [f"# {self.title}", "sfmap: 1"]
        lines += [f"{key}: {flow(value)}" for key, value in self.keys.items()]
        if self.fields:
            lines += ["", "fields:"]
            lines += [f"  {name}: {flow(_short(rule))}" for name, rule in self.fields.items()]
        return "\n".join(lines) + "\n"


@dataclass
class Migration:
    """The result, filled step by step."""

    product: str
    mappings: list[MigratedMapping] = field(default_factory=list)
    org: dict[str, Json] = field(default_factory=dict)
    """The keys of the org in sfmap.yaml; secrets are names of variables."""
    secrets: dict[str, str] = field(default_factory=dict)
    """By variable, what to put there."""
    left: list[str] = field(default_factory=list)
    """What could not be carried over, each with why and what to do."""

    def add_sign_in(self) -> None:
        """Adds the secrets of the org, and its user name if the settings do not have it."""
        if not self.org.get("username"):
            self.org["username"] = "${SF_USERNAME}"
            self.secrets["SF_USERNAME"] = "the user name"
        self.org |= {"password": "${SF_PASSWORD}", "security_token": "${SF_TOKEN}"}
        self.secrets |= {"SF_PASSWORD": "the password of that user", "SF_TOKEN": "its security token"}

    def add(self, mapping: MigratedMapping) -> None:
        """Adds a mapping under a name of its own."""
        names = {one.name for one in self.mappings}
        name, number = mapping.name, 2
        while mapping.name in names:
            mapping.name, number = f"{name}-{number}", number + 1
        self.mappings.append(mapping)


@cache
def known_settings() -> Mapping[str, Mapping[str, str] | list[str]]:
    text = (files("sfmap.engine.migrate") / "known_settings.yaml").read_text("utf-8")
    return cast(Mapping[str, Mapping[str, str] | list[str]], yaml.safe_load(text))


def flow(value: Json) -> str:
    """The value as YAML on one line."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_quoted(key)}: {flow(one)}' for key, one in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(flow, value))}]"
    return _quoted(value) if isinstance(value, str) else json.dumps(value)


def _quoted(text: str) -> str:
    is_plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS
    return text if is_plain else json.dumps(text, ensure_ascii=False)


def _short(rule: Rule) -> Json:
    """The rule, as its source alone where it has nothing else."""
    source = rule.get("from")
    return source if set(rule) == {"from"} and isinstance(source, str) else rule
