"""Draws trials by a seed: mappings, streams of events of few identities, and what disturbs their delivery.

A trial that fails is shrunk: whatever can be left out while it still fails is left out.
"""

import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Literal, cast

from .model import By, Event, EventType, Instead, Operation, Org, Pointer, Rule, Table, Write
from .trial import LATE, LOSSES, POINTING, SHAPES, Bulk, Fault, Leg, Plug, Trial

PASSING = (
    "server_unavailable", "expired_session", "html", "http_error", "lock_row", "concurrent_limit", "slow",
    "record_lock", "record_lock_wrapped", "governor_limit", "down",
)  # fmt: skip
ENDING = ("day_limit", "max_calls", "stop", "kill")
SEQUELS = ("another file", "appended", "replaced", "changed", "restart", "retry", "stream", "killed stream")
"""What is done after a run that ended early."""
OPERATIONS: tuple[Operation, ...] = (
    "upsert", "upsert", "upsert", "upsert", "upsert", "upsert", "update", "update", "delete", "delete", "create",
)  # fmt: skip
WRITES = ("create", "update", "upsert", "delete")
POINTS = ("before transaction", "after transaction", "before call", "in call", "after call")
KINDS = (*LOSSES, *PASSING, *ENDING, *SEQUELS)
"""All that can disturb a trial."""
JOB_STEPS = ("createJob", "uploadJob", "closeJob", "jobInfo", "jobResults", "abortJob")
BULK_MODES: tuple[Bulk, ...] = ("never", "auto", "always")
JOB_KINDS = ("job loss", "job refusal", "job rows", "job end", "job kill", "job stop")
"""What can disturb a bulk job: a step without an answer or refused, rows, its end, or that of the command."""

TRAITS = {
    "Lead": {"Email": "email", "LastName": "last", "Company": "company", "Phone": "phone", "City": "city",
             "Rating": "rating", "Key__c": "key"},
    "Account": {"AccountNumber": "number", "Name": "company", "Phone": "phone", "Rating": "rating",
                "Code__c": "key"},
    "Contact": {"Email": "email", "LastName": "last", "Phone": "phone", "Title": "city", "AccountId": "number",
                "ReportsToId": "boss"},
    "Seat__c": {"Key__c": "key", "Email__c": "email", "Plan__c": "rating", "Phone__c": "phone",
                "Account__c": "number", "Who__c": "boss", "Tags__c": "tags"},
    "Log__c": {"Text__c": "phone", "Email__c": "email"},
}  # fmt: skip
"""By object, which trait each field gets."""
LOOKUPS = {
    "Lead": (("Email",), ("LastName", "Company"), ("Phone",)),
    "Account": (("AccountNumber",), ("Name",)),
    "Contact": (("Email",), ("LastName",)),
    "Seat__c": (("Email__c",), ("Plan__c",)),
}
CONDITIONS = {"Lead": "Rating", "Account": "Rating", "Contact": "Title", "Seat__c": "Plan__c"}
OLD = {"Email": "old_email", "Email__c": "old_email", "AccountNumber": "old_number"}
"""What a field may be looked up by in place of its own trait."""
INSTEAD = (
    Instead("Contact", "Email", "email"),
    Instead("Lead", "Email", "email"),
    Instead("Lead", "Phone", "phone", ("Rating", "!=", "Hot")),
    Instead("Account", "AccountNumber", "number", ("Rating", "=", "Cold")),
    Instead("Account", "Name", "company"),
)
KEYS = {"Lead": "Key__c", "Account": "Code__c", "Seat__c": "Key__c"}
NEEDED = {"Lead": ("LastName", "Company"), "Account": ("Name",), "Contact": ("LastName",)}
_PLAIN = Table("plain", "identify", "Seat__c", (Rule("Key__c", "key"), Rule("Phone__c", "phone")), (("Key__c",),))


def draw_trial(seed: int, kind: str = "") -> Trial:
    """The trial of this seed, with a disturbance of the kind; empty for none."""
    dice = Random(f"{seed} {kind}")
    tables = draw_tables(dice)
    trial = Trial(
        tables,
        draw_events(dice, tables),
        connections=dice.choice((1, 4, 10)),
        window=dice.choice((0, 0, 1, 3, 7)),
        batch_size=dice.choice((200, 200, 2)),
    )
    return _shaped(Random(f"shape {seed}"), disturbed(dice, trial, kind))


