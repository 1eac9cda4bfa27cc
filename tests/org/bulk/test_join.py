"""The join of results to rows, in any order, with equal rows, and where they do not add up."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfmap.engine.org.bulk_join import RowIndex, RowsDoNotAddUp, join
from sfmap.engine.org.bulk_port import AnsweredRow, Load, RowOutcome, Unprocessed
from sfmap.engine.org.bulk_rows import row_key
from sfmap.engine.org.port import Refused, Written

CREATE = Load(operation="create", object_name="Thing")
UPDATE = Load(operation="update", object_name="Thing")
UPSERT = Load(operation="upsert", object_name="Thing", external_id="Key__c")

Cells = dict[str, str]


def record(number: int) -> str:
    return f"a00{number:012}AAA"


def index_of(load: Load, rows: Sequence[Cells]) -> RowIndex:
    index = RowIndex()
    for number, cells in enumerate(rows):
        assert index.add(row_key(load, cells)) == number
    return index


def content(cells: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(cells.items()))


def outcomes(number: int) -> RowOutcome:
    """Different ones, each with its row's number."""
    kinds = (Written(record(number)), Refused("CODE", str(number)), Written(record(number), created=True))
    return kinds[number % 3]


ROWS = st.lists(st.fixed_dictionaries({"A": st.sampled_from("xyz"), "B": st.sampled_from(["", "1", "2\r\n3"])}))


@given(ROWS, st.randoms())
def test_each_row_of_a_create_gets_one_outcome_of_an_equal_row(rows: list[Cells], random: Random) -> None:
    rows = [{name: text for name, text in cells.items() if text} for cells in rows]
    answers = [AnsweredRow(outcomes(number), cells) for number, cells in enumerate(rows)]
    random.shuffle(answers)
    joined = list(join(CREATE, index_of(CREATE, rows), answers))
    assert sorted(number for number, _ in joined) == list(range(len(rows)))
    got = Counter((content(rows[number]), outcome) for number, outcome in joined)
    assert got == Counter((content(answer.cells), answer.outcome) for answer in answers)


@given(st.lists(st.text(min_size=1), unique_by=lambda key: key.strip().casefold()), st.randoms())
def test_rows_of_an_upsert_are_found_by_their_key_in_any_casing(keys: list[str], random: Random) -> None:
    same = {key: key.swapcase() if key.swapcase().casefold() == key.casefold() else key for key in keys}
    answers = [AnsweredRow(outcomes(number), {"Key__c": same[key]}) for number, key in enumerate(keys)]
    random.shuffle(answers)
    joined = dict(join(UPSERT, index_of(UPSERT, [{"Key__c": key} for key in keys]), answers))
    assert joined == {number: outcomes(number) for number in range(len(keys))}


@given(st.lists(st.integers(0, 10**9), unique=True), st.randoms())
def test_rows_of_an_update_are_found_by_ids_of_either_length(numbers: list[int], random: Random) -> None:
    rows = [{"Id": record(number)[: 15 if number % 2 else 18]} for number in numbers]
    answers = [
        AnsweredRow(Unprocessed() if number % 5 == 0 else Written(record(number)), {"Id": record(number)})
        for number in numbers
    ]
    expected = {place: answer.outcome for place, answer in enumerate(answers)}
    random.shuffle(answers)
    assert dict(join(UPDATE, index_of(UPDATE, rows), answers)) == expected


@given(st.lists(st.binary(min_size=16, max_size=16), max_size=300), st.binary(min_size=16, max_size=16))
def test_an_index_knows_its_keys(keys: list[bytes], other: bytes) -> None:
    index = RowIndex()
    for key in keys:
        index.add(key)
    assert len(index) == len(keys)
    assert all(key in index for key in keys)
    assert (other in index) == (other in keys)
    left = index.unanswered()
    taken = [index.take(key, left) for key in keys]
    assert sorted(number for number in taken if number is not None) == list(range(len(keys)))
    assert all(keys[number] == key for number, key in zip(taken, keys, strict=True) if number is not None)
    assert [index.take(key, left) for key in keys] == [None] * len(keys)


def test_many_equal_rows_take_no_longer_than_others() -> None:
    rows = [{"A": "x"}] * 50_000
    answers = [AnsweredRow(Written(record(number)), {"A": "x"}) for number in range(len(rows))]
    assert len(dict(join(CREATE, index_of(CREATE, rows), answers))) == len(rows)


A, B = {"Id": record(1)}, {"Id": record(2)}


@pytest.mark.parametrize(
    ("answers", "joined"),
    [
        ([], {}),
        ([AnsweredRow(Written(record(1)), A)], {0: Written(record(1))}),
        ([AnsweredRow(Written(record(1)), A)] * 2, {0: Written(record(1))}),
        (
            [AnsweredRow(Written(record(n)), {"Id": record(n)}) for n in (1, 2, 3)],
            {0: Written(record(1)), 1: Written(record(2))},
        ),
        # The id of another record than the row names.
        ([AnsweredRow(Written(record(2)), A), AnsweredRow(Written(record(2)), B)], {1: Written(record(2))}),
        # A column is missing in the results.
        ([AnsweredRow(Written(record(1)), {}), AnsweredRow(Written(record(2)), B)], {1: Written(record(2))}),
    ],
)
def test_results_that_do_not_add_up_are_said_after_those_that_do(
    answers: list[AnsweredRow], joined: dict[int, RowOutcome]
) -> None:
    rest = join(UPDATE, index_of(UPDATE, [A, B]), answers)
    assert dict(islice(rest, len(joined))) == joined
    with pytest.raises(RowsDoNotAddUp, match="no outcome for"):
        next(rest)


def test_results_are_joined_again_after_they_came_in_part() -> None:
    index = index_of(UPDATE, [A, B])
    with pytest.raises(RowsDoNotAddUp):
        list(join(UPDATE, index, [AnsweredRow(Written(record(1)), A)]))
    again = [AnsweredRow(Written(record(number)), {"Id": record(number)}) for number in (2, 1)]
    assert dict(join(UPDATE, index, again)) == {0: Written(record(1)), 1: Written(record(2))}
