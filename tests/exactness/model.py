"""What an org holds after one event at a time: mappings as plain tables, and the few rules by which they work.

Independent of the product on purpose: nothing of it is imported here.
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Literal

Json = object
Event = Mapping[str, Json]
CHILDREN = ("AccountId",)
"""References whose records are deleted with the record that they refer to."""
Fate = Literal["created", "updated", "deleted", "unchanged", "skipped", "failed"]
RecordOfEvent = tuple[str, int]
"""A mapping, and the item of the event's list; 0 if it makes one record of the event."""
EventType = Literal["identify", "group", "track", "page", "screen", "alias"]
Operation = Literal["create", "update", "upsert", "delete"]
Write = Literal["always", "create", "update", "empty"]

REQUIRED = {"Lead": ("LastName", "Company"), "Account": ("Name",), "Contact": ("LastName",)}
"""What the org wants of a new record."""
OF_PROPERTIES = ("track", "page", "screen")
"""Types of events whose values are properties, not traits."""
EXTERNAL_IDS = ("Key__c", "Code__c")


@dataclass(frozen=True)
class Pointer:
    """A rule that points to another record."""

    object: str
    by: str
    on_missing: Literal["drop", "reject"] = "drop"
    others: tuple[str, ...] = ()
    """The objects to look in where the first has none."""
    where: tuple[str, str, str] | None = None
    on_many: Literal["newest", "oldest", "error"] = "newest"

    @property
    def is_nested(self) -> bool:
        """Whether the org itself looks for it as it writes: the write fails, and nothing else."""
        is_plain = not self.others and not self.where and self.on_many == "newest"
        return is_plain and self.on_missing == "reject" and self.by in EXTERNAL_IDS


@dataclass(frozen=True)
class Rule:
    """How a field gets its value: from a trait, or else a constant."""

    field: str
    trait: str = ""
    value: str = ""
    default: str = ""
    default_write: Literal["", "create"] = ""
    write: Write = "always"
    clear: bool = False
    """Whether an explicit null empties the field."""
    required: bool = False
    pointer: Pointer | None = None
    add: bool = False
    """Whether the field keeps what it holds."""


@dataclass(frozen=True)
class By:
    """A field that a lookup compares: with what is written, or with a trait of its own."""

    field: str
    trait: str = ""


@dataclass(frozen=True)
class Instead:
    """A record that is looked for by a trait."""

    object: str
    by: str
    trait: str
    where: tuple[str, str, str] | None = None


@dataclass(frozen=True)
class Table:
    """A mapping."""

    name: str
    event: EventType
    object: str
    rules: tuple[Rule, ...]
    match: tuple[tuple["str | By", ...], ...] = ()
    operation: Operation = "upsert"
    external_id: str = ""
    where: tuple[str, str, str] | None = None
    """Field, `=` or `!=`, and value; no value stands for null."""
    on_many: Literal["newest", "oldest", "error"] = "newest"
    on_none: Literal["skip", "error"] = "skip"
    skip_unchanged: bool = False
    guard: bool = False
    unless: tuple["Instead", ...] = ()
    """Records for which none is written."""
    for_each: bool = False

    @property
    def wanted(self) -> tuple[tuple["By", ...], ...]:
        """The lookups, each field with what gives its value."""
        lookups = ((self.external_id,),) if self.external_id else self.match
        return tuple(tuple(By(one) if isinstance(one, str) else one for one in names) for names in lookups)

    @property
    def lookups(self) -> tuple[tuple[str, ...], ...]:
        return tuple(tuple(by.field for by in one) for one in self.wanted)


@dataclass(eq=False)
class Kept:
    """A record of the org."""

    number: int
    """In the order of creation."""
    fields: dict[str, "str | Kept"]
    deleted: bool = False


@dataclass(frozen=True)
class Result:
    """What became of one record of an event."""

    mapping: str | None
    item: int
    fate: Fate
    record: Kept | None = None
    is_found_again: bool = True
    """Whether it has a lookup: without one, a lost answer leaves it not known."""
    identity: object = None
    """What it is looked up by at first, among the records of its mapping."""


