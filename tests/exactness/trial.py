"""Trials: the mappings and events of one, how its delivery is disturbed, and the project that it becomes."""

import gzip
import json
import lzma
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from backports import zstd

from .model import OF_PROPERTIES, By, Event, Instead, Rule, Table

SCHEMA = """\
objects:
  Lead:
    fields:
      Key__c: {type: string, length: 40, external_id: true, unique: true}
  Account:
    fields:
      Code__c: {type: string, length: 40, external_id: true, unique: true}
  Seat__c:
    fields:
      Key__c: {type: string, length: 40, external_id: true, unique: true}
      Email__c: {type: string, length: 80}
      Plan__c: {type: string, length: 40}
      Phone__c: {type: string, length: 40}
      Account__c: {type: reference, to: Account}
      Who__c: {type: reference, to: [Contact, Lead]}
      Tags__c: {type: multipicklist, values: [red, blue, green]}
  Log__c:
    fields:
      Text__c: {type: string, length: 80}
      Email__c: {type: string, length: 80}
"""
FIELDS = {
    "Lead": ("Key__c", "Email", "LastName", "Company", "Phone", "City", "Rating"),
    "Account": ("Code__c", "AccountNumber", "Name", "Phone", "Rating"),
    "Contact": ("Email", "LastName", "Phone", "Title", "AccountId", "ReportsToId"),
    "Seat__c": ("Key__c", "Email__c", "Plan__c", "Phone__c", "Account__c", "Who__c", "Tags__c"),
    "Log__c": ("Text__c", "Email__c"),
}
POINTING = ("AccountId", "Account__c", "ReportsToId", "Who__c")
"""The fields that hold the id of another record."""
PROJECT = """\
mappings: mappings
use: {use}
repeats: {repeats}
orgs:
  org:
    login_url: {url}
    username: {username}
    password: ${{PASSWORD}}
    security_token: ${{TOKEN}}
    call_limit: {call_limit}
    patience: 30
    batch_size: {batch_size}
"""

CALL_LIMIT = 1.2
LATE = 0.3
"""Seconds after which a late commit is done, where a fault says no other."""
LOSSES = ("late_commit", "reset_after", "truncated", "timeout", "reset")
"""Answers that are lost, whether the org did what it was asked or not."""
UNCLEAR = (*LOSSES, "http_error", "html", "down")
"""Answers after which nobody knows whether a write was done."""

Bulk = Literal["never", "auto", "always"]
Fault = Mapping[str, object]
Plug = tuple[str, int, int]
"""At what point, at the how many-th of them, and by which signal the command ends."""


@dataclass(frozen=True)
class Leg:
    """One start of the command, and what disturbs it."""

    plug: Plug | None = None
    faults: tuple[Fault, ...] = ()
    max_calls: int = 0
    clock: float = 0.0
    """Seconds by which the clock is wrong."""
    file: str = "a"
    """Which file of events is delivered; `-` is standard input."""
    events: int = 0
    """How many of the file's events are in it already; 0 for all."""
    now: tuple[Event, ...] = ()
    """What the file `a` holds from here on, instead of what it held before."""
    restart: bool = False
    pause: float = 0.0
    """Seconds before it starts: longer than the call limit, a doubt is over."""
    retry: bool = False
    """Delivers the dead letters instead."""
    bulk: Bulk | None = None
    """Whether it writes by bulk jobs, unless as the others of its trial."""

    @property
    def may_lose(self) -> bool:
        """Whether an answer may be lost."""
        is_killed = self.plug is not None and self.plug[2] == signal.SIGKILL
        return is_killed or any(one["kind"] in UNCLEAR for one in self.faults)


@dataclass(frozen=True)
class Trial:
    """Everything that is drawn."""

    tables: tuple[Table, ...]
    events: tuple[Event, ...]
    legs: tuple[Leg, ...] = ()
    others: tuple[Event, ...] = ()
    """The events of the file `b`, whose identities are others."""
    connections: int = 4
    window: int = 0
    """How many events go together; 0 as usual."""
    call_limit: float = CALL_LIMIT
    batch_size: int = 200
    bulk: Bulk = "never"
    """Whether records are written by bulk jobs."""
    fewest: int = 2
    """The records of one call from which on `auto` takes jobs."""
    stream: Literal["", "rest", "all"] = ""
    """Whether the events come by standard input, and what is sent again after an early end: what sfmap says is not
    done, or all, as by a client that was not told."""
    shape: str = "lines"
    """Of the files."""
    retries: tuple[Leg, ...] = ()
    """What disturbs `sfmap retry` afterwards; the last one is never disturbed."""

    @property
    def files(self) -> tuple[str, ...]:
        return ("a", "b") if self.others else ("a",)

    @property
    def is_read_in_order(self) -> bool:
        """Whether each window ends before the next begins: only then is it known how far events came."""
        return any(leg.restart or leg.now or leg.events for leg in self.legs)

    @property
    def may_lose(self) -> bool:
        return any(leg.may_lose for leg in (*self.legs, *self.retries))

    @property
    def latest(self) -> float:
        """Seconds that the org may still be at work when the last run has ended."""
        late = [
            one
            for leg in (*self.legs, *self.retries)
            for one in leg.faults
            if one["kind"] in ("late_commit", "slow")
        ]
        return max((float(str(one.get("seconds", 1))) for one in late), default=0.0)


