"""Runs the local org as a process that ends when its standard input is closed.

It prints its address, and the certificate of its authority, on stdout as a line of JSON. Exit codes: 2 an invalid
file, 3 no port or no database.
"""

import argparse
import json
import sys
import threading
from pathlib import Path

from sfmap.engine.errors import ExitCode, SfmapError
from sfmap.engine.http.address import CannotServe
from sfmap.engine.http.server import WebServer
from sfmap.engine.http.tls_files import TlsFiles
from sfmap.engine.local_org.hosting import LocalOrgOptions, feature_names, serve
from sfmap.engine.local_org.own_certificate import own_certificate
from sfmap.engine.yaml_files.diagnostics import Mistakes

_HOST = "127.0.0.1"


def main() -> int:
    try:
        options = _options()
        serve(options, lambda server: _say_where(server, options))
    except Mistakes as mistakes:
        print(mistakes, file=sys.stderr)  # noqa: T201
        return mistakes.exit_code
    except SfmapError as error:
        print(f"Error: {error}", file=sys.stderr)  # noqa: T201
        # For the program that started it, an org that cannot be served is one that cannot be used.
        return ExitCode.NOT_FINISHED if isinstance(error, CannotServe) else error.exit_code
    return ExitCode.DONE


def _options() -> LocalOrgOptions:
    parser = argparse.ArgumentParser(prog="python -m sfmap.engine.local_org", description=__doc__)
    parser.add_argument("--db", type=Path, required=True)
    parser.add_argument("--schema", type=Path)
    parser.add_argument("--features", default="")
    parser.add_argument("--faults", type=Path)
    parser.add_argument("--log", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--daily-limit", type=int, default=100_000)
    parser.add_argument("--password-grant", action="store_true")
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--tls-cert", type=Path)
    parser.add_argument("--tls-key", type=Path)
    asked = parser.parse_args()
    return LocalOrgOptions(
        database=asked.db,
        schema=asked.schema,
        features=feature_names(asked.features),
        port=asked.port,
        daily_limit=asked.daily_limit,
        faults=asked.faults,
        log=asked.log,
        password_grant=asked.password_grant,
        tls=_tls(asked),
        host=_HOST,
    )


def _tls(asked: argparse.Namespace) -> TlsFiles | None:
    if asked.tls_cert:
        return TlsFiles(certificate=asked.tls_cert, key=asked.tls_key)
    return own_certificate(asked.db, _HOST) if asked.tls else None


def _say_where(server: WebServer, options: LocalOrgOptions) -> None:
    """Prints the address, then stops the server when standard input ends, as it does when the parent dies."""

    def stop_with_standard_input() -> None:
        sys.stdin.buffer.read()
        server.stop()

    threading.Thread(target=stop_with_standard_input, daemon=True).start()
    authority = str(options.tls.authority) if options.tls and options.tls.authority else None
    print(json.dumps({"url": server.url, "authority": authority}), flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
