"""Generates the Python functions of a mapping: they write plain values directly, and pass others to their rules.

Values that are not plain (to be cleaned, converted, cut or looked up in a table) are passed to the same rules that
`MappingPlan.record_by_rules` follows, so that both ways give the same records. Nothing is executed here.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import PurePath

from sfmap.engine.language.model import WRITES
from sfmap.engine.mapping.compile.source_paths import simple_segments
from sfmap.engine.mapping.run.builder import RecordBuilder, new_builder
from sfmap.engine.mapping.run.compiled_source import CompiledSource, Pipe, only_names
from sfmap.engine.mapping.run.custom_plan import CustomPlan
from sfmap.engine.mapping.run.field_plan import FieldPlan
from sfmap.engine.mapping.run.field_value import find_value
from sfmap.engine.mapping.run.key_spelling import KeySpelling
from sfmap.engine.mapping.run.mapping_plan import MappingPlan, not_opted_in
from sfmap.engine.mapping.values.blanks import without_blanks
from sfmap.engine.mapping.values.event import with_wide_tables
from sfmap.engine.mapping.values.record import Record
from sfmap.engine.mapping.values.values import EMAIL, NUMBER_RANGE, Unfit
from sfmap.engine.yaml_files.diagnostics import Span

Names = tuple[str, ...]

_MOST_SOURCES = 40
"""The most sources of one rule: each is a level of indentation, of which Python allows a hundred."""
_STRIPPED = frozenset({"phone", "url", "picklist"})
_STEP = "    "


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratedCode:
    """The text of the functions `record` and, if every event becomes at most one record, `map`."""

    file: str
    """The name of the mapping's file."""
    text: str
    names: Mapping[str, object]
    """What the text refers to."""


@dataclass
class _Scope:
    """The names that the text refers to, and the objects of the event that it keeps in variables."""

    names: dict[str, object]
    tables: dict[Names, list[str]] = field(default_factory=dict)
    """By the path of an object that the rules read, the names of its keys in rules."""
    variables: dict[Names, str] = field(default_factory=dict)
    """The variables of these objects."""

    def name(self, thing: object, like: str) -> str:
        name = _unused(like, self.names)
        self.names[name] = thing
        return name

    def table(self, path: Names) -> str:
        if path not in self.tables:
            if len(path) > 1:
                self.value(path)
            self.tables[path] = []
            self.variables[path] = _unused(f"in_{'_'.join(path)}", self.variables.values())
        return self.variables[path]

    def value(self, path: Names) -> str:
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


def generate(plan: MappingPlan) -> GeneratedCode:
    """The functions of the mapping. Their text has only names, numbers and quoted constants made here."""
    scope = _Scope(_known_names(plan))
    looked_up = frozenset(slot for lookup in plan.mapping.lookups for slot in lookup.slots)
    # They tell which objects of the event, and which of their keys, the function reads before them.
    fields = [line for one in plan.fields for line in _field_lines(scope, one, one.field in looked_up)]
    objects = {path for holder in plan.holders if holder.kinds == (dict,) and (path := only_names(holder.path))}
    for path in sorted(objects):
        scope.table(path)
    _register_spellings(scope, plan)
    custom = {base: one for one in plan.custom if (base := _base(one))}
    for base in custom:
        scope.table(base)
    body = [
        f"parts = {', '.join(RecordBuilder._fields)} = {', '.join(map(repr, new_builder()))}",
        *(line for path in scope.tables for line in _table_lines(scope, path, custom.get(path), path in objects)),
        *_misplaced_lines(scope, plan, objects),
        *fields,
        *(line for one in plan.custom for line in _custom_lines(scope, one, looked_up)),
        *_match_value_lines(scope, plan),
        *_end_lines(plan),
    ]
    lines = [
        f"# {_on_one_line(f'{plan.mapping.name}: {plan.mapping.source.file}')}",
        "def record(view, item_number):",
        f"{_STEP}try:",
        *(f"{_STEP * 2}{line}" for line in body),
        f"{_STEP}except Unfit:  # a filter gave up: its rule says why",
        f"{_STEP * 2}return by_rules(view, item_number)",
        *_map_lines(scope, plan),
    ]
    return GeneratedCode(file=plan.mapping.source.file, text="\n".join(lines) + "\n", names=scope.names)


