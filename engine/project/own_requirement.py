"""What pip installs to get this sfmap elsewhere: a release, or the commit of the repository that it comes from."""

import re
import subprocess
from importlib.metadata import distribution
from urllib.parse import unquote, urlsplit

import orjson

_SSH = re.compile(r"(?:ssh://)?git@(?P<host>[^:/]+)[:/](?P<path>.+)")
_UNKNOWN = "# sfmap is not installed from a repository: say here where CI gets it, such as sfmap=={version}\n"


def own_requirement() -> str:
    """A line for requirements.txt. Nothing is known of a copy without git, which a comment then says."""
    installed = distribution("sfmap")
    origin = installed.read_text("direct_url.json")
    if origin is None:
        return f"sfmap=={installed.version}"
    said = orjson.loads(origin)
    if vcs := said.get("vcs_info"):
        return f"{vcs['vcs']}+{said['url']}@{vcs['commit_id']}#egg=sfmap"
    folder = unquote(urlsplit(said["url"]).path)
    remote, commit = _git(folder, "remote", "get-url", "origin"), _git(folder, "rev-parse", "HEAD")
    if not (remote and commit):
        return _UNKNOWN.format(version=installed.version)
    return f"git+{_url(remote)}@{commit}#egg=sfmap"


def _url(remote: str) -> str:
    """The address as pip takes it: by https where the remote is known by ssh, since CI has no key."""
    if found := _SSH.fullmatch(remote):
        return f"https://{found['host']}/{found['path']}"
    return remote if "://" in remote else f"file://{remote}"


def _git(folder: str, *words: str) -> str:
    try:
        done = subprocess.run(["git", "-C", folder, *words], capture_output=True, text=True, timeout=30)  # noqa: S603, S607
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
