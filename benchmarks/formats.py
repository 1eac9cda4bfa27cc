"""How fast events are read and parsed from each shape of file, against NDJSON in turns, and in how much memory.

`python benchmarks/formats.py` prints them. Tables are compared with NDJSON of the same rows.
"""

import csv
import gzip
import io
import json
import re
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from statistics import median
from time import process_time
from typing import NamedTuple

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from backports import zstd
from samples import events

from sfmap.engine.sources.formats.beginning import beginning
from sfmap.engine.sources.formats.compression import unpacked
from sfmap.engine.sources.formats.file_shape import HEAD, detect

_EVENTS = 100_000
_ROUNDS = 3


class Measured(NamedTuple):
    shape: str
    speed: float
    """Events or rows a second."""
    ratio: float
    """Against plain NDJSON of the same events or rows."""
    memory: float
    """Peak in MB of a process that only reads it."""


def main() -> list[Measured]:
    with tempfile.TemporaryDirectory() as name:
        _run("write", name)
        files = {shape: Path(name) / shape for shape in (*_EVENT_SHAPES, *_ROW_SHAPES)}
        taken: dict[str, list[float]] = {shape: [] for shape in files}
        memory: dict[str, float] = {}
        for _ in range(_ROUNDS):
            for shape, file in files.items():
                seconds, memory[shape] = json.loads(_run("read", str(file)))
                taken[shape].append(seconds)
    medians = {shape: median(seconds) for shape, seconds in taken.items()}
    return [
        Measured(
            shape, _EVENTS / seconds, medians["rows" if shape in _ROW_SHAPES else "plain"] / seconds, memory[shape]
        )
        for shape, seconds in medians.items()
    ]


def _lines() -> Iterator[bytes]:
    """Events whose ids have no run of 20 digits, which are read slowly and are rare."""
    for number, event in enumerate(events(_EVENTS)):
        yield orjson.dumps({**event, "messageId": f"ajs-next-{number:x}"})


def _rows() -> Iterator[dict[str, object]]:
    for event in events(_EVENTS):
        traits = event["traits"]
        assert isinstance(traits, dict)
        plain = {key: value for key, value in traits.items() if not isinstance(value, dict)}
        yield {"type": "identify", "userId": event["userId"], "receivedAt": event["receivedAt"], **plain}


def _as_csv(rows: list[dict[str, object]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _as_parquet(rows: list[dict[str, object]]) -> bytes:
    """With times as times, which are the most work."""
    data = io.BytesIO()
    times = [{**row, "receivedAt": datetime.fromisoformat(str(row["receivedAt"]))} for row in rows]
    pq.write_table(pa.Table.from_pylist(times), data, write_page_checksum=True)
    return data.getvalue()


def _ndjson(lines: list[bytes]) -> bytes:
    return b"\n".join(lines) + b"\n"


_EVENT_SHAPES: dict[str, Callable[[list[bytes]], bytes]] = {
    "plain": _ndjson,
    "gzip": lambda lines: gzip.compress(_ndjson(lines), 6),
    "zstd": lambda lines: zstd.compress(_ndjson(lines)),
    "array": lambda lines: b"[" + b",".join(lines) + b"]",
    "pretty": lambda lines: b"\n".join(
        orjson.dumps(orjson.loads(one), option=orjson.OPT_INDENT_2) for one in lines
    ),
}
_ROW_SHAPES: dict[str, Callable[[list[dict[str, object]]], bytes]] = {
    "rows": lambda rows: _ndjson([orjson.dumps(row) for row in rows]),
    "csv": _as_csv,
    "parquet": _as_parquet,
}


def _run(*arguments: str) -> str:
    """In a fresh process: one counts the memory of the one that it was forked from as its own."""
    command = [sys.executable, __file__, *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout  # noqa: S603


def write(folder: str) -> None:
    """The files, each with the same events or rows."""
    lines = list(_lines())
    for shape, packed in _EVENT_SHAPES.items():
        (Path(folder) / shape).write_bytes(packed(lines))
    rows = list(_rows())
    for shape, made in _ROW_SHAPES.items():
        (Path(folder) / shape).write_bytes(made(rows))


def read(name: str) -> tuple[float, float]:
    """Seconds of CPU to read all rows of a file, and the peak of memory in MB."""
    started = process_time()
    with open(name, "rb") as file:
        head, stream = beginning(unpacked(file, name), HEAD)
        count = sum(row.values is not None for row in detect(head, name).rows(stream))
    assert count == _EVENTS
    return process_time() - started, _peak()


def _peak() -> float:
    """In MB, of this process alone; `getrusage` counts the one that it was forked from, too."""
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text()) if status.exists() else None
    return (int(found[1]) if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) / 1024


if __name__ == "__main__":
    if sys.argv[1:2] == ["write"]:
        write(sys.argv[2])
    elif sys.argv[1:2] == ["read"]:
        sys.stdout.write(json.dumps(read(sys.argv[2])))
    else:
        for one in main():
            sys.stdout.write(f"{one.shape:<8} {one.speed:>9,.0f}/s  {one.ratio:.2f} x  {one.memory:.0f} MB\n")
