"""A mapping as one straight Python function: plain values go the short way, every other one its rule's.

The traits are walked once. What is not plain (a value to be cleaned, converted, cut or looked up in a table) is
given to the same rules that `CompiledMapping` has, so that both ways give the same records.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sfmap.engine.mapping.custom import CompiledCustom
from sfmap.engine.mapping.draft import Draft
from sfmap.engine.mapping.event import normal_key
from sfmap.engine.mapping.paths import CompiledSource
from sfmap.engine.mapping.record import Event, Json, Mapped, Record
from sfmap.engine.mapping.rules import CompiledRule
from sfmap.engine.mapping.values import EMAIL, NUMBER_RANGE, Unfit
from sfmap.engine.spec.model import Mapping as MappingSpec
from sfmap.engine.spec.model import Write

MapView = Callable[[Event, int], Mapped]

_MOST_KEYS = 4_096
_MOST_SOURCES = 40
"""Of one rule: each is a level of indentation, and Python has room for a hundred."""
_DICTS: dict[Write, str] = {"always": "always", "create": "create", "update": "update", "empty": "empty"}
_DRAFT = "Draft((always, create, update, empty), given, origins, notes, rejections)"
"""What the rules and the custom fields add to, where a value is not plain."""
_STRIPPED = frozenset({"phone", "url", "picklist"})


_Slot = int | tuple[str, str] | None


class Slots(dict[str, _Slot]):
    """By trait key: where its value goes, the custom field it becomes with its origin, or None for nowhere.

    An empty field stands for a custom trait that is not plain. Keys are learnt as they come.
    """

    def __init__(self, slots: Mapping[str, int], custom: CompiledCustom | None) -> None:
        super().__init__()
        self._slots = slots
        self._custom = custom

    def __missing__(self, key: str) -> _Slot:
        found: _Slot = self._slots.get(normal_key(key))
        if found is None and self._custom and self._custom.is_wanted(key):
            field_name = self._custom.field_of(key)
            origin = f"{self._custom.spec.base.text}.{key}"
            found = "" if field_name in self._custom.taken else field_name, origin
        if len(self) < _MOST_KEYS:
            self[key] = found
        return found


@dataclass
class _Writer:
    """The lines of the function, and what they refer to."""

    lines: list[str] = field(default_factory=list)
    names: dict[str, object] = field(default_factory=dict)
    tables: dict[tuple[str, ...], dict[str, int]] = field(default_factory=dict)
    """By the path of a table that is walked: the slots of its keys, as they compare."""
    slots: int = 0

    def say(self, depth: int, line: str) -> None:
        self.lines.append(f"{'    ' * depth}{line}")

    def name(self, thing: object, prefix: str) -> str:
        known = f"{prefix}{len(self.names)}"
        self.names[known] = thing
        return known

    def slot(self, table: tuple[str, ...], key: str) -> int:
        slots = self.tables.setdefault(table, {})
        normal = normal_key(key)
        if normal not in slots:
            slots[normal] = self.slots
            self.slots += 1
        return slots[normal]


@dataclass(frozen=True, slots=True)
class Straight:
    """The function, and its text for who wants to look."""

    record: MapView
    text: str


def straighten(
    mapping: MappingSpec, rules: tuple[CompiledRule, ...], custom: CompiledCustom | None, slow: MapView
) -> Straight:
    """The mapping's rules as one function; `slow` maps what it cannot."""
    writer = _Writer()
    walked = custom if custom and _table(custom) else None
    body = _Writer(names=writer.names, tables=writer.tables)
    looked_up = frozenset(name for lookup in mapping.lookups for name in lookup.names)
    for rule in rules:
        _write_rule(body, rule, looked_up)
    if walked:
        body.tables.setdefault(_table(walked) or (), {})
    writer.say(0, "def record(view, item):")
    writer.say(0, "  try:")
    writer.say(1, "always = {}; create = {}; update = {}; empty = {}; given = {}; origins = {}")
    writer.say(1, "notes = []; rejections = []; extra = []; nulls = []")
    writer.say(1, f"s = [None] * {max(1, body.slots)}")
    for path in sorted(body.tables, key=len):
        _write_walk(writer, path, body.tables, walked)
    writer.say(1, "if nulls and any(s[slot] is not None for slot in nulls): return slow(view, item)")
    writer.lines += body.lines
    _write_custom(writer, custom, walked, looked_up)
    _write_end(writer, mapping)
    writer.say(0, "  except Unfit: return slow(view, item)  # a filter gave up: its rule knows what to say")
    text = "\n".join(writer.lines) + "\n"
    names: dict[str, Any] = {**_NAMES, **writer.names, "slow": slow, "custom": custom}
    # The text is made of names, numbers and quoted constants alone, all of them from here.
    exec(compile(text, f"<{mapping.name}, compiled>", "exec"), names)  # noqa: S102
    return Straight(names["record"], text)


