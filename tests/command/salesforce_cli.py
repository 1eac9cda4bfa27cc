#!/usr/bin/env python3
"""Answers as Salesforce's command line does; `SALESFORCE_CLI` is the folder of its answers and its log."""

import json
import os
import sys
from pathlib import Path

HINT = "[REDACTED] Use 'sf org auth show-access-token' to view"
WARNING = "Secrets are now hidden from 'sf org display' command output. Use the 'sf org auth' commands instead."


def main() -> int:
    folder = Path(os.environ["SALESFORCE_CLI"])
    with (folder / "asked").open("a") as asked:
        asked.write(" ".join(sys.argv[1:]) + "\n")
    if "--target-org=uat" not in sys.argv:
        message = "No authorization information found for x. 00D0!Se.cret"
        answer(name="NamedOrgNotFoundError", message=message, status=2)
        return 2
    token, *others = (folder / "tokens").read_text().split()
    if sys.argv[2:4] == ["auth", "show-access-token"]:
        (folder / "tokens").write_text(" ".join(others or [token]))
        result = {"accessToken": token}
    else:
        result = {"accessToken": HINT, "instanceUrl": (folder / "url").read_text(), "id": "00D000000000001EAA"}
    answer(status=0, result=result, warnings=[WARNING])
    return 0


def answer(**content: object) -> None:
    sys.stdout.write(json.dumps(content, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
