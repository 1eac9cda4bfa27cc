"""Lookup queries: values are quoted as literals, and no query is too long."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfmap.engine.org.port import Value
from sfmap.engine.org.soql import (
    CONDITION_LIMIT,
    IDENTITY_LIMIT,
    LITERAL_LIMIT,
    QUERY_LIMIT,
    condition,
    literal,
    lookup_queries,
    too_long_for_lookup,
)

ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\"}

LITERALS = [
    ("Ada", "'Ada'"),
    ("", "''"),
    ("O'Neil", r"'O\'Neil'"),
    ("back\\slash", r"'back\\slash'"),
    ("') OR Name != ('", r"'\') OR Name != (\''"),
    ("a\nb\rc\td\be\ff", r"'a\nb\rc\td\be\ff'"),
    ("nul\x00esc\x1bdel\x7f", r"'nul\u0000esc\u001Bdel\u007F'"),
    ("100%_'x", r"'100%_\'x'"),
    ("Dvořák 株式会社 😀", "'Dvořák 株式会社 😀'"),
    ("half \ud83d", r"'half \uD83D'"),
    (True, "true"),
    (False, "false"),
    (42, "42"),
    (-7, "-7"),
    (1.5, "1.5"),
    (1e-7, "0.0000001"),
    (1e21, "1000000000000000000000"),
]


@pytest.mark.parametrize(("value", "text"), LITERALS)
def test_a_value_is_quoted_as_a_literal(value: Value, text: str) -> None:
    assert literal(value) == text


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_survives_as_a_literal(text: str) -> None:
    quoted = literal(text)

    assert quoted[0] == quoted[-1] == "'"
    assert _unescaped(quoted[1:-1]) == text
    quoted.encode()
    assert not re.search("[\x00-\x1f\x7f]", quoted)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_number_survives_as_a_literal(number: float) -> None:
    assert float(literal(number)) == number
    assert "e" not in literal(number).lower()


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_is_not_finite_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match="not a number"):
        literal(number)


def test_one_field_is_looked_up_with_in() -> None:
    assert list(lookup_queries("Lead", ("Email",), [("a@b.co",), ("o'c@d.co",), ("a@b.co",)])) == [
        r"SELECT Id, Email FROM Lead WHERE Email IN ('a@b.co', 'o\'c@d.co') ORDER BY CreatedDate, Id"
    ]


def test_several_fields_are_looked_up_with_or() -> None:
    assert list(lookup_queries("Deal__c", ("Key__c", "Open__c"), [("a", True), ("b", False)])) == [
        "SELECT Id, Key__c, Open__c FROM Deal__c WHERE (Key__c = 'a' AND Open__c = true) OR "
        "(Key__c = 'b' AND Open__c = false) ORDER BY CreatedDate, Id"
    ]


def test_the_id_is_selected_once() -> None:
    (query,) = lookup_queries("Lead", ("Id",), [("00Q5f000001AbcdEAC",)])
    assert query.startswith("SELECT Id FROM Lead WHERE Id IN (")


def test_more_fields_are_read_each_of_them_once() -> None:
    (query,) = lookup_queries("Lead", ("Email",), [("a@b.co",)], also=("Title", "email", "ID", "Phone"))
    assert query.startswith("SELECT Id, Email, Title, Phone FROM Lead WHERE Email IN (")


NARROWED = [
    (("Email",), "Email IN ('a', 'b') AND (IsConverted = false)"),
    (
        ("Email", "City"),
        "((Email = 'a' AND City = 'a') OR (Email = 'b' AND City = 'b')) AND (IsConverted = false)",
    ),
]


@pytest.mark.parametrize(("fields", "text"), NARROWED)
def test_a_condition_narrows_the_lookup(fields: tuple[str, ...], text: str) -> None:
    identities = [(value,) * len(fields) for value in "ab"]
    (query,) = lookup_queries("Lead", fields, identities, where="IsConverted = false")
    assert query.partition(" WHERE ")[2] == f"{text} ORDER BY CreatedDate, Id"


@pytest.mark.parametrize(
    "text",
    [
        "IsConverted = false",
        "Name = ')' OR (Name LIKE 'O\\'Neil%' AND NOT Status = 'x')",
        "Id IN (SELECT Key__c FROM Deal__c)",
        "Name = '' ",
        "Name\n= '株式会社 😀'",
        "Key__c = '" + "x" * (CONDITION_LIMIT - 11) + "'",
    ],
    ids=lambda text: text[:40],
)
def test_a_valid_condition_is_kept(text: str) -> None:
    assert condition(text) == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a = 1) OR (b = 2", "parentheses"),
        ("(a = 1", "parentheses"),
        ("a = 1)", "parentheses"),
        ("a = 'x", "quote"),
        ("a = 'x\\'", "quote"),
        ("a = '' ')", "quote"),
        (" ", "empty"),
        ("a = '\x00'", r"U\+0000"),
        ("a = '\ud83d'", r"U\+D83D"),
        ("x" * (CONDITION_LIMIT + 1), "50,000 characters"),
    ],
)
def test_an_invalid_condition_is_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        condition(text)


def test_a_condition_counts_towards_the_length_of_a_query() -> None:
    where = f"Name != '{'😀' * 20_000}'"
    identities = [("x" * 100 + str(number),) for number in range(1_900)]

    queries = list(lookup_queries("Lead", ("Key__c",), identities, where=where))

    assert len(queries) == 4
    assert max(len(query.encode("utf-16-le")) // 2 for query in queries) <= QUERY_LIMIT


def test_no_identities_need_no_query() -> None:
    assert list(lookup_queries("Lead", ("Email",), [])) == []


@pytest.mark.parametrize("name", ["", "Lead WHERE", "a,b", "1a", "_a", "a\n", "Owner.Name", "é"])
def test_invalid_names_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not the API name"):
        list(lookup_queries(name, ("Email",), [("a",)]))
    with pytest.raises(ValueError, match="not the API name"):
        list(lookup_queries("Lead", (name,), [("a",)]))


def test_a_lookup_needs_a_field() -> None:
    with pytest.raises(ValueError, match="needs a field"):
        list(lookup_queries("Lead", (), [()]))


def test_many_identities_are_split() -> None:
    identities = [(f"user-{number}",) for number in range(IDENTITY_LIMIT * 2 + 1)]

    counts = [query.count("'user-") for query in lookup_queries("Lead", ("Key__c",), identities)]

    assert counts == [IDENTITY_LIMIT, IDENTITY_LIMIT, 1]


@pytest.mark.parametrize("size", [1, 40, 99, 100, 101, LITERAL_LIMIT - 10])
@pytest.mark.parametrize("letter", ["x", "'", "ř", "😀"])
@pytest.mark.parametrize("fields", [("Name",), ("Name", "City")])
def test_no_query_is_too_long(size: int, letter: str, fields: tuple[str, ...]) -> None:
    many = 2_500 if size < 1_000 else 250
    size = size // len(letter.encode("utf-16-le"))
    identities = [(letter * size + str(number),) * len(fields) for number in range(many)]

    queries = list(lookup_queries("Lead", fields, identities))

    assert max(len(query.encode("utf-16-le")) // 2 for query in queries) <= QUERY_LIMIT
    asked = "".join(queries)
    assert all(asked.count(literal(values[0])) == len(fields) for values in identities[:: many // 5])
    assert len(queries) <= 1 + 2 * len(asked.encode("utf-16-le")) / 2 / QUERY_LIMIT + len(identities) / 2_000


@pytest.mark.parametrize(
    ("value", "too_long"),
    [
        ("x" * (LITERAL_LIMIT - 2), False),
        ("x" * (LITERAL_LIMIT - 1), True),
        ("'" * (LITERAL_LIMIT // 2 - 1), False),
        ("'" * (LITERAL_LIMIT // 2), True),
        ("😀" * (LITERAL_LIMIT // 2), True),
        (7, False),
        (True, False),
    ],
)
def test_values_too_long_for_a_lookup_are_refused(value: Value, too_long: bool) -> None:
    assert too_long_for_lookup(value) is too_long
    if too_long:
        with pytest.raises(ValueError, match="longer than"):
            list(lookup_queries("Lead", ("Name",), [(value,)]))


def _unescaped(text: str) -> str:
    def one(match: re.Match[str]) -> str:
        escape = match[1]
        return chr(int(escape[1:], 16)) if escape[0] == "u" else ESCAPED[escape]

    return re.sub(r"\\(u[0-9A-F]{4}|.)", one, text)
