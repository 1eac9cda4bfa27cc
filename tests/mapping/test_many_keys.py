"""Events with very many different keys take reasonable time and memory."""

import resource

from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.mapping.values.record import Event, Json, Record
from sfmap.engine.project.loading import ChosenMappings, compile_mappings, mapping_sources

LEAD = compile_mappings(ChosenMappings(sources={"lead": mapping_sources(None)["lead"]}))


def identify(traits: dict[str, Json]) -> Event:
    return {
        "type": "identify",
        "traits": {"email": "a@b.co", **traits},
        "integrations": {"Salesforce": True},
    }


def test_traits_beyond_ten_thousand_are_left_out() -> None:
    event = identify({f"trait{number}": f" {number}" for number in range(20_000)})
    (record,) = Mapper(LEAD).map(event)
    assert isinstance(record, Record)
    assert len(record.fields) == 10_000 + 3  # the e-mail address and two defaults
    assert [str(note) for note in record.notes] == ["custom: left out: traits after the first 10,000 traits"]


def test_long_keys_are_not_cached() -> None:
    mapper = Mapper(LEAD)
    mapper.map(identify({"x" * 30_000: 1}))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(5_000):
        mapper.map(identify({f"{number}{'x' * 30_000}": number}))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40_000  # KiB


def test_keys_after_thousands_of_others_are_mapped() -> None:
    mapper = Mapper(LEAD)
    for number in range(10_000):
        mapper.map(identify({f"trait{number}": number}))
    (record,) = mapper.map(identify({"trait9999": 1, "First Name": "Ann", "seen": 2}))
    assert isinstance(record, Record)
    written = {"Email": "a@b.co", "FirstName": "Ann", "LastName": "n/a", "Company": "n/a"}
    assert record.fields == {**written, "trait9999__c": 1, "seen__c": 2}
