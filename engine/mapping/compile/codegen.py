"""Generates one Python function for a mapping: it writes plain values directly, and passes others to their rules.

Values that are not plain (to be cleaned, converted, cut or looked up in a table) are passed to the same rules that
`CompiledMapping` has, so that both ways give the same records.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, NamedTuple

from sfmap.engine.language.model import Lookup
from sfmap.engine.mapping.compile.blanks import without_blanks
from sfmap.engine.mapping.compile.custom_fields import CompiledCustom
from sfmap.engine.mapping.compile.field_rule import CompiledRule
from sfmap.engine.mapping.compile.source_paths import CompiledSource, Path, Pipe
from sfmap.engine.mapping.run.builder import Draft
from sfmap.engine.mapping.run.key_spelling import Keys
from sfmap.engine.mapping.run.shapes import Holder
from sfmap.engine.mapping.run.spellings import Spellings
from sfmap.engine.mapping.values.event import with_wide_tables
from sfmap.engine.mapping.values.record import Event, Mapped, Record, RecordPlan
from sfmap.engine.mapping.values.values import EMAIL, NUMBER_RANGE, Unfit

MapEvent = Callable[[Event], tuple[Mapped, ...]]
MapView = Callable[[Event, int], Mapped]

_MOST_SOURCES = 40
"""The most sources of one rule: each is a level of indentation, of which Python allows a hundred."""
_STRIPPED = frozenset({"phone", "url", "picklist"})
_PARTS = ", ".join(Draft._fields)
_NEW_PARTS = "{}, {}, {}, {}, {}, {}, [], [], []"


@dataclass
class _Writer:
    """The lines of the function, and the objects that they refer to."""

    lines: list[str] = field(default_factory=list)
    names: dict[str, Any] = field(default_factory=dict)
    tables: dict[tuple[str, ...], list[str]] = field(default_factory=dict)
    """By the path of an object that the rules read, the names of its keys in rules."""
    locals: dict[tuple[str, ...], str] = field(default_factory=dict)
    """The variables of these objects in the function."""

    def say(self, depth: int, line: str) -> None:
        self.lines.append(f"{'    ' * depth}{line}")

    def name(self, thing: object, like: str) -> str:
        name = _unused(like, self.names)
        self.names[name] = thing
        return name

    def table(self, path: tuple[str, ...]) -> str:
        if path not in self.tables:
            if len(path) > 1:
                self.value(path)
            self.tables[path] = []
            self.locals[path] = _unused(f"in_{'_'.join(path)}", self.locals.values())
        return self.locals[path]

    def value(self, path: tuple[str, ...]) -> str:
        """The expression for the value at the path, None if there is none."""
        *above, key = path
        if not above:
            return f"view.get({key!r})"
        table = self.table(tuple(above))
        if key not in self.tables[tuple(above)]:
            self.tables[tuple(above)].append(key)
        return f"{table}.get({key!r})"


def _unused(like: str, used: Collection[str]) -> str:
    """An unused variable name similar to `like`."""
    plain = re.sub(r"\W", "_", like, flags=re.ASCII)
    others = (f"{plain}_{number}" for number in count(2))
    return plain if plain not in used else next(name for name in others if name not in used)


class Switch(NamedTuple):
    """The opt-in: a key of an object of the event; without a key, every event is opted in."""

    path: tuple[str, str] | None
    otherwise: tuple[Mapped, ...]
    """The result for events that are not opted in."""


@dataclass(frozen=True, slots=True)
class Straight:
    """The generated functions, and their text."""

    map: MapEvent | None
    """Maps an event; None for a mapping whose events may not become exactly one record."""
    record: MapView
    text: str


def straighten(
    plan: RecordPlan,
    lookups: tuple[Lookup, ...],
    rules: tuple[CompiledRule, ...],
    match_values: Mapping[str, CompiledRule],
    unless_found: tuple[CompiledRule, ...],
    custom: tuple[CompiledCustom, ...],
    holders: tuple[Holder, ...],
    spellings: tuple[Spellings, ...],
    by_rules: MapView,
    switch: Switch | None,
    event_view: Callable[[Event], Event],
) -> Straight:
    """The mapping's rules as one function; `by_rules` maps what it cannot."""
    body = _Writer()
    looked_up = frozenset(slot for lookup in lookups for slot in lookup.slots)
    for rule in rules:
        _write_rule(body, rule, rule.rule.field in looked_up)
    objects = {path for holder in holders if holder.kinds == (dict,) and (path := _only_names(holder.path))}
    for path in sorted(objects):
        body.table(path)
    _know_spellings(body, spellings)
    bases = {base: one for one in custom if (base := _base(one))}
    for base in bases:
        body.table(base)
    writer = _Writer(names=body.names, tables=body.tables, locals=body.locals)
    writer.say(0, "def record(view, item):")
    writer.say(1, f"parts = {_PARTS} = {_NEW_PARTS}")
    for path in body.tables:
        _write_table(writer, path, bases.get(path), path in objects)
    _write_misplaced(writer, [one for one in holders if one.path not in objects], spellings)
    writer.lines += body.lines
    for one in custom:
        if base := _base(one):
            _write_custom(writer, base, one, looked_up)
        else:
            writer.say(1, f"Draft(*parts).add_custom({writer.name(one.find, 'custom_fields')}(view, always))")
    _write_finding(writer, match_values, unless_found)
    _write_end(writer, lookups, bool(unless_found))
    if switch:
        _write_map(writer, switch)
    text = "\n".join(writer.lines) + "\n"
    names: dict[str, Any] = {
        "Draft": Draft, "Record": Record, "Unfit": Unfit, "event_view": event_view, "is_email": EMAIL.fullmatch,
        "with_wide_tables": with_wide_tables, "without_blanks": without_blanks,
        "plan": plan, "by_rules": by_rules, **writer.names,
    }  # fmt: skip
    # The text consists only of names, numbers and quoted constants generated here.
    exec(compile(text, f"<{plan.mapping}, compiled>", "exec"), names)  # noqa: S102
    return Straight(names.get("map"), names["record"], text)


