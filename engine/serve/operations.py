"""What the operator's page shows, and what can be done on it: the service as an operator sees it."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson

from sfmap.engine.delivery.outcome import FATES
from sfmap.engine.errors import SfmapError
from sfmap.engine.journal.database import Database, JournalFailed
from sfmap.engine.journal.dead_letter_store import DeadLetterRoom, dead_letters
from sfmap.engine.journal.history import History
from sfmap.engine.journal.history_entries import DISCARDED
from sfmap.engine.journal.service_nodes import Nodes
from sfmap.engine.journal.spool import Spool
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.serve.background import Background
from sfmap.engine.serve.discards import Discards
from sfmap.engine.serve.event_detail import EventDetail, EventDetails
from sfmap.engine.serve.event_history import EventHistory
from sfmap.engine.serve.event_list import (
    MOST_COUNTED,
    WAITING,
    EventList,
    Waiting,
    listed_group,
    listed_history,
    listed_recent,
)
from sfmap.engine.serve.failure_groups import FailureGroup, FailureGroups
from sfmap.engine.serve.metrics import Metrics
from sfmap.engine.serve.page_figures import MINUTES, LastHour, clock, last_hour
from sfmap.engine.serve.page_query import NO_MAPPING, PageQuery
from sfmap.engine.serve.standing import ServedOrg, standing

_MOST_GROUPS = 50
_OTHER_NODES_SECONDS = 2.0
"""How often the history is looked at for what other nodes have written."""
OUTCOMES = (WAITING, *FATES, DISCARDED)
"""What the list can be filtered by."""

Context = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceParts:
    """What the page looks at."""

    org: ServedOrg
    org_key: Callable[[], str | None]
    """The org's key in the journal; None if it has never been signed in to. May raise `SfmapError`."""
    spool: Spool
    letters: DeadLetterRoom
    journal: Database
    background: Background
    metrics: Metrics
    history: EventHistory | None
    discards: Discards
    nodes: Nodes | None
    state: Path
    """The folder where other pages of the project leave their addresses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What can be known at the moment, and why the rest cannot."""

    key: str | None
    history: History | None
    history_trouble: str
    groups: Sequence[FailureGroup] = ()
    failures_trouble: str = ""
    retrying: frozenset[int] = field(default_factory=frozenset)


