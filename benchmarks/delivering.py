"""The whole `sfmap run` into a local org beside it, and what its own side of the work costs."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import orjson
from samples import events

from sfmap.engine.local_org.process import start_local_org

_SFMAP = str(Path(sys.executable).parent / "sfmap")
_PROJECT = """\
orgs:
  beside: {{login_url: "{}", username: {}, password: "${{PASSWORD}}", security_token: "${{TOKEN}}"}}
"""


def main(number: int = 50_000, identities: int | None = None) -> tuple[float, float, float]:
    """Events a second, of as many people unless fewer are asked for; microseconds of the client's own CPU for an
    event; and its memory at most, in megabytes.
    """
    with tempfile.TemporaryDirectory() as name, start_local_org(Path(name) / "org.db") as local:
        with (Path(name) / "events.ndjson").open("wb") as out:
            out.writelines(orjson.dumps(event) + b"\n" for event in events(number, identities))
        (Path(name) / "sfmap.yaml").write_text(_PROJECT.format(local.url, local.username))
        secrets = {"PASSWORD": local.password, "TOKEN": local.security_token}
        command = [_SFMAP, "run", "events.ndjson", "--org", "beside", "--report", "report.json"]
        started = perf_counter()
        process = subprocess.Popen(command, cwd=name, stderr=subprocess.DEVNULL, env=secrets)  # noqa: S603
        _, status, usage = os.wait4(process.pid, 0)
        seconds = perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        report = orjson.loads((Path(name) / "report.json").read_bytes())
    people = identities or number
    assert (report["created"], report["updated"], report["failed"]) == (people, number - people, 0), report
    return number / seconds, (usage.ru_utime + usage.ru_stime) / number * 1e6, usage.ru_maxrss / 1024


if __name__ == "__main__":
    sys.stdout.write(" ".join(map(str, main(int(sys.argv[1])))))