def draw_bulk_trial(seed: int, kind: str = "") -> Trial:
    """A trial in which what can be is written by bulk jobs, all of it or where it is more than a few records."""
    dice = Random(f"mode {seed} {kind}")
    trial = _draw_disturbed_jobs(seed, kind) if kind in JOB_KINDS else draw_trial(seed, kind)
    legs = tuple(replace(leg, bulk=dice.choice(BULK_MODES)) if dice.random() < 0.2 else leg for leg in trial.legs)
    return replace(trial, legs=legs, bulk=dice.choice(("always", "auto")), fewest=dice.choice((1, 2, 3, 5)))


def _draw_disturbed_jobs(seed: int, kind: str) -> Trial:
    dice = Random(f"bulk {seed} {kind}")
    trial = draw_trial(seed)
    trial = replace(trial, tables=_found_in_one_way(trial.tables))
    legs = [_draw_job_leg(dice, trial.tables, kind)]
    if dice.random() < 0.4:
        legs.append(_draw_job_leg(dice, trial.tables, dice.choice(JOB_KINDS)))
    return replace(trial, legs=tuple(legs))


def _found_in_one_way(tables: Sequence[Table]) -> tuple[Table, ...]:
    """Mappings that all look up the records of an object by the same field, without which few go by jobs."""
    first: dict[str, Table] = {}
    found: list[Table] = []
    for table in (replace(one, where=None, unless=()) for one in tables):
        if table.operation != "create":
            known = first.setdefault(table.object, table)
            table = _by_what_is_written(replace(table, match=known.match[:1], external_id=known.external_id))
            key = known.external_id
            if key and all(rule.field != key for rule in table.rules):
                table = replace(table, rules=(*table.rules, Rule(key, TRAITS[table.object][key])))
            looked_up = {name for names in table.lookups for name in names}
            unfit = {KEYS.get(table.object)} if table.operation != "delete" else set(TRAITS[table.object])
            rules = tuple(rule for rule in table.rules if rule.field not in unfit - looked_up)
            table = replace(table, rules=rules)
        found.append(table)
    return tuple(found)


def _draw_job_leg(dice: Random, tables: Sequence[Table], kind: str) -> Leg:
    if kind in ("job kill", "job stop"):
        by = signal.SIGKILL if kind == "job kill" else signal.SIGINT
        faults = (_draw_job_fault(dice, tables, "job loss"),) if dice.random() < 0.4 else ()
        return Leg(plug=(dice.choice(POINTS), dice.randint(4, 30), by), faults=faults)
    return Leg(faults=(_draw_job_fault(dice, tables, kind),))


def _draw_job_fault(dice: Random, tables: Sequence[Table], kind: str) -> Fault:
    first = {"at": dice.choice((1, 1, 2))}
    if kind == "job loss":
        what = dice.choice((*LOSSES, "server_unavailable", "expired_session", "html", "http_error"))
        seconds = {"seconds": LATE} if what in ("late_commit", "timeout") else {}
        return {"kind": what, "calls": dice.choice(JOB_STEPS), **first, **seconds}
    if kind == "job refusal":
        code = dice.choice(("INVALIDJOBSTATE", "EXCEEDEDQUOTA", "INVALIDBATCH", "FEATURENOTENABLED"))
        return {"kind": "fault", "calls": dice.choice(JOB_STEPS[:3]), "code": code, "message": "no", **first}
    if kind == "job end":
        return {"kind": dice.choice(("job_failed", "job_aborted")), "calls": "processBatch", **first}
    what = dice.choice(("record_lock", "record_lock_wrapped", "governor_limit", "deleted_between"))
    if what == "governor_limit":
        return {"kind": what, "calls": "processBatch", "records": dice.randint(1, 3)}
    share = 1.0 if _minds_order(tables) else dice.choice((0.4, 1.0))
    return {
        "kind": "record_lock" if what == "deleted_between" else what,
        "calls": "processBatch",
        "share": share,
        **first,
    }


