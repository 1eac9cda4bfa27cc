"""What the address of the operator's page asks for: filters, a place in the list, and one event."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from urllib.parse import urlencode

from sfmap.engine.journal.history import Wanted
from sfmap.engine.serve.page_figures import MINUTES

NO_MAPPING = "-"
"""Stands for the events that no mapping takes."""
_LONGEST = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class PageQuery:
    """The parameters of the address, by their names there."""

    q: str = ""
    outcome: str = ""
    mapping: str = ""
    hour: int = 0
    """1 for what was decided in the hour that the figures are of."""
    minute: int = 0
    """Only what was decided in that minute since 1970."""
    failure: str = ""
    """The key of a group of failures: only these."""
    start: int = 0
    until: int = 0
    """The list as it was then, in seconds since 1970: further pages begin where the one before ended."""
    event: int = 0
    record: str = ""
    """The mapping and item of the event's record that is shown."""
    letter: int = 0
    """The dead letter that is shown instead of an event of the history."""
    tab: str = ""
    """What a narrow page shows: `events`, or failures."""

    @classmethod
    def read(cls, asked: Mapping[str, str]) -> "PageQuery":
        """Leaves out what cannot be meant."""
        found: dict[str, object] = {}
        for field in fields(cls):
            text = asked.get(field.name, "").strip()[:_LONGEST]
            if isinstance(field.default, str):
                found[field.name] = text
            elif text.isascii() and text.isdecimal() and len(text) < 16:
                found[field.name] = int(text)
        return cls(**found)  # type: ignore[arg-type]

    def link(self, **changes: object) -> str:
        """The address with these parameters changed."""
        changed = replace(self, **changes)  # type: ignore[arg-type]
        given = {field.name: getattr(changed, field.name) for field in fields(changed)}
        return f"/?{urlencode({name: value for name, value in given.items() if value})}"

    def filtered(self, **changes: object) -> str:
        """The address with other filters, from the start of the list."""
        fresh = {"start": 0, "until": 0, "failure": "", "hour": 0, "minute": 0, "tab": "events"}
        return self.link(**fresh | changes)

    @property
    def is_filtered(self) -> bool:
        return bool(self.q or self.outcome or self.mapping or self.hour or self.minute or self.failure)

    @property
    def shows_detail(self) -> bool:
        return bool(self.event or self.letter)

    def wanted(self, now: float) -> Wanted:
        """What of the history is listed."""
        since = (int(now // 60) - MINUTES + 1) * 60.0 if self.hour else self.minute * 60.0
        return Wanted(
            text=self.q,
            fate=self.outcome,
            mapping=None if not self.mapping else "" if self.mapping == NO_MAPPING else self.mapping,
            since=since,
            until=(self.minute + 1) * 60.0 if self.minute else float(self.until),
        )