@dataclass(frozen=True)
class Letter:
    """A record of an event that has failed."""

    event: Event
    mapping: str
    item: int


@dataclass
class Draft:
    """What an event says of one record."""

    always: dict[str, "str | Sought | Added | None"] = field(default_factory=dict)
    create: dict[str, "str | Sought | Added | None"] = field(default_factory=dict)
    update: dict[str, "str | Sought | Added | None"] = field(default_factory=dict)
    empty: dict[str, "str | Sought | Added | None"] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    """The values that records can be found by: no default is one."""
    is_rejected: bool = False


@dataclass(frozen=True)
class Added:
    """Values that a field gets besides those that it holds."""

    values: str


@dataclass(frozen=True)
class Sought:
    """A record that is pointed to, before it is looked for."""

    pointer: Pointer
    value: str


Values = Mapping[str, "str | Sought | Added | None"]
Contents = dict[str, "str | Kept | Sought | Added | None"]


def same(one: object, other: object) -> bool:
    """Whether the org takes the two for the same: without regard to case and outer blanks."""
    return isinstance(one, str) and isinstance(other, str) and one.strip().casefold() == other.strip().casefold()


@dataclass
class Org:
    """The records of all objects, and when the last event of an identity was."""

    records: dict[str, list[Kept]] = field(default_factory=dict)
    newest: dict[object, str] = field(default_factory=dict)
    letters: dict[object, Letter] = field(default_factory=dict)
    """What has failed and was not delivered since, in the order in which it first failed."""
    count: int = 0

    def apply(
        self,
        tables: Sequence[Table],
        event: Event,
        undone: Set[RecordOfEvent] = frozenset(),
        untold: Set[RecordOfEvent] = frozenset(),
    ) -> list[Result]:
        """Does what the mappings say of the event, in their order.

        Of the records in `undone` the org did not do what it was asked, and they fail. Those in `untold` it has
        written without an answer: for all that follows they have failed as well, so that no older event is skipped
        for one that may not have been written, and that they are dead letters.
        """
        taking = [table for table in tables if table.event == event["type"]]
        results = [result for table in taking for result in self._apply_table(table, event, undone, untold)]
        if not results:
            return [Result(None, 0, "skipped")]
        return results

    def retry(self, tables: Sequence[Table], most: int | None = None) -> list[tuple[Letter, Result]]:
        """Delivers what has failed again, the first of it or all."""
        by_name = {table.name: table for table in tables}
        letters = list(self.letters.values())[:most]
        return [(letter, self._apply_letter(by_name[letter.mapping], letter)) for letter in letters]

    def _apply_letter(self, table: Table, letter: Letter) -> Result:
        return next(
            self._apply_item(table, letter.event, item, traits)
            for item, traits in _items(table, letter.event)
            if item == letter.item
        )

    def _apply_table(
        self, table: Table, event: Event, undone: Set[RecordOfEvent], untold: Set[RecordOfEvent]
    ) -> Iterator[Result]:
        for item, traits in _items(table, event):
            if (table.name, item) in undone:
                self._note(Letter(event, table.name, item), "failed")
                yield Result(table.name, item, "failed", is_found_again=False)
            else:
                yield self._apply_item(table, event, item, traits, (table.name, item) in untold)

    def _apply_item(self, table: Table, event: Event, item: int, traits: Event, is_untold: bool = False) -> Result:
        newest = dict(self.newest)
        fate, record, identity, is_found_again = self._write(table, traits, str(event.get("timestamp") or ""))
        if is_untold:
            self.newest = newest
        self._note(Letter(event, table.name, item), "failed" if is_untold else fate)
        return Result(table.name, item, fate, record, is_found_again, identity)

    def _note(self, letter: Letter, fate: Fate) -> None:
        """A copy of an event that has failed is the same letter."""
        key = repr(letter)
        if fate == "failed":
            self.letters.setdefault(key, letter)
        else:
            self.letters.pop(key, None)

    def _write(self, table: Table, traits: Event, moment: str) -> tuple[Fate, Kept | None, object, bool]:
        draft = _draft(table, traits)
        tried = [{by.field: _key(by, draft, traits) for by in one} for one in table.wanted]
        lookups = [_whole(one) for one in tried if None not in one.values()]
        if draft.is_rejected or (table.lookups and not lookups):
            return "failed", None, None, bool(table.lookups)
        if not table.lookups and not any((draft.always, draft.create, draft.update, draft.empty)):
            return "failed", None, None, False
        identity = _identity(table, lookups[0]) if lookups else None
        is_found_again = any(_is_written(one, draft) for one in lookups)
        if table.guard and identity and moment and moment < self.newest.get(identity, ""):
            return "skipped", None, identity, is_found_again
        if any(self._is_there(one, traits) for one in table.unless):
            return "skipped", None, identity, is_found_again
        fate, record = self._do(table, draft, lookups)
        if table.guard and identity and moment and fate not in ("skipped", "failed"):
            self.newest[identity] = moment
        return fate, record, identity, is_found_again

    def _do(self, table: Table, draft: Draft, lookups: Sequence[Mapping[str, str]]) -> tuple[Fate, Kept | None]:
        found = self._found(table, lookups)
        resolved = [self._resolved(values) for values in (draft.always, draft.create, draft.update, draft.empty)]
        if table.operation != "delete" and any(values is None for values in resolved):
            return "failed", None
        always, create, update, empty = (values or {} for values in resolved)
        if not found:
            if table.operation in ("update", "delete"):
                return ("failed" if table.on_none == "error" else "skipped"), None
            return self._create(table.object, {**always, **empty, **create})
        if len(found) > 1 and table.on_many == "error":
            return "failed", None
        record = found[0] if table.on_many == "oldest" else found[-1]
        if table.operation == "delete":
            self._delete(record)
            return "deleted", record
        filled = {name: value for name, value in empty.items() if record.fields.get(name) is None}
        return self._update(table, record, {**filled, **always, **update})

    def _delete(self, record: Kept) -> None:
        """Deletes the record with its children; references of others to it are emptied."""
        record.deleted = True
        for kept in [one for records in self.records.values() for one in records if not one.deleted]:
            for name in [name for name, value in kept.fields.items() if value is record]:
                if name in CHILDREN:
                    self._delete(kept)
                else:
                    del kept.fields[name]

    def _found(self, table: Table, lookups: Sequence[Mapping[str, str]]) -> list[Kept]:
        for lookup in lookups:
            found = [
                record
                for record in self.living(table.object)
                if all(same(record.fields.get(name), value) for name, value in lookup.items())
                and _meets(record, table.where)
            ]
            if found:
                return found
        return []

    def _is_there(self, one: Instead, traits: Event) -> bool:
        said = traits.get(one.trait)
        return bool(isinstance(said, str) and said.strip()) and any(
            same(record.fields.get(one.by), said) and _meets(record, one.where)
            for record in self.living(one.object)
        )

    def _resolved(self, values: Values) -> "Contents | None":
        """The records that are pointed to, in place of what they are sought by; None where one must be there."""
        resolved: Contents = {}
        for name, value in values.items():
            if not isinstance(value, Sought):
                resolved[name] = value
                continue
            found = self._pointed(value)
            if len(found) > 1 and value.pointer.on_many == "error":
                return None
            if found:
                resolved[name] = found[0 if value.pointer.on_many == "oldest" else -1]
            elif value.pointer.is_nested:
                resolved[name] = value
            elif value.pointer.on_missing == "reject":
                return None
        return resolved

    def _pointed(self, sought: Sought) -> list[Kept]:
        """The records of the first object that has any."""
        pointer = sought.pointer
        for name in (pointer.object, *pointer.others):
            found = [
                one
                for one in self.living(name)
                if same(one.fields.get(pointer.by), sought.value) and _meets(one, pointer.where)
            ]
            if found:
                return found
        return []

    def _create(self, name: str, values: "Contents") -> tuple[Fate, Kept | None]:
        given = {
            key: value
            for key, value in _added({}, values).items()
            if value is not None and not isinstance(value, Sought)
        }
        if _lacks(values) or not given or any(key not in given for key in REQUIRED.get(name, ())):
            return "failed", None
        self.count += 1
        record = Kept(self.count, dict(given))
        self.records.setdefault(name, []).append(record)
        return "created", record

    def _update(self, table: Table, record: Kept, values: "Contents") -> tuple[Fate, Kept | None]:
        if _lacks(values):
            return "failed", record
        held = {
            name: value
            for name, value in _added(record.fields, values).items()
            if value is not None or name not in REQUIRED.get(table.object, ())
        }
        is_same = all(record.fields.get(name) == value for name, value in held.items())
        if not held or (table.skip_unchanged and is_same):
            return "unchanged", record
        for name, value in held.items():
            if value is None:
                record.fields.pop(name, None)
            elif not isinstance(value, Sought):
                record.fields[name] = value
        return "updated", record

    def living(self, name: str) -> list[Kept]:
        return [record for record in self.records.get(name, ()) if not record.deleted]