def _shaped(dice: Random, trial: Trial) -> Trial:
    """In some shape, unless a file changes or grows: only lines that are not packed continue then."""
    if any(leg.now or leg.events for leg in trial.legs) or not trial.events:
        return trial
    return replace(trial, shape=dice.choice(tuple(SHAPES)))


def draw_streams(dice: Random, people: Sequence[str], most: int) -> Sequence[Trial]:
    """Trials of the same mappings, each with the events of other people: they may go in any order.

    Each event leads to a write for each of its records, so that it is remembered if it comes again.
    """
    while True:
        drawn = Trial(tuple(map(_without_constants, draw_tables(dice))), ())
        tables = _sure(drawn, without=("for_each", "skip_unchanged")).tables
        streams = [Trial(tables, _draw_dated(dice, tables, most, who), stream="all") for who in people]
        streams = [replace(stream, events=_written(stream)) for stream in streams]
        if all(len(stream.events) > most / 2 for stream in streams):
            return streams


def _draw_dated(dice: Random, tables: Sequence[Table], count: int, who: str) -> tuple[Event, ...]:
    """Events that have a time each: a service would give them one."""
    drawn = (draw_event(dice, tables, number, who) for number in range(count))
    return tuple({"timestamp": "2026-01-05T00:00:00Z", **event} for event in drawn)


def draw_events(dice: Random, tables: Sequence[Table], who: str = "") -> tuple[Event, ...]:
    """Some events, a few of them copies of earlier ones."""
    events: list[Event] = []
    for number in range(dice.choice((2, 3, 4, 5, 6, 8, 10, 14, 20, 30))):
        is_copy = events and dice.random() < 0.05
        events.append(dice.choice(events) if is_copy else draw_event(dice, tables, number, who))
    return tuple(events)


def disturbed(dice: Random, trial: Trial, kind: str) -> Trial:
    if kind in SEQUELS:
        return _SEQUELS[kind](dice, trial)
    if not kind:
        return trial
    legs = [draw_leg(dice, trial.tables, kind)]
    if dice.random() < 0.3:
        legs.append(draw_leg(dice, trial.tables, dice.choice((*LOSSES, *PASSING, *ENDING))))
    return replace(trial, legs=tuple(legs))


def _another_file(dice: Random, trial: Trial) -> Trial:
    """A file of other people is delivered in between."""
    tables = tuple(map(_without_constants, trial.tables))
    others = draw_events(dice, tables, "q")
    legs = (_ended(dice, tables), Leg(file="b", pause=dice.choice((0.0, trial.call_limit))))
    return replace(trial, tables=tables, others=others, legs=legs)


def _appended(dice: Random, trial: Trial) -> Trial:
    first = dice.randint(1, len(trial.events))
    second = dice.randint(first, len(trial.events))
    return replace(trial, legs=(replace(_ended(dice, trial.tables), events=first), Leg(events=second)))


def _replaced(dice: Random, trial: Trial) -> Trial:
    """Other events under the name of a file that is delivered in part."""
    trial = _one_by_one(_sure(trial))
    return replace(trial, legs=(_ended(dice, trial.tables), Leg(now=draw_events(dice, trial.tables))))


def _changed(dice: Random, trial: Trial) -> Trial:
    """A line is taken out of the file, put into it or changed, or it is cut short."""
    trial = _one_by_one(_sure(trial))
    events = trial.events
    at = dice.randrange(len(events))
    new = draw_event(dice, trial.tables, "n", "")
    changes = ((), (new,), (new, events[at]))
    now = (*events[:at], *dice.choice(changes), *(events[at + 1 :] if dice.random() < 0.8 else ()))
    return replace(trial, legs=(_ended(dice, trial.tables), Leg(now=now or (new,))))


def _restarted(dice: Random, trial: Trial) -> Trial:
    """`--restart` after an early end, or after the end."""
    if dice.random() < 0.3:
        trial = _sure(trial)
        return replace(trial, legs=(Leg(), replace(_ended(dice, trial.tables), restart=True)))
    trial = _one_by_one(trial)
    return replace(trial, legs=(draw_leg(dice, trial.tables, dice.choice(ENDING)), Leg(restart=True)))


def _retried(dice: Random, trial: Trial) -> Trial:
    trial = _sure(trial)
    legs = tuple(_ended(dice, trial.tables) for _ in range(dice.randint(0, 1)))
    again = replace(_ended(dice, trial.tables), retry=True)
    return replace(trial, legs=legs, retries=(again, again)[: dice.randint(0, 2)] or (Leg(retry=True),))