class Operations:
    """Thread-safe."""

    def __init__(self, parts: ServiceParts) -> None:
        self._parts = parts
        self._groups = FailureGroups(parts.journal)
        self._details = EventDetails(parts.journal, parts.spool)
        self._others = (0.0, 0.0)
        """When the history was looked at for what others wrote, and the newest that was found."""

    @property
    def mapper(self) -> Mapper:
        return self._parts.background.requests.mapper

    @property
    def discards(self) -> Discards:
        return self._parts.discards

    def retry(self, *numbers: int) -> None:
        self._parts.background.requests.retry(*numbers)
        self._groups.forget()

    def retry_group(self, key: str) -> None:
        """Raises `JournalFailed`."""
        org = self._key()
        group = self._groups.find(org, key) if org else None
        if org and group and (numbers := self._groups.numbers(org, group)):
            self.retry(*numbers)

    def discard(self, number: int) -> bool:
        """Discards a dead letter of the org in a while; returns whether there is one. Raises `JournalFailed`."""
        org = self._key()
        letter = next(iter(dead_letters(self._parts.journal, org, numbers=(number,))), None) if org else None
        if letter:
            self.discards.discard(letter)
            self._groups.forget()
        return letter is not None

    def versions(self) -> Mapping[str, object]:
        """What changes when the page does."""
        parts = self._parts
        return {
            "outcomes": (
                parts.metrics.counted(),
                parts.history.written if parts.history else 0,
                self._of_others(),
            ),
            "standing": (parts.metrics.trouble, parts.metrics.state_trouble, parts.metrics.is_delivering),
            "waiting": (parts.spool.events, parts.background.requests.retries, self.discards.waiting),
        }

    def other_pages(self) -> Sequence[tuple[str, str]]:
        """The other pages of the project that run, and their addresses."""
        found = []
        if workbench := self._workbench():
            found.append(("Workbench", workbench))
        org = self._parts.background.org
        if org and org.is_on_loopback:
            found.append(("Local org", f"{org.address()}/"))
        return found

    def page(self, query: PageQuery) -> Context:
        """The context of the page."""
        parts, now = self._parts, time.time()
        known = self._known()
        hour, hour_note = self._last_hour(known, now)
        listed = self._listed(known, query, now)
        detail = self._detail(known, query)
        org = parts.background.org
        return {
            "query": query,
            "standing": standing(parts.metrics, parts.nodes, parts.org, known.key),
            "org": parts.org,
            "hour": hour,
            "hour_note": hour_note,
            "minute": clock(query.minute) if query.minute else "",
            "spool": parts.spool,
            "held": parts.metrics.held(),
            "usage": parts.metrics.usage,
            "pace": parts.background.pace.a_day(parts.metrics.usage) if parts.metrics.usage else None,
            "groups": known.groups[:_MOST_GROUPS],
            "more_groups": max(0, len(known.groups) - _MOST_GROUPS),
            "letters": sum(group.letters for group in known.groups),
            "failures_trouble": known.failures_trouble,
            "retries": parts.background.requests.retries,
            "full": parts.letters.full,
            "list": listed,
            "most_counted": MOST_COUNTED,
            "list_note": self._list_note(known),
            "is_history_off": parts.history is None,
            "outcomes": OUTCOMES,
            "mappings": self._mappings(known),
            "no_mapping": NO_MAPPING,
            "detail": detail,
            "record_link": org.record_link(detail.object_name, detail.record)
            if org and detail and detail.record
            else "",
            "is_on_loopback": bool(org and org.is_on_loopback),
            "workbench": self._workbench(),
            "is_being_discarded": bool(detail and self.discards.is_waiting(detail.letter)),
        }

    def counts(self) -> Context:
        """The context of the page of counts since the start."""
        parts = self._parts
        seen = parts.metrics.figures()
        try:
            key = self._key()
        except SfmapError:
            key = None
        return {
            "org": parts.org,
            "where": parts.background.org.where if parts.background.org else "",
            "standing": standing(parts.metrics, parts.nodes, parts.org, key),
            "fates": [(fate, seen.fates.get(fate, 0)) for fate in FATES],
            "seen": seen,
        }

    def _key(self) -> str | None:
        """Raises `SfmapError`, and `JournalFailed` if the journal cannot be read."""
        return self._parts.org_key()

    def _known(self) -> _Known:
        history, history_trouble = self._history()
        try:
            key = self._key()
        except JournalFailed as error:
            return _Known(key=None, history=history, history_trouble=history_trouble, failures_trouble=str(error))
        except SfmapError as error:  # such as a secret that is missing
            words = f"The org is not known: {error}."
            return _Known(key=None, history=history, history_trouble=history_trouble, failures_trouble=words)
        if key is None:
            words = f"{self._parts.org.title} has not been signed in to yet, so no failures are known."
            words = words[0].upper() + words[1:]
            return _Known(key=None, history=history, history_trouble=history_trouble, failures_trouble=words)
        try:
            groups = self._groups.all(key)
        except JournalFailed as error:
            return _Known(key=key, history=history, history_trouble=history_trouble, failures_trouble=str(error))
        return _Known(key=key, history=history, history_trouble=history_trouble, groups=groups)

    def _history(self) -> tuple[History | None, str]:
        if self._parts.history is None:
            return None, ""
        try:
            return self._parts.history.reading, ""
        except JournalFailed as error:
            return None, str(error)

    def _last_hour(self, known: _Known, now: float) -> tuple[LastHour | None, str]:
        """None, and why, if it is not known."""
        if known.history is None:
            return None, known.history_trouble
        try:
            counts = known.history.minutes(self._parts.org.name, int(now // 60) - MINUTES + 1)
        except JournalFailed as error:
            return None, str(error)
        return last_hour(counts, now), ""

    def _listed(self, known: _Known, query: PageQuery, now: float) -> EventList:
        parts = self._parts
        try:
            if query.failure:
                found = listed_group(parts.journal, known.key, self._groups, query) if known.key else None
                return found or EventList(rows=(), total=0)
            if known.history:
                waiting = Waiting(parts.spool, parts.metrics.held())
                return listed_history(known.history, waiting, parts.org.name, query, now)
        except JournalFailed as error:
            return EventList(rows=(), total=0, note=str(error))
        found = listed_recent(parts.metrics.figures().recent, query)
        return replace(found, note="" if found.rows else known.history_trouble)

    def _list_note(self, known: _Known) -> str:
        history = self._parts.history
        if known.history_trouble:
            return f"The history cannot be read: {known.history_trouble}"
        if history and history.lost:
            return f"The history is not whole: {history.lost:,} outcomes could not be written since the start."
        return ""

    def _mappings(self, known: _Known) -> Sequence[str]:
        try:
            found = known.history.mappings(self._parts.org.name) if known.history else []
        except JournalFailed:
            found = []
        return [name for name in found if name]

    def _detail(self, known: _Known, query: PageQuery) -> EventDetail | None:
        try:
            if query.letter and known.key:
                return self._details.of_letter(known.history, known.key, query, self.mapper)
            if query.event:
                return self._details.of_event(known.history, known.key, query, self.mapper)
        except JournalFailed:
            return None
        return None

    def _workbench(self) -> str:
        """The address of the project's workbench; empty if it does not run."""
        try:
            said = orjson.loads((self._parts.state / "workbench.json").read_bytes())
        except (OSError, ValueError):
            return ""
        url = said.get("url") if isinstance(said, dict) else None
        return f"{url}/" if isinstance(url, str) and url.startswith("http://") else ""

    def _of_others(self) -> float:
        """The newest outcome in the history, where other nodes write it, too."""
        parts = self._parts
        if not parts.nodes or not parts.history:
            return 0.0
        looked, found = self._others
        now = time.monotonic()
        if now - looked >= _OTHER_NODES_SECONDS:
            try:
                found = parts.history.reading.newest(parts.org.name)
            except JournalFailed:
                found = 0.0
            self._others = now, found
        return found
