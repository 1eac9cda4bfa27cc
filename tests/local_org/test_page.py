"""The page of the local org in a browser; skipped without Chromium."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from sfmap.engine.local_org.process import start_local_org
from sfmap.engine.org.port import RecordWrite
from sfmap.engine.org.soap import PasswordLogin, Secret, SoapOrg, SoapSettings

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not here: the page is not looked at in a browser")
def test_the_page_lists_records_in_a_browser(tmp_path: Path) -> None:
    with start_local_org(tmp_path / "org.db") as local:
        sign_in = PasswordLogin(local.username, Secret(local.password), Secret(local.security_token))
        org = SoapOrg(SoapSettings(local.url, sign_in))
        org.create(
            "Lead",
            [
                RecordWrite({"LastName": f"Lee {number}", "Company": "<script>alert(1)</script>"})
                for number in range(60)
            ],
        )
        first, further, calls = (
            seen(f"{local.url}/{path}", tmp_path) for path in ("objects/Lead", "objects/Lead?start=50", "calls")
        )
    assert "60 records" in first
    assert first.count("&lt;script&gt;alert(1)") == 50
    assert further.count("&lt;script&gt;") == 10
    assert "← Before" in further
    assert "describeGlobal" not in calls
    assert '<td data-label="Operation">create</td>' in calls


def seen(url: str, folder: Path) -> str:
    """What the browser has made of the page."""
    assert CHROMIUM
    options = [
        "--headless",
        "--disable-gpu",
        "--no-sandbox",
        f"--user-data-dir={folder / 'browser'}",
        "--dump-dom",
    ]
    done = subprocess.run(
        [CHROMIUM, *options, url],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "HOME": str(folder)},
    )
    return done.stdout