def _streamed(dice: Random, trial: Trial) -> Trial:
    """By standard input; after an early end it goes on with what is not done."""
    ends = [one for one in ENDING if one != "kill"]
    legs = tuple(draw_leg(dice, trial.tables, dice.choice(ends), dice.random() < 0.4) for _ in range(2))
    return replace(trial, stream="rest", legs=legs)


def _killed_stream(dice: Random, trial: Trial) -> Trial:
    """By standard input, all of it again after a kill. Only what is written is remembered, so all is."""
    trial = _sure(trial, without=("for_each", "skip_unchanged"))
    events = _written(trial)
    if not events:
        tables = draw_tables(dice)
        return _killed_stream(dice, replace(trial, tables=tables, events=draw_events(dice, tables)))
    legs = tuple(draw_leg(dice, trial.tables, "kill") for _ in range(dice.randint(1, 2)))
    return replace(trial, stream="all", legs=legs, events=events)


_SEQUELS: Mapping[str, Callable[[Random, Trial], Trial]] = {
    "another file": _another_file, "appended": _appended, "replaced": _replaced, "changed": _changed,
    "restart": _restarted, "retry": _retried, "stream": _streamed, "killed stream": _killed_stream,
}  # fmt: skip


def _written(trial: Trial) -> tuple[Event, ...]:
    """The events that lead to a write for each of their records."""
    events = trial.events
    while True:
        org = Org()
        results = [(event, org.apply(trial.tables, event)) for event in events]
        good = tuple(
            event for event, ones in results if all(one.fate not in ("skipped", "failed") for one in ones)
        )
        if good == events:
            return good
        events = good


def _one_by_one(trial: Trial) -> Trial:
    """It is to be told how far a run has come: events go one by one, and there are few of them."""
    tables = tuple(replace(table, for_each=False) for table in trial.tables)
    return replace(trial, tables=tables[:3], events=trial.events[:8], window=1)


def _sure(trial: Trial, without: Sequence[str] = ()) -> Trial:
    """Without creates of which it may never be known whether they were done, and without some switches."""
    off = dict.fromkeys(without, False)
    tables = [
        replace(_by_what_is_written(table), **off)  # type: ignore[arg-type]
        for table in trial.tables
        if table.operation != "create"
    ]
    return replace(trial, tables=tuple(tables) or (_PLAIN,))


def _by_what_is_written(table: Table) -> Table:
    match = tuple(tuple(by.field for by in one) for one in table.wanted)
    known = {rule.field for rule in table.rules}
    rules = tuple(Rule(field, TRAITS[table.object][field]) for one in match for field in one if field not in known)
    return replace(table, match=() if table.external_id else match, rules=(*table.rules, *dict.fromkeys(rules)))


def _without_constants(table: Table) -> Table:
    """Records of two files must not be found by what both say."""
    traits = TRAITS[table.object]
    rules = (replace(rule, trait=rule.trait or traits[rule.field], value="") for rule in table.rules)
    return replace(table, rules=tuple(rules))


def _ended(dice: Random, tables: Sequence[Table]) -> Leg:
    """A run that ends early, perhaps with a write in doubt."""
    return draw_leg(dice, tables, dice.choice(ENDING), dice.random() < 0.3)


def draw_leg(dice: Random, tables: Sequence[Table], kind: str, with_loss: bool = False) -> Leg:
    faults = (draw_fault(dice, tables, dice.choice(LOSSES)),) if with_loss else ()
    if kind in ("kill", "stop"):
        by = signal.SIGKILL if kind == "kill" else signal.SIGINT
        return Leg(plug=draw_plug(dice, by), faults=faults)
    if kind == "max_calls":
        return Leg(max_calls=dice.randint(3, 16), faults=faults)
    return Leg(faults=(*faults, draw_fault(dice, tables, kind)))