def _identity(table: Table, lookup: Mapping[str, str]) -> object:
    return (table.object, *((name, value.strip().casefold()) for name, value in lookup.items()))


def _key(by: By, draft: Draft, traits: Event) -> str | None:
    said = traits.get(by.trait) if by.trait else draft.keys.get(by.field)
    return said.strip() if isinstance(said, str) and said.strip() else None


def _is_written(lookup: Mapping[str, str], draft: Draft) -> bool:
    """Whether a record that is created is found by it."""
    written = {**draft.always, **draft.empty, **draft.create}
    return all(same(written.get(name), value) for name, value in lookup.items())


def _whole(lookup: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in lookup.items() if value is not None}


def _added(fields: "Mapping[str, str | Kept]", values: "Contents") -> "dict[str, str | Kept | Sought | None]":
    """The values with what is added behind what the fields hold; an e-mail field holds small letters."""
    known: dict[str, str | Kept | Sought | None] = {}
    for name, value in values.items():
        if name == "Email" and isinstance(value, str):
            known[name] = value.lower()
            continue
        known[name] = value if not isinstance(value, Added) else _union(fields.get(name), value.values)
    return known


def _union(held: object, values: str) -> str:
    parts = [part for part in str(held or "").split(";") if part]
    for value in values.split(";"):
        if value.strip() and not any(same(value, part) for part in parts):
            parts.append(value.strip())
    return ";".join(parts)