def _table(custom: CompiledCustom) -> tuple[str, ...] | None:
    """The path of the object whose members become fields, where it is a plain one."""
    source = custom.source
    if len(source.segments or ()) != 1 or custom.spec.objects == "flatten" or source.pipes:
        return None
    return (str((source.segments or ("",))[0]),)


def _write_walk(
    writer: _Writer,
    path: tuple[str, ...],
    tables: Mapping[tuple[str, ...], Mapping[str, int]],
    custom: CompiledCustom | None,
) -> None:
    """One pass over a table: each value into its slot, what no rule reads aside."""
    is_base = custom is not None and path == _table(custom)
    slots = writer.name(Slots(tables[path], custom if is_base else None), "slots")
    table = f"view.get({path[0]!r})" if len(path) == 1 else f"s[{tables[path[:-1]][normal_key(path[-1])]}]"
    writer.say(1, f"table = {table}")
    writer.say(1, "if table.__class__ is dict:")
    writer.say(2, "for key, value in table.items():")
    writer.say(3, f"slot = {slots}[key]")
    writer.say(3, "if slot.__class__ is int:")
    writer.say(4, "if value is None: nulls.append(slot)")
    writer.say(4, "elif s[slot] is None: s[slot] = value")
    writer.say(4, "else: return slow(view, item)  # two keys for one trait")
    if is_base:
        writer.say(3, "elif slot is not None: extra.append((slot, key, value))")


def _write_rule(writer: _Writer, rule: CompiledRule, looked_up: frozenset[str]) -> None:
    """The sources in turn; then the value if it is plain, the rule if it is not, the default if there is none."""
    spec = rule.rule
    found = writer.name(rule.find, "find")
    by_rule = f"{_DRAFT}.add({spec.field!r}, {found}(view))"
    plain = _plain(rule)
    sources = [_read(writer, source) for source in rule.sources]
    if plain is None or not 0 < len(sources) <= _MOST_SOURCES or any(source is None for source in sources):
        writer.say(1, by_rule)
        return
    for depth, (source, read) in enumerate(zip(rule.sources, sources, strict=True), 1):
        assert read
        if depth > 1:
            writer.say(depth - 1, "if v is None:")
        for line in read:
            writer.say(depth, line)
        if len(sources) > 1:
            writer.say(depth, f"origin = {source.text!r}")
    origin = "origin" if len(sources) > 1 else repr(rule.sources[0].text)
    writer.say(1, "if v is None:")
    writer.say(2, _without_value(rule) or by_rule)
    writer.say(1, f"elif {plain}:")
    given = f"given[{spec.field!r}] = " if spec.field in looked_up else ""
    writer.say(2, f"{_DICTS[spec.write]}[{spec.field!r}] = {given}v; origins[{spec.field!r}] = {origin}")
    writer.say(1, f"else: {by_rule}")


def _plain(rule: CompiledRule) -> str | None:
    """The condition under which a value goes into the field as it is; None where it never may."""
    spec = rule.rule
    if (
        rule.when
        or rule.values is not None
        or spec.reference
        or spec.template is not None
        or spec.value is not None
    ):
        return None
    # A character beyond the basic plane counts two: half the length is sure to fit.
    fits = f" and len(v) <= {spec.max // 2}" if spec.max is not None else ""
    # Of the printable characters the space comes first: what is not less than "!" begins with another one.
    text = f"v.__class__ is str{fits} and v >= '!' and v.isprintable()"
    number = f"-{NUMBER_RANGE} < v < {NUMBER_RANGE}"
    match spec.type:
        case None if spec.max is None:
            return f"{text} or v.__class__ is bool or v.__class__ is int and {number}"
        case None | "string":
            return text
        case "email":
            return f"v.__class__ is str{fits} and v.isprintable() and is_email(v)"
        case "integer":
            return "v.__class__ is int and -2147483648 <= v < 2147483648"
        case "number":
            return f"(v.__class__ is int or v.__class__ is float) and {number}"
        case kind if kind in _STRIPPED:
            return f"{text} and v[-1] != ' '"
        case _:
            return None