def _known_names(plan: MappingPlan) -> dict[str, object]:
    return {
        "RecordBuilder": RecordBuilder, "Record": Record, "Unfit": Unfit, "find_value": find_value,
        "is_email": EMAIL.fullmatch, "with_wide_tables": with_wide_tables, "without_blanks": without_blanks,
        "plan": plan.record_plan, "by_rules": plan.record_by_rules, "event_view": plan.view,
    }  # fmt: skip


def _comment(span: Span, what: str) -> str:
    """What the next lines are for, with its place in the YAML: `# lead.yaml:14 LastName`."""
    return f"# {_on_one_line(f'{PurePath(span.source.file).name}:{span.line} {what}')}"


def _on_one_line(text: str) -> str:
    """The text as a comment can have it; the name of a file can have any character."""
    return "".join(character if character.isprintable() else "?" for character in text)


def _base(custom: CustomPlan) -> Names | None:
    """The path of the object whose members become fields, if each depends only on its own key and value."""
    source = custom.source
    return None if source.pipes or custom.spec.objects == "flatten" else only_names(source.segments)


def _table_lines(
    scope: _Scope, path: Names, custom: CustomPlan | None, is_read_below_alone: bool
) -> Iterator[str]:
    """Lines that read an object of the event, with keys under their names in rules."""
    table = scope.variables[path]
    keys = KeySpelling(scope.tables[path], custom)
    knows, learn = scope.name(keys.known.issuperset, f"knows_{table}"), scope.name(keys.learn, f"learn_{table}")
    if custom:
        scope.names[f"fields_{table}"] = keys.fields
    yield f"{table} = {scope.value(path)}"
    yield f"if {table}.__class__ is not dict:"
    if is_read_below_alone:
        yield f"    if {table} is not None: return by_rules(view, item_number)"
    yield f"    {table} = {{}}"
    yield f"elif not {knows}({table}):"
    yield f"    {table} = {learn}({table})"
    yield f"    if {table} is None: return by_rules(with_wide_tables(view), item_number)"


def _register_spellings(scope: _Scope, plan: MappingPlan) -> None:
    """Makes the tables know each name that any rule reads: of two keys that are one name they tell."""
    for one in plan.spellings:
        if path := only_names(one.path):
            for name in dict.fromkeys(name for names in one.names.values() for name in names):
                scope.value((*path, name))


def _misplaced_lines(scope: _Scope, plan: MappingPlan, objects: Collection[Names]) -> Iterator[str]:
    """What the tables cannot tell: it lies below lists, or members of both kinds are read."""
    if holders := [one for one in plan.holders if one.path not in objects]:
        misplaced = scope.name(lambda view: any(holder.note(view) for holder in holders), "misplaced")
        yield f"if {misplaced}(view): return by_rules(view, item_number)"
    if below_lists := [one for one in plan.spellings if not only_names(one.path)]:
        respelt = scope.name(lambda view: any(True for one in below_lists for _ in one.notes(view)), "respelt")
        yield f"if {respelt}(view): return by_rules(view, item_number)"


