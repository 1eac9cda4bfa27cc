"""A draft as the YAML of a mapping, with comments that say how sure each line is."""

import json
import re
from collections.abc import Iterator

from sfmap.engine.inspect.traits.trait_inventory import PathSeen
from sfmap.engine.messages.counts import counted
from sfmap.engine.org.fields import VALUE_TYPES, is_required
from sfmap.engine.org.port import FieldDescription
from sfmap.engine.suggest.drafting import SURE, Draft, FieldDraft

_TYPES = {"url": "url", "phone": "phone", "picklist": "picklist", "multipicklist": "picklist"}
_CUT = frozenset(("string", "textarea", "email", "phone", "url"))
_PLAIN = re.compile(r"[A-Za-z$][\w.$]*(?: \| \w+)?")
_WIDEST = 100
_MOST_EXAMPLES = 3
_LONGEST = 30
_MANY = 20
"""Events from which a trait that all of them have counts as always there."""
_MOST_ENTRIES = 12
_LAST_RESORT = "n/a"


def draft_text(draft: Draft) -> str:
    return "\n".join(_lines(draft)) + "\n"


def _lines(draft: Draft) -> Iterator[str]:
    kind = draft.kind
    named = f"{kind.type} {kind.name}" if kind.name else kind.type
    yield f"# A draft by sfmap suggest, from {counted(kind.events, f'{named} event')}: read it before you use it."
    yield "sfmap: 1"
    yield f"event: {{type: {kind.type}, name: {json.dumps(kind.name)}}}" if kind.name else f"event: {kind.type}"
    yield f"object: {draft.described.name}"
    if draft.match:
        yield "operation: upsert"
        yield f"match: {draft.match.field.name}"
    else:
        yield "operation: create   # no field was found by which records could be looked up"
    yield ""
    yield "fields:"
    for one in draft.proposed:
        yield from _field(one, draft)
    for field in draft.missing:
        yield from _missing(field)
    yield from _possible(draft)
    yield from _unused(draft.unused)


def _field(one: FieldDraft, draft: Draft) -> Iterator[str]:
    rule, why = _rule(one, draft), _why(one)
    whole = f"  {one.field.name}: {{{', '.join(rule)}}}"
    if len(whole) <= _WIDEST and not (one.entries and one.entries.translated):
        yield f"{whole}   # {why}"
    else:
        yield f"  {one.field.name}:   # {why}"
        yield from (f"    {part}" for part in rule)
    if one.entries and one.entries.translated:
        yield "    values:"
        for text in one.entries.same:
            yield f"      {_quoted(text)}: {_quoted(text)}"
        for text, entry in one.entries.translated:
            yield f"      {_quoted(text)}: {_quoted(entry)}"
    yield from _entries_to_fill_in(one)


def _entries_to_fill_in(one: FieldDraft) -> Iterator[str]:
    """The values that are no entry, beside the entries."""
    if one.entries and one.entries.unknown and one.field.picklist_values:
        unknown = ", ".join(map(_quoted, one.entries.unknown[:_MOST_EXAMPLES]))
        entries = one.field.picklist_values
        more = ", ..." if len(entries) > _MOST_ENTRIES else ""
        yield f"    # no entries of the picklist: {unknown}; map them with values: {{...}} to one of"
        yield f"    # {', '.join(entries[:_MOST_ENTRIES])}{more}"


def _rule(one: FieldDraft, draft: Draft) -> list[str]:
    field = one.field
    sources = [_quoted_source(source.text) for source in one.sources]
    rule = [f"from: {sources[0]}" if len(sources) == 1 else f"from: [{', '.join(sources)}]"]
    type_ = _TYPES.get(field.type) or VALUE_TYPES.get(field.type)
    if type_:
        rule.append(f"type: {type_}")
    if field.type in _CUT and field.length:
        rule.append(f"max: {field.length}")
    if draft.match and draft.match.field is field:
        rule.append("required: true")
    elif is_required(field):
        events = draft.kind.events
        is_always_there = events >= _MANY and any(source.seen.filled >= events for source in one.sources)
        is_text = field.type in ("string", "textarea")
        rule.append("required: true" if is_always_there or not is_text else f"default: {_LAST_RESORT}")
    return rule


def _why(one: FieldDraft) -> str:
    sure = "sure" if one.score >= SURE else "likely"
    reasons = ", ".join(dict.fromkeys(source.why for source in one.sources))
    examples = _examples(one.sources[0].seen)
    return _comment(f"{sure}: {reasons}" + (f" ({examples})" if examples else ""))


def _missing(field: FieldDescription) -> Iterator[str]:
    yield f"  # {field.name} ({field.label}) is required by the org, and no trait fits it."
    if field.type in ("string", "textarea"):
        yield f"  {field.name}: {{value: {_LAST_RESORT}, write: create}}"
    elif field.picklist_values:
        yield f"  {field.name}: {{value: {_quoted(field.picklist_values[0])}, write: create}}"


def _possible(draft: Draft) -> Iterator[str]:
    if draft.possible:
        yield "  # Perhaps:"
    for one in draft.possible:
        yield f"  # {one.field.name}: {{{', '.join(_rule(one, draft))}}}   # {_why(one)}"
        for line in _entries_to_fill_in(one):
            yield f"  #   {line.strip().removeprefix('# ')}"


def _unused(unused: tuple[PathSeen, ...]) -> Iterator[str]:
    if not unused:
        return
    yield ""
    yield "# These reach no field:"
    for seen in unused:
        examples = _examples(seen)
        yield f"#   {_comment(f'{seen.text}: {examples}' if examples else seen.text)}"
    yield "# To make custom fields of all traits that no rule reads: custom: {from: traits, suffix: __c}"


def _examples(seen: PathSeen) -> str:
    shown = list(seen.examples)[:_MOST_EXAMPLES]
    return ", ".join(one if len(one) <= _LONGEST else f"{one[: _LONGEST - 3]}..." for one in shown)


def _comment(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 3]}..."


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _quoted_source(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else _quoted(text)
