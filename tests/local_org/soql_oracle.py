"""Random queries with what they must answer, computed from Python values; it shares no code with the local org."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from hypothesis import strategies as st

SCHEMA = """\
objects:
  Team__c:
    fields:
      Round__c: {type: double}
      Size__c: {type: double, precision: 6, scale: 1}
  Seat__c:
    fields:
      Round__c: {type: double}
      Number__c: {type: double}
      Price__c: {type: double, precision: 6, scale: 1}
      Born__c: {type: date}
      Seen__c: {type: datetime}
      Vip__c: {type: boolean}
      Tags__c: {type: multipicklist, length: 255, values: [red, green, blue]}
      Kind__c: {type: picklist, values: [{value: gold, label: First class}, {value: tin, label: Tin}]}
      Team__c: {type: reference, to: Team__c}
"""
LABELS = {"gold": "First class", "tin": "Tin"}
NAMES = ["Ada", "ada", "Bell", "O'Hara", "50%", "a_b", "back\\slash", "Émile", "émile", 'say "hi"', "zoë z"]
TODAY = datetime.now(UTC).date()
DAYS = [TODAY + timedelta(days) for days in (-800, -400, -90, -31, -8, -7, -6, -2, -1, 0, 1, 2, 6, 7, 31, 90, 400)]
MOMENTS = [datetime(day.year, day.month, day.day, hour, 30, 5, tzinfo=UTC) for day in DAYS for hour in (0, 23)]

Row = Mapping[str, Any]
"""The values of a record by field; a parent's record by the name of the relationship."""


class Clause(NamedTuple):
    soql: str
    holds: Callable[[Row], bool]


class Term(NamedTuple):
    soql: str
    of: Callable[[Row], Any]


def or_null(values: Sequence[Any]) -> st.SearchStrategy[Any]:
    return st.sampled_from([*values, None])


teams = st.fixed_dictionaries({"Name": st.sampled_from(NAMES), "Size__c": or_null([0.0, 1.5, 2.0, 7.0])})
seats = st.fixed_dictionaries(
    {
        "Name": st.sampled_from(NAMES),
        "Price__c": or_null([-1.5, 0.0, 0.5, 2.0, 100.0]),
        "Born__c": or_null(DAYS),
        "Seen__c": or_null(MOMENTS),
        "Vip__c": st.booleans(),
        "Tags__c": or_null(["red", "red;green", "blue", "red;green;blue"]),
        "Kind__c": or_null(list(LABELS)),
        "team": or_null([0, 1]),
    }
)


def field(name: str) -> Term:
    return Term(name, lambda row: row[name])


def of_team(name: str) -> Term:
    return Term(f"Team__r.{name}", lambda row: row["Team__r"] and row["Team__r"][name])


def part(function: str, name: str, made: Callable[[Any], Any]) -> Term:
    return Term(f"{function}({name})", lambda row: None if row[name] is None else made(row[name]))


