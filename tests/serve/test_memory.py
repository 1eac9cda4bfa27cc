"""The memory that the largest batches take."""

import base64
import re
from pathlib import Path

import pytest

from ..examples import mostly_soak
from ..folder import SFMAP
from ..service import KEY, Service

AUTHORIZATION = "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()
SHAPES: dict[str, object] = {
    "many values": [{"a": 1}] * 1_900,
    "long texts": "x" * 30_000,
    "many lists": [[]] * 6_000,
}


def batch(number: int, note: object) -> dict[str, object]:
    events = [
        {
            "type": "identify",
            "messageId": f"{number}-{place}",
            "traits": {"email": f"p{number}-{place}@b.co", "note": note},
            "integrations": {"Salesforce": True},
        }
        for place in range(15)
    ]
    return {"batch": events}


@pytest.mark.parametrize("shape", mostly_soak(SHAPES, quick=1))
def test_large_batches_take_little_memory(service: Service, shape: str) -> None:
    service.program = (SFMAP,)
    service.start()
    for number in range(60):
        assert service.ask("/v1/batch", batch(number, SHAPES[shape]), Authorization=AUTHORIZATION).status == 200
    service.wait_until_delivered()
    assert service.process
    status = Path(f"/proc/{service.process.pid}/status").read_text()
    peak = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert peak
    assert int(peak[1]) < 300 * 1024
