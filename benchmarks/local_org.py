"""The local org alone: its CPU for creates of 200 records with 20 fields, all of them checked and stored."""

import resource
import tempfile
from itertools import islice
from pathlib import Path

from mapping import shipped
from samples import events

from sfmap.engine.local_org.process import start_local_org
from sfmap.engine.mapping.values.record import Record
from sfmap.engine.org.port import RecordWrite, Written
from sfmap.engine.org.soap import PasswordLogin, Secret, SoapOrg, SoapSettings

_RECORDS = 200
_MORE_FIELDS = {
    "Salutation": "Mr.",
    "MobilePhone": "570-690-1234",
    "Fax": "570-690-4321",
    "LeadSource": "Web",
    "Industry": "Banking",
    "Description": "Asked for a call",
}
"""Besides the fourteen of a sample."""


def main() -> float:
    """Records for each second of the local org's CPU."""
    few, many = _cpu(20), _cpu(120)
    return 100 * _RECORDS / (many - few)


def _cpu(creates: int) -> float:
    """Seconds of the org's whole life with so many creates."""
    before = _children()
    mapper, sample = shipped(), events(creates * _RECORDS)
    with tempfile.TemporaryDirectory() as name, start_local_org(Path(name) / "org.db") as local:
        password = PasswordLogin(local.username, Secret(local.password), Secret(local.security_token))
        org = SoapOrg(SoapSettings(local.url, password))
        for _ in range(creates):
            mapped = [one for event in islice(sample, _RECORDS) for one in mapper.map(event)]
            results = org.create("Lead", [_write(one) for one in mapped if isinstance(one, Record)])
            assert [type(result) for result in results] == [Written] * _RECORDS
    return _children() - before  # it has ended, so it counts


def _children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _write(record: Record) -> RecordWrite:
    standard = {
        name: value
        for name, value in record.fields.items()
        if isinstance(value, (str, int, float)) and not name.endswith("__c")
    }
    return RecordWrite({**standard, **_MORE_FIELDS})