def _base(custom: CompiledCustom) -> tuple[str, ...] | None:
    """The path of the object whose members become fields, if each depends only on its own key and value."""
    source = custom.source
    return None if source.pipes or custom.spec.objects == "flatten" else _names(source)


def _names(source: CompiledSource) -> tuple[str, ...] | None:
    """The source's path if it has only names."""
    return _only_names(source.segments or ())


def _only_names(path: Path) -> tuple[str, ...] | None:
    names = tuple(segment for segment in path if isinstance(segment, str))
    return names if names and names == path else None


def _write_table(
    writer: _Writer, path: tuple[str, ...], custom: CompiledCustom | None, is_read_below_alone: bool
) -> None:
    """Writes lines that read an object of the event, with keys under their names in rules."""
    table = writer.locals[path]
    keys = Keys(writer.tables[path], custom)
    knows, learn = writer.name(keys.known.issuperset, f"knows_{table}"), writer.name(keys.learn, f"learn_{table}")
    if custom:
        writer.names[f"fields_{table}"] = keys.fields
    writer.say(1, f"{table} = {writer.value(path)}")
    writer.say(1, f"if {table}.__class__ is not dict:")
    if is_read_below_alone:
        writer.say(2, f"if {table} is not None: return by_rules(view, item)")
    writer.say(2, f"{table} = {{}}")
    writer.say(1, f"elif not {knows}({table}):")
    writer.say(2, f"{table} = {learn}({table})")
    writer.say(2, f"if {table} is None: return by_rules(with_wide_tables(view), item)")


def _know_spellings(body: _Writer, spellings: tuple[Spellings, ...]) -> None:
    """Makes the tables know each name that any rule reads: of two keys that are one name they tell."""
    for one in spellings:
        if path := _only_names(one.path):
            for name in dict.fromkeys(name for names in one.names.values() for name in names):
                body.value((*path, name))


def _write_misplaced(writer: _Writer, holders: list[Holder], spellings: tuple[Spellings, ...]) -> None:
    """What the tables cannot tell: it lies below lists, or members of both kinds are read."""
    if holders:
        misplaced = writer.name(lambda view: any(holder.note(view) for holder in holders), "misplaced")
        writer.say(1, f"if {misplaced}(view): return by_rules(view, item)")
    if below_lists := [one for one in spellings if not _only_names(one.path)]:
        respelt = writer.name(lambda view: any(True for one in below_lists for _ in one.notes(view)), "respelt")
        writer.say(1, f"if {respelt}(view): return by_rules(view, item)")


