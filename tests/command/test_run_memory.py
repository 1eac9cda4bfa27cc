"""`sfmap run`: the memory that large lines take."""

import json
import re
import time
from pathlib import Path

import pytest

from ..examples import mostly_soak
from ..folder import Event, Folder, Identify


def lines(*events: Event) -> bytes:
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


SHAPES: dict[str, bytes] = {
    "lists of nothing": b"[" + b"[]," * 3_300_000 + b"[]]",
    "a long text": b'"' + b"x" * 10_000_000 + b'"',
    "objects": b"[" + b'{"a":1},' * 1_200_000 + b"{}]",
    "blanks": b'"' + b" " * 10_000_000 + b'"',
}


def peak_of(process: int) -> int:
    """The most memory that the process had, in KiB. Its resource usage would count what forked it, too."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    return int(found[1]) if found else 0


@pytest.mark.parametrize("shape", mostly_soak(SHAPES, quick=1))
def test_lines_of_ten_megabytes_take_little_memory(folder: Folder, identify: Identify, shape: str) -> None:
    """And whatever they are, the events beside them are delivered."""
    with (folder.path / "e.ndjson").open("wb") as file:
        file.write(lines(identify("first@b.co")))
        for number in range(6):
            event = lines(identify(f"p{number}@b.co", note=0)).replace(b'"note": 0', b'"note": ' + SHAPES[shape])
            file.write(event)
        file.write(lines(identify("last@b.co")))
    process = folder.start("run", "e.ndjson", before=())
    peak = 0
    while process.poll() is None:
        peak = max(peak, peak_of(process.pid))
        time.sleep(0.02)
    assert process.returncode in (0, 1)
    assert 20 < peak / 1024 < 300
    emails = {email for (email,) in folder.rows("SELECT Email FROM Lead")}
    assert {"first@b.co", "last@b.co"} <= emails
