"""Sessions of the Salesforce CLI: parses the output of `sf`, or asks it for a session."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator

from sfmap.engine.org.port import OrgOutOfReach, OrgUnavailable, SignInRefused
from sfmap.engine.org.soap.sign_in import HIDDEN, ReadySession, Secret
from sfmap.engine.project.secrets import SecretMissing

BOTH = "sf org display --json and sf org auth show-access-token --json"
_SECONDS = 120.0
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_TOKEN = re.compile(r"\S+![\w.]+")
_LONGEST_QUOTE = 300


def printed_session(text: str, name: str) -> ReadySession:
    """The session in the output of one or several `sf` commands.

    Raises `SecretMissing`, without quoting the text, or `SignInRefused` if the token is hidden.
    """
    said = list(_documents(text))
    tokens = [token for one in said if isinstance(token := one.get("accessToken"), str)]
    url = next((url for one in said if isinstance(url := one.get("instanceUrl"), str)), None)
    if not tokens or url is None:
        raise SecretMissing(f"{name} contains no session: it must be the output of {BOTH}, one after the other")
    return ReadySession(Secret(next((token for token in tokens if HIDDEN not in token), tokens[0])), url)


def ask_for_session(target_org: str) -> ReadySession:
    """The session of the org with this alias or user name in `sf`, which renews it if needed.

    Raises `OrgOutOfReach`, `OrgUnavailable` or `SignInRefused`.
    """
    printed = _run("display", target_org)
    if HIDDEN in printed:
        printed += _run("auth show-access-token", target_org)
    try:
        return printed_session(printed, "sf")
    except SecretMissing:
        raise SignInRefused(
            f"sf returned no session for the org {target_org}.",
            hint=f"Check its output: sf org display -o {target_org}",
        ) from None


def _run(command: str, target_org: str) -> str:
    program = shutil.which("sf")
    if program is None:
        raise OrgOutOfReach(
            "auth: cli needs the Salesforce CLI, and the command sf was not found.",
            hint="Install it (npm install --global @salesforce/cli), or sign in another way: see docs/orgs.md.",
        )
    arguments = [program, "org", *command.split(), "--json", f"--target-org={target_org}"]
    try:
        done = subprocess.run(  # noqa: S603 - the command is ours
            arguments,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
            env={**os.environ, "NO_COLOR": "1", "FORCE_COLOR": "0"},
        )
    except subprocess.TimeoutExpired:
        raise OrgUnavailable(f"sf org {command} did not answer within {_SECONDS:.0f} seconds.") from None
    except OSError as error:
        raise OrgOutOfReach(f"sf cannot be run: {error.strerror}.") from None
    printed = done.stdout.decode("utf-8", "replace")
    if done.returncode:
        raise SignInRefused(
            f"sf org {command} returned no session for the org {target_org}: {_complaint(printed)}.",
            hint=f"sf org list shows the orgs that it knows; sf org login web -a {target_org} signs in again.",
        )
    return printed


def _complaint(printed: str) -> str:
    """The error message of `sf`, without anything that looks like a token."""
    words = next((text for one in _documents(printed) if isinstance(text := one.get("message"), str)), "no reason")
    return _TOKEN.sub("***", " ".join(words.split()))[:_LONGEST_QUOTE].rstrip(".")


def _documents(text: str) -> Iterator[dict[str, object]]:
    """The JSON objects of the text, or their `result`; none if there is anything else between them."""
    decoder = json.JSONDecoder()
    left = _COLOURS.sub("", text).strip()
    while left:
        try:
            said, end = decoder.raw_decode(left)
        except (ValueError, RecursionError):
            return
        left = left[end:].lstrip()
        if isinstance(said, dict):
            result = said.get("result")
            yield result if isinstance(result, dict) else said