def _lacks(values: "Contents") -> bool:
    """Whether the org itself looks for a record that is not there."""
    return any(isinstance(value, Sought) for value in values.values())


def _meets(record: Kept, where: tuple[str, str, str] | None) -> bool:
    if where is None:
        return True
    name, operator, value = where
    held = record.fields.get(name)
    is_equal = same(held, value) if value else held is None
    return is_equal if operator == "=" else not is_equal


def _items(table: Table, event: Event) -> Iterator[tuple[int, Event]]:
    traits = event.get("properties" if table.event in OF_PROPERTIES else "traits") or {}
    assert isinstance(traits, Mapping)
    if not table.for_each:
        yield 0, traits
        return
    listed = traits.get("items") or ()
    assert isinstance(listed, Sequence)
    yield from enumerate(listed, 1)


def _draft(table: Table, traits: Event) -> Draft:
    draft = Draft()
    for rule in table.rules:
        said = traits.get(rule.trait) if rule.trait else rule.value
        value = said.strip() if isinstance(said, str) and said.strip() else None
        writes: Write = rule.write
        if value is not None:
            if not rule.pointer and not rule.add:
                draft.keys[rule.field] = value
        elif rule.clear and rule.trait in traits and said is None:
            getattr(draft, rule.write)[rule.field] = None
            continue
        elif rule.default:
            value = rule.default
            writes = rule.default_write or rule.write
        elif rule.required:
            draft.is_rejected = True
            continue
        else:
            continue
        content = Sought(rule.pointer, value) if rule.pointer else Added(value) if rule.add else value
        getattr(draft, writes)[rule.field] = content
    return draft
