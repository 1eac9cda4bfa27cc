"""SOQL against the real org: what is found, and what is refused with which words."""

import pytest

from .conftest import Client, record

PEOPLE = [
    record("Contact", LastName="Ångström", FirstName="Åsa", Email="a@b.co", Title="x'y\\z", MailingCity="Rome"),
    record("Contact", LastName="Bell", Email="b@b.co", MailingCity="rome", AssistantName="50%_"),
    record("Contact", LastName="Curie", MailingCity="Paris", AssistantName="50ab"),
]


@pytest.fixture(scope="module")
def people(client: Client) -> Client:
    answer = client.call(f"<create>{''.join(PEOPLE)}</create>")
    assert answer.count("<success>true</success>") == len(PEOPLE)
    return client


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
]


@pytest.mark.parametrize(("clause", "names"), FOUND)
def test_found(people: Client, clause: str, names: list[str]) -> None:
    assert people.query(f"select LastName from contact {clause}") == names


def test_count(people: Client) -> None:
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
    (f"SELECT Id FROM Contact WHERE LastName = '{'x' * 4001}'", "MALFORMED_QUERY", "unexpected token"),
    (f"SELECT Id FROM Contact{' ' * 100_000}LIMIT 1", "QUERY_TOO_COMPLICATED", "100,000 characters"),
]


@pytest.mark.parametrize(("soql", "code", "words"), REFUSED, ids=[code for _, code, _ in REFUSED])
def test_refused(people: Client, soql: str, code: str, words: str) -> None:
    answer = people.call(f"<query><queryString>{soql}</queryString></query>")
    assert f"<sf:exceptionCode>{code}</sf:exceptionCode>" in answer
    assert words in answer.replace("&apos;", "'")
