"""Chromium and Firefox for the tests of pages, driven by the scripts of this folder."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pytest

from ..examples import mostly_soak
from ..npm_packages import installed

HERE = Path(__file__).parent
Browser = Literal["chrome", "firefox"]
PROGRAMS: dict[Browser, tuple[str, ...]] = {
    "chrome": ("chromium", "chromium-browser", "google-chrome"),
    "firefox": ("firefox-esr", "firefox"),
}
BOTH: tuple[Browser, ...] = ("chrome", "firefox")
BOTH_AT_LENGTH = mostly_soak(BOTH, quick=1)
Looks = Sequence[Mapping[int, Sequence[str]]]
"""At which widths to look at a state, and there in which schemes of colours; states take turns with several."""
each_look = pytest.mark.parametrize(
    "looks",
    [
        pytest.param([{1440: ["light"]}, {390: ["dark"]}], id="wide or narrow"),
        pytest.param(
            [{width: ["light", "dark"] for width in (1440, 1280, 390)}], id="every look", marks=pytest.mark.soak
        ),
    ],
)


def browse(script: str, url: str, browser: Browser = "chrome", **given: object) -> Any:
    """What a script of this folder finds at the address; nothing may go wrong in the page meanwhile.

    The script gets what is given as `given`. With SFMAP_PICTURES=FOLDER, pictures of the states are kept there.
    """
    program = next((found for name in PROGRAMS[browser] if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip(f"{PROGRAMS[browser][0]} is not here: the page is not looked at in it")
    environment = {
        **os.environ,
        "PAGES_MODULES": str(installed(HERE)),
        "PAGES_URL": url,
        "PAGES_BROWSER": browser,
        "PAGES_PROGRAM": program,
        "PAGES_ARGUMENTS": json.dumps(given),
        "PAGES_NAME": Path(script).stem,
    }
    done = subprocess.run(
        ["node", HERE / script], env=environment, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["troubles"] == [], answer["troubles"]
    return answer["found"]
