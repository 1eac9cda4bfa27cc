"""SOQL text for lookups: which records have these values in these fields."""

import re
from collections.abc import Iterable, Iterator, Sequence

from sfmap.engine.mapping.values.values import length
from sfmap.engine.org.api_text import NOT_XML, api_text
from sfmap.engine.org.port import Value

QUERY_LIMIT = 100_000
"""The most characters one query may have (app-limits, "SOQL and SOSL Limits")."""

LITERAL_LIMIT = 4_000
"""The most characters one literal of a WHERE clause may have (same page)."""

_LONGEST_ESCAPE = len("\\uD800")

IDENTITY_LIMIT = 2_000
"""The most identities one query asks for: as many as one page of its answer can hold."""

CONDITION_LIMIT = QUERY_LIMIT // 2
"""The most characters a lookup's condition may have, so that there is room for the values."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")

_COMPARED = re.compile(
    r"(?<![\w.])([A-Za-z]\w*)\s*(?:<=|>=|<>|!=|=|<|>|\b(?:NOT\s+IN|IN|LIKE|INCLUDES|EXCLUDES)\b)", re.IGNORECASE
)
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'", re.DOTALL)

# Reserved characters, and those that XML cannot carry.
_ESCAPES = str.maketrans(
    {chr(code): f"\\u{code:04X}" for code in (*range(0x20), 0x7F, *range(0xD800, 0xE000), 0xFFFE, 0xFFFF)}
    | {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f", "'": "\\'", "\\": "\\\\"}
)


def literal(value: Value) -> str:
    """The value as SOQL writes it."""
    return f"'{value.translate(_ESCAPES)}'" if isinstance(value, str) else api_text(value)


def too_long_for_lookup(value: Value) -> bool:
    """Whether the value does not fit into any query."""
    if isinstance(value, str) and (len(value) + 1) * _LONGEST_ESCAPE <= LITERAL_LIMIT:
        return False
    return length(literal(value)) > LITERAL_LIMIT


def lookup_queries(
    object_name: str,
    fields: Sequence[str],
    identities: Sequence[Sequence[Value]],
    also: Sequence[str] = (),
    where: str = "",
) -> Iterator[str]:
    """Queries that together find every record whose `fields` equal one of `identities` and that meets `where`.

    Each identity has one value for each field. The queries read `fields` and `also`. Raises ValueError for a
    value that is `too_long_for_lookup`, and for a `where` that is not a valid `condition`.
    """
    if not fields:
        raise ValueError("a lookup needs a field")
    names = [identifier(name) for name in fields]
    further = f" AND ({condition(where)})" if where else ""
    # Every part is a checked identifier.
    head = f"SELECT {', '.join(_selected([*names, *also]))} FROM {identifier(object_name)} WHERE "  # noqa: S608
    opening, separator, closing = (f"{names[0]} IN (", ", ", ")") if len(names) == 1 else ("", " OR ", "")
    if further and len(names) > 1:
        opening, closing = "(", ")"
    tail = f"{closing}{further} ORDER BY CreatedDate, Id"
    terms = dict.fromkeys(_term(names, identity) for identity in identities)
    room = QUERY_LIMIT - len(head) - len(opening) - length(tail)
    for part in _parts(list(terms), len(separator), room):
        yield f"{head}{opening}{separator.join(part)}{tail}"


def identifier(name: str) -> str:
    """The name, if it is that of an object or field and nothing else; otherwise raises ValueError."""
    if not _NAME.match(name):
        raise ValueError(f"not the API name of an object or field: {name!r}")
    return name


def condition(text: str) -> str:
    """The condition, if its quotes and parentheses are balanced, so that it can only narrow a lookup."""
    outside = _QUOTED.sub("", text)
    if unsendable := NOT_XML.search(text):
        raise ValueError(f"a condition cannot hold U+{ord(unsendable[0]):04X}")
    if length(text) > CONDITION_LIMIT:
        raise ValueError(f"a condition can have at most {CONDITION_LIMIT:,} characters")
    if not text.strip():
        raise ValueError("the condition is empty")
    if "'" in outside:
        raise ValueError("a quote is missing in the condition")
    if not _balanced(outside):
        raise ValueError("the parentheses of the condition do not match")
    return text


def compared_fields(condition: str) -> Iterator[tuple[int, str]]:
    """The object's own fields that the condition compares, each with its position; not those of parents."""
    blanked = _QUOTED.sub(lambda quoted: " " * len(quoted[0]), condition)
    return ((found.start(1), found[1]) for found in _COMPARED.finditer(blanked))


def _selected(names: Sequence[str]) -> Iterable[str]:
    """Id and the names, each once in any casing: the org refuses a query that selects a field twice."""
    selected: dict[str, str] = {}
    for name in ("Id", *names):
        selected.setdefault(name.lower(), identifier(name))
    return selected.values()


def _balanced(text: str) -> bool:
    depth = 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if depth < 0:
            return False
    return depth == 0


def _term(names: Sequence[str], identity: Sequence[Value]) -> str:
    if any(too_long_for_lookup(value) for value in identity):
        raise ValueError(f"a value is longer than the {LITERAL_LIMIT} characters that a lookup may hold")
    if len(names) == 1:
        (value,) = identity
        return literal(value)
    pairs = zip(names, identity, strict=True)
    return f"({' AND '.join(f'{name} = {literal(value)}' for name, value in pairs)})"


def _parts(terms: Sequence[str], separator: int, room: int) -> Iterator[Sequence[str]]:
    start = used = 0
    for end, term in enumerate(terms):
        used += separator + length(term)
        if end > start and (used > room or end - start == IDENTITY_LIMIT):
            yield terms[start:end]
            start, used = end, separator + length(term)
    if terms:
        yield terms[start:]
