"""Leads the host names of Salesforce to a local org, for clients that know no other: by an HTTPS proxy.

The clients verify a certificate, whose authority they get in the environment.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread
from urllib.parse import urlsplit

from sfmap.engine.local_org.own_certificate import own_certificate
from sfmap.engine.local_org.process import LocalOrg, start_local_org

LOGIN = "login.salesforce.com"


@dataclass(frozen=True, kw_only=True)
class NamedOrg:
    """A local org, and the environment in which a client takes it for login.salesforce.com."""

    org: LocalOrg
    environment: dict[str, str]


@contextmanager
def start_named_org(folder: Path, schema: Path) -> Iterator[NamedOrg]:
    authority = own_certificate(folder / "org.db", LOGIN).authority
    with start_local_org(folder / "org.db", schema, tls=True) as org, _proxy(urlsplit(org.url).port or 0) as url:
        trusting = dict.fromkeys(("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"), str(authority))
        proxied = {"HTTPS_PROXY": url, "https_proxy": url, "NO_PROXY": "", "no_proxy": ""}
        yield NamedOrg(org=org, environment={**trusting, **proxied})


@contextmanager
def _proxy(port: int) -> Iterator[str]:
    """The URL of a proxy whose tunnels all end at a port of this machine."""

    class Tunnel(StreamRequestHandler):
        def handle(self) -> None:
            while self.rfile.readline().strip():
                pass  # CONNECT and its headers
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            with socket.create_connection(("127.0.0.1", port)) as org:
                back = Thread(target=_pass_on, args=(org, self.connection), daemon=True)
                back.start()
                _pass_on(self.connection, org)
                back.join()

    class Proxy(ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    with Proxy(("127.0.0.1", 0), Tunnel) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while part := source.recv(65_536):
            target.sendall(part)
        target.shutdown(socket.SHUT_WR)