def _field_lines(scope: _Scope, plan: FieldPlan, is_looked_up: bool) -> Iterator[str]:
    """Lines that try the sources in turn, then use a plain value, the rule for others, or the default."""
    yield _comment(plan.span, plan.field)
    found = f"find_value({scope.name(plan, f'plan_{plan.field}')}, view)"
    by_rule = f"RecordBuilder(*parts).add({plan.field!r}, {found})"
    plain = _plain(plan)
    reads = [_read_lines(scope, source) for source in plan.sources]
    if plain is None or not 0 < len(reads) <= _MOST_SOURCES or [] in reads:
        yield by_rule
        return
    for depth, (source, lines) in enumerate(zip(plan.sources, reads, strict=True)):
        if depth:
            yield f"{_STEP * (depth - 1)}if v is None:"
        yield from (f"{_STEP * depth}{line}" for line in lines)
        if len(reads) > 1:
            yield f"{_STEP * depth}origin = {source.text!r}"
    origin = "origin" if len(reads) > 1 else repr(plan.sources[0].text)
    given = f" = given[{plan.field!r}]" if is_looked_up else ""
    yield f"if v is None: {_without_value(plan) or by_rule}"
    yield f"elif {plain}:"
    yield f"    {plan.write}[{plan.field!r}]{given} = v; origins[{plan.field!r}] = {origin}"
    yield f"else: {by_rule}"


def _plain(plan: FieldPlan) -> str | None:
    """The condition under which a value is written unchanged; None if it never is."""
    if plan.given_by != "sources" or plan.when or plan.table or plan.reference or plan.add:
        return None
    # A character beyond the basic plane counts as two: half the length is sure to fit.
    fits = [f"len(v) <= {plan.max // 2}"] if plan.max is not None else []
    if plan.blanks:
        # A longer text cannot be one of them, unless blanks make it longer.
        fits += [f"len(v) > {max(map(len, plan.blanks))}", "v[-1] != ' '"]
    match plan.type:
        case "integer" | "number" if plan.blanks:
            return None
        case None if not plan.blanks:
            return f"{_is_text('v')} or v.__class__ is bool or v.__class__ is int and {_is_short('v')}"
        case None | "string":
            return _all([_is_text("v"), *fits])
        case "email":
            return _all(["v.__class__ is str", *fits, "v.isprintable()", "is_email(v)"])
        case "integer":
            return "v.__class__ is int and -2147483648 <= v < 2147483648"
        case "number":
            return f"(v.__class__ is int or v.__class__ is float) and {_is_short('v')}"
        case kind if kind in _STRIPPED:
            return _all([_is_text("v"), *fits, "v[-1] != ' '"])
        case _:
            return None


def _all(conditions: Iterable[str]) -> str:
    return " and ".join(dict.fromkeys(conditions))


def _is_text(value: str) -> str:
    # The space is the first printable character: a text not less than "!" starts with another one.
    return f"{value}.__class__ is str and {value} >= '!' and {value}.isprintable()"


def _is_short(number: str) -> str:
    return f"-{NUMBER_RANGE} < {number} < {NUMBER_RANGE}"


def _read_lines(scope: _Scope, source: CompiledSource) -> list[str]:
    """Lines that assign the source's value to v, or None; no lines if only the source itself can."""
    names = only_names(source.segments)
    if names is None or not all(map(_keeps_nothing, source.pipes)):
        return []
    cleaned = _blanks_out(scope, source.blanks) if source.pipes and source.blanks else []
    lines = [f"v = {scope.value(names)}", *cleaned]
    for pipe in source.pipes:
        name = scope.name(pipe.run, f"filter_{pipe.known.name}")
        chooses = "".join(f" and given_v.__class__ is not {kind.__name__}" for kind in pipe.known.chooses)
        lines += [
            f"if v is not None{' and v.__class__ is not str' if str in pipe.known.keeps else ''}:",
            f"    given_v = v; v = {name}(v)",
            f"    if v is None{chooses}: return by_rules(view, item_number)",
        ]
    return [*lines, *cleaned]


def _blanks_out(scope: _Scope, blanks: frozenset[str]) -> list[str]:
    """Lines that replace values that count as no value; most texts are longer than any of them."""
    longest = max(map(len, blanks))
    name = scope.name(blanks, "blanks")
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


def _without_value(plan: FieldPlan) -> str:
    """The statement if no source has a value; empty if only the rule can decide."""
    if plan.clears_null or plan.clears_blank:
        return ""
    if plan.default is not None:
        return f"{plan.default.write}[{plan.field!r}] = {plan.default.value!r}"
    return "" if plan.required else "pass"