def draw_fault(dice: Random, tables: Sequence[Table], kind: str) -> Fault:
    fault: dict[str, object] = {"kind": kind}
    if kind == "governor_limit":
        return {**fault, "calls": list(WRITES), "records": dice.randint(1, 3)}
    if kind in LOSSES or kind.startswith("record_lock"):
        fault |= {"calls": dice.choice((*WRITES, list(WRITES))), "at": dice.choice((1, 1, 1, 2, 3))}
    elif dice.random() < 0.7:
        fault |= {"calls": dice.choice((*WRITES, list(WRITES), "query")), "at": dice.choice((1, 1, 2, 3, 4))}
    else:
        fault |= {"at": dice.randint(1, 8)}
    if kind in ("late_commit", "slow", "timeout", "down"):
        fault["seconds"] = LATE
    if kind.startswith("record_lock"):
        # Those beside a record that is locked are created before it: the order of creation is not the events'.
        is_open = "create" in cast(str, fault["calls"]) and _minds_order(tables)
        fault["share"] = 1.0 if is_open else dice.choice((0.4, 1.0))
    return cast(Fault, fault)


def _minds_order(tables: Sequence[Table]) -> bool:
    """Whether some lookup may find several records."""
    return any(len(one.lookups) != 1 or one.where for one in tables) or len({one.object for one in tables}) < len(
        tables
    )


def draw_plug(dice: Random, by: int = signal.SIGKILL) -> Plug:
    return dice.choice(POINTS), dice.randint(2, 12), by


# Mappings


def draw_tables(dice: Random) -> tuple[Table, ...]:
    """One to four mappings, mostly of one object, so that they meet."""
    main = dice.choice(("Lead", "Lead", "Account", "Contact", "Seat__c"))
    objects = [
        main,
        *(dice.choice((main, main, "Account", "Contact", "Seat__c", "Log__c")) for _ in range(dice.randint(0, 3))),
    ]
    return tuple(draw_table(dice, f"m{number}", name) for number, name in enumerate(objects))


def draw_table(dice: Random, name: str, object_name: str) -> Table:
    event: EventType = dice.choice(("identify", "identify", "group", "track"))
    if object_name == "Log__c":
        rules = tuple(Rule(field, trait) for field, trait in TRAITS[object_name].items())
        return Table(name, event, object_name, rules, operation="create", for_each=dice.random() < 0.3)
    key = KEYS.get(object_name, "")
    operation: Operation = dice.choice(OPERATIONS)
    external_id = key if key and operation != "create" and dice.random() < 0.35 else ""
    match = () if external_id or operation == "create" else _draw_match(dice, object_name)
    looked_up = {external_id} if external_id else {one for names in match for one in names if isinstance(one, str)}
    fields = [one for one in TRAITS[object_name] if one in looked_up or (one != key and dice.random() < 0.7)]
    if operation == "delete":
        fields = [one for one in fields if one in looked_up]
    rules = tuple(
        draw_rule(dice, object_name, one, one in looked_up, operation)
        for one in fields or [one for one in TRAITS[object_name] if one != key]
    )
    return Table(
        name,
        event,
        object_name,
        rules,
        match,
        operation,
        external_id,
        where=_draw_where(dice, object_name) if match and dice.random() < 0.2 else None,
        on_many=dice.choice(("newest", "newest", "oldest", "error")) if match else "newest",
        on_none=_draw_on_none(dice, operation),
        skip_unchanged=operation in ("upsert", "update") and dice.random() < 0.15,
        guard=operation != "create" and dice.random() < 0.15,
        for_each=operation != "create" and dice.random() < 0.12,
        unless=_draw_unless(dice),
    )


def _draw_on_none(dice: Random, operation: Operation) -> Literal["skip", "error"]:
    return "error" if operation in ("update", "delete") and dice.random() < 0.3 else "skip"


def _draw_match(dice: Random, object_name: str) -> tuple[tuple[str | By, ...], ...]:
    lookups = list(LOOKUPS[object_name])
    dice.shuffle(lookups)
    drawn = lookups[: dice.choice((1, 1, 2, 2, 3))]
    return tuple(tuple(_draw_by(dice, name) for name in names) for names in drawn)


def _draw_by(dice: Random, name: str) -> str | By:
    """The field, now and then with another value than the one that is written."""
    return By(name, OLD[name]) if name in OLD and dice.random() < 0.2 else name