def _gzip(text: bytes) -> bytes:
    """Without the time: a file that is written again must stay the same."""
    return gzip.compress(text, mtime=0)


SHAPES: Mapping[str, Callable[[bytes], bytes]] = {
    "lines": lambda text: text,
    "gzip": _gzip,
    "gzip of a member for each line": lambda text: b"".join(map(_gzip, text.splitlines(keepends=True))),
    "zstd": zstd.compress,
    "xz": lzma.compress,
    "array": lambda text: b"[" + text.rstrip().replace(b"\n", b",\n") + b"]",
}
"""What a file of lines is made into, with each event on the line where it was."""


def write(path: Path, events: Sequence[Event], shape: str = "lines") -> None:
    path.write_bytes(SHAPES[shape]("".join(json.dumps(event) + "\n" for event in events).encode()))


def render(table: Table) -> str:
    """The mapping as YAML, of which JSON is a part."""
    inner = "properties" if table.event in OF_PROPERTIES else "traits"
    prefix = "item." if table.for_each else f"{inner}."
    lines = ["sfmap: 1", f"event: {table.event}", f"object: {table.object}", f"operation: {table.operation}"]
    if table.external_id:
        lines.append(f"match: {{external_id: {table.external_id}}}")
    elif table.match:
        tried = [[_match_field(by, prefix) for by in one] for one in table.wanted]
        lookups = [one[0] if len(one) == 1 else one for one in tried]
        lines.append(f"match: {json.dumps(lookups)}")
    if table.where:
        lines.append(f"where: {condition(table.where)}")
    if table.on_many != "newest":
        lines.append(f"on_many: {table.on_many}")
    if table.on_none != "skip":
        lines.append(f"on_none: {table.on_none}")
    if table.unless:
        lines.append(f"unless_found: {json.dumps([_instead(one, prefix) for one in table.unless])}")
    lines += [f"{key}: true" for key, on in _switches(table).items() if on]
    if table.for_each:
        lines.append(f"for_each: {inner}.items")
    lines.append("fields:")
    lines += [f"  {rule.field}: {json.dumps(rule_of(rule, prefix))}" for rule in table.rules]
    return "\n".join(lines) + "\n"


def _match_field(by: By, prefix: str) -> object:
    return {by.field: prefix + by.trait} if by.trait else by.field


def _instead(one: Instead, prefix: str) -> dict[str, str]:
    where = {"where": _condition(*one.where)} if one.where else {}
    return {"object": one.object, "by": one.by, "from": prefix + one.trait, **where}


def _condition(name: str, operator: str, value: str) -> str:
    return f"{name} {operator} " + (f"'{value}'" if value else "null")


def _switches(table: Table) -> dict[str, bool]:
    return {"skip_unchanged": table.skip_unchanged, "timestamp_guard": table.guard}


def condition(where: tuple[str, str, str]) -> str:
    name, operator, value = where
    return f"{name} {operator} " + (f"'{value}'" if value else "null")


def rule_of(rule: Rule, prefix: str) -> dict[str, object]:
    said: dict[str, object] = {"from": prefix + rule.trait} if rule.trait else {"value": rule.value}
    if rule.pointer:
        pointer = rule.pointer
        objects = [pointer.object, *pointer.others] if pointer.others else pointer.object
        said |= {"object": objects, "by": pointer.by, "on_missing": pointer.on_missing, "on_many": pointer.on_many}
        if pointer.where:
            said["where"] = condition(pointer.where)
    if rule.add:
        said["add"] = True
    if rule.default:
        said["default"] = {"value": rule.default, **({"write": rule.default_write} if rule.default_write else {})}
    if rule.write != "always":
        said["write"] = rule.write
    if rule.clear:
        said["on_null"] = "clear"
    if rule.required:
        said["required"] = True
    return said


def story(trial: Trial) -> str:
    """The trial for a person to read: its mappings, events and disturbances."""
    lines = [f"--- {table.name}.yaml\n{render(table)}" for table in trial.tables]
    lines += [json.dumps(event) for event in trial.events]
    lines += [f"other file: {json.dumps(event)}" for event in trial.others]
    lines += [str(leg) for leg in trial.legs]
    return "\n".join([*lines, repr(trial)])