def _write_rule(writer: _Writer, rule: CompiledRule, is_looked_up: bool) -> None:
    """Writes lines that try the sources in turn, then use a plain value, the rule for others, or the default."""
    spec = rule.rule
    by_rule = f"Draft(*parts).add({spec.field!r}, {writer.name(rule.find, f'find_{spec.field}')}(view))"
    plain = _plain(rule)
    reads = [_read(writer, source) for source in rule.sources]
    if plain is None or not 0 < len(reads) <= _MOST_SOURCES or [] in reads:
        writer.say(1, by_rule)
        return
    for depth, (source, lines) in enumerate(zip(rule.sources, reads, strict=True), 1):
        if depth > 1:
            writer.say(depth - 1, "if v is None:")
        for line in lines:
            writer.say(depth, line)
        if len(reads) > 1:
            writer.say(depth, f"origin = {source.text!r}")
    origin = "origin" if len(reads) > 1 else repr(rule.sources[0].text)
    given = f" = given[{spec.field!r}]" if is_looked_up else ""
    writer.say(1, f"if v is None: {_without_value(rule) or by_rule}")
    writer.say(1, f"elif {plain}:")
    writer.say(2, f"{spec.write}[{spec.field!r}]{given} = v; origins[{spec.field!r}] = {origin}")
    writer.say(1, f"else: {by_rule}")


def _plain(rule: CompiledRule) -> str | None:
    """The condition under which a value is written unchanged; None if it never is."""
    spec = rule.rule
    if (
        rule.when
        or rule.values is not None
        or spec.reference
        or spec.add
        or spec.template is not None
        or spec.value is not None
    ):
        return None
    # A character beyond the basic plane counts as two: half the length is sure to fit.
    fits = f" and len(v) <= {spec.max // 2}" if spec.max is not None else ""
    if rule.blanks:
        # A longer text cannot be one of them, unless blanks make it longer.
        fits += f" and len(v) > {max(map(len, rule.blanks))} and v[-1] != ' '"
    match spec.type:
        case "integer" | "number" if rule.blanks:
            return None
        case None if spec.max is None and not rule.blanks:
            return f"{_is_text('v')} or v.__class__ is bool or v.__class__ is int and {_is_short('v')}"
        case None | "string":
            return f"{_is_text('v')}{fits}"
        case "email":
            return f"v.__class__ is str{fits} and v.isprintable() and is_email(v)"
        case "integer":
            return "v.__class__ is int and -2147483648 <= v < 2147483648"
        case "number":
            return f"(v.__class__ is int or v.__class__ is float) and {_is_short('v')}"
        case kind if kind in _STRIPPED:
            return f"{_is_text('v')}{fits} and v[-1] != ' '"
        case _:
            return None


def _is_text(value: str) -> str:
    # The space is the first printable character: a text not less than "!" starts with another one.
    return f"{value}.__class__ is str and {value} >= '!' and {value}.isprintable()"


def _is_short(number: str) -> str:
    return f"-{NUMBER_RANGE} < {number} < {NUMBER_RANGE}"


def _read(writer: _Writer, source: CompiledSource) -> list[str]:
    """Lines that assign the source's value to v, or None; no lines if only the source itself can."""
    names = _names(source)
    if names is None or not all(map(_keeps_nothing, source.pipes)):
        return []
    cleaned = _blanks_out(writer, source.blanks) if source.pipes and source.blanks else []
    lines = [f"v = {writer.value(names)}", *cleaned]
    for pipe in source.pipes:
        name = writer.name(pipe.run, pipe.known.name)
        chooses = "".join(f" and given_v.__class__ is not {kind.__name__}" for kind in pipe.known.chooses)
        lines += [
            f"if v is not None{' and v.__class__ is not str' if str in pipe.known.keeps else ''}:",
            f"    given_v = v; v = {name}(v)",
            f"    if v is None{chooses}: return by_rules(view, item)",
        ]
    return [*lines, *cleaned]


