"""Serves the local org over HTTP until it is told to stop."""

import asyncio
import gc
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

from sfmap.engine.files.private_files import private_file
from sfmap.engine.http.address import CannotServe, is_loopback, listen
from sfmap.engine.http.connections import Connections
from sfmap.engine.http.server import WebServer
from sfmap.engine.http.tls_files import TlsFiles, host_names, server_context
from sfmap.engine.local_org.bulk.job_runner import JobRunner
from sfmap.engine.local_org.calls.api_calls import ApiCalls
from sfmap.engine.local_org.calls.sessions import SESSION_SECONDS, ApiSessions
from sfmap.engine.local_org.faults.fault_plan import load_fault_plan
from sfmap.engine.local_org.faults.faults_endpoint import FaultsEndpoint
from sfmap.engine.local_org.http_app import make_app
from sfmap.engine.local_org.records.schema_file import load_schema
from sfmap.engine.local_org.records.store import LoggedCall, Store, StoreFailed
from sfmap.engine.local_org.rest.oauth_endpoints import OAuthEndpoints

_STOP_SECONDS = 3
_COLLECT_AFTER = 50_000
"""Allocations between garbage collections: a call makes thousands of objects, none in cycles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalOrgOptions:
    database: Path
    schema: Path | None = None
    features: tuple[str, ...] = ()
    """Features of orgs that are switched on, besides those of the schema file."""
    host: str = "127.0.0.1"
    port: int = 0
    """0 for any free port."""
    daily_limit: int = 100_000
    session_seconds: int = SESSION_SECONDS
    faults: Path | None = None
    """The fault plan."""
    log: Path | None = None
    """A file that receives a line of JSON for each call."""
    password_grant: bool = False
    """Whether OAuth's password grant is switched on."""
    tls: TlsFiles | None = None
    """What the org serves HTTPS with; it serves HTTP without."""


def _names(options: LocalOrgOptions) -> list[str] | None:
    """The host names that requests may name; None for any.

    The credentials are public, so no web page may reach the org by a name that it points at loopback; it has no
    certificate for the names of the org's.
    """
    if not is_loopback(options.host):
        return None
    return [options.host, "127.0.0.1", "::1", "localhost", *(host_names(options.tls) if options.tls else ())]


def feature_names(text: str) -> tuple[str, ...]:
    """The names of a text with commas between them."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _open_log(path: Path) -> TextIO:
    private_file(path)
    return path.open("a", encoding="utf-8", buffering=1)


def serve(options: LocalOrgOptions, ready: Callable[[WebServer], None]) -> None:
    """Serves until a signal arrives, or the server that `ready` is called with is stopped.

    Call it from the main thread, which receives signals.

    Raises `CannotServe`, `UnknownFeature`, and for the schema file `Mistakes` or `CannotRead`.
    """
    context = server_context(options.tls) if options.tls else None
    schema = load_schema(options.schema, options.features)
    faults = FaultsEndpoint(load_fault_plan(options.faults))
    listening = listen(options.host, options.port)
    try:
        store = Store(options.database, schema)
        log = _open_log(options.log) if options.log else None
    except (StoreFailed, OSError) as error:
        raise CannotServe(str(error)) from None

    def write(call: LoggedCall) -> None:
        if log:
            log.write(json.dumps(asdict(call)) + "\n")

    sessions = ApiSessions(options.session_seconds)
    calls = ApiCalls(store, schema, sessions, daily_limit=options.daily_limit, on_logged=write)
    connections = Connections()
    runner = JobRunner(calls, faults)
    oauth = OAuthEndpoints(sessions, options.password_grant)
    app = make_app(calls, oauth, connections, faults, runner, names=_names(options))
    server = WebServer(
        app,
        listening,
        host=options.host,
        stop_seconds=_STOP_SECONDS,
        connections=connections,
        tls=context,
        proxy_headers=False,  # faults close the connection of the request, which may be that of a proxy
    )
    gc.set_threshold(_COLLECT_AFTER)
    # Before the address is known to anyone: a Ctrl-C while the event loop starts would be lost.
    server.stop_on_signals()
    ready(server)
    asyncio.run(server.serve())
    runner.stop()
    store.close()
