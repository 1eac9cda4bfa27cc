"""Whether a trial ended as the model says: for every event one true outcome, and the org field by field.

Where a run was ended for good, nobody knows how far it came. Then several histories are possible, and the end must
be that of one of them.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations

from .model import Event, Kept, Org, RecordOfEvent, Result, Table
from .trial import FIELDS, Trial

Told = Mapping[str, object]
"""A line of the results."""
UNKNOWN = "no lookup can find it"
_MOST_UNKNOWN = 6


@dataclass(frozen=True)
class Applied:
    """Events that were delivered one by one."""

    events: tuple[Event, ...]
    told: tuple[Told, ...] | None = None
    """Their outcomes, where all are known."""
    mappings: tuple[str, ...] | None = None
    """Only what these mappings say of them."""


@dataclass(frozen=True)
class Retried:
    """Dead letters that were delivered again, the first of them or all."""

    most: int | None = None
    told: tuple[Told, ...] | None = None


Step = Applied | Retried
History = tuple[Step, ...]


def judge(trial: Trial, histories: Sequence[History], found: Mapping[str, Sequence[Kept]]) -> list[str]:
    """What is wrong with the end; for all possible histories, the least that is wrong."""
    least: list[str] | None = None
    for history in histories:
        unknown = list(_unknown(history))
        for undone in _possibly_undone(trial, unknown):
            wrong = _Judge(trial, undone, frozenset(unknown) - undone).judge(history, found)
            if not wrong:
                return []
            if least is None or len(wrong) < len(least):
                least = wrong
    return least if least is not None else ["it has no history"]


@dataclass(frozen=True)
class Unknown:
    """A record of which nobody can know whether the org has created it."""

    step: int
    line: int
    record: RecordOfEvent


def _unknown(history: History) -> Iterator[Unknown]:
    for step, applied in enumerate(history):
        for outcome in (applied.told or ()) if isinstance(applied, Applied) else ():
            if UNKNOWN in str(outcome["reason"]):
                record = str(outcome["mapping"]), int(str(outcome.get("item", 0)))
                yield Unknown(step, int(str(outcome["line"])), record)


def _possibly_undone(trial: Trial, unknown: Sequence[Unknown]) -> Iterator[frozenset[Unknown]]:
    """All that the org may not have done, but for records that nobody looks for."""
    objects = {table.name: table.object for table in trial.tables}
    sought = [one for one in unknown if objects[one.record[0]] != "Log__c"]
    yield frozenset(sought)
    for count in range(len(sought) + 1):
        yield from map(frozenset, combinations(sought[:_MOST_UNKNOWN], count))


class _Judge:
    def __init__(self, trial: Trial, undone: frozenset[Unknown], untold: frozenset[Unknown]) -> None:
        """`untold` is what the org has done without an answer."""
        self._trial = trial
        self._undone = undone
        self._untold = untold
        self._org = Org()
        self._wrong: list[str] = []
        self._maybe: Counter[str] = Counter()
        """Records that nobody looks for, of events of which a creation is told not to be known."""
        self._unknown = 0

    def judge(self, history: History, found: Mapping[str, Sequence[Kept]]) -> list[str]:
        for number, step in enumerate(history):
            if isinstance(step, Applied):
                self._apply(number, step)
            else:
                self._retry(step)
        return [*self._wrong, *self._compare_records(found)]

    def _apply(self, number: int, step: Applied) -> None:
        tables = [one for one in self._trial.tables if step.mappings is None or one.name in step.mappings]
        undone = [(one.line, one.record) for one in self._undone if one.step == number]
        untold = [(one.line, one.record) for one in self._untold if one.step == number]
        wanted = [
            self._org.apply(tables, event, _of_line(undone, line), _of_line(untold, line))
            for line, event in enumerate(step.events, 1)
        ]
        if step.told is not None:
            self._compare(wanted, step.told)

    def _retry(self, step: Retried) -> None:
        done = self._org.retry(self._trial.tables, step.most)
        if step.told is None:
            return
        told = sorted((str(one["mapping"]), str(one["outcome"])) for one in step.told)
        want = sorted((letter.mapping, result.fate) for letter, result in done)
        if told != want and not self._trial.may_lose:
            self._wrong.append(f"retried: {want} by the model, told was {told}")

    def _compare(self, wanted: Sequence[Sequence[Result]], told: Iterable[Told]) -> None:
        """What waited is told later, so the outcomes of one list may come in any order."""
        by_place: dict[tuple[object, object], list[Told]] = defaultdict(list)
        for outcome in told:
            by_place[outcome["line"], outcome["mapping"]].append(outcome)
        identities = Counter((one.mapping, one.identity) for results in wanted for one in results)
        folded = {identity for identity, count in identities.items() if count > 1}
        places: dict[tuple[object, object], list[Result]] = defaultdict(list)
        for line, results in enumerate(wanted, 1):
            for result in results:
                places[line, result.mapping].append(result)
        for place in {**places, **by_place}:
            have, want, where = by_place[place], places[place], f"{place[0]} {place[1]}"
            if len(have) != len(want):
                self._wrong.append(f"{where}: {len(want)} outcomes wanted, {len(have)} told: {have}")
                continue
            self._note_unknown(have, want)
            orders = permutations(have) if len(have) < 5 else [tuple(have)]
            if not any(all(map(_Agreement(self._trial, folded), order, want)) for order in orders):
                told_were = [f"{outcome['outcome']} ({outcome['reason']})" for outcome in have]
                self._wrong.append(f"{where}: {[one.fate for one in want]} by the model, told was {told_were}")

    def _note_unknown(self, told: Sequence[Told], wanted: Sequence[Result]) -> None:
        if count := sum(UNKNOWN in str(outcome["reason"]) for outcome in told):
            self._unknown += count
            self._maybe.update(shown(one.record) for one in wanted if one.record and not one.is_found_again)

    def _compare_records(self, found: Mapping[str, Sequence[Kept]]) -> list[str]:
        """Where the org's records are others than the model's, or of the same lookup in another order."""
        wrong: list[str] = []
        for name in FIELDS:
            want = Counter(map(shown, (one for one in self._org.records.get(name, ()) if not one.deleted)))
            have = Counter(map(shown, (one for one in found[name] if not one.deleted)))
            lost = want - have
            if name == "Log__c" and lost.total() <= self._unknown:
                lost -= self._maybe
            wrong += [f"{name} lost: {count} × {record}" for record, count in lost.items()]
            wrong += [f"{name} too many: {count} × {record}" for record, count in (have - want).items()]
        return wrong or _compare_orders(self._org, found, self._trial)


def _of_line(records: Iterable[tuple[int, RecordOfEvent]], line: int) -> set[RecordOfEvent]:
    return {record for there, record in records if there == line}


class _Agreement:
    """Whether what is told of a record is what the model says."""

    def __init__(self, trial: Trial, folded: set[tuple[str | None, object]]) -> None:
        self._trial = trial
        self._tables = {table.name: table for table in trial.tables}
        self._folded = folded

    def __call__(self, outcome: Told, result: Result) -> bool:
        fate = outcome["outcome"]
        if UNKNOWN in str(outcome["reason"]):
            return fate == "failed" and not result.is_found_again and self._trial.may_lose
        if fate == result.fate:
            return result.mapping is None or result.is_found_again or fate != "failed" or bool(outcome["reason"])
        table = self._tables[str(result.mapping)]
        said = (result.fate, fate)
        if self._trial.may_lose and said in _allowed_after_loss(table):
            return True
        # Items of one event go together, and so does what waited.
        may_meet = self._trial.window != 1 or table.for_each or self._trial.may_lose
        is_folded = may_meet and (result.mapping, result.identity) in self._folded
        return is_folded and said in _allowed_of_folds(table)


def _allowed_after_loss(table: Table) -> set[tuple[str, str]]:
    """A write that was done and is found or sent again says less than it was.

    The org's own upsert creates nothing the second time.
    """
    is_native = table.operation == "upsert" and len(table.lookups) == 1 and len(table.lookups[0]) == 1
    created = {("created", "updated")} if is_native else set()
    return created | ({("updated", "unchanged")} if table.skip_unchanged else set())


def _allowed_of_folds(table: Table) -> set[tuple[str, str]]:
    """Events that one write carries are told as it came out."""
    return {("unchanged", "updated")} | ({("updated", "unchanged")} if table.skip_unchanged else set())


def _compare_orders(org: Org, found: Mapping[str, Sequence[Kept]], trial: Trial) -> list[str]:
    wrong = []
    for table in trial.tables:
        for fields in table.lookups:
            want = _by_key(org.records.get(table.object, ()), fields)
            have = _by_key(found[table.object], fields)
            wrong += [
                f"{table.object} by {fields} in another order: {have[key]}, by the model {want[key]}"
                for key in want
                if want[key] != have[key]
            ]
    return wrong


def _by_key(records: Sequence[Kept], fields: Sequence[str]) -> dict[object, list[str]]:
    found: dict[object, list[str]] = defaultdict(list)
    for record in records:
        # Defaults are no identity: records of two files may have the same ones, in any order.
        if not record.deleted and all(record.fields.get(name) not in (None, "n/a") for name in fields):
            found[tuple(str(record.fields[name]).casefold() for name in fields)].append(shown(record))
    return found


def shown(record: Kept) -> str:
    """The record as text that tells it from all that differ."""
    pointed = {name: _values(one) for name, one in record.fields.items() if isinstance(one, Kept)}
    return json.dumps({**_values(record), **pointed}, sort_keys=True)


def _values(record: Kept) -> dict[str, str]:
    """What it holds itself: records may point to one another in circles."""
    return {name: value for name, value in record.fields.items() if not isinstance(value, Kept)}