def _custom_lines(scope: _Scope, custom: CustomPlan, looked_up: frozenset[str]) -> Iterator[str]:
    yield _comment(custom.span, "custom")
    base = _base(custom)
    if base is None:
        yield f"RecordBuilder(*parts).add_custom({scope.name(custom.find, 'custom_fields')}(view, always))"
        return
    table = scope.variables[base]
    given = " = given[name]" if any(name.endswith(custom.spec.suffix) for name in looked_up) else ""
    is_number = f"(value.__class__ is int or value.__class__ is float) and {_is_short('value')}"
    is_plain = f"{_is_text('value')} or value.__class__ is bool or {is_number}"
    yield f"for key, value in {table}.items():"
    yield f"    field = fields_{table}[key]"
    yield "    if field is not None:"
    yield "        name, origin = field"
    yield f"        if name and name not in always and ({is_plain}):"
    yield f"            always[name]{given} = value; origins[name] = origin"
    yield f"        {'else' if custom.spec.on_null == 'clear' else 'elif value is not None'}:"
    find = scope.name(custom.of, "custom_field")
    yield f"            RecordBuilder(*parts).add_custom({find}(key, value, always))"


def _match_value_lines(scope: _Scope, plan: MappingPlan) -> Iterator[str]:
    """Lines for lookup values that are not written."""
    for slot, value in plan.match_values.items():
        name = scope.name(value, f"plan_match_by_{value.field}")
        yield _comment(value.span, f"match by {value.field}")
        yield f"RecordBuilder(*parts).add_match_value({slot!r}, {value.field!r}, find_value({name}, view))"
    for value in plan.unless_found:
        name = scope.name(value, "plan_unless_found")
        yield _comment(value.span, "unless_found")
        yield f"RecordBuilder(*parts).add_unless_found(find_value({name}, view))"


def _end_lines(plan: MappingPlan) -> Iterator[str]:
    matches = []
    for place, lookup in enumerate(plan.mapping.lookups):
        there = " and ".join(f"{one.slot!r} in given" for one in lookup.fields)
        values = ", ".join(f"{one.name!r}: given[{one.slot!r}]" for one in lookup.fields)
        yield f"match{place} = ({{{values}}},) if {there or 'True'} else ()"
        matches.append(f"match{place}")
    yield f"match = {' + '.join(matches) or '()'}"
    needed = "match" if matches else f"({' or '.join(WRITES)})"
    yield f"if rejections or not {needed}: return by_rules(view, item_number)"
    arguments = {
        "plan": "plan",
        "match": "match",
        "fields": "always",
        "create_only": "create",
        "update_only": "update",
        "if_empty": "empty",
        "origins": "origins",
        "notes": "tuple(notes) if notes else ()",
        "item_number": "item_number",
        "unless_found": "tuple(unless_found)" if plan.unless_found else "()",
    }
    # Keywords would take twice the time.
    yield f"return Record({', '.join(arguments[name] for name in Record._fields)})"


def _map_lines(scope: _Scope, plan: MappingPlan) -> Iterator[str]:
    """The function `map`; no lines if an event may become none or several records for further reasons."""
    path = simple_segments(plan.opt_in.text) if plan.opt_in else None
    if plan.when or plan.for_each or (plan.opt_in and not (path and len(path) == 2 and only_names(path))):
        return
    yield "def map(event):"
    yield "    view = event_view(event)"
    if plan.opt_in and path:
        holder, key = path
        otherwise = scope.name((not_opted_in(plan.opt_in),), "not_opted_in")
        yield f"    v = view.get({holder!r})"
        yield f"    v = v.get({key!r}) if v.__class__ is dict else None"
        yield f"    if v is not True and v.__class__ is not dict: return {otherwise}"
    yield "    return (record(view, 0),)"
