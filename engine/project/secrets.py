"""Fills in secrets, written `${NAME}` in `sfmap.yaml`, from the environment, credentials or a private file."""

import os
import re
import shlex
import stat
from collections.abc import Mapping
from pathlib import Path

from sfmap.engine.errors import SfmapError
from sfmap.engine.yaml_files import kinds
from sfmap.engine.yaml_files.nodes import ScalarNode
from sfmap.engine.yaml_files.reader import DiagnosticReport

VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")

_LINE = re.compile(r"""\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(?:'([^']*)'|"([^"]*)"|(.*?))\s*""")


_SECRETS = "secrets.env"


class SecretMissing(SfmapError):
    """A secret is not set, or its file cannot be used; the message never contains a secret."""


def check_is_variable(key: str, node: ScalarNode, report: DiagnosticReport) -> bool:
    """Whether the value is a `${NAME}`; reports a secret that is written out."""
    if VARIABLE.fullmatch(node.text):
        return True
    message = f"a secret does not belong in this file: write {key}: ${{SF_{key.upper()}}} here"
    report.error(kinds.SECRET_IN_FILE, node.span, message, "and set it in the environment or in secrets.env")
    return False


def fill_in(text: str, secrets_file: Path) -> str:
    """The text with each `${NAME}` replaced. Raises `SecretMissing`."""
    return VARIABLE.sub(lambda found: _value(found[1], secrets_file), text)


def environment(secrets_file: Path) -> Mapping[str, str]:
    """The variables of the environment, and what the file has besides. Raises `SecretMissing`."""
    return {**_read(secrets_file), **_credentials(), **os.environ}


def _value(name: str, secrets_file: Path) -> str:
    value = os.environ.get(name) or _credentials().get(name) or _read(secrets_file).get(name)
    if value:
        return value
    raise SecretMissing(
        f"{name} is not set; set it in the environment, or add a line {name}=... to {secrets_file.name}"
        f" and make that private: {_make_private(secrets_file)}"
    )


def read_private(path: Path) -> str:
    """The text of a file with secrets. Raises `SecretMissing` if it is missing or others can read it."""
    try:
        mode = path.stat().st_mode
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SecretMissing(f"cannot read {path.name}: {why}") from None
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO) and path.parent != _credentials_folder():
        raise SecretMissing(f"other users can read {path.name}; run: {_make_private(path)}")
    return text


def _credentials_folder() -> Path | None:
    """Where systemd gives credentials to a service (`LoadCredential`), which it keeps from others itself."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    return Path(folder) if folder else None


def _credentials() -> Mapping[str, str]:
    """The secrets among systemd's credentials: each in a file of its name, or as lines of a file of secrets."""
    folder = _credentials_folder()
    if folder is None or not folder.is_dir():
        return {}
    files = {path.name: path for path in folder.iterdir() if path.is_file()}
    lines = _read(files[_SECRETS]) if _SECRETS in files else {}
    return {**lines, **{name: read_private(path).strip() for name, path in files.items() if name.isidentifier()}}


def _make_private(path: Path) -> str:
    return shlex.join(["chmod", "600", str(path)])


def _read(path: Path) -> Mapping[str, str]:
    if not path.exists():
        return {}
    lines = (line for line in read_private(path).splitlines() if not line.lstrip().startswith("#"))
    found = (_LINE.fullmatch(line) for line in lines)
    return {line[1]: next(value for value in line.groups()[1:] if value is not None) for line in found if line}
