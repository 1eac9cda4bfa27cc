"""States and countries in an org where they are picklists of codes, from the event to the record."""

import pytest

from ..folder import Folder, identify
from .state_codes import address, project

HELD: list[tuple[dict[str, str], tuple[str | None, ...]]] = [
    ({"country": "US"}, ("United States", "US", None, None)),
    ({"country": "germany"}, ("Germany", "DE", None, None)),
    ({"state": "ca", "country": "United States"}, ("United States", "US", "California", "CA")),
    ({"state": "Texas", "country": "us"}, ("United States", "US", "Texas", "TX")),
    ({"state": "WA", "country": "AU"}, ("Australia", "AU", "Western Australia", "WA")),
    ({"state": "WA", "country": "US"}, ("United States", "US", "Washington", "WA")),
]
LEFT_OUT: list[tuple[dict[str, str], tuple[str | None, ...], str]] = [
    (
        {"country": "Germani"},
        (None, None, None, None),
        'Country: left out: traits.address.country is not a value of CountryCode; did you mean "Germany"?',
    ),
    (
        {"state": "Texsa", "country": "US"},
        ("United States", "US", None, None),
        "State: left out: traits.address.state is not a value of StateCode that is valid for the CountryCode;"
        ' did you mean "Texas"?',
    ),
    (
        {"state": "Texas", "country": "DE"},
        ("Germany", "DE", None, None),
        "State: left out: traits.address.state is not a value of StateCode that is valid for the CountryCode",
    ),
    (
        {"state": "Texas"},
        (None, None, None, None),
        "State: left out: traits.address.state needs CountryCode, which this record does not write",
    ),
]
CASES = [*((given, held, "") for given, held in HELD), *LEFT_OUT]


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> tuple[Folder, list[dict[str, object]]]:
    """All the cases in one run, with their results."""
    folder = project(Folder(tmp_path_factory.mktemp("codes")))
    events = folder.write("e.ndjson", [address(number, given) for number, (given, _, _) in enumerate(CASES)])
    done = folder.sfmap("run", events, "--results", "results.ndjson")
    assert done.returncode == 0, done.stderr
    return folder, folder.lines("results.ndjson")


@pytest.mark.parametrize("number", range(len(CASES)))
def test_states_and_countries_are_written_as_codes(
    delivered: tuple[Folder, list[dict[str, object]]], number: int
) -> None:
    folder, results = delivered
    _, held, note = CASES[number]
    columns = "Country, CountryCode, State, StateCode, City"
    (row,) = folder.rows(f"SELECT {columns} FROM Lead WHERE Email = '{number}@b.co'")
    assert row == (*held, "Bonn")
    assert results[number].get("notes", []) == ([note] if note else [])


def test_a_later_event_changes_country_and_state(folder: Folder) -> None:
    project(folder)
    given = [{"country": "US", "state": "WA"}, {"country": "Australia", "state": "wa"}, {"country": "Australia"}]
    for number, one in enumerate(given):
        event = {**identify("a@b.co", address=one), "messageId": f"m{number}"}
        assert folder.sfmap("run", folder.write(f"{number}.ndjson", [event])).returncode == 0
    assert folder.rows("SELECT CountryCode, StateCode, State FROM Lead") == [("AU", "WA", "Western Australia")]
