"""Pages that show files and commands: each section with its files, its commands, and what these print."""

import re
from dataclasses import dataclass, field

_BLOCK = re.compile(
    r"^```(?P<kind>[\w-]+)(?: (?P<name>\S+))?\n(?P<text>.*?)^```$|^#+ (?P<title>[^\n]*)$", re.MULTILINE | re.DOTALL
)


@dataclass
class Section:
    title: str
    files: dict[str, str] = field(default_factory=dict)
    commands: list[tuple[str, list[str]]] = field(default_factory=list)
    """Each with the lines that the page shows of its output."""


def sections(page: str) -> list[Section]:
    found = [Section("")]
    for block in _BLOCK.finditer(page):
        if block["title"]:
            found.append(Section(block["title"]))
        elif block["kind"] == "yaml":
            found[-1].files["sfmap.yaml"] = block["text"]
        elif block["kind"] == "console":
            for part in block["text"].split("$ ")[1:]:
                command, *shown = part.splitlines()
                found[-1].commands.append((command, shown))
        elif block["name"]:
            found[-1].files[block["name"]] = block["text"]
    return found
