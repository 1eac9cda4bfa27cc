"""What becomes of values: the examples of Salesforce's documentation, and of its Help."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sfmap.engine.local_org.process import start_local_org
from sfmap.tests.local_org.conftest import Client, record, sign_in

SCHEMA = """\
objects:
  Lead:
    fields:
      Narrow__c: {type: double, precision: 10, scale: 8}
      Wide__c: {type: double, precision: 18, scale: 2}
      Whole__c: {type: int}
      Yes__c: {type: boolean}
      No__c: {type: boolean, default: false}
      Set__c: {type: boolean, default: true}
      Day__c: {type: date}
      Moment__c: {type: datetime}
      Clock__c: {type: time}
      Mail__c: {type: email}
      Plan__c: {type: picklist, restricted: true, values: [Free, Team, {value: Old, active: false}]}
      Term__c: {type: picklist, controller: Plan__c, values: [{value: Yearly, for: [Team]}, Monthly]}
      Tags__c: {type: multipicklist, restricted: true, values: [red, blue, green]}
      Free__c: {type: multipicklist, values: [red, blue, green]}
"""


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder: Path = tmp_path_factory.mktemp("values")
    (folder / "schema.yaml").write_text(SCHEMA)
    with start_local_org(folder / "org.db", folder / "schema.yaml") as running:
        yield sign_in(running)


def stored(org: Client, field: str, text: str) -> str:
    """The value as a query returns it, or the code of the error."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;")
    answer = org.call(f"<create>{record('Lead', LastName='x', Company='y', **{field: escaped})}</create>")
    refused = re.search(r"<statusCode>(\w+)<", answer)
    if refused:
        return refused[1]
    created = re.search(r"<id>(\w{18})</id>", answer)
    assert created, answer
    return "".join(org.query(f"SELECT {field} FROM Lead WHERE Id = '{created[1]}'"))


OUTSIDE, NOT_THE_TYPE = "NUMBER_OUTSIDE_VALID_RANGE", "INVALID_TYPE_ON_FIELD_IN_RECORD"
NOT_LISTED = "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"


@pytest.mark.parametrize(
    ("field", "text", "kept"),
    [
        # Numbers: Help 000387302 (more decimals than the scale are kept), 000394530 (rounded as doubles).
        ("Narrow__c", "99.123456789", "99.123456789"),
        ("Narrow__c", "100", OUTSIDE),
        ("Narrow__c", "-100", OUTSIDE),
        ("Wide__c", "1234567890123456.78", "1234567890123456.8"),
        ("Wide__c", "12345678901234567", OUTSIDE),
        ("Wide__c", "1e3", "1000.0"),
        ("Wide__c", "1,000", NOT_THE_TYPE),
        ("Wide__c", "NaN", NOT_THE_TYPE),
        ("Whole__c", "42", "42"),
        ("Whole__c", "42.5", NOT_THE_TYPE),
        # Booleans: the lexical forms of xsd:boolean ("Primitive Data Types").
        ("Yes__c", "true", "true"),
        ("Yes__c", "1", "true"),
        ("Yes__c", "false", "false"),
        ("Yes__c", "0", "false"),
        ("Yes__c", "maybe", NOT_THE_TYPE),
        ("No__c", "", "false"),
        ("Set__c", "", "true"),
        # Dates and times: "Primitive Data Types", and the range of dates from 1700 to 4000.
        ("Day__c", "1700-01-01", "1700-01-01"),
        ("Day__c", "4000-12-31", "4000-12-31"),
        ("Day__c", "1699-12-31", NOT_THE_TYPE),
        ("Day__c", "4001-01-01", NOT_THE_TYPE),
        ("Day__c", "2026-02-30", NOT_THE_TYPE),
        ("Moment__c", "2026-07-01T10:00:00+02:00", "2026-07-01T08:00:00.000Z"),
        ("Moment__c", "1699-12-31T23:59:59Z", NOT_THE_TYPE),
        ("Clock__c", "14:30:00.000Z", "14:30:00.000Z"),
        ("Clock__c", "24:00:00", NOT_THE_TYPE),
        # E-mail addresses are kept in small letters; phones and addresses of pages as they are.
        ("Mail__c", "Peter.Gibbons@Initech.COM", "peter.gibbons@initech.com"),
        ("Email", "PETER@INITECH.COM", "peter@initech.com"),
        ("Email", "peter@initech", "INVALID_EMAIL_ADDRESS"),
        ("Phone", "(415) 555-1212 x2", "(415) 555-1212 x2"),
        ("Website", "Initech.COM/Home", "Initech.COM/Home"),
        # Picklists: only restricted ones refuse values, and the API does not hold values to their controller.
        ("Plan__c", "Team", "Team"),
        ("Plan__c", "team", NOT_LISTED),
        ("Plan__c", "Old", NOT_LISTED),
        ("Rating", "Lukewarm", "Lukewarm"),
        ("Term__c", "Yearly", "Yearly"),
        ("Tags__c", "red;green", "red;green"),
        ("Tags__c", "red;pink", NOT_LISTED),
        ("Free__c", "red;pink", "red;pink"),
        ("Free__c", ";".join(["a" * 40] * 60), ";".join(["a" * 40] * 60)),
        ("Free__c", "a" * 4_100, "STRING_TOO_LONG"),
    ],
)
def test_a_value_is_stored_or_refused(org: Client, field: str, text: str, kept: str) -> None:
    assert stored(org, field, text) == kept