LABEL = Term("toLabel(Kind__c)", lambda row: LABELS.get(row["Kind__c"]))
TEXTS = [field("Name"), field("Kind__c"), of_team("Name"), LABEL]
NUMBERS = [field("Price__c"), of_team("Size__c")]
PARTS = [
    part("CALENDAR_YEAR", "Born__c", lambda day: day.year),
    part("FISCAL_QUARTER", "Born__c", lambda day: (day.month + 2) // 3),
    part("CALENDAR_MONTH", "Seen__c", lambda moment: moment.month),
    part("DAY_IN_MONTH", "Born__c", lambda day: day.day),
    part("DAY_IN_WEEK", "Born__c", lambda day: day.isoweekday() % 7 + 1),
    part("DAY_IN_YEAR", "Seen__c", lambda moment: moment.timetuple().tm_yday),
    part("WEEK_IN_MONTH", "Born__c", lambda day: (day.day - 1) // 7 + 1),
    part("WEEK_IN_YEAR", "Born__c", lambda day: (day.timetuple().tm_yday - 1) // 7 + 1),
    part("HOUR_IN_DAY", "Seen__c", lambda moment: moment.hour),
]
DATES = [field("Born__c"), part("DAY_ONLY", "Seen__c", datetime.date)]


def literal(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case datetime():
            return value.strftime("%Y-%m-%dT%H:%M:%SZ")
        case date():
            return value.isoformat()
        case str():
            escaped = value.replace("\\", "\\\\").replace("'", "\\'")
            return f"'{escaped}'"
    return str(value)


def plain(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def compared(term: Term, sign: str, value: Any) -> Clause:
    wanted = plain(value)

    def holds(row: Row) -> bool:
        found = plain(term.of(row))
        if wanted is None or found is None:
            is_equal = wanted is None and found is None
            return is_equal if sign == "=" else not is_equal and sign == "!="
        order = (found > wanted) - (found < wanted)
        return order in {"=": [0], "!=": [-1, 1], "<": [-1], "<=": [-1, 0], ">": [1], ">=": [0, 1]}[sign]

    return Clause(f"{term.soql} {sign} {literal(value)}", holds)


def among(term: Term, values: Sequence[Any], negated: bool) -> Clause:
    wanted = [plain(value) for value in values]
    listed = ", ".join(map(literal, values))
    word = "NOT IN" if negated else "IN"
    return Clause(f"{term.soql} {word} ({listed})", lambda row: (plain(term.of(row)) in wanted) is not negated)


def like(term: Term, parts: Sequence[str]) -> Clause:
    marks = {"%": ".*", "_": "."}
    pattern = re.compile("".join(marks.get(one) or re.escape(one.casefold()) for one in parts), re.DOTALL)
    text = "".join(one if one in marks else re.sub(r"([\\'])", r"\\\1", one) for one in parts)

    def holds(row: Row) -> bool:
        found = term.of(row)
        return found is not None and bool(pattern.fullmatch(found.casefold()))

    return Clause(f"{term.soql} LIKE '{text}'", holds)


def includes(choices: Sequence[Sequence[str]], negated: bool) -> Clause:
    listed = ", ".join(f"'{';'.join(values)}'" for values in choices)

    def holds(row: Row) -> bool:
        held = set((row["Tags__c"] or "").split(";"))
        return any(held.issuperset(values) for values in choices) is not negated

    return Clause(f"Tags__c {'EXCLUDES' if negated else 'INCLUDES'} ({listed})", holds)


def months(day: date) -> int:
    return day.year * 12 + day.month - 1


def weeks(day: date) -> int:
    return (day.toordinal()) // 7  # 1 January of the year 1 was a Monday, so that days 7, 14, ... are Sundays


UNITS: dict[str, Callable[[date], int]] = {
    "DAY": date.toordinal,
    "WEEK": weeks,
    "MONTH": months,
    "QUARTER": lambda day: months(day) // 3,
    "FISCAL_YEAR": lambda day: day.year,
}


def period(word: str, unit: str, near: int, far: int, term: Term) -> Clause:
    """Whether the day is between so many units after today's."""
    number = UNITS[unit]

    def holds(row: Row) -> bool:
        day = term.of(row)
        return day is not None and near <= number(day) - number(TODAY) <= far

    return Clause(f"{term.soql} = {word}", holds)


@st.composite
def periods(draw: st.DrawFn) -> Clause:
    term = draw(
        st.sampled_from([field("Born__c"), Term("Seen__c", lambda row: row["Seen__c"] and row["Seen__c"].date())])
    )
    unit, n = draw(st.sampled_from(list(UNITS))), draw(st.integers(1, 40))
    named = {"DAY": ["YESTERDAY", "TODAY", "TOMORROW"]}.get(
        unit, [f"{one}_{unit}" for one in ("LAST", "THIS", "NEXT")]
    )
    known = [(word, number, number) for number, word in enumerate(named, -1)]
    known.append((f"LAST_N_{unit}S:{n}", -n, 0 if unit == "DAY" else -1))
    known.append((f"NEXT_N_{unit}S:{n}", 1, n))
    known.append((f"N_{unit}S_AGO:{n}", -n, -n))
    word, near, far = draw(st.sampled_from(known))
    return period(word, unit, near, far, term)


SIGNS = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
texts = st.builds(str.swapcase, st.sampled_from(NAMES)) | st.sampled_from(
    [*NAMES, *LABELS, *LABELS.values(), None]
)
moments = st.sampled_from([*MOMENTS, None])
tags = st.lists(st.sampled_from(["red", "green", "blue"]), min_size=1, max_size=2, unique=True)
simple = st.one_of(
    st.builds(compared, st.sampled_from(TEXTS), SIGNS, texts),
    st.builds(compared, st.sampled_from(NUMBERS), SIGNS, or_null([-1.5, 0.0, 1.5, 2.0])),
    st.builds(compared, st.sampled_from(PARTS), SIGNS, st.integers(1, 31) | st.just(TODAY.year)),
    st.builds(compared, st.sampled_from(DATES), SIGNS, or_null(DAYS)),
    st.builds(compared, st.just(field("Seen__c")), SIGNS, moments),
    st.builds(compared, st.just(field("Vip__c")), st.sampled_from(["=", "!="]), st.booleans()),
    st.builds(among, st.sampled_from(TEXTS), st.lists(texts, min_size=1, max_size=3), st.booleans()),
    st.builds(
        like,
        st.sampled_from(TEXTS),
        st.lists(st.sampled_from(["%", "_", "a", "A", "É", "'", "\\", "l"]), max_size=4),
    ),
    st.builds(includes, st.lists(tags, min_size=1, max_size=2), st.booleans()),
    periods(),
    periods(),
    periods(),
)


def joined(word: str, clauses: Sequence[Clause]) -> Clause:
    both = all if word == "AND" else any
    text = f" {word} ".join(clause.soql for clause in clauses)
    return Clause(f"({text})", lambda row: both(clause.holds(row) for clause in clauses))


def negated(clause: Clause) -> Clause:
    return Clause(f"(NOT ({clause.soql}))", lambda row: not clause.holds(row))


conditions = st.recursive(
    simple,
    lambda inner: (
        st.builds(joined, st.sampled_from(["AND", "OR"]), st.lists(inner, min_size=1, max_size=3))
        | st.builds(negated, inner)
    ),
    max_leaves=6,
)


class Ordered(NamedTuple):
    soql: str
    apply: Callable[[list[Row]], list[Row]]


@st.composite
def orders(draw: st.DrawFn, terms: Sequence[Term], last: str) -> Ordered:
    """An order that ends with a field whose values differ."""
    chosen = draw(st.lists(st.sampled_from(terms), max_size=2, unique_by=lambda term: term.soql))
    directions = [(term, draw(st.booleans()), draw(st.booleans())) for term in chosen]

    def apply(rows: list[Row]) -> list[Row]:
        rows = sorted(rows, key=lambda row: row[last])
        for term, down, nulls_last in reversed(directions):
            empty = [row for row in rows if term.of(row) is None]
            full = [row for row in rows if term.of(row) is not None]
            full.sort(key=lambda row: plain(term.of(row)), reverse=down)
            rows = [*full, *empty] if nulls_last else [*empty, *full]
        return rows

    words = [
        f"{t.soql} {'DESC' if down else 'ASC'} NULLS {'LAST' if late else 'FIRST'}" for t, down, late in directions
    ]
    return Ordered(", ".join([*words, last]), apply)


class Question(NamedTuple):
    """A query, and the records that must answer it, from all seats and teams."""

    soql: str
    answer: Callable[[Sequence[Row], Sequence[Row]], list[Row]]


def shown(value: Any) -> Any:
    """The value as JSON contains it."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    return value.isoformat() if isinstance(value, date) else value


def clipped(rows: list[Row], limit: int | None, offset: int) -> list[Row]:
    return rows[offset:][:limit]


def ending(limit: int | None, offset: int) -> str:
    return f"{'' if limit is None else f' LIMIT {limit}'}{f' OFFSET {offset}' if offset else ''}"


def record(row: Row, names: Sequence[str]) -> Row:
    parent = row.get("Team__r")
    above = [name.partition(".")[2] for name in names if "." in name]
    own = {name: shown(row[name]) for name in names if "." not in name}
    return {**own, **({"Team__r": parent and {name: parent[name] for name in above}} if above else {})}


SEAT_NAMES = [
    "Name",
    "Price__c",
    "Born__c",
    "Seen__c",
    "Vip__c",
    "Tags__c",
    "Kind__c",
    "Team__r.Name",
    "Team__r.Size__c",
]
SEAT_ORDER = [*TEXTS, *NUMBERS, *DATES, field("Seen__c"), field("Vip__c"), *PARTS[:3]]
limits = st.none() | st.integers(0, 8)


@st.composite
def of_records(draw: st.DrawFn) -> Question:
    names = draw(st.lists(st.sampled_from(SEAT_NAMES), min_size=1, unique=True))
    where, order = draw(conditions), draw(orders(SEAT_ORDER, "Number__c"))
    limit, offset = draw(limits), draw(st.integers(0, 3))
    semi_join = draw(st.none() | semi_joins())
    joins = f" AND {semi_join.soql}" if semi_join else ""

    def answer(seats: Sequence[Row], teams: Sequence[Row]) -> list[Row]:
        found = [row for row in seats if where.holds(row)]
        if semi_join:
            found = [row for row in found if semi_join.holds({**row, "teams": teams})]
        return [record(row, names) for row in clipped(order.apply(found), limit, offset)]

    text = f"SELECT {', '.join(names)} FROM Seat__c WHERE Round__c = {{round}} AND ({where.soql}){joins}"
    return Question(f"{text} ORDER BY {order.soql}{ending(limit, offset)}", answer)


@st.composite
def semi_joins(draw: st.DrawFn) -> Clause:
    inner = draw(st.builds(compared, st.just(field("Size__c")), SIGNS, or_null([0.0, 1.5, 2.0])))
    is_anti = draw(st.booleans())

    def holds(row: Row) -> bool:
        return (row["Team__c"] in [team["Id"] for team in row["teams"] if inner.holds(team)]) is not is_anti

    words = "NOT IN" if is_anti else "IN"
    return Clause(f"Team__c {words} (SELECT Id FROM Team__c WHERE {inner.soql})", holds)


@st.composite
def of_children(draw: st.DrawFn) -> Question:
    names = draw(st.lists(st.sampled_from(SEAT_NAMES[:7]), min_size=1, unique=True))
    where, order = draw(conditions), draw(orders(SEAT_ORDER, "Number__c"))
    limit, offset = draw(limits), draw(st.integers(0, 1))

    def answer(seats: Sequence[Row], teams: Sequence[Row]) -> list[Row]:
        rows: list[Row] = []
        for team in teams:
            found = [row for row in seats if row["Team__c"] == team["Id"] and where.holds(row)]
            records = [record(row, names) for row in clipped(order.apply(found), limit, offset)]
            seated = {"totalSize": len(records), "done": True, "records": records} if records else None
            rows.append({"Name": team["Name"], "Seats__r": seated})
        return rows

    inner = (
        f"SELECT {', '.join(names)} FROM Seats__r WHERE {where.soql} ORDER BY {order.soql}{ending(limit, offset)}"
    )
    return Question(f"SELECT Name, ({inner}) FROM Team__c WHERE Round__c = {{round}} ORDER BY Id", answer)


KEYS = [field("Vip__c"), field("Kind__c"), field("Born__c"), *PARTS]
AGGREGATES: dict[str, Callable[[Sequence[Row]], Any]] = {
    "COUNT(Id)": len,
    "COUNT(Price__c)": lambda rows: len(present(rows, "Price__c")),
    "COUNT_DISTINCT(Name)": lambda rows: len({row["Name"].casefold() for row in rows}),
    "SUM(Price__c)": lambda rows: sum(present(rows, "Price__c")) if present(rows, "Price__c") else None,
    "AVG(Price__c)": lambda rows: average(present(rows, "Price__c")),
    "MIN(Born__c)": lambda rows: shown(min(present(rows, "Born__c"), default=None)),
    "MAX(Seen__c)": lambda rows: shown(max(present(rows, "Seen__c"), default=None)),
}


def present(rows: Sequence[Row], name: str) -> list[Any]:
    return [row[name] for row in rows if row[name] is not None]


def average(numbers: Sequence[float]) -> float | None:
    return sum(numbers) / len(numbers) if numbers else None


@st.composite
def of_groups(draw: st.DrawFn) -> Question:
    keys = draw(st.lists(st.sampled_from(KEYS), min_size=1, max_size=2, unique_by=lambda term: term.soql))
    wanted = draw(st.lists(st.sampled_from(list(AGGREGATES)), min_size=1, max_size=3, unique=True))
    where, least = draw(conditions), draw(st.none() | st.integers(0, 3))

    def answer(seats: Sequence[Row], _teams: Sequence[Row]) -> list[Row]:
        groups: dict[tuple[Any, ...], list[Row]] = {}
        for row in seats:
            if where.holds(row):
                groups.setdefault(tuple(key.of(row) for key in keys), []).append(row)
        rows: list[Row] = []
        ordered = sorted(groups, key=lambda values: [(value is not None, value or 0) for value in values])
        for values in ordered:
            if least is None or len(groups[values]) > least:
                aggregated = [AGGREGATES[name](groups[values]) for name in wanted]
                named = {f"k{number}": shown(value) for number, value in enumerate(values)}
                rows.append({**named, **{f"expr{number}": value for number, value in enumerate(aggregated)}})
        return rows

    selected = [f"{key.soql} k{number}" for number, key in enumerate(keys)] + wanted
    by = ", ".join(key.soql for key in keys)
    having = "" if least is None else f" HAVING COUNT(Id) > {least}"
    text = f"SELECT {', '.join(selected)} FROM Seat__c WHERE Round__c = {{round}} AND ({where.soql})"
    return Question(f"{text} GROUP BY {by}{having} ORDER BY {by}", answer)


questions = st.one_of(of_records(), of_records(), of_children(), of_groups())