def _draw_unless(dice: Random) -> tuple[Instead, ...]:
    if dice.random() < 0.85:
        return ()
    count = dice.choice((1, 1, 2))
    return tuple(dice.choice(INSTEAD) for _ in range(count))


def _draw_where(dice: Random, object_name: str) -> tuple[str, str, str]:
    return CONDITIONS[object_name], dice.choice(("=", "!=")), dice.choice(("Hot", "Cold", ""))


def draw_rule(dice: Random, object_name: str, field: str, is_looked_up: bool, operation: Operation) -> Rule:
    rule = Rule(field, TRAITS[object_name][field])
    if field in POINTING:
        return draw_pointing(dice, rule)
    if field == "Tags__c":
        return replace(
            rule, add=True, clear=dice.random() < 0.3, write=dice.choice(("always", "always", "update"))
        )
    if operation == "delete":
        return rule
    if field in NEEDED.get(object_name, ()) and dice.random() < 0.85:
        return replace(rule, default="n/a", default_write=dice.choice(("", "create")))
    if is_looked_up:
        return replace(rule, required=dice.random() < 0.15)
    if field == CONDITIONS.get(object_name) and dice.random() < 0.4:
        return replace(rule, trait="", value=dice.choice(("Hot", "Cold")))
    write: Write = dice.choice(("always", "always", "always", "create", "update", "empty"))
    if operation == "update" and write == "create":
        write = "always"
    clear = write != "empty" and dice.random() < 0.3
    return replace(rule, write=write, clear=clear)


def draw_pointing(dice: Random, rule: Rule) -> Rule:
    """A rule that points to another record, perhaps under a condition or in several objects."""
    on_missing: Literal["drop", "reject"] = dice.choice(("drop", "drop", "reject"))
    on_many: Literal["newest", "oldest", "error"] = dice.choice(("newest", "newest", "oldest", "error"))
    compared = ("=", "!=")
    if rule.field in ("AccountId", "Account__c"):
        by = dice.choice(("AccountNumber", "AccountNumber", "Code__c"))
        trait = "number" if by == "AccountNumber" else "key"
        where = ("Rating", dice.choice(compared), dice.choice(("Hot", "")))
        pointer = Pointer("Account", by, on_missing)
    else:
        by = dice.choice(("Email", "Email", "LastName"))
        trait = "boss" if by == "Email" else "last"
        where = ("Phone", dice.choice(compared), dice.choice(("t1", "")))
        objects = (
            [("Contact", "Lead"), ("Lead", "Contact"), ("Contact",)] if rule.field == "Who__c" else [("Contact",)]
        )
        first, *others = dice.choice(objects)
        pointer = Pointer(first, by, on_missing, tuple(others))
    if dice.random() < 0.4:
        pointer = replace(pointer, where=where)
    if dice.random() < 0.4:
        pointer = replace(pointer, on_many=on_many)
    return replace(rule, trait=trait, pointer=pointer)


# Events


def draw_event(dice: Random, tables: Sequence[Table], number: object, who: str) -> Event:
    """An event for one of the mappings, mostly, of one of a few people; `who` tells those of two files apart."""
    event_type = dice.choice([table.event for table in tables] + ["page"] * (dice.random() < 0.1))
    traits = draw_traits(dice, number, who)
    if any(table.for_each and table.event == event_type for table in tables):
        traits["items"] = [draw_traits(dice, f"{number}-{item}", who) for item in range(dice.randint(0, 3))]
    inner = "properties" if event_type == "track" else "traits"
    event: dict[str, object] = {"type": event_type, inner: traits}
    if event_type == "track":
        event["event"] = "Something"
    if dice.random() < 0.8:
        event["timestamp"] = f"2026-01-{dice.randint(1, 9):02}T00:00:00Z"
    return event


