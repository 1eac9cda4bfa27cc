"""Mapping one event with the shipped lead.yaml, against the same written by hand, in turns."""

import sys
from pathlib import Path
from statistics import median
from time import perf_counter

import orjson
from by_hand import lead
from samples import lines

from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.project.loading import ChosenMappings, compile_mappings
from sfmap.engine.yaml_files.files import read_source

_ROUNDS = 7
_MAPPING = Path(__file__).parents[1] / "mappings" / "lead.yaml"


def shipped() -> Mapper:
    return Mapper(compile_mappings(ChosenMappings(sources={"lead": read_source(_MAPPING)})))


def main(number: int = 20_000) -> tuple[float, float]:
    """Microseconds for an event: by the mapping, and by hand; medians of rounds that take turns."""
    raw = lines(number)
    mapper = shipped()
    events = [orjson.loads(line) for line in raw]
    for event in events[:500]:
        assert mapper.map(event) == (lead(event),)
    ours, by_hand = [], []
    for _ in range(_ROUNDS):
        started = perf_counter()
        for event in events:
            mapper.map(event)
        ours.append((perf_counter() - started) / number * 1e6)
        started = perf_counter()
        for event in events:
            lead(event)
        by_hand.append((perf_counter() - started) / number * 1e6)
    return median(ours), median(by_hand)


if __name__ == "__main__":
    ours, by_hand = main()
    sys.stdout.write(f"mapping {ours:.1f} us, by hand {by_hand:.1f} us: {ours / by_hand:.2f} x\n")
