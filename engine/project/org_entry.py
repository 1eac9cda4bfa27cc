"""Reads an org's entry in the project file."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from sfmap.engine.language.model import BULK_MODES, NO_HEADERS, BulkMode, WriteHeaders
from sfmap.engine.language.overlay import Setting
from sfmap.engine.language.write_options import read_batch_size, read_headers
from sfmap.engine.org.login_url import login_url_mistake
from sfmap.engine.project.secrets import VARIABLE, check_is_variable
from sfmap.engine.yaml_files import kinds
from sfmap.engine.yaml_files.diagnostics import listed
from sfmap.engine.yaml_files.nodes import ScalarNode, TableNode
from sfmap.engine.yaml_files.reader import DiagnosticReport, Table

LOCAL = "local"
"""The name of the local org."""

_DELIVERY_KEYS = ("reserve", "patience", "call_limit", "batch_size", "bulk")
_LOCAL_KEYS = ("schema", "settings", "headers", *_DELIVERY_KEYS)
_COMMON_KEYS = ("auth", "sandbox", "login_url", "api_version", "wsdl", "headers", "settings", *_DELIVERY_KEYS)
_PERCENT = re.compile(r"(\d{1,2}(?:\.\d+)?) ?%")
_SIGN_IN_KEYS: Mapping[str, tuple[str, ...]] = {
    "login": ("username", "password", "security_token"),
    "client_credentials": ("client_id", "client_secret"),
    "jwt": ("client_id", "username", "key_file"),
    "refresh_token": ("client_id", "refresh_token", "client_secret"),
    "session": ("session_file", "access_token", "instance_url"),
    "cli": ("target_org",),
}
"""The keys of each way to sign in."""
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "login": ("username", "password"),
    "client_credentials": ("client_id", "client_secret", "login_url"),
    "jwt": ("client_id", "username", "key_file"),
    "refresh_token": ("client_id", "refresh_token"),
    "session": (),
    "cli": ("target_org",),
}
_SECRET_KEYS = ("password", "security_token", "client_secret", "refresh_token", "access_token")
_NO_TEXTS = ("auth", "sandbox", "settings", "headers", *_DELIVERY_KEYS)


@dataclass(frozen=True, slots=True)
class OrgEntry:
    """One org of the project file, with `${...}` not replaced."""

    name: str
    auth: str = "login"
    sandbox: bool = False
    texts: Mapping[str, ScalarNode] = field(default_factory=dict)
    """The values of the other keys."""
    settings: tuple[Setting, ...] = ()
    """Settings of mappings for this org only."""
    headers: WriteHeaders = NO_HEADERS
    reserve: float = 0.0
    """The share of the org's daily calls to leave unused."""
    patience: float | None = None
    """Seconds to wait while the org is unavailable; None for the default."""
    call_limit: float | None = None
    """Seconds after which the org itself ends a call; None for the default."""
    batch_size: int | None = None
    """The most records in one write, unless the mapping sets it; None for the default."""
    bulk: BulkMode | None = None
    """Whether records travel by bulk jobs, unless the mapping says so; None for the default."""


def read_org(name: ScalarNode, node: TableNode, report: DiagnosticReport) -> OrgEntry:
    """The entry of an org."""
    if name.text == LOCAL:
        table = Table(node, report, "the local org", _LOCAL_KEYS)
        auth = "login"
    else:
        known = dict.fromkeys((*_COMMON_KEYS, *(key for keys in _SIGN_IN_KEYS.values() for key in keys)))
        table = Table(node, report, f"the org {name.text}", known)
        chosen = table.choice("auth", tuple(_SIGN_IN_KEYS))
        auth = chosen or "login"
        if chosen or "auth" not in table:
            _check_sign_in(name, table, auth)
    keys = [key.text for key, _ in table.node.entries if key.text not in _NO_TEXTS]
    texts = {key: text for key in keys if key in table.known and (text := table.text(key))}
    for key in _SECRET_KEYS:
        if key in texts:
            check_is_variable(key, texts[key], report)
    _check_address(texts, report)
    return OrgEntry(
        name=name.text,
        auth=auth,
        sandbox=table.boolean("sandbox") or False,
        texts=texts,
        settings=tuple(table.tables("settings")),
        headers=read_headers(table.get("headers"), report),
        reserve=_reserve(table),
        patience=table.number("patience", "a number of seconds"),
        call_limit=table.number("call_limit", "a number of seconds"),
        batch_size=read_batch_size(table),
        bulk=table.choice("bulk", BULK_MODES),
    )


def _check_address(texts: Mapping[str, ScalarNode], report: DiagnosticReport) -> None:
    for key in ("login_url", "instance_url"):
        node = texts.get(key)
        if node and not VARIABLE.search(node.text) and (mistake := login_url_mistake(node.text)):
            what, hint = mistake
            report.error(kinds.WRONG_VALUE, node.span, f"{key} {what}", hint)


def _reserve(table: Table) -> float:
    node = table.scalar("reserve")
    if node is None:
        return 0.0
    found = _PERCENT.fullmatch(node.text)
    if found is None:
        table.report.error(kinds.WRONG_VALUE, node.span, "reserve must be a share of the day's calls, such as 10%")
    return float(found[1]) / 100 if found else 0.0


def _check_sign_in(name: ScalarNode, table: Table, auth: str) -> None:
    """Reports keys of other ways to sign in, and missing keys of this one."""
    takes = (*_COMMON_KEYS, *_SIGN_IN_KEYS[auth])
    for key, _ in table.node.entries:
        if key.text in table.known and key.text not in takes:
            table.report.error(
                kinds.WRONG_SIGN_IN,
                key.span,
                f"{key.text} does not belong to auth: {auth}",
                f"it takes {listed(takes, 'and')}",
            )
    for wanted in _NEEDED[auth]:
        if wanted not in table:
            table.report.error(
                kinds.WRONG_SIGN_IN, name.span, f'the org {name.text} needs the key "{wanted}" for auth: {auth}'
            )
    if (
        auth == "session"
        and "session_file" not in table
        and not ("access_token" in table and "instance_url" in table)
    ):
        table.report.error(
            kinds.WRONG_SIGN_IN,
            name.span,
            f"the org {name.text} needs session_file, or access_token and instance_url",
        )
