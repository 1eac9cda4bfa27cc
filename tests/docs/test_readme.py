"""The README shows what `make run` prints."""

import re
import shutil
from pathlib import Path

from ..folder import REPOSITORY, Folder

README = (REPOSITORY / "README.md").read_text("utf-8")
(SHOWN_RUN,) = re.findall(r"^```console\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def test_the_shown_output_of_run_is_printed(tmp_path: Path) -> None:
    examples = tmp_path / "examples"
    shutil.copytree(REPOSITORY / "examples", examples, ignore=shutil.ignore_patterns(".sfmap"))
    printed = Folder(examples).sfmap("run", "events.ndjson").stderr
    assert re.sub(r"in [\d.]+ s", "in 0.2 s", printed) == SHOWN_RUN
    again = Folder(examples).sfmap("run", "events.ndjson").stderr
    assert "created            0\n  updated            7\n" in again