def _blanks_out(writer: _Writer, blanks: frozenset[str]) -> list[str]:
    """Lines that replace values that count as no value; most texts are longer than any of them."""
    longest = max(map(len, blanks))
    name = writer.name(blanks, "blanks")
    return [
        f"if v is not None and (v.__class__ is not str or len(v.strip()) <= {longest}):",
        f"    v = without_blanks(v, {name})",
    ]


def _keeps_nothing(pipe: Pipe) -> bool:
    """Whether the filter returns None for None."""
    try:
        return pipe.run(None) is None
    except Unfit:
        return False


def _without_value(rule: CompiledRule) -> str:
    """The statement if no source has a value; empty if only the rule can decide."""
    spec = rule.rule
    if "clear" in (spec.on_null, spec.on_blank):
        return ""
    if spec.default is not None:
        return f"{spec.default.write or spec.write}[{spec.field!r}] = {spec.default.value!r}"
    return "" if spec.required else "pass"


def _write_custom(
    writer: _Writer, base: tuple[str, ...], custom: CompiledCustom, looked_up: frozenset[str]
) -> None:
    table = writer.locals[base]
    given = " = given[name]" if any(name.endswith(custom.spec.suffix) for name in looked_up) else ""
    is_number = f"(value.__class__ is int or value.__class__ is float) and {_is_short('value')}"
    writer.say(1, f"for key, value in {table}.items():")
    writer.say(2, f"field = fields_{table}[key]")
    writer.say(2, "if field is not None:")
    writer.say(3, "name, origin = field")
    writer.say(
        3, f"if name and name not in always and ({_is_text('value')} or value.__class__ is bool or {is_number}):"
    )
    writer.say(4, f"always[name]{given} = value; origins[name] = origin")
    writer.say(3, "else:" if custom.spec.on_null == "clear" else "elif value is not None:")
    writer.say(4, f"Draft(*parts).add_custom({writer.name(custom.of, 'custom_field')}(key, value, always))")


def _write_finding(
    writer: _Writer, match_values: Mapping[str, CompiledRule], unless_found: tuple[CompiledRule, ...]
) -> None:
    """Writes lines for lookup values that are not written."""
    for slot, value in match_values.items():
        find = writer.name(value.find, f"find_by_{value.rule.field}")
        writer.say(1, f"Draft(*parts).add_match_value({slot!r}, {value.rule.field!r}, {find}(view))")
    for rule in unless_found:
        find = writer.name(rule.find, "find_unless_found")
        writer.say(1, f"Draft(*parts).add_unless_found({find}(view))")


def _write_end(writer: _Writer, lookups: tuple[Lookup, ...], has_unless_found: bool) -> None:
    matches = []
    for place, lookup in enumerate(lookups):
        there = " and ".join(f"{field.slot!r} in given" for field in lookup.fields)
        values = ", ".join(f"{field.name!r}: given[{field.slot!r}]" for field in lookup.fields)
        writer.say(1, f"match{place} = ({{{values}}},) if {there} else ()")
        matches.append(f"match{place}")
    writer.say(1, f"match = {' + '.join(matches) or '()'}")
    without = "match" if lookups else "(always or create or update or empty)"
    writer.say(1, f"if rejections or not {without}: return by_rules(view, item)")
    written = "always, create, update, empty, origins, tuple(notes) if notes else ()"
    guards = ", tuple(unless_found)" if has_unless_found else ""
    writer.say(1, f"return Record(plan, match, {written}, item{guards})")


def _write_map(writer: _Writer, switch: Switch) -> None:
    writer.say(0, "def map(event):")
    writer.say(1, "view = event_view(event)")
    if switch.path:
        holder, key = switch.path
        writer.say(1, f"v = view.get({holder!r})")
        writer.say(1, f"v = v.get({key!r}) if v.__class__ is dict else None")
        otherwise = writer.name(switch.otherwise, "not_opted_in")
        writer.say(1, f"if v is not True and v.__class__ is not dict: return {otherwise}")
    writer.say(1, "try: return (record(view, 0),)")
    writer.say(1, "except Unfit: return (by_rules(view, 0),)")
