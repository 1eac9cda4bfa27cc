"""SOQL against the local org: which records are found, and how invalid queries are refused."""

from collections.abc import Iterator

import pytest

from sfmap.engine.local_org.process import start_local_org

from .conftest import Client, record, sign_in

PEOPLE = [
    record("Contact", LastName="Ångström", FirstName="Åsa", Email="a@b.co", Title="x'y\\z", MailingCity="Rome"),
    record(
        "Contact",
        LastName="Bell",
        Email="b@b.co",
        MailingCity="rome",
        AssistantName="50%_",
        Birthdate="1990-05-01",
    ),
    record("Contact", LastName="Curie", MailingCity="Paris", AssistantName="50ab", Birthdate="2024-02-29"),
]


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """An org with no other records than these."""
    with start_local_org(tmp_path_factory.mktemp("org") / "org.db") as local:
        client = sign_in(local)
        answer = client.call(f"<create>{''.join(PEOPLE)}</create>")
        assert answer.count("<success>true</success>") == len(PEOPLE)
        yield client


FOUND = [
    ("WHERE MailingCity = 'ROME'", ["Ångström", "Bell"]),
    ("WHERE LastName = 'ÅNGSTRÖM'", ["Ångström"]),
    ("WHERE MailingCity != 'rome'", ["Curie"]),
    ("WHERE Email = null", ["Curie"]),
    ("WHERE Email != NULL", ["Ångström", "Bell"]),
    ("WHERE Email IN ('A@B.CO', 'nobody', 'B@b.co')", ["Ångström", "Bell"]),
    ("WHERE Email NOT IN ('a@b.co')", ["Bell", "Curie"]),
    ("WHERE NOT MailingCity = 'Rome'", ["Curie"]),
    ("WHERE (MailingCity = 'Paris' OR LastName = 'Bell') AND IsDeleted = false", ["Bell", "Curie"]),
    (r"WHERE Title = 'x\'y\\z'", ["Ångström"]),
    (r"WHERE LastName = '\u0042ell'", ["Bell"]),
    ("WHERE LastName LIKE '%UR%'", ["Curie"]),
    (r"WHERE AssistantName LIKE '50\%\_'", ["Bell"]),
    ("WHERE AssistantName LIKE '50__'", ["Bell", "Curie"]),
    ("WHERE CreatedDate > 2020-01-01T00:00:00Z AND LastName > 'b' AND LastName < 'd'", ["Bell", "Curie"]),
    ("ORDER BY LastName DESC", ["Ångström", "Curie", "Bell"]),
    ("ORDER BY Email NULLS LAST, LastName LIMIT 2 OFFSET 1", ["Bell", "Curie"]),
    ("WHERE LastName = 'nobody'", []),
    ("WHERE CreatedDate = TODAY OR CreatedDate = yesterday", ["Ångström", "Bell", "Curie"]),
    ("WHERE CreatedDate >= LAST_N_DAYS:1 AND CreatedDate < TOMORROW", ["Ångström", "Bell", "Curie"]),
    ("WHERE CreatedDate < YESTERDAY OR CreatedDate > TODAY", []),
    ("WHERE CreatedDate != LAST_N_DAYS:30", []),
    ("WHERE Birthdate < LAST_N_DAYS:9000", ["Bell"]),
    ("WHERE Birthdate = LAST_N_DAYS:9000", ["Curie"]),
    ("WHERE Birthdate <> NEXT_N_DAYS:7", ["Ångström", "Bell", "Curie"]),
    ("WHERE Birthdate <= 1990-05-01 AND Birthdate != null", ["Bell"]),
    ("WHERE Birthdate > null OR LastName < null", []),
    ("WHERE NOT (MailingCity LIKE 'r%' OR Email = null)", []),
    ("WHERE MailingCity = 'Rome' AND (NOT Email = 'a@b.co')", ["Bell"]),
]


@pytest.mark.parametrize(("clause", "names"), FOUND)
def test_a_clause_finds_its_records(people: Client, clause: str, names: list[str]) -> None:
    assert people.query(f"select LastName from contact {clause}") == names


def test_count_returns_the_number_of_records(people: Client) -> None:
    assert "<size>2</size>" in people.call(
        "<query><queryString>SELECT COUNT() FROM Contact WHERE Email != null</queryString></query>"
    )


REFUSED = [
    ("SELECT Id FROM Contact WHERE", "MALFORMED_QUERY", "Row:1:Column:29"),
    ("SELECT Id FROM Contact WHERE LastName = Bell", "MALFORMED_QUERY", "unexpected token: Bell"),
    (r"SELECT Id FROM Contact WHERE LastName = 'a\qb'", "MALFORMED_QUERY", "Row:1:Column:41"),
    ("SELECT Id\nFROM Contact LIMIT many", "MALFORMED_QUERY", "Row:2:Column:20"),
    ("SELECT Id FROM Contact; DROP TABLE Contact", "MALFORMED_QUERY", "unexpected token: ;"),
    ("SELECT Nope__c FROM Contact", "INVALID_FIELD", "No such column 'Nope__c' on entity 'Contact'"),
    ("SELECT Id FROM Contact WHERE Description = 'x'", "INVALID_FIELD", "can not be filtered in a query call"),
    ("SELECT Id FROM Nobody", "INVALID_TYPE", "sObject type 'Nobody' is not supported"),
    ("SELECT Id FROM Contact WHERE LastName = 5", "INVALID_FIELD", "filter criterion"),
    ("SELECT Id FROM Contact WHERE LastName = TODAY", "MALFORMED_QUERY", "unexpected token: TODAY"),
    ("SELECT Id FROM Contact WHERE Birthdate IN (TODAY)", "MALFORMED_QUERY", "unexpected token: TODAY"),
    ("SELECT Id FROM Contact WHERE Birthdate = LAST_N_DAYS", "MALFORMED_QUERY", "unexpected token: LAST_N_DAYS"),
    ("SELECT Id FROM Contact WHERE AccountId LIKE '001%'", "INVALID_QUERY_FILTER_OPERATOR", "on id field"),
    ("SELECT Id FROM Contact WHERE Id = '003x'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: 003x"),
    ("SELECT Id FROM Contact WHERE Birthdate LIKE '1%'", "INVALID_QUERY_FILTER_OPERATOR", "on date field"),
    (f"SELECT Id FROM Contact WHERE LastName = '{'x' * 4001}'", "MALFORMED_QUERY", "unexpected token"),
    (f"SELECT Id FROM Contact{' ' * 100_000}LIMIT 1", "QUERY_TOO_COMPLICATED", "100,000 characters"),
]


@pytest.mark.parametrize(("soql", "code", "words"), REFUSED, ids=[code for _, code, _ in REFUSED])
def test_an_invalid_query_is_refused(people: Client, soql: str, code: str, words: str) -> None:
    answer = people.call(f"<query><queryString>{soql}</queryString></query>")
    assert f"<sf:exceptionCode>{code}</sf:exceptionCode>" in answer
    assert words in answer.replace("&apos;", "'")
