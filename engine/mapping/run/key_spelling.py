"""Caches what a mapping knows about keys of events: other spellings, and custom fields."""

from collections.abc import Iterable
from typing import NamedTuple

from sfmap.engine.mapping.run.custom_plan import CustomPlan
from sfmap.engine.mapping.values.event import LONGEST_REMEMBERED, MOST_REMEMBERED, normal_key
from sfmap.engine.mapping.values.record import Json


class KeyField(NamedTuple):
    """The custom field that the trait of a key becomes."""

    name: str
    """Empty if `CustomPlan.of` must handle the trait."""
    origin: str


class KeySpelling:
    """The keys of one table of the event, such as its traits, learned as they appear."""

    def __init__(self, names: Iterable[str], custom: CustomPlan | None) -> None:
        self._names: dict[str, list[str]] = {}
        """The names of the keys in rules, by normal form."""
        for name in names:
            self._names.setdefault(normal_key(name), []).append(name)
        self._custom = custom
        self.known: set[str] = set()
        """Keys that are not another spelling of a name."""
        self.fields: dict[str, KeyField | None] = {}
        """By key; None if its trait is not a custom one."""

    def learn(self, table: dict[str, Json]) -> dict[str, Json] | None:
        """The table with each value under its key's name in rules; None if its keys cannot be learned.

        That is so where two keys are one to the rules: they say which of them is lost.
        """
        if len(table) > MOST_REMEMBERED or max(map(len, table)) > LONGEST_REMEMBERED:
            return None
        if len(self.fields) > MOST_REMEMBERED:
            self.known.clear()
            self.fields.clear()
        respelt: dict[str, Json] = {}
        for key in table:
            if key in self.known:
                continue
            self.fields[key] = self._field(key)
            others = [name for name in self._names.get(normal_key(key), ()) if name != key]
            if not others:
                self.known.add(key)
            for name in others:
                if name in table or name in respelt:
                    return None
                respelt[name] = table[key]
                self.fields[name] = None
        return {**table, **respelt} if respelt else table

    def _field(self, key: str) -> KeyField | None:
        custom = self._custom
        if custom is None or not custom.is_wanted(key):
            return None
        field = custom.field_of(key)
        return KeyField("" if field in custom.taken else field, custom.origin(key))