def _read(writer: _Writer, source: CompiledSource) -> list[str] | None:
    """Lines that put the source's value into v, None for none; None where only the source itself can."""
    segments = source.segments
    if segments is None or not all(isinstance(segment, str) for segment in segments):
        return None
    names = [str(segment) for segment in segments]
    if len(names) == 1:
        lines = [f"v = view.get({names[0]!r})"]
    elif len(names) == 2:
        lines = [f"v = s[{writer.slot((names[0],), names[1])}]"]
    elif len(names) == 3:
        writer.slot((names[0],), names[1])
        lines = [f"v = s[{writer.slot((names[0], names[1]), names[2])}]"]
    else:
        return None
    for pipe in source.pipes:
        if not _keeps_nothing(pipe):
            return None
        lines.append(f"if v is not None: v = {writer.name(pipe, 'pipe')}(v)")
    return lines


def _keeps_nothing(pipe: Callable[[Json], Json]) -> bool:
    """Whether the filter makes nothing of nothing."""
    try:
        return pipe(None) is None
    except Unfit:
        return False


def _without_value(rule: CompiledRule) -> str:
    """What happens where no source has a value; empty where only the rule can tell."""
    spec = rule.rule
    if spec.on_null == "clear":
        return ""
    if spec.default is not None:
        return f"{_DICTS[spec.default.write or spec.write]}[{spec.field!r}] = {spec.default.value!r}"
    return "" if spec.required else "pass"


def _write_custom(
    writer: _Writer, custom: CompiledCustom | None, walked: CompiledCustom | None, looked_up: frozenset[str]
) -> None:
    if custom is None:
        return
    if walked is None:
        writer.say(1, f"{_DRAFT}.add_custom(custom.find(view))")
        return
    number = f"-{NUMBER_RANGE} < value < {NUMBER_RANGE}"
    plain = (
        "kind is str and value >= '!' and value.isprintable() or kind is bool or"
        f" (kind is int or kind is float) and {number}"
    )
    given = "given[name] = " if any(name.endswith(custom.spec.suffix) for name in looked_up) else ""
    writer.say(1, "for (name, origin), key, value in extra:")
    writer.say(2, "kind = value.__class__")
    writer.say(2, f"if name and name not in always and ({plain}):")
    writer.say(3, f"always[name] = {given}value; origins[name] = origin")
    writer.say(2, "else:" if custom.spec.on_null == "clear" else "elif value is not None:")
    writer.say(3, f"{_DRAFT}.add_custom(custom.of(key, value, set(custom.taken.union(always))))")


def _write_end(writer: _Writer, mapping: MappingSpec) -> None:
    writer.say(1, "if rejections: return slow(view, item)")
    matches = []
    for place, lookup in enumerate(mapping.lookups):
        there = " and ".join(f"{name!r} in given" for name in lookup.names)
        values = ", ".join(f"{name!r}: given[{name!r}]" for name in lookup.names)
        writer.say(1, f"match{place} = ({{{values}}},) if {there} else ()")
        matches.append(f"match{place}")
    writer.say(1, f"match = {' + '.join(matches) or '()'}")
    if mapping.lookups:
        writer.say(1, "if not match: return slow(view, item)")
    constants = Record(
        mapping.name, mapping.object, mapping.operation, (), mapping.on_many, {}, {}, {}, {}, {}, (),
        mapping.external_id, mapping.where.text.strip() if mapping.where else "", mapping.headers,
        mapping.on_duplicate, mapping.skip_unchanged, mapping.timestamp_guard,
    )  # fmt: skip
    writer.names.update((name, getattr(constants, name)) for name in _CONSTANTS)
    own = "match, on_many, always, create, update, empty, origins, tuple(notes) if notes else ()"
    writer.say(1, f"return Record(mapping, object, operation, {own},")
    writer.say(2, "external_id, where, headers, on_duplicate, skip_unchanged, timestamp_guard, item)")


_CONSTANTS = (
    "mapping", "object", "operation", "on_many", "external_id", "where", "headers", "on_duplicate",
    "skip_unchanged", "timestamp_guard",
)  # fmt: skip
_NAMES: dict[str, Any] = {
    "Record": Record,
    "Draft": Draft,
    "is_email": EMAIL.fullmatch,
    "Unfit": Unfit,
}
