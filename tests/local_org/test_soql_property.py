"""Random queries on random records, against an interpreter in Python that shares no code with the local org."""

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from sfmap.engine.local_org.process import start_local_org

from ..examples import one_in
from .bulk import Bulk, token
from .soql_oracle import SCHEMA, Question, Row, questions, seats, shown, teams

ROUNDS = count(1)


@pytest.fixture(scope="module")
def rest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bulk]:
    folder = tmp_path_factory.mktemp("org")
    (folder / "schema.yaml").write_text(SCHEMA)
    with start_local_org(folder / "org.db", folder / "schema.yaml") as running:
        yield Bulk(running.url, token(running))


def create(rest: Bulk, object_name: str, rows: Sequence[Row]) -> list[str]:
    records = [{"attributes": {"type": object_name}, **row} for row in rows]
    answer = rest.ask("POST", "/composite/sobjects", json={"allOrNone": True, "records": records})
    assert all(one["success"] for one in answer.json()), answer.text
    return [one["id"] for one in answer.json()]


def without_attributes(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_attributes(part) for name, part in value.items() if name != "attributes"}
    return [without_attributes(part) for part in value] if isinstance(value, list) else value


@given(
    drawn_teams=st.lists(teams, min_size=2, max_size=2),
    drawn_seats=st.lists(seats, min_size=1, max_size=12),
    asked=st.lists(questions, min_size=4, max_size=8),
)
@settings(
    one_in(2),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking takes minutes over HTTP
    suppress_health_check=list(HealthCheck),
)
def test_a_query_returns_what_its_words_mean(
    rest: Bulk, drawn_teams: list[Row], drawn_seats: list[dict[str, Any]], asked: list[Question]
) -> None:
    number = float(next(ROUNDS))
    team_ids = create(rest, "Team__c", [{**team, "Round__c": number} for team in drawn_teams])
    known = [{**team, "Id": team_id} for team, team_id in zip(drawn_teams, team_ids, strict=True)]
    rows: list[dict[str, Any]] = []
    for place, seat in enumerate(drawn_seats):
        parent = None if seat["team"] is None else known[seat["team"]]
        own = {name: value for name, value in seat.items() if name != "team"}
        rows.append({**own, "Number__c": float(place), "Team__c": parent and parent["Id"], "Team__r": parent})
    sent = [{name: shown(value) for name, value in row.items() if name != "Team__r"} for row in rows]
    create(rest, "Seat__c", [{**row, "Round__c": number} for row in sent])

    for question in asked:
        soql = question.soql.format(round=number)
        answer = rest.ask("GET", "/query", params={"q": soql})
        assert answer.status_code == 200, (soql, answer.text)
        assert without_attributes(answer.json()["records"]) == question.answer(rows, known), soql
