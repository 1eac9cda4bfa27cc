"""What the operator's page counts: the figures of the last hour, a bar for each minute, and mapping by outcome."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sfmap.engine.journal.history import MinuteCount
from sfmap.engine.journal.history_entries import DISCARDED

MINUTES = 60
_DELIVERED = ("created", "updated", "deleted", "unchanged")
_SHOWN = ("created", "updated", "failed", "skipped")
"""Always shown, also as 0."""
_ALL = ("created", "updated", "deleted", "unchanged", "failed", "skipped")
_WIDTH, _BAR, _UP, _DOWN = 10.0, 8.0, 50.0, 18.0
"""The chart, in its own units: the room of a minute, its bar, and the heights above and below the line."""
_MOST_MAPPINGS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A count that is a filter of the list."""

    fate: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A part of a minute's bar, in the units of the chart."""

    kind: str
    """`ok`, `skip` or `bad`."""
    y: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Minute:
    """A minute of the chart."""

    minute: int
    """In minutes since 1970."""
    time: str
    x: float
    bars: Sequence[Bar]
    words: str
    """What happened in it; empty if nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    minutes: Sequence[Minute]
    most: int
    """The most records in a minute."""
    width: float = _WIDTH * MINUTES
    bar: float = _BAR
    up: float = _UP
    height: float = _UP + _DOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingCounts:
    """A row of the table of mappings and outcomes."""

    mapping: str
    """Empty for events that no mapping takes."""
    counts: Sequence[tuple[str, int]]
    """For each outcome of the table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastHour:
    figures: Sequence[Figure]
    chart: Chart
    mappings: Sequence[MappingCounts]
    left_out: int
    """Mappings that the table has no room for."""

    @property
    def fates(self) -> Sequence[str]:
        return [figure.fate for figure in self.figures]


def last_hour(counts: Sequence[MinuteCount], now: float) -> LastHour:
    last = int(now // 60)
    within = [one for one in counts if one.minute > last - MINUTES and one.fate != DISCARDED]
    fates = Counter[str]()
    for one in within:
        fates[one.fate] += one.outcomes
    figures = [Figure(fate=fate, count=fates[fate]) for fate in _ALL if fates[fate] or fate in _SHOWN]
    mappings = _by_mapping(within, [figure.fate for figure in figures])
    return LastHour(
        figures=figures,
        chart=_chart(within, last),
        mappings=mappings[:_MOST_MAPPINGS],
        left_out=max(0, len(mappings) - _MOST_MAPPINGS),
    )


def clock(minute: int) -> str:
    """The time of a minute in UTC, such as 09:56."""
    return datetime.fromtimestamp(minute * 60, UTC).strftime("%H:%M")


def _by_mapping(counts: Iterable[MinuteCount], fates: Sequence[str]) -> list[MappingCounts]:
    found: dict[str, Counter[str]] = {}
    for one in counts:
        found.setdefault(one.mapping, Counter())[one.fate] += one.outcomes
    busiest = sorted(found.items(), key=lambda item: (-item[1].total(), item[0]))
    return [
        MappingCounts(mapping=mapping, counts=[(fate, own[fate]) for fate in fates]) for mapping, own in busiest
    ]


def _chart(counts: Iterable[MinuteCount], last: int) -> Chart:
    found: dict[int, Counter[str]] = {}
    for one in counts:
        kind = "ok" if one.fate in _DELIVERED else "bad" if one.fate == "failed" else "skip"
        found.setdefault(one.minute, Counter())[kind] += one.outcomes
    up = max((own["ok"] + own["skip"] for own in found.values()), default=0)
    down = max((own["bad"] for own in found.values()), default=0)
    scale = min(_UP / up if up else _UP, _DOWN / down if down else _UP)
    first = last - MINUTES + 1
    minutes = [
        _minute(minute, place, found.get(minute, Counter()), scale)
        for place, minute in enumerate(range(first, last + 1))
    ]
    return Chart(minutes=minutes, most=max((own.total() for own in found.values()), default=0))


def _minute(minute: int, place: int, own: Counter[str], scale: float) -> Minute:
    heights = {kind: max(1.5, own[kind] * scale) if own[kind] else 0.0 for kind in ("ok", "skip", "bad")}
    bars = [
        Bar(kind="ok", y=_UP - heights["ok"], height=heights["ok"]),
        Bar(kind="skip", y=_UP - heights["ok"] - heights["skip"], height=heights["skip"]),
        Bar(kind="bad", y=_UP, height=heights["bad"]),
    ]
    named = {"ok": "delivered", "bad": "failed", "skip": "skipped"}
    words = ", ".join(f"{own[kind]:,} {word}" for kind, word in named.items() if own[kind])
    return Minute(
        minute=minute,
        time=clock(minute),
        x=place * _WIDTH + (_WIDTH - _BAR) / 2,
        bars=[bar for bar in bars if bar.height],
        words=words,
    )