def draw_traits(dice: Random, number: object, who: str) -> dict[str, object]:
    def some(*values: object) -> object:
        return dice.choice(values)

    traits = {
        "email": f"{who}p{dice.randint(0, 3)}@x.co",
        "boss": f"{who}p{dice.randint(0, 3)}@x.co",
        "tags": some("red", "blue;green", "RED; blue", "green", None),
        "old_email": f"{who}p{dice.randint(0, 3)}@x.co",
        "old_number": f"{who}{dice.randint(1, 3)}",
        "key": f"{who}k{dice.randint(0, 3)}",
        "last": some(f"{who}La", f"{who}Lb"),
        "company": some(f"{who}C1", f"{who}C2"),
        "number": f"{who}{dice.randint(1, 3)}",
        "phone": some(f"{who}t{number}", f"{who}t{number}", f"{who}t1", None),
        "city": some("Rome", "Oslo", "Hot", None),
        "rating": some(f"{who}Hot", f"{who}Cold", f"{who}Warm", None),
    }
    traits = {name: value for name, value in traits.items() if dice.random() < 0.85}
    return {
        name: _varied(dice, value) if name in ("email", "last", "company") else value
        for name, value in traits.items()
    }


def _varied(dice: Random, value: object) -> object:
    """Another case or outer blanks now and then."""
    chance = dice.random()
    if not isinstance(value, str) or chance > 0.2:
        return value
    return value.upper() if chance > 0.05 else f" {value} "


# Shrinking


def shrink(trial: Trial, fails: Callable[[Trial], bool], most: int = 150) -> Trial:
    """A smaller trial that still fails, found with so many attempts at the most."""
    left = most
    is_smaller = True
    while is_smaller:
        is_smaller = False
        for smaller in _smaller(trial):
            left -= 1
            if left < 0:
                return trial
            if fails(smaller):
                trial, is_smaller = smaller, True
                break
    return trial


def _smaller(trial: Trial) -> Iterator[Trial]:
    """Trials with less in them, those with much less first."""
    yield from _calmer(trial)
    yield from _shorter(trial)
    for number in range(len(trial.others)):
        yield replace(trial, others=trial.others[:number] + trial.others[number + 1 :])
    for number, table in enumerate(trial.tables):
        for plainer in _plainer(table):
            yield replace(trial, tables=(*trial.tables[:number], plainer, *trial.tables[number + 1 :]))
    for number, event in enumerate(trial.events):
        for emptier in _emptier(event):
            yield replace(trial, events=(*trial.events[:number], emptier, *trial.events[number + 1 :]))


def _calmer(trial: Trial) -> Iterator[Trial]:
    """With fewer mappings and disturbances."""
    for number in range(len(trial.tables)):
        if len(trial.tables) > 1:
            yield replace(trial, tables=trial.tables[:number] + trial.tables[number + 1 :])
    for number in range(len(trial.legs)):
        yield replace(trial, legs=trial.legs[:number] + trial.legs[number + 1 :])
    if trial.retries[1:]:
        yield replace(trial, retries=trial.retries[1:])
    if trial.batch_size < 200:
        yield replace(trial, batch_size=200)
    if trial.bulk == "auto":
        yield replace(trial, bulk="always")


def _shorter(trial: Trial) -> Iterator[Trial]:
    count = len(trial.events)
    size = max(1, count // 2)
    while size:
        for start in range(0, count, size):
            yield replace(trial, events=trial.events[:start] + trial.events[start + size :])
        size //= 2


def _plainer(table: Table) -> Iterator[Table]:
    for change in (
        {"where": None},
        {"on_many": "newest"},
        {"on_none": "skip"},
        {"skip_unchanged": False},
        {"guard": False},
        {"unless": ()},
    ):
        if any(getattr(table, key) != value for key, value in change.items()):
            yield replace(table, **change)
    if len(table.match) > 1:
        for number in range(len(table.match)):
            yield replace(table, match=table.match[:number] + table.match[number + 1 :])
    looked_up = {name for names in table.lookups for name in names}
    for number, rule in enumerate(table.rules):
        rest = table.rules[number + 1 :]
        if rule.field not in looked_up and len(table.rules) > 1:
            yield replace(table, rules=table.rules[:number] + rest)
        plain = Rule(rule.field, rule.trait, rule.value, rule.default, rule.default_write, pointer=rule.pointer)
        if plain != rule:
            yield replace(table, rules=(*table.rules[:number], plain, *rest))


def _emptier(event: Event) -> Iterator[Event]:
    if "timestamp" in event:
        yield {key: value for key, value in event.items() if key != "timestamp"}
    inner = "properties" if "properties" in event else "traits"
    traits = cast(dict[str, object], event[inner])
    for name in traits:
        yield {**event, inner: {key: value for key, value in traits.items() if key != name}}
